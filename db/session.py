"""How does a door talk to the database? Through one engine per address, in transactions that end here and only here."""

import atexit
import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolResetState

from db import tables
from domain.errors import Invalid, Unavailable
from settings import settings

RECYCLE_SECONDS = 300
TOO_SLOW = "57014"
"""What PostgreSQL says of a statement that its time limit has ended."""


@contextlib.contextmanager
def transaction(url: str | None = None) -> Iterator[Session]:
    """A session whose changes are committed when the block ends well and undone when it raises.

    ``url`` is a ``postgresql://`` address; without one the configured database is meant. Raises Unavailable when the
    database cannot be reached, Invalid (``value_impossible``) for what no column can hold.
    """
    with _said_plainly(), Session(engine(url), expire_on_commit=False) as session, session.begin():
        yield session


@contextlib.contextmanager
def reading(url: str | None = None) -> Iterator[Session]:
    """A session that sees one state of the database for its whole life and cannot change it.

    Raises Unavailable when the database cannot be reached.
    """
    snapshot = engine(url).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with _said_plainly(), Session(snapshot) as session:
        yield session


def engine(url: str | None = None) -> Engine:
    """The process's engine for an address, by default the configured one. Raises Invalid when none is configured."""
    if url is None:
        configured = settings().postgres_url
        if configured is None:
            raise Invalid(
                "no_database",
                "No database address is known to this process.",
                "Start it with `parley up`, or set PARLEY_POSTGRES_URL.",
            )
        url = configured.get_secret_value()
    return _engine(url)


@cache
def _engine(url: str) -> Engine:
    tables.load()
    made = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_recycle=RECYCLE_SECONDS,
        pool_reset_on_return=None,  # _reset does it
        connect_args={"application_name": "parley", "options": "-c timezone=UTC"},
    )
    event.listen(made, "reset", _reset)
    atexit.register(made.dispose)
    return made


def _reset(connection: Any, _record: object, state: PoolResetState) -> None:
    """Undo what a borrower left on the connection, its advisory locks too: they belong to the connection, not to it."""
    connection.rollback()
    if not state.terminate_only:
        connection.execute("select pg_advisory_unlock_all()")
        connection.rollback()


@contextlib.contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == TOO_SLOW:
            raise Unavailable("too_slow", "The question took too long.", "Narrow it.") from error
        if state is None or state[:3] == "57P" or state[:2] in {"08", "53"}:
            raise Unavailable(
                "database_unavailable",
                "The database cannot be reached now.",
                "Try again; `parley doctor` tells what is wrong.",
            ) from error
        raise
    except DataError as error:
        message = (
            "Something in this cannot be stored or looked for: a number too large, or a character without meaning."
        )
        raise Invalid("value_impossible", message, "Correct it and try again.") from error
