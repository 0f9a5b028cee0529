"""What are conditions while a sentence is being read? Nodes of the segment language with notes on what was assumed.

A ``Choice`` stands where the words leave two to four readings; it is settled by asking.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

from domain import segments as seg
from domain.catalog import Catalog
from domain.segments import Definition

MOST_READINGS = 4

_FLIPPED = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt", "eq": "ne", "ne": "eq", "any": "none", "none": "any"}


@dataclass(frozen=True, slots=True)
class Note:
    """An assumption in the making; ``at`` is the place of its number inside the node it belongs to."""

    word: str
    text: str
    at: str | None = None
    value: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition; ``span`` is where in the sentence it was said."""

    node: seg.Leaf
    notes: tuple[Note, ...] = ()
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined; ``not`` has exactly one."""

    op: Literal["all", "any", "not", "at_least"]
    of: tuple["Tree", ...]
    notes: tuple[Note, ...] = ()
    n: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """Readings to choose from, each with a label where the condition alone does not say enough."""

    word: str
    options: tuple[tuple[str, "Tree"], ...]
    span: tuple[int, int] | None = None


Tree = Leaf | Group | Choice


@dataclass
class Built:
    """A tree made into a condition, with every note and every span at its place."""

    where: seg.Leaf | seg.Group
    notes: list[tuple[str, Note]] = field(default_factory=list)
    spans: list[tuple[str, tuple[int, int]]] = field(default_factory=list)


def joined(op: Literal["all", "any"], *trees: Tree) -> Tree:
    """The trees as one; groups of the same kind are merged and repetitions left out."""
    flat: list[Tree] = []
    for tree in trees:
        same = isinstance(tree, Group) and tree.op == op and not tree.notes
        for part in tree.of if isinstance(tree, Group) and same else (tree,):
            if part not in flat:
                flat.append(part)
    return flat[0] if len(flat) == 1 else Group(op, tuple(flat))


def negated(tree: Tree, catalog: Catalog) -> Tree:
    """The tree turned round, as low down as that keeps its meaning."""
    match tree:
        case Choice():
            return replace(tree, options=tuple((label, negated(option, catalog)) for label, option in tree.options))
        case Group(op="not"):
            return tree.of[0]
        case Group(op="any"):
            return replace(tree, op="all", of=tuple(negated(part, catalog) for part in tree.of))
        case Group():
            return Group("not", (tree,))
        case Leaf():
            node = _turned(tree.node, catalog)
            return replace(tree, node=node) if node else Group("not", (tree,))


def _turned(node: seg.Leaf, catalog: Catalog) -> seg.Leaf | None:
    """The opposite as one condition, where nobody is unknown to it."""
    match node:
        case seg.Activity(op=op) if op in _FLIPPED and node.measure in {"count", "sum", "distinct"}:
            return node.model_copy(update={"op": _FLIPPED[op]})
        case seg.Metric(op=op) if op in _FLIPPED and catalog.metric(node.name).absent is not None:
            return node.model_copy(update={"op": _FLIPPED[op]})
        case seg.Attribute(op="set" | "missing" as op):
            return node.model_copy(update={"op": "missing" if op == "set" else "set"})
        case _:
            return None


def with_span(tree: Tree, span: tuple[int, int]) -> Tree:
    """The tree, said at a place of the sentence."""
    match tree:
        case Leaf():
            return replace(tree, span=span)
        case Group():
            return replace(tree, of=tuple(with_span(part, span) for part in tree.of))
        case Choice():
            options = tuple((label, with_span(option, span)) for label, option in tree.options)
            return replace(tree, options=options, span=span)


def with_notes(tree: Tree, *notes: Note) -> Tree:
    """The tree with more notes, on its first condition."""
    match tree:
        case _ if not notes:
            return tree
        case Leaf():
            return replace(tree, notes=(*tree.notes, *notes))
        case Group():
            return replace(tree, of=(with_notes(tree.of[0], *notes), *tree.of[1:]))
        case Choice():
            return replace(tree, options=tuple((label, with_notes(option, *notes)) for label, option in tree.options))


def leaves(tree: Tree) -> Iterator[Leaf]:
    """All conditions, in order; of a choice, those of its first option."""
    match tree:
        case Leaf():
            yield tree
        case Group():
            for part in tree.of:
                yield from leaves(part)
        case Choice():
            yield from leaves(tree.options[0][1])


def choices(tree: Tree) -> list[Choice]:
    """The choices still open, in order."""
    match tree:
        case Choice():
            return [tree]
        case Group():
            return [choice for part in tree.of for choice in choices(part)]
        case _:
            return []


def settled(tree: Tree) -> list[tuple[str, Tree]]:
    """Every combination of the open choices, the first few of them, with the labels of what was chosen."""
    match tree:
        case Leaf():
            return [("", tree)]
        case Choice():
            return [(label, settled(option)[0][1]) for label, option in tree.options][:MOST_READINGS]
        case Group():
            rows = product(*(settled(part) for part in tree.of))
            found = [
                (", ".join(label for label, _ in row if label), replace(tree, of=tuple(part for _, part in row)))
                for _, row in zip(range(MOST_READINGS), rows, strict=False)
            ]
            return [(label, option) for label, option in found]


def from_node(node: seg.Leaf | seg.Group) -> Tree:
    """A condition as a tree, to be changed."""
    match node:
        case seg.All():
            return Group("all", tuple(from_node(part) for part in node.of))
        case seg.AnyOf():
            return Group("any", tuple(from_node(part) for part in node.of))
        case seg.AtLeast():
            return Group("at_least", tuple(from_node(part) for part in node.of), n=node.n)
        case seg.Not():
            return Group("not", (from_node(node.of),))
        case _:
            return Leaf(node)


def one_of(whole: Definition) -> Tree:
    """A definition as a tree."""
    return from_node(whole.where)


def built(tree: Tree) -> Built:
    """The tree as a condition. Choices must have been settled."""
    whole = tree if isinstance(tree, Group) and tree.op == "all" else None
    made = Built(seg.Consent(channel="email"))
    if whole:
        parts = [_node(part, f"where.of.{i}", made) for i, part in enumerate(whole.of)]
        made.notes += [("where", note) for note in whole.notes]
        made.where = seg.All(of=tuple(parts))
    else:
        made.where = _node(tree, "where", made)
    return made


def definition(tree: Tree, dataset: str) -> Definition:
    """The tree as a whole definition; open choices take their first reading."""
    return Definition(dataset=dataset, where=built(settled(tree)[0][1]).where)


def _node(tree: Tree, path: str, made: Built) -> Any:
    match tree:
        case Leaf():
            made.notes += [(path, note) for note in tree.notes]
            if tree.span:
                made.spans.append((path, tree.span))
            return tree.node
        case Group(op="not"):
            made.notes += [(path, note) for note in tree.notes]
            return seg.Not(of=_node(tree.of[0], f"{path}.of", made))
        case Group():
            made.notes += [(path, note) for note in tree.notes]
            parts = tuple(_node(part, f"{path}.of.{i}", made) for i, part in enumerate(tree.of))
            if tree.op == "at_least":
                return seg.AtLeast(n=tree.n, of=parts)
            return seg.All(of=parts) if tree.op == "all" else seg.AnyOf(of=parts)
        case Choice():
            return _node(tree.options[0][1], path, made)
