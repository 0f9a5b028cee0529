"""Which rows of conditions does a sentence consist of, and what do its fragments and pronouns borrow from those before?

"But" and "except" begin a new row; all rows hold together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.offline import deeds, permissions, sequences
from agent.offline.conditions import Fragment
from agent.offline.cover import Item
from agent.offline.joining import Joint, Row, Term, row_tree
from agent.offline.sentence import Said, Sentence
from agent.offline.trees import Group, Tree, joined, negated, with_span

_ONLY = frozenset(("only", "just"))
_AMONG = frozenset(("among", "of", "for", "across"))


@dataclass
class _Marks:
    """What was read since the last condition."""

    joint: Joint = "beside"
    comma: bool = False
    again: bool = False
    nor: bool = False
    grouped: bool = False
    denied: bool = False
    who: bool = False
    then: bool = False


def combined(chart: Sentence, items: Sequence[Item], about: Said | None = None) -> Tree | None:
    """All conditions of a row of items as one tree, ``None`` where there are none.

    ``about`` is what was spoken of before them, for "one" and "it" to stand for.
    """
    parts = [row_tree(chart, row) for row in _rows(chart, items, about) if row.terms]
    return joined("all", *parts) if parts else None


def _rows(chart: Sentence, items: Sequence[Item], about: Said | None) -> list[Row]:
    reader = _Reader(chart, about)
    at = 0
    while at < len(items):
        at = reader.take(items, at)
    return reader.rows


@dataclass
class _Reader:
    """Goes through the items; ``last`` is the condition that fragments borrow from."""

    chart: Sentence
    last: Said | None
    rows: list[Row] = field(default_factory=lambda: [Row()])
    marks: _Marks = field(default_factory=_Marks)

    def take(self, items: Sequence[Item], at: int) -> int:
        """Take one item in, and say where the next one is."""
        item = items[at]
        match item.kind:
            case "condition":
                self._condition(item)
            case "fragment":
                self._fragment(item)
            case "n_of":
                self._least(item, items[at + 1 :])
                return len(items)
            case "open":
                return self._group(items, at + 1)
            case "but" | "except":
                self._row(Row(excluded=item.kind == "except"))
            case "them" if self.rows[-1].terms and self.chart.stems[item.start] in _ONLY:
                self._row(Row(named=True))
            case _:
                _mark(item, self.marks)
                row = self.rows[-1]
                row.named = row.named or (item.kind in {"entity", "them"} and not row.terms)
        return at + 1

    def _condition(self, item: Item) -> None:
        said = _spanned(self.chart, item, _same(self.chart, item.value, self.last))
        if self.marks.then and _followed(self.chart, self.rows[-1], said):
            self.last, self.marks = said, _Marks()
            return
        row, people = self.rows[-1], self.marks.again or _is_people(self.chart, item)
        self.marks.again, row.named = people and row.named, people or row.named
        self._add(item, said)

    def _fragment(self, item: Item) -> None:
        row = self.rows[-1]
        fresh = len(self.rows) > 1 and not row.terms and not row.excluded
        said = _completed(self.chart, item, self.last, self.marks, affirmed=fresh)
        if said is None:
            return
        beside = self.marks.joint == "beside" and not (self.marks.comma or said.denied) and row.terms
        if self.marks.then and _followed(self.chart, row, said):
            self.last, self.marks = said, _Marks()
        elif beside and not _refined(row, said, item.value):
            self.last = row.terms[-1].said
            return
        elif beside:
            self.last = said
        else:
            self._add(item, said)
        self.chart.used.add(item.start)

    def _least(self, item: Item, rest: Sequence[Item]) -> None:
        """At least so many of all that follows."""
        trees = [term.said.tree for row in _rows(self.chart, rest, self.last) for term in row.terms]
        if trees and item.value <= len(trees):
            self.rows[-1].terms.append(Term(Said(Group("at_least", tuple(trees), n=item.value)), "beside"))

    def _group(self, items: Sequence[Item], at: int) -> int:
        """What stands in brackets."""
        close = _close(items, at)
        inner = combined(self.chart, items[at:close], self.last)
        if inner:
            self.marks = _add(self.chart, self.rows[-1], Said(inner), self.marks, "(...)")
        return close + 1

    def _row(self, row: Row) -> None:
        self.rows.append(row)
        self.marks = _Marks()

    def _add(self, item: Item, said: Said) -> None:
        self.last = said
        self.marks = _add(self.chart, self.rows[-1], said, self.marks, self.chart.said(item.start, item.end))


def _mark(item: Item, marks: _Marks) -> None:
    match item.kind:
        case "and" | "or":
            marks.joint = "and" if item.kind == "and" else "or"
            marks.nor = item.value == "nor"
        case "comma":
            marks.comma = True
        case "either" | "both":
            marks.grouped = True
        case "not" | "neither":
            marks.denied = not marks.denied
        case "then":
            marks.then = True
            marks.joint = "and"
        case "entity" | "them":
            marks.again = True
        case "who" | "whose":
            marks.who = True
        case _:
            pass


def _add(chart: Sentence, row: Row, said: Said, marks: _Marks, text: str) -> _Marks:
    """Put a condition into a row; a denial that came before a verb also reaches bare verbs after "or"."""
    before = row.terms[-1] if row.terms else None
    reached = (
        before
        and before.said.denied
        and (marks.nor or (marks.joint == "or" and said.bare and not marks.who and said.frame is not None))
    )
    joint: Joint = marks.joint
    if marks.denied:
        said = replace(said, tree=negated(said.tree, chart.catalog), denied=not said.denied)
    elif reached and not said.denied:
        said = replace(said, tree=negated(said.tree, chart.catalog), denied=True)
        joint = "and"
    if joint == "beside" and marks.comma and before is not None:
        joint = "and"
        row.terms.append(
            Term(said, "beside" if before.joint == "beside" else joint, strong=False, again=marks.again, text=text)
        )
        row.terms[-1].joint = "comma"
        return _Marks()
    row.terms.append(
        Term(said, joint, strong=marks.comma and joint != "beside", again=marks.again, text=text, grouped=marks.grouped)
    )
    return _Marks()


def _refined(row: Row, said: Said, fragment: Fragment) -> bool:
    """A fragment right behind a condition says more of it, unless that was said already."""
    frame = row.terms[-1].said.frame
    if (
        frame is None
        or "things" in fragment.changes
        or any(getattr(frame, key, None) not in (None, (), "any") for key in fragment.changes)
    ):
        return False
    row.terms[-1].said = said
    return True


def _completed(chart: Sentence, item: Item, last: Said | None, marks: _Marks, *, affirmed: bool) -> Said | None:
    """A fragment with the rest of the condition before it."""
    fragment: Fragment = item.value
    if last is not None and last.permission and "channels" in fragment.changes:
        return _other_channel(chart, item, last, marks)
    if last is None or last.frame is None or "channels" in fragment.changes:
        return None
    frame = last.frame
    denied = fragment.denied or marks.denied
    if denied and frame.none:
        frame = replace(frame, none=False)
    made = deeds.said(replace(fragment, denied=denied, affirmed=affirmed).applied(frame), chart)
    marks.denied = False
    return replace(_spanned(chart, item, made), denied=denied) if made else None


def _followed(chart: Sentence, row: Row, said: Said) -> bool:
    """Join a condition to the one before it as the next step in time, if both are plain deeds."""
    before = row.terms[-1] if row.terms else None
    if before is None:
        return False
    tree = sequences.joined(before.said, said, chart.lexicon)
    if tree is None:
        chart.lost.append(said)
        return False
    before.said = Said(tree)
    return True


def _other_channel(chart: Sentence, item: Item, last: Said, marks: _Marks) -> Said:
    """The same consent on another channel: subscribed to email but not SMS."""
    fragment: Fragment = item.value
    made = permissions.on_channels(last.permission, fragment.changes["channels"])
    denied = fragment.denied or marks.denied
    marks.denied = False
    tree = negated(made.tree, chart.catalog) if denied else made.tree
    return _spanned(chart, item, replace(made, tree=tree, denied=denied))


def _is_people(chart: Sentence, item: Item) -> bool:
    """Whether a condition is said as a noun for people: loyal customers, VIPs, gmail users."""
    last = item.end - 1
    if last > item.start and chart.stems[last - 1] in _AMONG:
        return False
    if chart.is_any(last, "entity", "agent"):
        return True
    return chart.tokens[last].norm.endswith("s") and bool(chart.is_any(item.start, "term_condition", "subscriber"))


def _same(chart: Sentence, said: Said, last: Said | None) -> Said:
    """What was not done to "one" is what was done to it before: viewed a grinder but did not buy one."""
    if not said.frame or not said.frame.same:
        return said
    if not last or not last.frame or not last.frame.things:
        chart.lost.append(said)
        return said
    frame = replace(said.frame, things=last.frame.things, joint=last.frame.joint, same=False)
    made = deeds.said(frame, chart)
    return replace(said, tree=made.tree, frame=frame) if made else said


def _spanned(chart: Sentence, item: Item, said: Said) -> Said:
    return replace(said, tree=with_span(said.tree, chart.span(item.start, item.end)))


def _close(items: Sequence[Item], at: int) -> int:
    depth = 1
    for place in range(at, len(items)):
        depth += {"open": 1, "close": -1}.get(items[place].kind, 0)
        if depth == 0:
            return place
    return len(items)
