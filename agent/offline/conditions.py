"""Which conditions may begin at a place? Every kind there is, with what may stand before it: not, only, recently."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from agent.offline import (
    ages,
    aggregates,
    amounts,
    arguments,
    dates,
    deeds,
    edges,
    groups,
    measures,
    permissions,
    relatives,
    sequences,
    terms,
    things,
    times,
    traits,
    values,
)
from agent.offline.amounts import Amount
from agent.offline.dates import Days, window
from agent.offline.frames import Frame
from agent.offline.grammar import Alternative, Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.small_words import small_words
from agent.offline.things import Things
from agent.offline.times import Stretch
from agent.offline.trees import Leaf, negated
from domain import segments as seg
from domain.glossary import Term

KINDS = (
    *(
        "edged",
        "followed",
        "grouped",
        "aggregated",
        "doing",
        "spending",
        "having",
        "measured",
        "levelled",
        "ranked",
        "termed",
        "dated",
        "compared",
        "present",
    ),
    *("consented", "reached", "marked", "mailed", "tested", "aged_in", "tenured", "placed", "undecided", "agents"),
)
"""The parts that are conditions; of two that fit the same words, the one further left is meant."""

SKIPPED = ("have", "be", "will", "do", "ever")


@dataclass(frozen=True, slots=True)
class Before:
    """What stood before a condition."""

    denied: bool = False
    only: bool = False
    term: Term | None = None
    anything: bool = False


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a condition that borrows the rest from the one before it: ``but not in 2025``, ``or tea``."""

    changes: dict[str, Any]
    denied: bool = False
    affirmed: bool = False

    def applied(self, frame: Frame) -> Frame:
        """The frame with what the fragment says instead."""
        if self.denied and "stretch" in self.changes:
            frame = replace(frame, amount=None)  # more than twice last year but not this year: not once this year
        return replace(frame, **self.changes, none=self.denied or (frame.none and not self.affirmed))


@cache
def grammar() -> Grammar:
    """The rules of all conditions."""
    made = Grammar()
    for name, patterns in small_words()["patterns"].items():
        made.rule(name, *patterns)(lambda *_: True)
    for part in (
        dates,
        times,
        amounts,
        things,
        terms,
        arguments,
        deeds,
        edges,
        aggregates,
        measures,
        relatives,
        sequences,
        traits,
        values,
        ages,
        permissions,
        groups,
    ):
        part.add(made)
    made.rule("or_unknown", "or [:be] unknown|missing|blank|empty", "or :be not known|set|recorded", "or not known")(
        lambda *_: True
    )
    made.reader("core")(_core)
    made.rule(
        "n_of",
        "at least <count> of [:them] [the] [following] [condition] [:]",
        "any <count> of [:them] [the] [following] [condition] [:]",
    )(lambda _c, _i, _e, amount: int(amount.low))
    made.reader("condition")(_condition)
    made.reader("fragment")(_fragment)
    return made


def _core(chart: Sentence, i: int) -> Iterator[Alternative]:
    for kind in KINDS:
        yield from chart.at(kind, i)


def _condition(chart: Sentence, i: int) -> Iterator[Alternative]:
    for at, before in _before(chart, i):
        for end, found in chart.at("core", at):
            said = _after(chart, before, found)
            if said:
                yield end, said
                yield from _or_unknown(chart, end, said)


def _or_unknown(chart: Sentence, i: int, said: Said) -> Iterator[Alternative]:
    """People of whom it is not known are meant too: city is Berlin or is not known."""
    leaf = said.tree
    if not isinstance(leaf, Leaf) or getattr(leaf.node, "missing", "") != "exclude":
        return
    for end, _ in chart.at("or_unknown", i) if i < len(chart.stems) else ():
        try:
            node = type(leaf.node).model_validate({**dict(leaf.node), "missing": "include"})
        except ValueError:
            return
        yield end, replace(said, tree=replace(leaf, node=node))


def _before(chart: Sentence, i: int) -> Iterator[tuple[int, Before]]:
    """The places where a condition may begin after auxiliaries, adverbs and negations, nearest first."""
    before = Before()
    yield i, before
    while i < len(chart.stems):
        if end := chart.is_any(i, "not", "without"):
            before = replace(before, denied=not before.denied, anything=True)
        elif found := chart.best("term_window", i):
            end, term = found
            before = replace(before, term=term, anything=True)
        elif end := chart.is_any(i, "only"):
            before = replace(before, only=True, anything=True)
        elif end := chart.is_any(i, *SKIPPED):
            before = replace(before, anything=True)
        else:
            return
        i = end
        if i < len(chart.stems):
            yield i, before


