"""How do verdicts on addresses get into a CRM file? In one transaction, once nobody else has the file.

DuckDB lets one process write and shuts all others out meanwhile, so the file is open for writing only for as long as
the transaction takes.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb

from db.duck import CLOSED, begin
from db.prospects import VALIDATIONS
from domain.errors import Unavailable
from domain.verdicts import Verdict

TRY_AGAIN_SECONDS = 0.1

TABLE = f"""
    create table if not exists {VALIDATIONS} (
        email varchar primary key, status varchar not null, reason varchar not null, checked_at timestamptz not null,
        provider varchar not null
    )
"""

PUT = f"insert or replace into {VALIDATIONS} select unnest(?), unnest(?), unnest(?), unnest(?), unnest(?)"
"""One statement for all: DuckDB takes milliseconds for each."""


def write(path: Path, schema: str, verdicts: Sequence[Verdict], patience: timedelta) -> None:
    """Write verdicts into ``email_validations`` beside the file's own tables, replacing older ones.

    Raises Unavailable (``file_busy``) when another process had the file for longer than ``patience``.
    """
    columns = [
        [one.email for one in verdicts],
        [str(one.status) for one in verdicts],
        [one.reason for one in verdicts],
        [one.checked_at for one in verdicts],
        [one.provider for one in verdicts],
    ]
    with _writing(path, patience) as connection:
        connection.execute("begin")
        connection.execute(f'use "{schema}"')
        connection.execute(TABLE)
        connection.execute(PUT, columns)
        connection.execute("commit")


@contextmanager
def _writing(path: Path, patience: timedelta) -> Iterator[duckdb.DuckDBPyConnection]:
    deadline = time.monotonic() + patience.total_seconds()
    while (connection := _connected(path)) is None:
        if time.monotonic() > deadline:
            message = f"another process has had {path.name} open for more than {patience.total_seconds():g} s"
            raise Unavailable("file_busy", message, "close it there, then validate again") from None
        time.sleep(TRY_AGAIN_SECONDS)
    try:
        begin(connection)
        yield connection
    finally:
        connection.close()


def _connected(path: Path) -> duckdb.DuckDBPyConnection | None:
    """The file, for writing; None while another process, or another thread of this one, has it."""
    try:
        return duckdb.connect(path, config=CLOSED)
    except duckdb.Error as error:
        if any(reason in str(error) for reason in ("set lock", "different configuration")):
            return None
        raise
