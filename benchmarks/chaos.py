"""Is anything lost, doubled or sent too late when things die? ``python -m benchmarks.chaos [--messages N]``.

Three rounds after one without faults: workers are killed; the broker is emptied and killed; people say stop while
workers are killed. The vendor stand-in's own journal is the witness. The report lands in ``report/`` as JSON and as a
page.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.rig import journal, planting, processes
from benchmarks.rig.faults import Fault, Kills, RedisTrouble, Stops
from benchmarks.rig.journal import Verdict
from benchmarks.rig.processes import Rig
from channels.vendor import Manner
from db.session import engine, transaction
from domain.errors import Unavailable
from settings import ROOT, settings

NODES = ("w1", "w2")
WORKERS_PER_NODE = 2


@dataclass(frozen=True)
class Profile:
    """How much and for how long. ``faults`` are the fewest of each kind that must have happened."""

    messages: int
    over_seconds: float
    stops: int
    patience_seconds: float
    kills: int
    flushes: int

    @classmethod
    def sized(cls, messages: int) -> "Profile":
        """A profile for so many messages per round: due evenly at a pace that leaves room for the faults."""
        over = max(8.0, messages / 900)
        return cls(
            messages=messages,
            over_seconds=over,
            stops=min(3_000, max(300, messages // 10)),
            patience_seconds=60 + over * 3,
            kills=max(4, int(over * 0.6)),
            flushes=max(2, int(over / 4)),
        )


@dataclass(frozen=True)
class Round:
    """One cohort's way through one kind of trouble."""

    name: str
    verdict: Verdict
    faults: dict[str, int]
    stop_ms: dict[str, float] = field(default_factory=dict)
    gap_after_fault_seconds: float = 0.0
    problems: Sequence[str] = ()


