"""How do a segment's members leave as a file? Streamed from the database row by row, in a CSV or a Parquet file."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from db.duck import CONFIG
from db.segments_compiler import Compiler
from db.segments_sql import whole
from db.segments_tables import Scope, Value, place
from domain import segments as seg
from domain.operators import Kind

AT_ONCE = 5_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins like this is run by spreadsheets; see OWASP, CSV injection."""

TYPES: Mapping[Kind, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "money": "DECIMAL(18, 2)",
    "date": "DATE",
    "instant": "TIMESTAMPTZ",
    "boolean": "BOOLEAN",
    "list": "VARCHAR",
    "object": "VARCHAR",
}


def table(definition: seg.Definition, columns: Sequence[str], scope: Scope) -> sa.Select[Any]:
    """``id`` and the named attributes and metrics of each member, in order of their ids.

    Raises Invalid for a name that is neither.
    """
    compiler, catalog = Compiler(scope), scope.catalog
    metrics = [name for name in columns if name in catalog.metrics]
    if metrics:
        asked = (seg.Metric(name=name, op="gte", value=Decimal(0)) for name in metrics)
        compiler.collect(seg.All(of=tuple(asked)))
    members = whole(compiler, definition)
    values = [
        compiler.metric_value(name, None, "columns")
        if name in metrics
        else place(catalog.attribute(name, "columns"), compiler.entity, compiler.joins)
        for name in columns
    ]
    named = (value.label(f"column_{i}") for i, value in enumerate(values))
    all_of_them: list[Value] = [compiler.key.label("id"), *named]
    rows = sa.select(*all_of_them).select_from(compiler.rows())
    return rows.where(members.known, members.condition).order_by(compiler.key)


def kinds(columns: Sequence[str], scope: Scope) -> dict[str, Kind]:
    """The kind of each column, ``id`` first."""
    catalog = scope.catalog
    of = {name: (catalog.metrics.get(name) or catalog.attribute(name, "columns")).kind for name in columns}
    return {"id": "integer", **of}


def write_csv(session: Session, statement: sa.Select[Any], columns: Mapping[str, Kind], path: Path) -> int:
    """Write a CSV file for people and spreadsheets; text that would be run as a formula gets a quote before it.

    Names of columns may come from imported data, and are text like any other.
    """
    return _write(session, statement, columns, path, lambda value: _shown(value, guard=True))


def write_parquet(session: Session, statement: sa.Select[Any], columns: Mapping[str, Kind], path: Path) -> int:
    """Write a Parquet file with typed columns, by way of a CSV file that is read as it was written."""
    types = ", ".join(f"{_quoted(name)}: {_quoted(TYPES[kind])}" for name, kind in columns.items())
    form = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '\\N'"
    with TemporaryDirectory(dir=path.parent) as folder:
        raw = Path(folder) / "rows.csv"
        count = _write(session, statement, columns, raw, lambda value: _shown(value, guard=False, nothing="\\N"))
        with duckdb.connect(config=CONFIG) as connection:
            connection.execute("set timezone = 'UTC'")
            read = f"select * from read_csv(?, {form}, columns = {{{types}}})"  # noqa: S608 - quoted
            connection.execute(f"copy ({read}) to {_quoted(str(path))} (format parquet)", [str(raw)])
    return count


WRITERS: Mapping[str, Callable[[Session, sa.Select[Any], Mapping[str, Kind], Path], int]] = {
    "csv": write_csv,
    "parquet": write_parquet,
}


def _write(
    session: Session,
    statement: sa.Select[Any],
    columns: Mapping[str, Kind],
    path: Path,
    shown: Callable[[Any], str],
) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file, _streamed(session, statement) as rows:
        writer = csv.writer(file)
        writer.writerow(shown(name) for name in columns)
        for row in rows:
            writer.writerow(shown(value) for value in row)
            count += 1
    return count


def _quoted(text: str) -> str:
    """A literal of SQL, where no value can be bound."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _streamed(session: Session, statement: sa.Select[Any]) -> Iterator[sa.Result[Any]]:
    result = session.execute(statement.execution_options(yield_per=AT_ONCE))
    try:
        yield result
    finally:
        result.close()


def _shown(value: Any, *, guard: bool, nothing: str = "") -> str:
    match value:
        case None:
            return nothing
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
        case str():
            return f"'{value}" if guard and value.startswith(FORMULA) else value
        case _:
            return str(value)
