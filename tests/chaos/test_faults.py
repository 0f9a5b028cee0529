"""Is nothing lost, doubled or sent after a stop while workers, Redis and people's minds change, and would we notice?"""

from pathlib import Path

import pytest

from benchmarks.chaos import Profile, report, rounds
from settings import ROOT

PROFILE = Profile.sized(5_000)


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
    [found] = rounds(Profile.sized(1_500), names=(name,), app="mutants")
    assert any(broken in problem for problem in found.problems), found.verdict
