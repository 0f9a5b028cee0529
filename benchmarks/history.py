"""How long does it take to tell a segment's size on each of the last 90 days, from the store's DuckDB export?

The segment is the first of ``benchmarks.segments``, with a percentile of everyone that is another one each day.
"""

from datetime import timedelta
from pathlib import Path
from time import perf_counter

from benchmarks.segments_by_hand import CASES
from benchmarks.store import NOW, stocked
from domain.segments import parse
from services import datasets

DAYS = 90


def run(customers: int = 100_000, home: Path | None = None) -> None:
    """Print the seconds that all days take, and the first and last size."""
    case = CASES[0]
    instants = [NOW - timedelta(days=before) for before in range(DAYS - 1, -1, -1)]
    with stocked(customers, home) as shop, datasets.open_dataset("store", shop.file) as dataset:
        start = perf_counter()
        found = datasets.sizes(dataset, parse({"where": case.where}), instants)
        spent = perf_counter() - start
    first, last = found[instants[0]], found[instants[-1]]
    print(f"{case.name}: {DAYS} days in {spent:.1f} s, from {first:,} to {last:,} of {customers:,} customers")
