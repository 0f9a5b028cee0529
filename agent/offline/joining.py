"""How do conditions in a row hang together? Not binds closer than and, and closer than or; what is unclear is asked.

Modifiers that stand side by side without a connective all hold. A connective joins what stands in the same row of
modifiers or clauses; a comma before a connective begins a new row.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from agent.offline.sentence import Said, Sentence
from agent.offline.trees import Choice, Tree, joined, negated

Joint = Literal["and", "or", "beside", "comma"]


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
    """Conditions in one row; ``excluded`` ones must not hold, ``named`` where it speaks of people already."""

    terms: list[Term] = field(default_factory=list)
    excluded: bool = False
    named: bool = False


def row_tree(chart: Sentence, row: Row) -> Tree:
    """A row as one tree."""
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
