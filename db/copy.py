"""How do many rows get into a table fast? By COPY, on the session's own connection and in its transaction."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.types.json import JsonbDumper
from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

BLOCK = 1 << 20


def rows(session: Session, name: str, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> int:
    """Write rows of ``columns`` to the table ``name``; dictionaries become JSON. Returns how many there were.

    Constraints are checked as by an INSERT. Columns that are not named get their defaults.
    """
    connection = session.connection().connection.driver_connection
    if connection is None:
        return 0
    count = 0
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        cursor.adapters.register_dumper(dict, JsonbDumper)
        with cursor.copy(statement) as stream:
            for value in values:
                stream.write_row(value)
                count += 1
    return count


def file(session: Session, name: str, path: Path, columns: Sequence[str]) -> int:
    """Write a CSV file without a heading to ``columns`` of the table ``name``; returns how many rows there were."""
    connection = session.connection().connection.driver_connection
    if connection is None:
        return 0
    statement = sql.SQL("copy {} ({}) from stdin with (format csv)").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement) as stream, path.open("rb") as source:
            while block := source.read(BLOCK):
                stream.write(block)
        return int(cursor.rowcount)


def continue_ids(session: Session, *tables: str) -> None:
    """Let the identity column ``id`` go on after the highest id in each table; an empty one stays as it is."""
    for name in tables:
        ids = table(name, column("id"))
        sequence = func.pg_get_serial_sequence(name, "id")
        session.execute(select(func.setval(sequence, func.max(ids.c.id))))
