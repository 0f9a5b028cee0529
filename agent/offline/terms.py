"""How does a word of the glossary become a condition, and an undecided one a choice?"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from agent.offline.frames import Frame, Thing, tree
from agent.offline.grammar import Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.things import Things
from agent.offline.times import Stretch
from agent.offline.trees import MOST_READINGS, Choice, Group, Leaf, Note, Tree, from_node
from domain import segments as seg
from domain.errors import Invalid
from domain.glossary import Term, Undecided
from domain.segments import parse
from domain.windows import Window


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of glossary words."""
    rule = grammar.rule

    @rule("termed", "[:det] <term_condition> [:entity]", "[:det] <term_condition> in terms of")
    def _(chart: Sentence, i: int, end: int, term: Term) -> Said | None:
        made = filled(chart, term, word=chart.said(i, end))
        return Said(made) if made else None

    @rule(
        "undecided",
        "[:det] [:very] <undecided_condition> :entity",
        "[:det] [:very] <undecided_condition> buyer|purchaser|spender",
    )
    def _(chart: Sentence, i: int, end: int, entry: Undecided) -> Said:
        return Said(readings(chart, entry, word=chart.said(i, end)))

    @rule("termed", "[:det] <term_condition> [:entity] <window>")
    def _(chart: Sentence, i: int, end: int, term: Term, stretch: Stretch) -> Said | None:
        made = filled(chart, term, word=chart.said(i, end))
        whole = _rewindowed(made, term, stretch) if made else None
        return Said(whole) if whole else None

    @rule("undecided", ":like [:det] <things>", "<thing> :fan")
    def _(chart: Sentence, i: int, end: int, found: Things | Thing) -> Said | None:
        return _liked(chart, found if isinstance(found, Things) else Things((found,)), chart.said(i, end))


def _liked(chart: Sentence, found: Things, word: str) -> Said | None:
    """Nobody's taste is known, but what they bought and looked at is."""
    options: list[tuple[str, Tree]] = []
    for name, activity in chart.catalog.activities.items():
        if all(name in thing.owners for thing in found.things) and len(options) < MOST_READINGS:
            made = tree(Frame((name,), things=found.things, joint=found.joint), chart.lexicon)
            if made is not None and not isinstance(made, Choice):
                options.append((f"at least one {activity.label} of it", made))
    return Said(Choice(word, tuple(options))) if len(options) > 1 else None


def _rewindowed(tree: Tree, term: Term, stretch: Stretch) -> Tree | None:
    """A term with another window than its own: inactive for 60 days, abandoned cart this week."""
    days = {number.value for number in term.numbers.values() if number.unit == "days"}
    if len(days) != 1 or stretch.window is None or stretch.lacking or stretch.point:
        return None
    own = f"{days.pop():g}d"
    return _in(tree, own, stretch)


def _in(tree: Tree, own: str, stretch: Stretch) -> Tree | None:
    if isinstance(tree, Group):
        parts = [_in(part, own, stretch) for part in tree.of]
        whole = tuple(part for part in parts if part is not None)
        return replace(tree, of=whole) if len(whole) == len(parts) else None
    if not isinstance(tree, Leaf) or stretch.window is None:
        return None
    node = _leaf_in(tree.node, own, stretch.window)
    if node is tree.node:
        return tree
    return Leaf(node, tuple(note for note in tree.notes if not note.at)) if node else None


def _leaf_in(node: seg.Leaf, own: str, window: Window) -> seg.Leaf | None:
    """A condition over another time, itself where it is about no time, ``None`` where the time does not fit it."""
    length = window.last if window.last and not window.until else None
    match node:
        case seg.Activity() if node.during and node.during.last == own:
            return node.model_copy(update={"during": window})
        case seg.Metric() if node.name.startswith("days_since"):
            days = length.removesuffix("d") if length and length.endswith("d") else None
            return node.model_copy(update={"value": Decimal(days)}) if days else None
        case seg.Attribute() if node.value == own:
            return node.model_copy(update={"value": length}) if length else None
        case _:
            return node


def filled(chart: Sentence, term: Term, *, word: str, **names: str) -> Tree | None:
    """A term as conditions, with its numbers as notes; ``None`` where this dataset cannot say it."""
    found = term.filled(**names)
    tree = _tree(chart, found.means)
    if tree is None:
        return None
    text = f"{term.word} = {term.explained()}"
    if names.get("metric"):
        text = f"{term.word} {chart.catalog.metrics[names['metric']].label} = {term.explained()}"
    notes = [(place, number) for place, number in found.places]
    if not notes:
        return _with(tree, "", Note(word, text))
    for place, name in notes:
        number = term.numbers[name]
        tree = _with(tree, place, Note(word, text, place, number.value, number.unit))
    return tree


def readings(chart: Sentence, entry: Undecided, *, word: str, **names: str) -> Tree:
    """An undecided word as the readings to offer."""
    label = chart.catalog.metrics[names["metric"]].label if names.get("metric") else ""
    options = []
    for choice in entry.choices:
        term = Term(word=entry.word, means=choice.means)
        tree = _tree(chart, term.filled(**names).means)
        if tree is not None:
            options.append((choice.label.format(label=label), tree))
    return Choice(word, tuple(options))


def _tree(chart: Sentence, means: dict[str, Any]) -> Tree | None:
    """A meaning as a tree; ``None`` where it is none, or uses names that this catalog lacks."""
    try:
        tree = from_node(parse({"dataset": chart.catalog.dataset, "where": means}).where)
    except Invalid:
        return None
    return tree if _known(chart, tree) else None


def _known(chart: Sentence, tree: Tree) -> bool:
    match tree:
        case Group():
            return all(_known(chart, part) for part in tree.of)
        case Choice():
            return True
        case Leaf(node=node):
            catalog = chart.catalog
            names = {"attribute": catalog.attributes, "metric": catalog.metrics, "activity": catalog.activities}
            known = names.get(node.type)
            return known is None or getattr(node, "name", "") in known


def _with(tree: Tree, place: str, note: Note) -> Tree:
    """The tree with a note on the condition at a dotted place; the rest of the place stays the note's own."""
    if isinstance(tree, Leaf) or not place.startswith("of"):
        if isinstance(tree, Leaf):
            return Leaf(
                tree.node, (*tree.notes, Note(note.word, note.text, place or None, note.value, note.unit)), tree.span
            )
        return Group(tree.op, tree.of, (*tree.notes, note), tree.n) if isinstance(tree, Group) else tree
    if not isinstance(tree, Group):
        return tree
    if tree.op == "not":
        return Group("not", (_with(tree.of[0], place.removeprefix("of").removeprefix("."), note),), tree.notes)
    _, index, *rest = place.split(".")
    parts = list(tree.of)
    parts[int(index)] = _with(parts[int(index)], ".".join(rest), note)
    return Group(tree.op, tuple(parts), tree.notes, tree.n)
