"""Which attribute is compared with what? ``in Texas or Ohio``, ``email ends with gmail.com``, ``no phone``."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from agent.offline.comparisons import Compared, comparisons, of_amount
from agent.offline.dates import calendar, window
from agent.offline.grammar import Alternative, Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.times import Stretch
from agent.offline.trees import Choice, Leaf, Note, Tree, joined
from domain import segments as seg
from domain.operators import NUMBERS, OPERATORS, TIMES
from domain.windows import Window, spoken

LEAST_LETTERS = 2


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of attributes."""
    grammar.reader("compared")(_compared)
    grammar.reader("present")(_present)
    grammar.reader("dated")(_dated)
    _saying(grammar)


def attribute(chart: Sentence, name: str, found: Compared) -> Tree | None:
    """A comparison of an attribute as a condition, if the operator fits it."""
    kind = chart.catalog.attributes[name].kind
    if kind not in OPERATORS[found.op].kinds:
        return None
    return Leaf(seg.Attribute(name=name, op=found.op, value=found.value), found.notes)


def _primary(chart: Sentence, names: Iterable[str]) -> list[str]:
    """The attributes that a word means: special cases only where nothing else is called so."""
    listed = list(names)
    return [name for name in listed if name not in chart.lexicon.secondary] or listed


def _starts(chart: Sentence, i: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    for start in sorted({i, chart.past(i, "with", "whose", "det", "where_word")}):
        if start < len(chart.stems):
            for end, names in chart.at("attribute", start):
                yield end, tuple(_primary(chart, names))


def _compared(chart: Sentence, i: int) -> Iterator[Alternative]:
    """An attribute that is named, and compared; a number may stand before its name."""
    yield from _counted(chart, i)
    for end, name in chart.at("flag", i):
        yield end, Said(Leaf(seg.Attribute(name=name, op="eq", value=True)))
    for end, names in _starts(chart, i):
        for name in names:
            entry = chart.catalog.attributes[name]
            for last, found in comparisons(chart, end, entry, name):
                made = attribute(chart, name, found)
                if made:
                    yield last, Said(made)


def _counted(chart: Sentence, i: int) -> Iterator[Alternative]:
    start = chart.past(i, "with")
    for at in sorted({i, start}):
        for end, amount in chart.at("figure_amount", at) if at < len(chart.stems) else ():
            for last, names in chart.at("attribute", end) if end < len(chart.stems) else ():
                numeric = [name for name in names if chart.catalog.attributes[name].kind in NUMBERS]
                if numeric:
                    found = of_amount(amount, chart.catalog.attributes[numeric[0]], chart)
                    made = attribute(chart, numeric[0], replace(found, op=found.op if amount.op else "gte"))
                    if made:
                        yield last, Said(made)


def _present(chart: Sentence, i: int) -> Iterator[Alternative]:
    """An attribute that is there or not: with a phone number, no birthday, without first or last name."""
    for part, op in (("without", "missing"), ("no", "missing"), ("with", "set")):
        for start, _ in chart.at(part, i):
            yield from _presence(chart, start, op)
            if op == "set" and start < len(chart.stems):
                for again, _ in chart.at("no", start):
                    yield from _presence(chart, again, "missing")


def _presence(chart: Sentence, i: int, op: str) -> Iterator[Alternative]:
    at = chart.past(i, "det", "known_word") if i < len(chart.stems) else i
    trees: list[Tree] = []
    joint: Any = "all"
    while at < len(chart.stems):
        best = chart.best("attribute", at)
        if best is None:
            return
        end, names = best
        trees.append(Leaf(seg.Attribute(name=_primary(chart, names)[0], op=op)))
        last = chart.past(end, "on_file")
        yield last, Said(joined(joint, *trees))
        if last >= len(chart.stems) or chart.stems[last] not in {"or", "and", "nor"}:
            return
        joint = "any" if chart.stems[last] in {"or", "nor"} and op == "set" else "all"
        at = chart.past(last + 1, "det", "no") if last + 1 < len(chart.stems) else last + 1


def _dated(chart: Sentence, i: int) -> Iterator[Alternative]:
    """An attribute that is a time: signed up last month, birthday before 1990, first seen more than a year ago."""
    for start, names in _starts(chart, i):
        for name in (name for name in names if chart.catalog.attributes[name].kind in TIMES):
            yield from _exactly(chart, start, name)
            at = chart.past(start, "date_word", "be", "was")
            for end, stretch in chart.at("window", at) if at < len(chart.stems) else ():
                made = dated(chart, name, stretch)
                if made:
                    yield end, Said(made)
                    yield from _or_then(chart, end, name, made)
            yield from _coming(chart, at, name)


def _exactly(chart: Sentence, i: int, name: str) -> Iterator[Alternative]:
    """As the language says it: on a day, in a period, at least so long ago, coming round in exactly so long."""
    for end, (op, value) in chart.at("date_said", i) if i < len(chart.stems) else ():
        if chart.catalog.attributes[name].kind in OPERATORS[op].kinds:
            yield end, Said(Leaf(seg.Attribute(name=name, op=op, value=value)))


def _saying(grammar: Grammar) -> None:
    rule = grammar.rule

    for op, pattern in (("on", "is on <days>"), ("after", "is after <days>"), ("before", "is before <days>")):

        @rule("date_said", pattern)
        def _(_c: Sentence, _i: int, _e: int, days: Any, op: str = op) -> tuple[str, Any] | None:
            return (op, days.first.isoformat()) if days.first == days.last else None

    @rule("date_said", "is <days> or later")
    def _(_c: Sentence, _i: int, _e: int, days: Any) -> tuple[str, Any] | None:
        return ("since", days.first.isoformat()) if days.first == days.last else None

    rule("date_said", "is|falls|fall|fell in <when>")(lambda _c, _i, _e, period: ("in_period", period))
    rule("date_said", "[is] at least <length> ago")(lambda _c, _i, _e, length: ("at_least_ago", length))
    rule("date_said", "[:be] [come|comes] [round] in exactly <length>")(
        lambda _c, _i, _e, length: ("anniversary_in", length)
    )
    rule("date_said", "[:be] come|comes round within the next <length>")(
        lambda _c, _i, _e, length: ("anniversary_in_next", length)
    )
    rule("date_said", "[:be] come|comes round in <when>")(lambda _c, _i, _e, period: ("anniversary_in_period", period))
    rule("date_said", "[:be] today", "come|comes round today")(lambda *_: ("anniversary_today", None))


def _or_then(chart: Sentence, i: int, name: str, before: Tree) -> Iterator[Alternative]:
    """Another time that would do as well: joined in 2024 or 2025."""
    while i + 1 < len(chart.stems) and chart.stems[i] == "or":
        found = chart.best("window", i + 1) or chart.best("days", i + 1)
        if found is None:
            return
        i, when = found
        stretch = when if isinstance(when, Stretch) else Stretch(window(start=when.first, end=when.last))
        made = dated(chart, name, stretch)
        if made is None:
            return
        before = joined("any", before, made)
        yield i, Said(before)


def _coming(chart: Sentence, i: int, name: str) -> Iterator[Alternative]:
    for end, length in chart.at("next_length", i) if i < len(chart.stems) else ():
        yearly = chart.catalog.attributes[name].kind == "date"
        yield end, Said(Leaf(seg.Attribute(name=name, op="anniversary_in_next" if yearly else "in_next", value=length)))


def dated(chart: Sentence, name: str, stretch: Stretch) -> Tree | None:
    """A time that lies in a window."""
    if stretch.term is not None:
        return _recent(name, stretch)
    if stretch.window is None:
        return None
    if stretch.point and stretch.window.until:
        ago = stretch.window.until
        return Choice(
            "ago",
            (
                (f"more than {spoken(ago)} ago", is_(name, "older_than", ago)),
                (f"in the last {spoken(ago)}", is_(name, "in_last", ago)),
            ),
        )
    notes = (Note("", stretch.note),) if stretch.note else ()
    return _in_window(chart, name, stretch.window, notes)


def _recent(name: str, stretch: Stretch) -> Tree | None:
    assert stretch.term is not None  # noqa: S101 - the caller looked
    last = stretch.term.filled().means["*"]["last"]
    note = Note(
        stretch.term.word, f"{stretch.term.word} = in the last {spoken(last)}", "value", float(last[:-1]), "days"
    )
    return Leaf(seg.Attribute(name=name, op="in_last", value=last), (note,))


def is_(name: str, op: str, value: Any, notes: tuple[Note, ...] = ()) -> Leaf:
    """A condition on an attribute."""
    return Leaf(seg.Attribute(name=name, op=op, value=value), notes)


def _in_window(chart: Sentence, name: str, window: Window, notes: tuple[Note, ...]) -> Tree:
    parts: list[Tree] = []
    if window.until:
        parts.append(is_(name, "older_than", window.until, notes))
    if window.last:
        parts.append(is_(name, "in_last", window.last, notes if not parts else ()))
    start, end = window.start, window.end
    if window.calendar:
        days = calendar(chart.today, window.calendar)
        start, end = days.first, days.last
        notes = (Note(days.said, f"{days.said} = {start} to {end}"),)
    if start:
        parts.append(is_(name, "since", start, notes))
    if end:
        parts.append(is_(name, "before", end + timedelta(days=1), notes if not start else ()))
    return joined("all", *parts)


"""Behind these a code may be typed in small letters, where it is no other word."""
