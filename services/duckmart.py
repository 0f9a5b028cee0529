"""How does one get DuckMart: its raw CSV files, the clean ones, the DuckDB file that can be asked?"""

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from db import duckmart
from db.duckmart import Cleaned
from domain import duckmart as rules
from services import catalog, datasets

SEED = 7
DATASET = "duckmart"
CLEAN = "clean"
"""Where the clean files are put, below the folder of the raw ones."""


def generate(folder: Path, *, users: int, events: int, seed: int, now: datetime, odd: float) -> dict[str, int]:
    """Write raw ``users.csv`` and ``events.csv``; returns how many lines each has.

    ``odd`` is the share of lines (0 to 1) written as people would: spaces, capitals, other forms of dates, twice,
    ages that cannot be, events of nobody. The same arguments give the same files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "users": _written(
            folder / duckmart.USERS, rules.USER_COLUMNS, rules.users(seed=seed, now=now, count=users, odd=odd)
        ),
        "events": _written(
            folder / duckmart.EVENTS,
            rules.EVENT_COLUMNS,
            rules.events(seed=seed, now=now, count=events, of=users, odd=odd),
        ),
    }


def transform(folder: Path, into: Path | None = None, *, now: datetime) -> Cleaned:
    """Clean the raw files of a folder. Raises as ``db.duckmart.clean``."""
    return duckmart.clean(folder / duckmart.USERS, folder / duckmart.EVENTS, into or folder / CLEAN, now=now)


def load(folder: Path, path: Path | None = None) -> tuple[Path, dict[str, int]]:
    """Load the clean files of a folder, by default into the dataset's own file; returns it and its rows by table.

    Raises as ``db.duckmart.load``.
    """
    file = path or datasets.place(catalog.file(DATASET))
    return file, duckmart.load(folder / duckmart.USERS, folder / duckmart.EVENTS, file)


def _written(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        count = 0
        for count, row in enumerate(rows, 1):  # noqa: B007 - the last number is how many there were
            out.writerow(row)
        return count
