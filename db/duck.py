"""How is a DuckDB file asked? Read-only, in process, with the statements that PostgreSQL gets, in DuckDB's words."""

import contextlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect, PGTypeCompiler

from domain.errors import Invalid, NotFound, Unavailable

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

HEADER = struct.Struct("<8x4sQ")
MAGIC = b"DUCK"
OLDEST = 64
"""The storage version that DuckDB 0.10 introduced, the first that later ones can read."""


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

    def rows(self, statement: sa.Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Run a statement; one dict per row. Raises Invalid where the file lacks a table or column it needs."""
        compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        values = compiled.construct_params()
        bound = [
            json.dumps(values[name]) if isinstance(values[name], list | dict) else values[name]
            for name in compiled.positiontup or ()
        ]
        try:
            result = self.connection.execute(str(compiled), bound)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            reason = str(error).splitlines()[0]
            fix = "correct the catalog file, or give the file that belongs to it"
            raise Invalid("missing_in_file", f"{self.path.name}: {reason}", fix, "file") from None
        except duckdb.InterruptException:
            raise Unavailable("too_slow", "the question took too long", "narrow it") from None
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[DuckFile]:
    """Open a file for reading.

    Raises NotFound (``no_such_file``), Invalid (``not_a_duckdb_file``, ``old_storage_version``) or Unavailable
    (``file_in_use``) while another process writes to it.
    """
    if not path.is_file():
        raise NotFound("no_such_file", f"there is no file {path}", "give the path of a DuckDB file", "file")
    try:
        connection = duckdb.connect(path, read_only=True, config=CONFIG)
    except duckdb.Error as error:
        raise _refusal(path, str(error)) from None
    try:
        connection.execute("set timezone = 'UTC'")
        yield DuckFile(path, connection)
    finally:
        connection.close()


def _refusal(path: Path, reason: str) -> Invalid | Unavailable:
    """What an open that failed means; the header of a DuckDB file names its storage version."""
    if "set lock" in reason:
        return Unavailable("file_in_use", f"{path.name} is being written to by another process", "try again later")
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