def rounds(
    profile: Profile,
    *,
    seed: int = 1,
    names: Sequence[str] = ("no faults", "workers killed", "redis flushed and killed", "stops under fire"),
    app: str = "workers.app",
) -> Iterator[Round]:
    """Run the rounds in turn, on processes and servers that are started once. ``app`` is the workers' application."""
    manner = Manner(latency=(5, 60), losing=0.01, busy=0.01, repeating=0.15, shuffling=True, seed=seed)
    with tempfile.TemporaryDirectory(prefix="parley-rig-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # as root the servers run as another user, whose data lies below
        with _settings_of(home), processes.running(home, manner, drains=WORKERS_PER_NODE) as rig:
            with transaction(rig.addresses.postgres_url) as session:
                version = planting.prepare(session)
            rig.start_vendor()
            rig.start_receiver()
            rig.start_sweeper()
            for name in NODES:
                rig.start_worker(name, app)
            if not _await(lambda: all(rig.children(name) for name in NODES), processes.START_SECONDS):
                raise Unavailable("rig_not_started", "The workers did not start.", f"Look into the logs of {home}.")
            for place, name in enumerate(names):
                yield _round(rig, version, profile, name, random.Random(seed + place))  # noqa: S311 - dice
            engine(rig.addresses.postgres_url).dispose()


@contextlib.contextmanager
def _settings_of(home: Path) -> Iterator[None]:
    """Let this process stop people as a door would, with the secrets of the rig's store."""
    before = os.environ.get("PARLEY_HOME")
    os.environ["PARLEY_HOME"] = str(home)
    settings.cache_clear()
    try:
        yield
    finally:
        settings.cache_clear()
        if before is None:
            del os.environ["PARLEY_HOME"]
        else:
            os.environ["PARLEY_HOME"] = before


def _round(rig: Rig, version: int, profile: Profile, name: str, chance: random.Random) -> Round:
    offset = rig.journal.stat().st_size if rig.journal.exists() else 0
    with transaction(rig.addresses.postgres_url) as session:
        prefix = name.replace(" ", "")
        cohort = planting.plant(session, version, prefix, profile.messages, over_seconds=profile.over_seconds)
    kills = Kills(rig, chance, NODES)
    trouble = RedisTrouble(rig)
    stops = Stops(rig, chance, profile.stops, sorted(cohort.eligible))
    faults: dict[str, list[Fault]] = {
        "no faults": [],
        "workers killed": [kills],
        "redis flushed and killed": [trouble],
        "stops under fire": [kills, stops],
    }
    stop = threading.Event()
    threads = [threading.Thread(target=fault.run, args=(stop,)) for fault in faults[name]]
    for thread in threads:
        thread.start()
    try:
        settled = _await(lambda: _attended(rig, cohort, receipts=False), profile.patience_seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    settled = settled and _await(lambda: _attended(rig, cohort, receipts=True), profile.patience_seconds)
    calls = journal.read(rig.journal, offset)
    with transaction(rig.addresses.postgres_url) as session:
        verdict = journal.judge(session, cohort, calls, stops.acknowledged, rig.manner)
    done = {what: number for fault in faults[name] for what, number in fault.counts.items()}
    problems = [*verdict.problems, *_too_few(profile, done)]
    if not settled:
        problems.append(f"not settled after {profile.patience_seconds:.0f} s")
    return Round(
        name=name,
        verdict=verdict,
        faults=done,
        stop_ms=stops.milliseconds() if stops.took else {},
        gap_after_fault_seconds=_gap_after(trouble.at, [call.at for call in calls if call.accepted]),
        problems=problems,
    )


def _too_few(profile: Profile, done: dict[str, int]) -> list[str]:
    """A round in which less went wrong than planned proves less than it says."""
    kills = sum(number for what, number in done.items() if what.endswith("killed") and "redis" not in what)
    found = []
    if "nodes killed" in done and kills < profile.kills:
        found.append(f"only {kills} kills of {profile.kills}")
    if "redis flushed" in done and done["redis flushed"] < profile.flushes:
        found.append(f"only {done['redis flushed']} flushes of {profile.flushes}")
    if "stops" in done and done["stops"] < profile.stops // 2:
        found.append(f"only {done['stops']} stops of {profile.stops}")
    return found


def _attended(rig: Rig, cohort: planting.Cohort, *, receipts: bool) -> bool:
    """Keep the processes going, and tell whether the cohort is settled."""
    rig.attend()
    return _open(rig, cohort, receipts=receipts) == 0


def _open(rig: Rig, cohort: planting.Cohort, *, receipts: bool) -> int:
    """How many of the cohort's messages are not settled yet."""
    waiting = "state in ('queued', 'sending', 'unknown')"
    if receipts:
        waiting += " or (state = 'accepted' and coalesce(delivery, '') not in ('failed', 'delivered'))"
    with transaction(rig.addresses.postgres_url) as session:
        found: int = session.scalars(
            text(f"select count(*) from messages where customer_id = any(:ids) and ({waiting})"),  # noqa: S608 - ours
            {"ids": list(cohort.customers)},
        ).one()
        return found


def _await(settled: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if settled():
            return True
        time.sleep(0.5)
    return False


def _gap_after(instants: Sequence[float], accepted: Sequence[float]) -> float:
    """The longest time from a fault to the next accepted call."""
    later = [min((at for at in accepted if at > instant), default=instant) - instant for instant in instants]
    return max(later, default=0.0)


def report(found: Sequence[Round], profile: Profile, seed: int, folder: Path) -> None:
    """Write the figures as JSON and as a page."""
    folder.mkdir(exist_ok=True)
    figures: dict[str, Any] = {
        "seed": seed,
        "messages_per_round": profile.messages,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "database": "embedded PostgreSQL, fsync and synchronous_commit on",
        "rounds": [asdict(one) | {"ok": not one.problems} for one in found],
    }
    (folder / "reliability.json").write_text(json.dumps(figures, indent=2) + "\n")
    (folder / "reliability.md").write_text(_page(found, profile, seed))


def _page(found: Sequence[Round], profile: Profile, seed: int) -> str:
    columns = ("round", "messages", "accepted", "doubled", "lost", "unknown", "after a stop", "calls repeated",
               "wrong receipts", "per second", "longest gap s", "faults")  # fmt: skip
    lines = [
        "# Reliability",
        "",
        f"{profile.messages:,} messages per round, seed {seed}, {os.cpu_count()} cores, {_python()}.",
        "Counted from the vendor stand-in's journal.",
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
    ]
    for one in found:
        seen = one.verdict
        faults = ", ".join(f"{number} {what}" for what, number in one.faults.items()) or "none"
        rate = seen.accepted / seen.seconds if seen.seconds else 0
        cells = (one.name, f"{seen.size:,}", f"{seen.accepted:,}", seen.duplicates, seen.lost, seen.unknown,
                 seen.after_stop, seen.reposts, seen.wrong_receipts, f"{rate:,.0f}", f"{seen.longest_gap:.2f}",
                 faults)  # fmt: skip
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    for one in found:
        if one.stop_ms:
            said = ", ".join(f"{name} {value:.1f}" for name, value in one.stop_ms.items())
            lines += ["", f"Stops acknowledged in ms ({one.name}): {said}."]
        lines += [f"- **{one.name}: {problem}**" for problem in one.problems]
    return "\n".join(lines) + "\n"


def _python() -> str:
    return f"Python {platform.python_version()}"


def main() -> int:
    """Run and report; the status is 1 when a promise was broken or too little went wrong."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--messages", type=int, default=100_000)
    ask.add_argument("--seed", type=int, default=1)
    said = ask.parse_args()
    profile, found = Profile.sized(said.messages), []
    for one in rounds(profile, seed=said.seed):
        found.append(one)
        print(f"{one.name}: {one.verdict.accepted:,} accepted, faults {one.faults or 'none'}")
        for problem in one.problems:
            print(f"  BROKEN: {problem}")
        report(found, profile, said.seed, ROOT / "report")
    print((ROOT / "report" / "reliability.md").read_text())
    return int(any(one.problems for one in found))


if __name__ == "__main__":
    sys.exit(main())
