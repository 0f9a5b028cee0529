"""Is a reading right? Judged by the people it finds, never by how it is written."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agent.offline.reading import Reading
from domain.errors import ParleyError
from domain.segments import Definition
from evals.cases import Case

Members = frozenset[int]
Find = Callable[[Definition], Members]
"""Whom a definition means in one shop."""

CONFIDENT = frozenset({"segment", "draft"})


@dataclass(frozen=True)
class Place:
    """Where a case is judged: whom a definition means there, and whom a case's SQL selects."""

    find: Find
    select: Callable[[str], Members]


@dataclass(frozen=True)
class Verdict:
    """What came of one case. ``exact`` and ``jaccard`` are about people and empty where none were to be found."""

    id: str
    category: str
    text: str
    expected: tuple[str, ...]
    action: str
    correct: bool
    reason: str = ""
    exact: bool | None = None
    jaccard: float | None = None
    sizes: tuple[int, ...] = ()
    gold_sizes: tuple[int, ...] = ()
    milliseconds: float = 0.0
    definition: dict[str, Any] | None = None
    unused_words: tuple[str, ...] = ()
    question: str = ""
    confidence: float = 0.0

    @property
    def confidently_wrong(self) -> bool:
        """A segment was given, and it is not the one asked for or should have been asked about."""
        return self.action in CONFIDENT and not self.correct

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data."""
        return {**asdict(self), "confidently_wrong": self.confidently_wrong}


@dataclass
class Judgement:
    """One verdict in the making."""

    case: Case
    reading: Reading
    reasons: list[str] = field(default_factory=list)
    exact: bool | None = None
    jaccard: float | None = None
    sizes: tuple[int, ...] = ()
    gold_sizes: tuple[int, ...] = ()

    def verdict(self, milliseconds: float) -> Verdict:
        """The finished verdict: right where nothing was found wrong."""
        return Verdict(
            id=self.case.id,
            category=self.case.category,
            text=self.case.text,
            expected=tuple(sorted(self.case.actions)),
            action=self.reading.action,
            correct=not self.reasons,
            reason="; ".join(self.reasons),
            exact=self.exact,
            jaccard=self.jaccard,
            sizes=self.sizes,
            gold_sizes=self.gold_sizes,
            milliseconds=round(milliseconds, 3),
            definition=self.reading.definition.as_json() if self.reading.definition else None,
            unused_words=self.reading.unused_words,
            question=self.reading.question,
            confidence=self.reading.confidence,
        )


def judge(case: Case, reading: Reading, places: Sequence[Place], milliseconds: float = 0.0) -> Verdict:
    """Compare a reading with what is right, in every place."""
    found = Judgement(case, reading)
    if reading.action not in case.actions:
        found.reasons.append(f"{reading.action} instead of {' or '.join(sorted(case.actions))}")
    else:
        _slots(found)
        _people(found, places)
    return found.verdict(milliseconds)


def _slots(found: Judgement) -> None:
    """Intent, slots and words that must be named."""
    case, reading = found.case, found.reading
    if case.intent and reading.intent != case.intent:
        found.reasons.append(f"intent {reading.intent} instead of {case.intent}")
    slots = reading.stats or reading.customer
    for name, value in (case.slots or {}).items():
        if getattr(slots, name, None) != value:
            found.reasons.append(f"{name} is {getattr(slots, name, None)!r}, not {value!r}")
    if case.clock and reading.clock != case.clock:
        found.reasons.append(f"clock {reading.clock} instead of {case.clock}")
    told = f"{reading.question} {' '.join(reading.unused_words)}".lower()
    if case.mentions and case.mentions.lower() not in told:
        found.reasons.append(f"does not name {case.mentions!r}")


def _people(found: Judgement, places: Sequence[Place]) -> None:
    case = found.case
    definition = found.reading.definition or (found.reading.stats.definition if found.reading.stats else None)
    if case.gold_definition is None and not case.gold_sql:
        return
    if definition is None:
        found.reasons.append("nobody was meant")
        return
    try:
        given = [place.find(definition) for place in places]
        golds = [[place.find(gold) for place in places] for gold in case.golds]
        if case.gold_sql:
            golds.append([place.select(case.gold_sql) for place in places])
    except ParleyError as error:
        found.reasons.append(f"{error.code}: {error.message}")
        return
    best = max(golds, key=lambda gold: _similarity(given, gold))
    found.exact = any(given == gold for gold in golds)
    found.jaccard = round(_similarity(given, best), 4)
    found.sizes = tuple(len(people) for people in given)
    found.gold_sizes = tuple(len(people) for people in best)
    if not found.exact:
        missing = [sorted(gold - people)[:5] for people, gold in zip(given, best, strict=True)]
        extra = [sorted(people - gold)[:5] for people, gold in zip(given, best, strict=True)]
        found.reasons.append(f"other people: missing {missing}, extra {extra}")


def _similarity(given: Sequence[Members], gold: Sequence[Members]) -> float:
    """The mean share of people in common."""
    shares = [len(a & b) / len(a | b) if a | b else 1.0 for a, b in zip(given, gold, strict=True)]
    return sum(shares) / len(shares) if shares else 0.0
