"""How long does a segment take on a big store, on both engines, beside the best SQL written by hand for it?

``make bench ARGS="segments"`` makes a store of 100,000 customers, measures and forgets it. ``--customers 1000000
--home FOLDER`` makes the store of a million (5 million orders, 30 million events: about ten minutes and 20 GB) in a
folder that is kept and used again. Each segment is compiled and counted on PostgreSQL and on the store's DuckDB export,
and so is the same written by hand, by turns, so that whatever else the machine does falls on all alike. The counts must
be equal. The table is printed, and lands in ``report/segments.json`` with the machine's figures.
"""

import json
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import DateTime, TextClause, bindparam, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from benchmarks.memory import Watch
from benchmarks.segments_by_hand import CASES, Case
from benchmarks.store import NOW, stocked
from benchmarks.table import times
from db.segments_sql import compiled
from db.session import reading
from domain.segments import Definition, parse
from services import datasets, segments
from services.datasets import Dataset
from settings import ROOT

RUNS = 5
COMPILED = 20
PATIENCE_SECONDS = 600
"""How long a statement by hand may take; ours have the product's own limit."""
HOPELESS = 2
"""A statement by hand that takes so many times as long as another one in the first turn is not asked again."""
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
PATIENTLY = text(f"set local statement_timeout = '{PATIENCE_SECONDS}s'")

Ask = Callable[[], int]


@dataclass(frozen=True)
class Speed:
    """Medians on one engine in milliseconds, and how ours compares with the best by hand."""

    ours: float
    by_hand: float

    @property
    def ratio(self) -> float:
        """Ours as a multiple of the best by hand."""
        return self.ours / self.by_hand


@dataclass(frozen=True)
class Result:
    """One segment's figures; times in milliseconds."""

    name: str
    size: int
    compiling: float
    postgres: Speed
    duckdb: Speed


def run(customers: int = 100_000, home: Path | None = None, only: str = "") -> None:
    """Measure every segment, or those with ``only`` in the name."""
    cases = [case for case in CASES if only.lower() in case.name.lower()]
    with stocked(customers, home) as shop, Watch(shop.home) as watch:
        title = ", ".join(f"{shop.rows[name]:,} {name}" for name in ("customers", "orders", "events"))
        with reading(shop.url) as session, datasets.open_dataset("store", shop.file) as dataset:
            results = [_said(_measure(case, session, dataset)) for case in cases]
    Console(width=160).print(_table(title, results))
    print(f"Peak memory: PostgreSQL {watch.postgres_mb:,.0f} MB, this process with DuckDB {watch.here_mb:,.0f} MB")
    figures = {"store": shop.rows, "cores": os.cpu_count(), "python": platform.python_version(), "runs": RUNS,
               "postgres_mb": watch.postgres_mb, "duckdb_mb": watch.here_mb}  # fmt: skip
    folder = ROOT / "report"
    folder.mkdir(exist_ok=True)
    rows = [asdict(one) | {"postgres_ratio": one.postgres.ratio, "duckdb_ratio": one.duckdb.ratio} for one in results]
    (folder / "segments.json").write_text(json.dumps(figures | {"segments": rows}, indent=2) + "\n")


def _measure(case: Case, session: Session, dataset: Dataset) -> Result:
    definition = parse({"where": case.where})
    size = segments.size(session, definition, now=NOW)
    statements, for_duckdb = (
        [text(said).bindparams(bindparam("now", NOW, DateTime(timezone=True))) for said in by_hand]
        for by_hand in (case.by_hand, case.for_duckdb)
    )
    postgres = _by_turns(
        f"{case.name}, PostgreSQL",
        size,
        lambda: segments.size(session, definition, now=NOW),
        [lambda said=said: _patiently(session, said) for said in statements],  # type: ignore[misc]
    )
    duckdb = _by_turns(
        f"{case.name}, DuckDB",
        size,
        lambda: datasets.size(dataset, definition, now=NOW),
        [
            lambda said=said: _first(dataset.file.rows(said, seconds=PATIENCE_SECONDS))  # type: ignore[misc]
            for said in (*statements, *for_duckdb)
        ],
    )
    return Result(case.name, size, _compiling(session, definition), postgres, duckdb)


def _by_turns(name: str, size: int, ours: Ask, by_hand: list[Ask]) -> Speed:
    """One after the other, again and again. Stops everything where a count differs."""
    warm = [_timed(name, size, ask) for ask in by_hand]
    asks = [ours, *(ask for ask, took in zip(by_hand, warm, strict=True) if took < HOPELESS * min(warm))]
    _timed(name, size, ours)
    turns = [[_timed(name, size, ask) for ask in asks] for _ in range(RUNS)]
    medians = [statistics.median(times) for times in zip(*turns, strict=True)]
    return Speed(medians[0], min(medians[1:]))


def _timed(name: str, size: int, ask: Ask) -> float:
    start = perf_counter()
    found = ask()
    if found != size:
        raise SystemExit(f"{name}: {size:,} people, but {found:,} by one of the statements")
    return (perf_counter() - start) * 1000


def _patiently(session: Session, statement: TextClause) -> int:
    session.execute(PATIENTLY)
    return int(session.execute(statement).scalar_one())


def _first(rows: list[dict[str, Any]]) -> int:
    return int(next(iter(rows[0].values())))


def _compiling(session: Session, definition: Definition) -> float:
    """The median time from a definition to SQL as text, in milliseconds."""
    scope = segments.scope(session, now=NOW)
    return statistics.median(times(lambda: compiled(definition, scope).size().compile(dialect=DIALECT), runs=COMPILED))


def _said(result: Result) -> Result:
    print(f"{result.name}: {result.size:,}", flush=True)
    return result


def _table(title: str, results: list[Result]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("segment (milliseconds, medians)")
    for column in ("people", "compile", "PostgreSQL", "by hand", "ratio", "DuckDB", "by hand", "ratio"):
        table.add_column(column, justify="right")
    for one in results:
        cells = [f"{one.size:,}", f"{one.compiling:.1f}"]
        for speed in (one.postgres, one.duckdb):
            cells += [f"{speed.ours:,.0f}", f"{speed.by_hand:,.0f}", f"{speed.ratio:.2f}"]
        table.add_row(one.name, *cells)
    return table
