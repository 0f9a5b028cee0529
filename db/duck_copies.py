"""How is a DuckDB file read while another process writes to it? From a copy, made anew when the file has changed."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

_lock = Lock()


@dataclass(frozen=True)
class _Copy:
    of: tuple[tuple[int, int], ...]
    at: Path


_copies: dict[Path, _Copy] = {}


def fresh(path: Path) -> Path:
    """A copy of a file and its log as they are now, kept until they change or this process ends. Raises OSError.

    A writer appends to the log and changes the file itself only at a checkpoint, so a copy is a state that was
    committed; one that a checkpoint was made under does not open.
    """
    log = path.with_name(f"{path.name}.wal")
    with _lock:
        state = tuple((found.stat().st_mtime_ns, found.stat().st_size) for found in (path, log) if found.exists())
        known = _copies.get(path)
        if known and known.of == state:
            return known.at
        at = Path(tempfile.mkdtemp(dir=_folder())) / path.name
        shutil.copyfile(path, at)
        if log.exists():
            shutil.copyfile(log, at.with_name(log.name))
        _copies[path] = _Copy(state, at)
        if known:
            shutil.rmtree(known.at.parent, ignore_errors=True)
        return at


@cache
def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="parley-copies-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
