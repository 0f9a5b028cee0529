"""How is a measurement taken and shown?"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Measured:
    """The times of one thing, in milliseconds, beside the median of its baseline in the same run."""

    name: str
    times: tuple[float, ...]
    baseline: str = ""
    baseline_median: float | None = None

    @property
    def median(self) -> float:
        """The middle time."""
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        """The time that 95 in 100 stay under; the worst one of fewer than 20."""
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * 0.95))]


def times(
    work: Callable[[], object], *, runs: int, warm: int = 2, clock: Callable[[], float] = perf_counter
) -> tuple[float, ...]:
    """Milliseconds of each of ``runs`` calls, after ``warm`` that do not count.

    With ``process_time`` as the clock it is the work of all threads, whatever else the machine does.
    """
    for _ in range(warm):
        work()
    found = []
    for _ in range(runs):
        start = clock()
        work()
        found.append((clock() - start) * 1000)
    return tuple(found)


def show(title: str, rows: list[Measured]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for column in ("what", "runs", "median ms", "p95 ms", "baseline", "baseline ms", "ratio"):
        table.add_column(column, justify="left" if column in {"what", "baseline"} else "right")
    for row in rows:
        against = row.baseline_median
        table.add_row(
            row.name,
            str(len(row.times)),
            f"{row.median:,.1f}",
            f"{row.p95:,.1f}",
            row.baseline,
            f"{against:,.1f}" if against is not None else "",
            f"{row.median / against:.2f}" if against else "",
        )
    Console().print(table)