def _after(chart: Sentence, before: Before, found: Said) -> Said | None:
    frame = found.frame
    if before.term:
        if frame is None or frame.stretch is not None:
            return None
        found = deeds.said(replace(frame, stretch=Stretch(term=before.term)), chart) or found
    if before.only and found.frame:
        found = _then_only(chart, found) or deeds.said(_only(found.frame), chart) or found
    if before.denied:
        found = _denied(chart, found)
    return replace(found, denied=before.denied, bare=not before.anything)


def _denied(chart: Sentence, found: Said) -> Said:
    """The condition turned round; where its words mean something else under a "never", it is made anew."""
    if found.frame is None:
        return replace(found, tree=negated(found.tree, chart.catalog))
    turned = replace(found.frame, none=not found.frame.none)
    made = deeds.said(turned, chart) if turned.otherwise else None
    return made or replace(found, tree=negated(found.tree, chart.catalog), frame=turned)


def _then_only(chart: Sentence, found: Said) -> Said | None:
    """Only in 2025 is then and at no other time."""
    frame, leaf = found.frame, found.tree
    node = leaf.node if isinstance(leaf, Leaf) else None
    if not isinstance(node, seg.Activity) or node.op != "any" or node.where or node.during is None or frame is None:
        return None
    return replace(found, tree=edges.only_then(chart, node.name, node.during), frame=None)


def _only(frame: Frame) -> Frame:
    """Only once is exactly once; only coffee is coffee and nothing else."""
    if frame.amount and frame.amount.op is None:
        return replace(frame, amount=replace(frame.amount, op="eq"))
    return replace(frame, only=bool(frame.things))


def _fragment(chart: Sentence, i: int) -> Iterator[Alternative]:
    for end, fragment in _fragments(chart, i):
        nothing = chart.is_any(i, "none", "no")
        yield end, replace(fragment, changes={"amount": None, **fragment.changes}) if nothing else fragment


def _fragments(chart: Sentence, i: int) -> Iterator[tuple[int, Fragment]]:
    denied = False
    at = chart.past(i, "do", "have")
    while at < len(chart.stems) and (end := chart.is_any(at, "not", "none", "both", "ever", "no")):
        denied = denied or bool(chart.is_any(at, "not", "none", "no"))
        at = end
    if at >= len(chart.stems):
        return
    for end, stretch in chart.at("window", at):
        yield end, Fragment({"stretch": stretch}, denied)
    for end, channels in chart.at("channels", at):
        yield end, Fragment({"channels": channels}, denied)
    for end, days in chart.at("days", at):
        yield end, Fragment({"stretch": _on(days)}, denied)
    for end, found in chart.at("things", at):
        yield end, _of_things(found, denied=denied)
        for last, stretch in chart.at("window", end):
            yield last, _of_things(found, denied=denied, stretch=stretch)
    yield from _of_amounts(chart, at, denied=denied)


def _of_amounts(chart: Sentence, i: int, *, denied: bool) -> Iterator[Alternative]:
    for part in ("times_amount", "count_amount"):
        for end, amount in chart.at(part, i):
            if part == "times_amount" or amount.op:
                yield from _windowed(chart, end, {"amount": amount}, denied=denied)
    for end, more in chart.at("money_arg", i):
        yield from _windowed(chart, end, {"money": more["money"]}, denied=denied)


def _windowed(chart: Sentence, i: int, changes: dict[str, Amount], *, denied: bool) -> Iterator[Alternative]:
    yield i, Fragment(dict(changes), denied)
    for end, stretch in chart.at("window", i) if i < len(chart.stems) else ():
        yield end, Fragment({**changes, "stretch": stretch}, denied)


def _on(days: Days) -> Stretch:
    return Stretch(window(start=days.first, end=days.last), note=days.said)


def _of_things(found: Things, *, denied: bool, stretch: Stretch | None = None) -> Fragment:
    changes: dict[str, Any] = {"things": found.things, "joint": found.joint}
    return Fragment({**changes, "stretch": stretch} if stretch else changes, denied)
