"""How long does a segment of DuckMart take, beside SQL written by hand for the same file?

``make bench ARGS="duckmart"`` makes 100,000 users with ten events each, measures and forgets them; with
``--customers 1000000 --home FOLDER`` it is a million with ten million events, in a folder that is kept and used again.
The counts must be equal. Every question opens the file for itself, as a request to the API does. Times are
CPU times of all threads: on two idle cores the answer comes a little sooner.
"""

import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import sqlalchemy as sa

from benchmarks.table import Measured, show
from benchmarks.table import times as timed
from db import duck
from db.duck import opened
from domain.segments import Definition, parse
from services import datasets, duckmart

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RUNS = 5
COMPILED = 20
EVENTS_OF_A_USER = 10

times = partial(timed, clock=process_time)

IN_CALIFORNIA = {"type": "attribute", "name": "location", "op": "eq", "value": "California"}
BY_HAND: dict[str, tuple[dict[str, Any], str]] = {
    "age 25 to 34": (
        {"type": "attribute", "name": "age", "op": "between", "value": [25, 34]},
        "select count(*) from users where age between 25 and 34",
    ),
    "in California and logged in": (
        {"type": "all", "of": [IN_CALIFORNIA, {"type": "activity", "name": "LOGIN"}]},
        """select count(*) from users where location = 'California'
           and id in (select user_id from events where event_name = 'LOGIN')""",
    ),
    "2 purchases or more in 90 days": (
        {"type": "activity", "name": "PURCHASE", "op": "gte", "value": 2, "during": {"last": "90d"}},
        """select count(*) from (select user_id from events where event_name = 'PURCHASE'
           and timestamp >= timestamptz '2026-03-03' and timestamp < timestamptz '2026-06-01'
           group by user_id having count(*) >= 2)""",
    ),
    "premium, no login in 30 days": (
        {
            "type": "all",
            "of": [
                {"type": "attribute", "name": "subscription_plan", "op": "eq", "value": "Premium"},
                {"type": "activity", "name": "LOGIN", "op": "none", "during": {"last": "30d"}},
            ],
        },
        """select count(*) from users where subscription_plan = 'Premium' and id not in (
           select user_id from events where event_name = 'LOGIN' and timestamp >= timestamptz '2026-05-02'
           and timestamp < timestamptz '2026-06-01')""",
    ),
    "cart, then no purchase within 7 days": (
        {
            "type": "sequence",
            "steps": [{"name": "ADD_TO_CART"}, {"name": "PURCHASE", "op": "none", "within": "7d"}],
            "during": {"last": "60d"},
        },
        """select count(distinct c.user_id) from events c where c.event_name = 'ADD_TO_CART'
           and c.timestamp >= timestamptz '2026-04-02' and c.timestamp <= timestamptz '2026-05-25'
           and not exists (select 1 from events p where p.event_name = 'PURCHASE' and p.user_id = c.user_id
             and p.timestamp > c.timestamp and p.timestamp <= c.timestamp + interval 7 days
             and p.timestamp < timestamptz '2026-06-01')""",
    ),
    "busiest 1 % of each state": (
        {"type": "rank", "metric": "events", "percent": 1, "per": "location"},
        """select count(*) from (select rank() over w as place, count(*) over (partition by location) as n
           from users left join (select user_id, count(*) as c from events where timestamp < timestamptz '2026-06-01'
           group by user_id) e on e.user_id = users.id where location is not null
           window w as (partition by location order by coalesce(c, 0) desc)) where place <= ceil(n * 0.01)""",
    ),
}


def run(customers: int = 100_000, home: Path | None = None) -> None:
    """Make DuckMart, or find it, and measure compiling, counting and previewing there."""
    duck.TIMEOUT_SECONDS = 600.0  # what else the machine does must not end a measurement
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        path = _made(home or Path(folder), customers)
        rows = [row for name in BY_HAND for row in _measured(path, name)]
    show(f"DuckMart of {customers:,} users and {customers * EVENTS_OF_A_USER:,} events", rows)


def _made(folder: Path, users: int) -> Path:
    path = folder / f"duckmart-{users}.duckdb"
    if not path.exists():
        began = perf_counter()
        events = users * EVENTS_OF_A_USER
        duckmart.generate(folder, users=users, events=events, seed=duckmart.SEED, now=NOW, odd=0)
        generated = perf_counter()
        duckmart.load(folder, path)
        print(f"generated in {generated - began:.0f} s, loaded in {perf_counter() - generated:.0f} s")
    return path


def _measured(path: Path, name: str) -> list[Measured]:
    where, by_hand = BY_HAND[name]
    definition = parse({"dataset": "duckmart", "where": where})
    ours, theirs = _size(path, definition), _hand(path, by_hand)
    if ours != theirs:
        raise SystemExit(f"{name}: {ours} users by the compiler, {theirs} by hand")
    hand = Measured("", times(partial(_hand, path, by_hand), runs=RUNS)).median
    with datasets.open_dataset("duckmart", path) as dataset:
        compiling = times(partial(datasets.ask, dataset, definition, now=NOW), runs=COMPILED)
    return [
        Measured(f"{name}: {ours:,}", times(partial(_size, path, definition), runs=RUNS), "by hand", hand),
        Measured("  with waterfall, unknown, sample", times(partial(_preview, path, definition), runs=RUNS), "", hand),
        Measured("  compiled", compiling),
    ]


def _size(path: Path, definition: Definition) -> int:
    with datasets.open_dataset("duckmart", path) as dataset:
        return datasets.size(dataset, definition, now=NOW)


def _preview(path: Path, definition: Definition) -> object:
    with datasets.open_dataset("duckmart", path) as dataset:
        return datasets.preview(dataset, definition, now=NOW)


def _hand(path: Path, statement: str) -> int:
    with opened(path) as file:
        (row,) = file.rows(sa.select(sa.text("n")).select_from(sa.text(f"({statement}) as t(n)")))
        return int(row["n"])
