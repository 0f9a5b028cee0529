"""Which number of a segment is to be another one? ``make it 90 days``, ``raise LTV to $1000``, ``60 instead of 30``."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agent.offline import answers
from agent.offline.amounts import Amount
from agent.offline.grammar import Grammar
from agent.offline.sentence import Sentence
from agent.offline.times import Stretch, length_text, unit_of
from agent.offline.tokens import Token
from agent.offline.trees import Group, Leaf, Tree, leaves
from domain import segments as seg
from domain.windows import Window

WHOLE = 100


def add(grammar: Grammar) -> None:
    """Teach a grammar how other numbers are asked for."""
    rule = grammar.rule

    @rule("new_number", "<length>", "the :last <length>", "[:in] the :last <length>", "last|past <length>")
    def _(_c: Sentence, _i: int, _e: int, length: str) -> Change:
        return Change("length", length)

    @rule("new_number", "[the] <nth>", "[the] :top <token_percent>", "<token_percent>")
    def _(_c: Sentence, _i: int, _e: int, found: Any) -> Change:
        if isinstance(found, Token):
            return Change("percent", float(found.number))
        return Change("percentile", found)

    @rule(
        "new_number",
        "<figure_amount>",
        "<times_amount>",
        "<count_amount> :entity",
        "[the] :top <count_amount> [:entity]",
    )
    def _(_c: Sentence, _i: int, _e: int, amount: Amount) -> Change:
        return Change("amount", amount)

    @rule("new_number", "<window>")
    def _(_c: Sentence, _i: int, _e: int, stretch: Stretch) -> Change | None:
        return Change("window", stretch.window) if stretch.window else None

    @rule(
        "number_change",
        ":make :it [:it] [:it] <new_number> [:instead]",
        "<new_number> instead [:instead]",
        "what|how about <new_number> [instead] [:instead]",
        ":make <new_number> [:instead]",
        "<new_number>",
        "it should be <new_number>",
        ":make :it <new_number> :last",
        "no [:comma] <new_number>",
    )
    def _(_c: Sentence, _i: int, _e: int, change: Change) -> Change:
        return change

    @rule(
        "number_change",
        ":make [:det] [:it] <old> to|with|into|by <new_number> [:instead]",
        "<new_number> instead of [:det] <old> [:instead]",
        "not [:det] <old> but <new_number>",
    )
    def _(_c: Sentence, _i: int, _e: int, *found: Any) -> Change:
        change = next(item for item in found if isinstance(item, Change) and item.kind != "old")
        old = next(item for item in found if isinstance(item, Change) and item is not change)
        return Change(change.kind, change.value, old=old.value)

    @rule("old", "<length>", "<token_number>", "<token_money>", "<nth>", "<token_percent>")
    def _(_c: Sentence, _i: int, _e: int, found: Any) -> Change:
        value = found.number if isinstance(found, Token) else found
        return Change("old", value)

    @rule(
        "number_change",
        ":make [:det] <referent> [:it] [:it] [:it] <new_number> [:instead]",
        "<referent> :be <new_number> [:instead]",
        "<referent> should [be] <new_number> [:instead]",
        ":make <referent> <new_number>",
    )
    def _(_c: Sentence, _i: int, _e: int, about: tuple[str, ...], change: Change) -> Change:
        return Change(change.kind, change.value, about=about)


@dataclass(frozen=True, slots=True)
class Change:
    """A new number, and what it replaces where that was said."""

    kind: str
    value: Any
    about: tuple[str, ...] = ()
    old: Any = None


@dataclass(frozen=True, slots=True)
class Place:
    """A condition that could take the number, and what it becomes."""

    leaf: Leaf
    changed: seg.Leaf
    label: str


def places(chart: Sentence, tree: Tree, change: Change) -> list[Place]:
    """The conditions that could take a number, the likeliest kind of them."""
    found = []
    for leaf in leaves(tree):
        changed = _CHANGES[change.kind](leaf.node, change)
        if changed is not None and changed != leaf.node and is_about(chart, leaf.node, change):
            found.append(Place(leaf, changed, answers.described(chart, leaf.node)))
    named = {type(place.leaf.node) for place in found}
    if change.kind == "amount" and not change.about and change.value.money and seg.Metric in named:
        return [place for place in found if isinstance(place.leaf.node, seg.Metric)]
    counted = [
        place for place in found if getattr(place.leaf.node, "during", None) == getattr(place.changed, "during", None)
    ]
    return counted if change.kind == "amount" and counted else found


def is_about(chart: Sentence, node: seg.Leaf, change: Change) -> bool:
    """Whether a condition is what a change speaks of."""
    if change.old is not None:
        return _holds(node, change.old)
    if not change.about:
        return True
    name = getattr(node, "name", None) or getattr(node, "metric", None)
    siblings = {"item": "order"}
    for about in change.about:
        if about.startswith("term "):
            return _is_term(chart, node, about.removeprefix("term "))
        if about == name or siblings.get(str(name)) == about:
            return True
    return False


def _is_term(chart: Sentence, node: seg.Leaf, word: str) -> bool:
    kind = chart.lexicon.glossary.terms[word].kind
    if kind == "window":
        return getattr(node, "during", None) is not None
    return isinstance(node, seg.Metric)


def _holds(node: seg.Leaf, old: Any) -> bool:
    values: list[Any] = [getattr(node, "value", None), getattr(node, "count", None), getattr(node, "percent", None)]
    during = getattr(node, "during", None)
    values += [during.last, during.until] if during else []
    if isinstance(values[0], seg.Percentile):
        values.append(values[0].percentile)
    values += [test.value for test in getattr(node, "where", ())]
    if isinstance(old, str):
        return old in values
    return any(
        not isinstance(value, str | bool) and value is not None and value == old
        for value in values
        if not isinstance(value, tuple | seg.Percentile)
    )


def _length(node: seg.Leaf, change: Change) -> seg.Leaf | None:
    during = getattr(node, "during", None)
    if during is not None and during.last:
        return copied(node, during=Window(last=change.value))
    if during is not None and during.until:
        return copied(node, during=Window(until=change.value))
    if isinstance(node, seg.Attribute) and node.op in {"in_last", "older_than", "in_next", "anniversary_in_next"}:
        return copied(node, value=change.value)
    if isinstance(node, seg.Metric) and node.name.startswith("days_since") and unit_of(change.value) == "days":
        return copied(node, value=Decimal(change.value.rstrip("d")))
    return None


def _window(node: seg.Leaf, change: Change) -> seg.Leaf | None:
    return copied(node, during=change.value) if getattr(node, "during", None) is not None else None


def _percentile(node: seg.Leaf, change: Change) -> seg.Leaf | None:
    if isinstance(node, seg.Metric) and isinstance(node.value, seg.Percentile):
        return copied(node, value=node.value.model_copy(update={"percentile": change.value}))
    return None


def _percent(node: seg.Leaf, change: Change) -> seg.Leaf | None:
    if isinstance(node, seg.Rank | seg.Bucket) and getattr(node, "percent", None) is not None:
        return copied(node, percent=change.value)
    if isinstance(node, seg.Metric) and isinstance(node.value, seg.Percentile) and 0 < change.value < WHOLE:
        return copied(node, value=node.value.model_copy(update={"percentile": WHOLE - change.value}))
    return None


def _amount(node: seg.Leaf, change: Change) -> seg.Leaf | None:
    amount: Amount = change.value
    if isinstance(node, seg.Rank) and node.count is not None and not amount.money:
        return copied(node, count=int(amount.low))
    if isinstance(node, seg.Metric) or (isinstance(node, seg.Activity) and node.op not in {"any", "none"}):
        if isinstance(node.value, seg.Percentile) and not amount.money:
            return (
                copied(node, value=node.value.model_copy(update={"percentile": float(amount.low)}))
                if 0 < amount.low < WHOLE
                else None
            )
        op = amount.op or (node.op if node.op != "between" else "gte")
        return copied(node, value=amount.value, op=op)
    if isinstance(node, seg.Activity) and amount.money:
        return _in_filters(node, amount)
    during = getattr(node, "during", None)
    if isinstance(during, Window) and not amount.money and amount.op is None:
        last = during.last or during.until
        length = length_text(amount.low, last.lstrip("0123456789")) if last else None
        return _length(node, Change("length", length)) if length else None
    return None


def _in_filters(node: seg.Activity, amount: Amount) -> seg.Leaf | None:
    where = tuple(
        test.model_copy(update={"value": amount.value, "op": amount.op or test.op})
        if isinstance(test.value, Decimal)
        else test
        for test in node.where
    )
    return copied(node, where=where) if where != node.where else None


def copied(node: Any, **changes: Any) -> seg.Leaf:
    """The node with changes, checked again."""
    made: seg.Leaf = type(node).model_validate({**dict(node), **changes})
    return made


_CHANGES: dict[str, Callable[[seg.Leaf, Change], seg.Leaf | None]] = {
    "length": _length,
    "window": _window,
    "percentile": _percentile,
    "percent": _percent,
    "amount": _amount,
}


def replaced(tree: Tree, leaf: Leaf, node: seg.Leaf | None) -> Tree:
    """The tree with one condition replaced, or with ``None`` taken out; a group that is left empty goes with it."""
    if tree is leaf and node is not None:
        return Leaf(node)
    if isinstance(tree, Group):
        parts = [replaced(part, leaf, node) for part in tree.of if not (node is None and part is leaf)]
        if len(parts) == 1 and tree.op in {"all", "any"}:
            return parts[0]
        return Group(tree.op, tuple(parts), tree.notes, tree.n)
    return tree
