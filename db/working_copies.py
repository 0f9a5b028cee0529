"""How does one get a copy of a DuckDB file to work on, without touching the file?"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import duckdb

from db.duck import CLOSED, connected
from domain.errors import Invalid


def copied(source: Path, work: Path) -> None:
    """Copy a file as a whole; an old ``work`` is replaced at the end.

    The file is only read, and nobody can write to it meanwhile; what lies in its log is worked into the copy. Raises as
    ``db.duck.connected``, also where the file to be replaced is in use, Invalid (``cannot_write_file``) where there is
    no folder or room for the copy.
    """
    with connected(source):
        try:
            with tempfile.TemporaryDirectory(dir=work.parent, prefix=f".{work.name}.") as folder:
                made = Path(folder) / work.name
                _copy(source, made)
                _check_unused(work)
                _log(work).unlink(missing_ok=True)
                made.replace(work)
        except OSError as error:
            message = f"{work} cannot be written: {error.strerror or error}"
            raise Invalid("cannot_write_file", message, "give another place", "work") from None


def _copy(source: Path, made: Path) -> None:
    shutil.copyfile(source, made)
    if _log(source).exists():
        shutil.copyfile(_log(source), _log(made))
        with duckdb.connect(made, config=CLOSED) as connection:
            connection.execute("checkpoint")
    with made.open("rb") as file:
        os.fsync(file.fileno())


def _check_unused(work: Path) -> None:
    """Nobody works with the file that is about to be replaced; it may be any kind of file."""
    if work.is_file():
        with contextlib.suppress(Invalid), connected(work):
            pass


def _log(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")
