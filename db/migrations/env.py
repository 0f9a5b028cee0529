"""What does Alembic compare and run? Our metadata, on the connection it was handed or on the configured database."""

from alembic import context
from sqlalchemy import Connection

from db import tables
from db.session import engine


def run(connection: Connection) -> None:
    """Run the revisions Alembic chose."""
    context.configure(connection=connection, target_metadata=tables.load())
    with context.begin_transaction():
        context.run_migrations()


handed: Connection | None = context.config.attributes.get("connection")
if handed is not None:
    run(handed)
else:
    with engine().connect() as opened:
        run(opened)
