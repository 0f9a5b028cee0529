"""How is a DuckDB file asked? Read-only, in process, with the statements that PostgreSQL gets, in DuckDB's words."""

import contextlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect, PGTypeCompiler

from db import duck_copies
from domain.errors import Invalid, NotFound, Unavailable

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

CLOSED = {**CONFIG, "enable_external_access": "false", "python_enable_replacements": "false"}
"""A file that is asked reaches no other file, and no name in it means a variable of this program."""

TIMEOUT_SECONDS = 10.0
KEEP_SECONDS = 120.0

HEADER = struct.Struct("<8x4sQ")
MAGIC = b"DUCK"
OLDEST = 64
"""The storage version that DuckDB 0.10 introduced, the first that later ones can read."""

BATCH = 10_000

MISSING = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException, duckdb.PermissionException)
WRONG_TYPE = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)
"""What DuckDB raises where a catalog, or a view in it, does not fit the file."""


class DuckTypes(PGTypeCompiler):
    """PostgreSQL's names of types, but for JSON, of which DuckDB has one kind."""

    def visit_JSONB(self, type_: Any, **kw: Any) -> str:  # noqa: ARG002, N802 - SQLAlchemy's name
        """The name of the JSON type."""
        return "JSON"


class DuckDialect(PGDialect):
    """PostgreSQL's SQL with numbered parameters; what differs is in ``db.segments_forms``."""

    name = "duckdb"
    supports_statement_cache = True
    type_compiler_cls = DuckTypes

    def __init__(self) -> None:
        """Number the parameters ``$1``, ``$2`` ..."""
        super().__init__(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


DIALECT = DuckDialect()


@dataclass(frozen=True)
class DuckFile:
    """An open file. ``connection`` is for this package alone."""

    path: Path
    connection: duckdb.DuckDBPyConnection

    def keep(self, view: str) -> None:
        """Read a view once and keep its rows in memory, for whoever asks it several times. Raises as ``run``."""
        kept = quoted(f"{view} kept")
        self.run(f"create temp table if not exists {kept} as from {quoted(view)}", seconds=KEEP_SECONDS)
        self.run(f"create or replace temp view {quoted(view)} as from {kept}")

    def rows(
        self, statement: sa.Select[*tuple[Any, ...]] | sa.TextClause, *, seconds: float | None = None
    ) -> list[dict[str, Any]]:
        """Run a statement; one dict per row. Takes and raises as ``run``."""
        compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        values = compiled.construct_params()
        bound = [
            json.dumps(values[name]) if isinstance(values[name], list | dict) else values[name]
            for name in compiled.positiontup or ()
        ]
        with self._answered_within(seconds or TIMEOUT_SECONDS):
            result = self.connection.execute(str(compiled), bound)
            names = [column[0] for column in result.description or ()]
            found: list[dict[str, Any]] = []
            while batch := result.fetchmany(BATCH):
                found += (dict(zip(names, row, strict=True)) for row in batch)
        return found

    def run(
        self, statement: str, values: list[Any] | None = None, *, seconds: float | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Run a statement in DuckDB's words, at most for ten seconds or those given.

        Raises Invalid (``missing_in_file``, ``wrong_type_in_file``) where the file is not what its catalog says,
        Unavailable (``too_slow``) after the time, or where memory is short (``too_large``).
        """
        with self._answered_within(seconds or TIMEOUT_SECONDS):
            return self.connection.execute(statement, values)

    @contextlib.contextmanager
    def _answered_within(self, seconds: float) -> Iterator[None]:
        """Interrupt what runs in the block after so many seconds, and say in our words what went wrong in it."""
        alarm = Timer(seconds, self.connection.interrupt)
        alarm.start()
        try:
            yield
        except MISSING as error:
            raise _unlike(self.path, "missing_in_file", error) from None
        except WRONG_TYPE as error:
            raise _unlike(self.path, "wrong_type_in_file", error) from None
        except duckdb.InterruptException:
            message = f"the question took longer than {seconds:.0f} seconds"
            raise Unavailable("too_slow", message, "narrow it, or ask again when less is going on") from None
        except duckdb.OutOfMemoryException:
            raise Unavailable("too_large", "the question needs too much memory", "narrow it") from None
        finally:
            alarm.cancel()


@contextlib.contextmanager
def opened(path: Path, schemas: tuple[str, ...] = ("main",)) -> Iterator[DuckFile]:
    """Open a file for reading; tables are looked for in these schemas, those of them that there are.

    While another process writes to the file, a copy of it is read. Keys of the type UUID are read as text. Raises
    NotFound (``no_such_file``), Invalid (``not_a_duckdb_file``, ``old_storage_version``, ``damaged_file``) or
    Unavailable (``file_in_use``).
    """
    connection = _readable(path)
    try:
        begin(connection)
        _look_in(connection, schemas)
        yield DuckFile(path, connection)
    finally:
        connection.close()


def connected(path: Path) -> duckdb.DuckDBPyConnection:
    """The file itself, for reading. Raises as ``opened``; Unavailable (``file_in_use``) while anybody writes to it."""
    if not path.is_file():
        raise NotFound("no_such_file", f"there is no file {path}", "give the path of a DuckDB file", "file")
    try:
        return duckdb.connect(path, read_only=True, config=CLOSED)
    except duckdb.Error as error:
        if any(reason in str(error) for reason in ("set lock", "different configuration")):
            message = f"{path.name} is being written to by another process"
            raise Unavailable("file_in_use", message, "try again later") from None
        raise _refusal(path, str(error)) from None


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """What every session begins with. DuckDB would draw its progress between a command's answers."""
    connection.execute("set timezone = 'UTC'")
    with contextlib.suppress(duckdb.InvalidInputException):  # a notebook without widgets has no such bar
        connection.execute("set enable_progress_bar = false")


def _readable(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return connected(path)
    except Unavailable as refused:
        try:
            return duckdb.connect(duck_copies.fresh(path), read_only=True, config=CLOSED)
        except (duckdb.Error, OSError):
            raise refused from None


def _look_in(connection: duckdb.DuckDBPyConnection, schemas: tuple[str, ...]) -> None:
    """Search the schemas in their order; a table with UUIDs is hidden by a view that has texts in their place."""
    found = connection.execute("""
        select schema_name, table_name, column_name, data_type = 'UUID' from duckdb_columns()
        where database_name = current_database() and not internal
    """).fetchall()
    database = quoted(str(connection.execute("select current_database()").fetchall()[0][0]))
    there = {schema for schema, *_ in found}
    path = ",".join(f"{database}.{quoted(schema)}" for schema in schemas if schema in there)
    connection.execute("set search_path = '{}'".format(path.replace("'", "''")))
    for schema, table in {(schema, table) for schema, table, _, is_uuid in found if is_uuid and schema in schemas}:
        named = (quoted(name) for at, of, name, is_uuid in found if (at, of) == (schema, table) and is_uuid)
        texts = ", ".join(f"{name}::varchar as {name}" for name in named)
        rows = f"select * replace ({texts}) from {database}.{quoted(schema)}.{quoted(table)}"  # noqa: S608 - names of the file's own tables
        connection.execute(f"create or replace temp view {quoted(table)} as {rows}")


def quoted(name: str) -> str:
    """A name as it stands in SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _unlike(path: Path, code: str, error: duckdb.Error) -> Invalid:
    reason = str(error).splitlines()[0]
    fix = "correct the catalog file, or give the file that belongs to it"
    return Invalid(code, f"{path.name}: {reason}", fix, "file")


def _refusal(path: Path, reason: str) -> Invalid:
    """What an open that failed means; the header of a DuckDB file names its storage version."""
    with path.open("rb") as file:
        header = file.read(HEADER.size)
    magic, version = HEADER.unpack(header) if len(header) == HEADER.size else (b"", 0)
    if magic != MAGIC:
        fix = "give a file that DuckDB wrote; CSV and Parquet files are imported first"
        return Invalid("not_a_duckdb_file", f"{path.name} is not a DuckDB file", fix, "file")
    if version < OLDEST:
        fix = "export it with the DuckDB that wrote it (EXPORT DATABASE) and import it with a current one"
        return Invalid("old_storage_version", f"{path.name} has DuckDB's old storage version {version}", fix, "file")
    return Invalid("damaged_file", f"{path.name} is damaged: {reason.splitlines()[0]}", "copy it anew", "file")
