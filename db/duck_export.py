"""How do the store's tables become a DuckDB file? By COPY, table by table; the file appears only when whole."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from db.base import Row
from db.duck import CONFIG

INTERVAL_TABLES = ("consents", "tags", "suppressions", "segment_members", "topic_consents", "flow_step_log")
"""What the compiler asks of the store beyond what its catalog names."""

AS_THEY_CAME = {"events"}
"""Tables asked about recent times mostly, which DuckDB finds side by side; the others lie together by customer."""

TYPES: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.BigInteger, "BIGINT"),
    (sa.Integer, "BIGINT"),
    (sa.Numeric, "DECIMAL(18, 4)"),
    (sa.DateTime, "TIMESTAMPTZ"),
    (sa.Date, "DATE"),
    (sa.Boolean, "BOOLEAN"),
    (JSONB, "JSON"),
    (sa.Text, "VARCHAR"),
    (sa.Uuid, "VARCHAR"),
)


def write(session: Session, path: Path, names: Iterable[str], *, about: dict[str, str]) -> dict[str, int]:
    """Write tables to a new file, replacing an old one at the end; ``about`` becomes the table ``about(key, value)``.

    Returns the number of rows by table.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        with duckdb.connect(made, config=CONFIG) as connection:
            connection.execute("set timezone = 'UTC'")
            written = {name: _table(session, connection, Row.metadata.tables[name], Path(folder)) for name in names}
            connection.execute("create table about (key varchar, value varchar)")
            connection.executemany("insert into about values (?, ?)", list(about.items()))
        made.replace(path)
    return written


def _table(session: Session, connection: duckdb.DuckDBPyConnection, table: sa.Table, folder: Path) -> int:
    columns = {column.name: _type(column) for column in table.columns}
    listed = ", ".join(f'"{name}"' for name in columns)
    file = folder / f"{table.name}.csv"
    driver = session.connection().connection.driver_connection
    if driver is None:
        raise RuntimeError("the session has no connection")
    order = "" if table.name in AS_THEY_CAME else "order by 1"
    statement = f"copy (select {listed} from {table.name} {order}) to stdout with (format csv)"  # noqa: S608 - our names
    with driver.cursor() as cursor, cursor.copy(statement) as rows, file.open("wb") as sink:
        for block in rows:
            sink.write(block)
    types = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items()) + "}"
    form = "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false"
    read = f"create table {table.name} as select * from read_csv(?, {form}, columns = {types})"  # noqa: S608 - our names
    connection.execute(read, [str(file)])
    file.unlink()
    found = connection.execute(f"select count(*) from {table.name}").fetchone()  # noqa: S608 - our names
    return int(found[0]) if found else 0


def _type(column: sa.Column[object]) -> str:
    return next(name for kind, name in TYPES if isinstance(column.type, kind))
