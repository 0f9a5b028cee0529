"""How does a database get from any earlier state, the empty one included, to the state this code expects?"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from db.session import engine

LOCK = 7_215_001
"""Advisory lock of migrations: of several processes that start at once, one migrates and the others wait."""


def upgrade(url: str | None = None) -> None:
    """Bring the database at ``url`` (by default the configured one) to the newest revision, in one transaction."""
    with engine(url).connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        command.upgrade(configuration(connection), "head")
        connection.commit()


def configuration(connection: Connection) -> Config:
    """What Alembic's commands need to work on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
