"""Does a DuckDB file have what its catalog speaks of, and how does it take the shape that can be asked?"""

from collections.abc import Mapping

from db.duck import DuckFile, quoted
from domain.catalog import Catalog, SourceKind, suggestion
from domain.errors import Invalid

WHOLE_NUMBERS = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT")
TEXTS = ("VARCHAR", "UUID")
TYPES: Mapping[SourceKind, tuple[str, ...]] = {
    "key": (*WHOLE_NUMBERS, *TEXTS),
    "text": TEXTS,
    "date": ("DATE",),
    "instant": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
    "number": (*WHOLE_NUMBERS, "DOUBLE", "FLOAT", "DECIMAL"),
    "boolean": ("BOOLEAN",),
}


def prepared(file: DuckFile, catalog: Catalog) -> Catalog:
    """Check the file against the catalog's sources and make its views, in memory.

    The answer is the catalog with the kind of key that the file has. Raises Invalid (``missing_in_file``,
    ``wrong_type_in_file``) naming the table or column.
    """
    if catalog.sources:
        _check(file, catalog)
    for name, query in catalog.views.items():
        file.run(f"create temp view {quoted(name)} as {query}")
    if not catalog.sources:
        return catalog
    key, table = quoted(catalog.entity.key), quoted(catalog.entity.table)
    (_, kind, *_), *_ = file.run(f"describe select {key} from {table}").fetchall()  # noqa: S608 - names of the catalog
    entity = catalog.entity.model_copy(update={"key_kind": "text" if kind in TEXTS else "integer"})
    return catalog.model_copy(update={"entity": entity})


def _check(file: DuckFile, catalog: Catalog) -> None:
    tables = _tables(file, catalog.schemas)
    for table, columns in catalog.sources.items():
        if table not in tables:
            fix = suggestion(table, tables) if tables else f"its tables must lie in {' or '.join(catalog.schemas)}"
            raise Invalid("missing_in_file", f"{file.path.name} has no table {table}", fix, f"file.{table}")
        for column, kind in columns.items():
            _check_column(file, table, column, kind, tables[table])


def _check_column(file: DuckFile, table: str, column: str, kind: SourceKind, columns: Mapping[str, str]) -> None:
    path = f"file.{table}.{column}"
    if column not in columns:
        message = f"the table {table} of {file.path.name} has no column {column}"
        raise Invalid("missing_in_file", message, suggestion(column, columns), path)
    if columns[column].split("(")[0] not in TYPES[kind]:
        message = f"{table}.{column} of {file.path.name} is a {columns[column]}, not a {kind}"
        raise Invalid("wrong_type_in_file", message, f"make it a {TYPES[kind][0]}", path)


def _tables(file: DuckFile, schemas: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Table -> column -> type in the schemas; of two tables of a name the one in the first schema, as in a search."""
    found: dict[str, dict[str, dict[str, str]]] = {schema: {} for schema in reversed(schemas)}
    rows = file.run("""
        select schema_name, lower(table_name), lower(column_name), data_type from duckdb_columns()
        where not internal and database_name = current_database()
    """)
    for schema, table, column, kind in rows.fetchall():
        if schema in found:
            found[schema].setdefault(table, {})[column] = kind
    return {table: columns for tables in found.values() for table, columns in tables.items()}
