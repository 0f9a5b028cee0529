"""How does a database get from any earlier state, the empty one included, to the state this code expects?"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from db.session import engine, reading

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 7_215_001
"""Advisory lock of migrations: of several processes that start at once, one migrates and the others wait."""

NEWEST = max(path.name.split("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*_*.py"))
"""The revision this code expects; files are named ``<revision>_<what it does>.py``."""


def upgrade(url: str | None = None) -> None:
    """Bring the database at ``url`` (by default the configured one) to the newest revision, in one transaction.

    Raises Unavailable when it cannot be reached.
    """
    if revision(url) == NEWEST:
        return
    from alembic import command  # noqa: PLC0415 - a fifth of a second that most starts need not spend

    with engine(url).connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        command.upgrade(configuration(connection), "head")
        connection.commit()


def revision(url: str | None = None) -> str | None:
    """The revision a database is at, or None for one that was never migrated. Raises Unavailable."""
    with reading(url) as session:
        if session.scalar(text("select to_regclass('alembic_version')")) is None:
            return None
        found: str | None = session.scalar(text("select version_num from alembic_version"))
        return found


def configuration(connection: Connection) -> "Config":
    """What Alembic's commands need to work on an open connection."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
