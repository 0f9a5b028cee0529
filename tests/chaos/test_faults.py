"""Is nothing lost, doubled or sent after a stop while workers, Redis and people's minds change, and would we notice?"""

import signal
import tempfile
from pathlib import Path

import pytest

from benchmarks.chaos import Profile, report, rounds
from benchmarks.rig import planting
from benchmarks.rig.processes import running
from channels.vendor import Manner
from db.session import engine, transaction
from settings import ROOT
from tests.channels.test_vendor import eventually
from tests.couriers import states

PROFILE = Profile.sized(5_000)
ATTEMPTS = 4
"""A kill may by chance never fall between a provider's answer and our note of it; not so often in a row."""


@pytest.mark.fault
def test_nothing_is_lost_doubled_or_sent_after_a_stop() -> None:
    names = ("workers killed", "redis flushed and killed", "stops under fire")
    found = list(rounds(PROFILE, names=names))
    report(found, PROFILE, 1, ROOT / "report")
    for one in found:
        assert not one.problems, f"{one.name}: {one.problems}"
        assert one.verdict.duplicates == one.verdict.lost == one.verdict.after_stop == one.verdict.wrong_receipts == 0
    assert any(one.verdict.reposts for one in found), "no call was ever repeated, so nothing was put to the test"


@pytest.mark.fault
@pytest.mark.parametrize(
    ("mutant", "name", "broken"),
    [
        ("key_per_attempt", "workers killed", "accepted more than once"),
        ("no_recipient_locks", "stops under fire", "after an acknowledged stop"),
    ],
)
def test_a_missing_safeguard_is_noticed(monkeypatch: pytest.MonkeyPatch, mutant: str, name: str, broken: str) -> None:
    monkeypatch.setenv("MUTANT", mutant)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    found = (one for _ in range(ATTEMPTS) for one in rounds(Profile.sized(1_500), names=(name,), app="mutants"))
    assert any(broken in problem for one in found for problem in one.problems)


@pytest.mark.fault
def test_workers_that_are_asked_to_stop_leave_nothing_open() -> None:
    with tempfile.TemporaryDirectory(prefix="parley-rig-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with running(home, Manner(latency=(200, 400)), durable=False, drains=2) as rig:
            url = rig.addresses.postgres_url
            with transaction(url) as session:
                planting.plant(session, planting.prepare(session), "stop", 8_000)
            rig.start_vendor()
            rig.start_worker("worker")
            rig.start_sweeper()
            assert eventually(lambda: states(url).get("accepted", 0) > 200, 60)
            for name in ("sweeper", "worker"):
                rig.nodes[name].send_signal(signal.SIGTERM)
            assert [rig.nodes[name].wait(30) for name in ("sweeper", "worker")] == [0, 0]
            found = states(url)
            engine(url).dispose()
    assert found["queued"] > 0, "it was asked too late to show anything"
    assert set(found) <= {"queued", "accepted", "suppressed"}
