"""What do many verdicts amount to? Shares with their intervals, the confusion of actions, and the time taken."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from domain.effects import Z95, wilson
from evals.judging import CONFIDENT, Verdict


def share(verdicts: Iterable[bool]) -> dict[str, Any]:
    """How many hold, of how many, with the interval."""
    found = list(verdicts)
    low, high = wilson(sum(found), len(found), Z95)
    rate = round(sum(found) / len(found), 4) if found else None
    return {"hits": sum(found), "n": len(found), "rate": rate, "low": round(low, 4), "high": round(high, 4)}


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The figures of one set of cases."""
    people = [verdict for verdict in verdicts if verdict.jaccard is not None or set(verdict.expected) & CONFIDENT]
    given = [verdict for verdict in verdicts if verdict.action in CONFIDENT]
    return {
        "correct": share(verdict.correct for verdict in verdicts),
        "exact": share(bool(verdict.exact) for verdict in people),
        "jaccard": _mean([verdict.jaccard or 0.0 for verdict in people]),
        "coverage": share(verdict.action in CONFIDENT for verdict in verdicts if set(verdict.expected) & CONFIDENT),
        "selective": share(verdict.correct for verdict in given),
        "confidently_wrong": share(verdict.confidently_wrong for verdict in verdicts),
        "categories": {
            name: share(v.correct for v in verdicts if v.category == name) for name in _categories(verdicts)
        },
        "confusion": confusion(verdicts),
        "milliseconds": {
            "p50": quantile(verdicts, 0.5),
            "p95": quantile(verdicts, 0.95),
            "max": quantile(verdicts, 1.0),
        },
    }


def confusion(verdicts: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """Which action was expected and which came; a campaign counts as a segment."""
    found: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        expected = "/".join(dict.fromkeys(_plain(action) for action in verdict.expected))
        found.setdefault(expected, Counter())[_plain(verdict.action)] += 1
    return {expected: dict(counts) for expected, counts in sorted(found.items())}


def quantile(verdicts: Sequence[Verdict], at: float) -> float:
    """A quantile of the milliseconds per sentence."""
    times = sorted(verdict.milliseconds for verdict in verdicts)
    return times[min(len(times) - 1, int(at * len(times)))] if times else 0.0


def _plain(action: str) -> str:
    return "segment" if action in CONFIDENT else action


def _categories(verdicts: Iterable[Verdict]) -> list[str]:
    return list(dict.fromkeys(verdict.category for verdict in verdicts))


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
