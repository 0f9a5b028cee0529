"""How many messages leave per second, with everything on, beside the usual pattern of one Celery task per message?

Both send through the same stand-in, which takes no time to answer, on the same machine in the same run. Ours decides
under locks, renders, writes every step down and applies the receipts; the usual pattern checks consent, renders and
notes the result. Counted from the stand-in's journal, from its first accepted call to its last.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from benchmarks.rig import journal, planting
from benchmarks.rig.processes import Rig, running
from channels.vendor import Manner
from db.session import engine, transaction
from settings import ROOT

OURS, USUAL = 20_000, 3_000
DRAINS = 2
USUAL_APP = ROOT / "tests" / "chaos"
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Measured:
    """A rate, with the processor time each message took by the kind of process, in milliseconds."""

    name: str
    messages: int
    per_second: float
    cpu: dict[str, float]


def run() -> None:
    """Measure both and print a table."""
    found = [_measured("parley", OURS, DRAINS), _measured("one task per message, late ack", USUAL, DRAINS * 2)]
    table = Table(title="Messages per second, no vendor latency", title_justify="left")
    for column in ("what", "messages", "per second", "ratio", "processor ms per message"):
        table.add_column(column, justify="right" if column in {"messages", "per second", "ratio"} else "left")
    for one in found:
        spent = ", ".join(f"{name} {value:.2f}" for name, value in one.cpu.items())
        ratio = one.per_second / found[-1].per_second
        table.add_row(one.name, f"{one.messages:,}", f"{one.per_second:,.0f}", f"{ratio:.1f}", spent)
    Console().print(table)


def _measured(name: str, messages: int, drains: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="parley-sends-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # as root the servers run as another user, whose data lies below
        with running(home, Manner(latency=(0, 0)), lease_seconds=30, drains=drains) as rig:
            url = rig.addresses.postgres_url
            with transaction(url) as session:
                version = planting.prepare(session)
            with transaction(url) as session:
                planting.plant(session, version, "bench", messages, in_days=1)
            rig.start_vendor()
            if name == "parley":
                _start_ours(rig)
            else:
                _start_usual(rig)
            before = _processor_seconds(rig)
            wanted = messages - messages // 10  # one in ten never subscribed
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(calls := _accepted(rig)) < wanted and time.monotonic() < deadline:
                time.sleep(0.5)
            spent = {kind: (after - before[kind]) / wanted * 1000 for kind, after in _processor_seconds(rig).items()}
            engine(url).dispose()
    return Measured(name, len(calls), len(calls) / (calls[-1] - calls[0]), spent)


def _start_ours(rig: Rig) -> None:
    rig.start_receiver()
    rig.start_worker("worker")
    rig.start_sweeper()
    _wait_for_workers(rig)
    _make_due(rig)


def _start_usual(rig: Rig) -> None:
    os.environ["PYTHONPATH"] = str(USUAL_APP)
    rig.start_worker("worker", "usual_pattern")
    _wait_for_workers(rig)
    _make_due(rig)
    subprocess.run([sys.executable, USUAL_APP / "usual_pattern.py"], cwd=ROOT, check=True,
                   env=rig.environment | {"PYTHONPATH": str(ROOT)})  # fmt: skip


def _wait_for_workers(rig: Rig) -> None:
    while not rig.children("worker"):
        time.sleep(0.1)
    time.sleep(2)  # their first connections


def _make_due(rig: Rig) -> None:
    with transaction(rig.addresses.postgres_url) as session:
        session.execute(text("update messages set due_at = due_at - interval '1 day'"))


def _accepted(rig: Rig) -> list[float]:
    return sorted(call.at for call in journal.read(rig.journal) if call.accepted) if rig.journal.exists() else []


def _processor_seconds(rig: Rig) -> dict[str, float]:
    """Processor time so far by kind of process: our nodes by name, and the database with its children."""
    found = dict.fromkeys([*rig.nodes, "postgres"], 0.0)
    for name, node in rig.nodes.items():
        parent = psutil.Process(node.pid)
        found[name] = sum(_spent(process) for process in [parent, *parent.children(recursive=True)])
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "postgres" and str(process.info["cwd"]).startswith(str(rig.home)):
            found["postgres"] += _spent(process)
    return found


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    run()
