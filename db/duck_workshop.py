"""Where are rows made by the million? In a DuckDB of their own, set by set, to leave as CSV."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from db.duck import CONFIG


@dataclass(frozen=True)
class Workshop:
    """A database that ends with its block. ``connection`` is for this package alone."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def run(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement; ``$name`` in it is a value."""
        self.connection.execute(statement, dict(values or {}))

    def csv(self, table: str) -> tuple[Path, list[str]]:
        """Write a table to a file without a heading; answer the file and the columns. NULL is empty."""
        path = self.folder / f"{table}.csv"
        columns = [row[0] for row in self.connection.execute(f"describe {table}").fetchall()]
        self.connection.execute(f"copy {table} to '{path}' (format csv, header false)")
        return path, columns


@contextmanager
def workshop(folder: Path, *, memory: str) -> Iterator[Workshop]:
    """A workshop whose files lie in ``folder`` until the block ends; ``memory``, such as ``1GB``, is its limit."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as inside,
        duckdb.connect(Path(inside) / "workshop.duckdb", config=CONFIG | {"memory_limit": memory}) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        yield Workshop(connection, Path(inside))
