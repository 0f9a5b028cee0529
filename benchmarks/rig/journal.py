"""What did the vendor stand-in see, and does the database tell the same story?"""

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.rig.planting import Cohort
from channels.vendor import Manner, fails

LEFT_OUT = ("suppressed", "capped", "expired", "canceled")


@dataclass(frozen=True)
class Call:
    """One call that reached the stand-in, ``at`` seconds of the wall clock."""

    at: float
    message: str
    customer: int
    accepted: bool
    body: str


@dataclass(frozen=True)
class Verdict:
    """What came out for one cohort. ``problems`` says each broken promise in words, with an example."""

    size: int
    accepted: int
    duplicates: int
    lost: int
    unknown: int
    after_stop: int
    reposts: int
    changed_bodies: int
    wrong_receipts: int
    states: Mapping[str, int]
    seconds: float
    longest_gap: float
    problems: Sequence[str] = field(default_factory=tuple)


def read(journal: Path, offset: int = 0) -> list[Call]:
    """The calls from a byte offset on."""
    calls = []
    with journal.open("rb") as lines:
        lines.seek(offset)
        for line in lines:
            said = json.loads(line)
            calls.append(Call(said["at"], said["id"], int(said["customer"]), said["accepted"], said["body"]))
    return calls


def judge(
    session: Session, cohort: Cohort, calls: Sequence[Call], stops: Mapping[int, float], manner: Manner
) -> Verdict:
    """Compare. ``stops`` are the instants at which people's stops were acknowledged, by customer id."""
    mine = frozenset(cohort.keys.values())
    calls = [call for call in calls if call.message in mine]
    taken = Counter(call.message for call in calls if call.accepted)
    rows = {
        str(row.id): row
        for row in session.execute(
            text("select id, customer_id, state, delivery, reason from messages where id = any(cast(:ids as uuid[]))"),
            {"ids": sorted(mine)},
        )
    }
    late = [call for call in calls if call.at > stops.get(call.customer, float("inf"))]
    bodies: dict[str, set[str]] = {}
    for call in calls:
        bodies.setdefault(call.message, set()).add(call.body)
    problems: list[str] = []

    def count(what: str, found: Sequence[object]) -> int:
        if found:
            problems.append(f"{len(found)} {what}, e.g. {found[0]}")
        return len(found)

    lost = [
        (row.id, row.state)
        for key, row in rows.items()
        if (row.state == "accepted") != (key in taken) and row.state != "outcome_unknown"
    ]
    lost += [(row.id, row.state) for row in rows.values() if row.state in {"queued", "sending", "unknown", "dead"}]
    lost += [(key, "missing") for key in mine if key not in rows]
    left_out = [
        (row.id, row.reason)
        for row in rows.values()
        if row.state in LEFT_OUT and row.customer_id in cohort.eligible and row.customer_id not in stops
    ]
    wrong = [
        (row.id, row.delivery)
        for key, row in rows.items()
        if row.state == "accepted" and row.delivery != ("failed" if fails(key, manner) else "delivered")
    ]
    times = sorted(call.at for call in calls if call.accepted)
    return Verdict(
        size=len(mine),
        accepted=len(taken),
        duplicates=count("accepted more than once", [key for key, number in taken.items() if number > 1]),
        lost=count("lost", lost) + count("left out without cause", left_out),
        unknown=sum(row.state == "outcome_unknown" for row in rows.values()),
        after_stop=count("calls after an acknowledged stop", [(call.message, call.customer) for call in late]),
        reposts=sum(not call.accepted for call in calls),
        changed_bodies=count("bodies changed", [key for key, seen in bodies.items() if len(seen) > 1]),
        wrong_receipts=count("wrong after receipts", wrong),
        states=dict(Counter(row.state for row in rows.values())),
        seconds=times[-1] - times[0] if times else 0.0,
        longest_gap=max((after - before for before, after in itertools.pairwise(times)), default=0.0),
        problems=problems,
    )
