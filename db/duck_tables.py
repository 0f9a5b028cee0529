"""Which tables does a DuckDB file have, and what is in them?"""

from collections.abc import Iterable
from typing import Any

from db.duck import DuckFile, quoted
from domain.catalog import Activity, Entity
from domain.drafting import Column, Table

EXAMPLES = 6
SAMPLED = 100_000
NEARLY = 0.7
"""Only columns with about so many values for a row are counted exactly."""

LONGEST_EXAMPLE = 40

_COLUMNS = """
    select schema_name, table_name, column_name, data_type from duckdb_columns()
    where not internal and database_name = current_database() order by table_oid, column_index
"""
_POINTERS = """
    select schema_name, table_name, constraint_column_names[1], referenced_table from duckdb_constraints()
    where constraint_type = 'FOREIGN KEY' and database_name = current_database() and len(constraint_column_names) = 1
"""


def schemas(file: DuckFile) -> tuple[str, ...]:
    """The schemas that have tables, those with most first."""
    found = file.run(f"select schema_name from ({_COLUMNS}) group by 1 order by count(*) desc, 1").fetchall()
    return tuple(str(name) for (name,) in found)


def tables(file: DuckFile) -> list[Table]:
    """Every table and view, by name once: of those in several schemas the one found first."""
    pointers = {(schema, table, column): to for schema, table, column, to in file.run(_POINTERS).fetchall()}
    shapes: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for schema, table, column, kind in file.run(_COLUMNS).fetchall():
        home, columns = shapes.setdefault(table, (schema, []))
        if home == schema:
            columns.append((column, kind))
    return [
        _table(
            file, name, columns, {column: to for (of, at, column), to in pointers.items() if (of, at) == (schema, name)}
        )
        for name, (schema, columns) in shapes.items()
    ]


def share_found(file: DuckFile, table: Table, column: Column, other: Table, key: Column) -> float:
    """The share of a column's first values that another table's key has; 0 for a column without values."""
    sample = f"select {quoted(column.name)} as v from {quoted(table.name)} where v is not null limit {SAMPLED}"
    found = f"count(*) filter (v in (select {quoted(key.name)} from {quoted(other.name)}))"
    (row,) = file.run(f"select {found} / nullif(count(*), 0) from ({sample})").fetchall()
    return float(row[0] or 0)


def _table(file: DuckFile, name: str, columns: list[tuple[str, str]], pointers: dict[str, str]) -> Table:
    counted = ", ".join(f"count({quoted(column)}), approx_count_distinct({quoted(column)})" for column, _ in columns)
    (row,) = file.run(f"select count(*), {counted} from {quoted(name)}").fetchall()
    rows, figures = row[0], list(zip(row[1::2], row[2::2], strict=True))
    return Table(
        name,
        rows,
        tuple(
            Column(
                column,
                kind,
                filled,
                distinct,
                unique=filled == rows > 0 and distinct > NEARLY * rows and _unique(file, name, column),
                points_to=pointers.get(column),
                values=_examples(file, name, column) if kind == "VARCHAR" and filled else (),
            )
            for (column, kind), (filled, distinct) in zip(columns, figures, strict=True)
        ),
    )


def _unique(file: DuckFile, table: str, column: str) -> bool:
    (row,) = file.run(f"select count(distinct {quoted(column)}) = count(*) from {quoted(table)}").fetchall()
    return bool(row[0])


def _examples(file: DuckFile, table: str, column: str) -> tuple[str, ...]:
    sample = f"select {quoted(column)} as v from {quoted(table)} where v is not null limit {SAMPLED}"
    rows: list[Any] = file.run(
        f"select v from ({sample}) group by v order by count(*) desc, v limit {EXAMPLES}"
    ).fetchall()
    return tuple(" ".join(str(value).split())[:LONGEST_EXAMPLE] for (value,) in rows)


def repeated(file: DuckFile, table: str, columns: Iterable[str]) -> int:
    """How many values of these columns stand in more than one row, or are empty."""
    listed = ", ".join(quoted(column) for column in columns)
    twice = f"select 1 from {quoted(table)} group by {listed} having count(*) > 1 or ({listed}) is null"
    (row,) = file.run(f"select count(*) from ({twice})").fetchall()
    return int(row[0])


def strays(file: DuckFile, activity: Activity, entity: Entity) -> tuple[int, int, int]:
    """Rows of an activity's table; those of nobody who is in the entity's; those without a time."""
    of, at = quoted(activity.entity_column), quoted(activity.time_column)
    known = f"select {quoted(entity.key)} from {quoted(entity.table)}"
    counted = f"count(*), count(*) filter ({of} is null or {of} not in ({known})), count(*) filter ({at} is null)"
    (row,) = file.run(f"select {counted} from {quoted(activity.table)}").fetchall()
    return int(row[0]), int(row[1]), int(row[2])
