"""How do the conditions of a sentence hang together? Not binds closer than and, and closer than or.

What is unclear is asked. Modifiers that stand side by side without a connective all hold. A connective joins what stands in the same row of
modifiers or clauses; "but", "except" and a comma before a connective begin a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agent.offline import deeds, permissions, sequences
from agent.offline.conditions import Fragment
from agent.offline.cover import Item
from agent.offline.sentence import Said, Sentence
from agent.offline.trees import Choice, Group, Tree, joined, negated, with_span

Joint = Literal["and", "or", "beside"]


@dataclass
class Term:
    """One condition in a row, and how it hangs on the one before it."""

    said: Said
    joint: Joint
    strong: bool = False
    again: bool = False
    text: str = ""
    grouped: bool = False


@dataclass
class Row:
    """Conditions that stand in one row; ``excluded`` ones must not hold, ``named`` where it speaks of people already."""

    terms: list[Term] = field(default_factory=list)
    excluded: bool = False
    named: bool = False


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
    rows = _rows(chart, items, about)
    parts = [_row(chart, row) for row in rows if row.terms]
    return joined("all", *parts) if parts else None


def _rows(chart: Sentence, items: Sequence[Item], about: Said | None) -> list[Row]:
    rows = [Row()]
    marks = _Marks()
    at = 0
    last = about
    while at < len(items):
        item = items[at]
        at += 1
        match item.kind:
            case "condition":
                said = _spanned(chart, item, _same(chart, item.value, last))
                if marks.then and _followed(chart, rows[-1], said):
                    last, marks = said, _Marks()
                    continue
                last = said
                people = marks.again or _is_people(chart, item)
                marks.again, rows[-1].named = people and rows[-1].named, people or rows[-1].named
                marks = _add(chart, rows[-1], last, marks, chart.said(item.start, item.end))
            case "fragment":
                fresh = len(rows) > 1 and not rows[-1].terms and not rows[-1].excluded
                said = _completed(chart, item, last, marks, affirmed=fresh)
                if said and marks.then and _followed(chart, rows[-1], said):
                    chart.used.add(item.start)
                    last, marks = said, _Marks()
                elif said and marks.joint == "beside" and not (marks.comma or said.denied) and rows[-1].terms:
                    if _refined(rows[-1], said, item.value):
                        chart.used.add(item.start)
                    last = rows[-1].terms[-1].said
                elif said:
                    chart.used.add(item.start)
                    last = said
                    marks = _add(chart, rows[-1], said, marks, chart.said(item.start, item.end))
            case "n_of":
                rest = [term.said.tree for row in _rows(chart, items[at:], last) for term in row.terms]
                if rest and item.value <= len(rest):
                    rows[-1].terms.append(Term(Said(Group("at_least", tuple(rest), n=item.value)), "beside"))
                at = len(items)
            case "open":
                close = _close(items, at)
                inner = combined(chart, items[at:close], last)
                at = close + 1
                if inner:
                    marks = _add(chart, rows[-1], Said(inner), marks, "(...)")
            case "but":
                rows.append(Row())
                marks = _Marks()
            case "except":
                rows.append(Row(excluded=True))
                marks = _Marks()
            case "them" if rows[-1].terms and chart.stems[item.start] in {"only", "just"}:
                rows.append(Row(named=True))
                marks = _Marks()
            case _:
                _mark(item, marks)
                rows[-1].named = rows[-1].named or (item.kind in {"entity", "them"} and not rows[-1].terms)
    return rows


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
        row.terms[-1].joint = "comma"  # type: ignore[assignment] - settled below, by what follows
        return _Marks()
    row.terms.append(
        Term(said, joint, strong=marks.comma and joint != "beside", again=marks.again, text=text, grouped=marks.grouped)
    )
    return _Marks()


def _refined(row: Row, said: Said, fragment: Fragment) -> bool:
    """A fragment right behind a condition says more of it, unless that was said already."""
    frame = row.terms[-1].said.frame
    if frame is None or any(getattr(frame, key, None) not in (None, (), "any") for key in fragment.changes):
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


def _row(chart: Sentence, row: Row) -> Tree:
    if row.excluded:
        return negated(joined("any", *_excluded(row)), chart.catalog)
    return _alternatives(_settled(row.terms))


def _excluded(row: Row) -> list[Tree]:
    """What is left out: each of a list; conditions side by side mean one kind of people."""
    kinds: list[list[Tree]] = []
    for term in row.terms:
        if term.joint == "beside" and kinds:
            kinds[-1].append(term.said.tree)
        else:
            kinds.append([term.said.tree])
    return [joined("all", *kind) for kind in kinds]


def _settled(terms: list[Term]) -> list[Term]:
    """Commas take the connective that follows them in the list; a list without one means and."""
    joint: Joint = "and"
    for term in reversed(terms):
        if term.joint in {"and", "or"}:
            joint = term.joint
        elif term.joint == "beside":
            joint = "and"
        else:
            term.joint = joint
    return terms


def _alternatives(terms: list[Term]) -> Tree:
    """A connective before people named again joins whole groups of people."""
    for i, term in enumerate(terms):
        if i and term.again and term.joint in {"and", "or"}:
            left, right = _alternatives(terms[:i]), _alternatives([replace(term, joint="beside"), *terms[i + 1 :]])
            either, both = joined("any", left, right), joined("all", left, right)
            if term.joint == "or":
                return either
            return Choice("and", (("people of either kind", either), ("only people who are both", both)))
    return _units(terms)


def _units(terms: list[Term]) -> Tree:
    """Modifiers side by side all hold; each may be a list of its own."""
    units: list[list[Term]] = []
    for term in terms:
        if units and term.joint != "beside":
            units[-1].append(term)
        else:
            units.append([term])
    return joined("all", *(_unit(unit) for unit in units))


def _unit(terms: list[Term]) -> Tree:
    joints = {term.joint for term in terms[1:]}
    if len(joints) <= 1:
        return joined("any" if joints == {"or"} else "all", *(term.said.tree for term in terms))
    for cut, term in enumerate(terms):
        if (
            cut
            and term.strong
            and len({other.joint for other in terms[1:cut]} | {other.joint for other in terms[cut + 1 :]}) <= 1
        ):
            sides = _unit(terms[:cut]), _unit(terms[cut:])
            return joined("any" if term.joint == "or" else "all", *sides)
    grouped = next((i for i, term in enumerate(terms) if term.grouped), None)
    if grouped:
        return joined("all", *(term.said.tree for term in terms[:grouped]), _unit(terms[grouped:]))
    if grouped == 0 and terms[-1].joint == "and":
        return joined("all", _unit(terms[:-1]), terms[-1].said.tree)
    return _mixed(terms)


def _mixed(terms: list[Term]) -> Tree:
    """And next to or, with nothing to say which binds closer: both readings."""
    first, first_text = _bound(terms, "and", "or")
    second, second_text = _bound(terms, "or", "and")
    return Choice("and ... or", ((first_text, first), (second_text, second)))


def _bound(terms: list[Term], close: Joint, loose: Joint) -> tuple[Tree, str]:
    groups: list[list[Term]] = []
    for term in terms:
        if groups and term.joint == close:
            groups[-1].append(term)
        else:
            groups.append([term])
    trees = [joined("all" if close == "and" else "any", *(term.said.tree for term in group)) for group in groups]
    texts = [f" {close} ".join(term.text for term in group) for group in groups]
    said = f" {loose} ".join(f"({text})" if len(group) > 1 else text for text, group in zip(texts, groups, strict=True))
    return joined("all" if loose == "and" else "any", *trees), said
