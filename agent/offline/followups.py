"""Does the sentence change the segment before it? ``make it 90 days``, ``only in Texas``, ``remove the second one``."""

from collections.abc import Callable, Iterator
from typing import Any

from agent.offline import answers
from agent.offline.audience import Audience, audience, definition
from agent.offline.changes import Change, copied, is_about, places, replaced
from agent.offline.grammar import Grammar
from agent.offline.reading import Option, Reading
from agent.offline.sentence import Sentence
from agent.offline.tokens import Token
from agent.offline.trees import Choice, Group, Leaf, Tree, choices, joined, leaves, negated, one_of, settled
from domain import segments as seg
from domain.segments import Definition

_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
    "5th": 5,
}
UNSURE = 0.3
_NO_SEGMENT = "There is no segment yet that this could change. Which customers do you mean?"


def add(grammar: Grammar) -> None:
    """Teach a grammar how removals and exchanges are asked for."""
    rule = grammar.rule

    @rule("referent", "<metric>")
    def _(_c: Sentence, _i: int, _e: int, name: str) -> tuple[str, ...]:
        return (name,)

    @rule("referent", "<attribute>", "<activity_noun>", "<activity_verb>")
    def _(_c: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> tuple[str, ...]:
        return names

    @rule("referent", "<term_window>", "<term_level>", "<term_condition>")
    def _(_c: Sentence, _i: int, _e: int, term: Any) -> tuple[str, ...]:
        return (f"term {term.word}",)

    rule("referent", "<channels>", "consent|subscription", "email consent")(lambda *_: ("consent",))

    @grammar.reader("which")
    def _(chart: Sentence, i: int) -> Iterator[tuple[int, int]]:
        stem = chart.stems[i]
        if stem in _ORDINALS:
            yield i + 1, _ORDINALS[stem]
        if stem == "last":
            yield i + 1, -1

    @rule("removal", ":remove [:det] <which> [:piece]", ":remove [:piece] [number] <token_number>")
    def _(_c: Sentence, _i: int, _e: int, which: Any) -> dict[str, Any]:
        return {"index": int(which.number) if isinstance(which, Token) else which}

    @rule("removal", ":remove [:det] <referent> [:piece]", ":remove [:det] :piece about|on|for [:det] <referent>")
    def _(_c: Sentence, _i: int, _e: int, about: tuple[str, ...]) -> dict[str, Any]:
        return {"about": about}

    @rule(
        "removal",
        ":remove [:live] <values> [:piece]",
        ":remove [:det] <values> :piece",
        ":remove [:det] <condition> :piece",
    )
    def _(_c: Sentence, _i: int, _e: int, said: Any) -> dict[str, Any]:
        return {"like": said.tree}

    rule(
        "swap",
        ":make [:live] [:det] <values> to|with|by|for|into [:live] <value_again>",
        "replace|swap|substitute|exchange [:live] [:det] <values> to|with|by|for|into [:live] <value_again>",
        "instead of [:live] <values> [:comma] [:live] <value_again>",
        "[:live] <values> instead of [:live] <value_again>",
        "not [:live] <values> but [:live] <value_again>",
    )(lambda _c, _i, _e, one, other: (one.tree, other.tree))

    rule("value_again", "<values>")(lambda _c, _i, _e, said: said)


def read(chart: Sentence, previous: Definition | None) -> Reading | None:
    """The reading of a change to the segment before; ``None`` where the sentence is not one."""
    start = chart.past(0, "polite", "comma")
    for at in sorted({start, 0}, reverse=True):
        if at >= len(chart.tokens):
            continue
        for way in (_number, _removal, _swapped):
            found = way(chart, at, previous)
            if found:
                return found
    return _widened(chart, previous) if previous else None


def _whole(chart: Sentence, part: str, i: int) -> Any:
    """The value of a part that reaches to the end of the sentence."""
    n = len(chart.tokens)
    return next((value for end, value in chart.at(part, i) if chart.past(end, "instead", "comma") >= n), None)


def _number(chart: Sentence, i: int, previous: Definition | None) -> Reading | None:
    change: Change | None = _whole(chart, "number_change", i)
    if change is None:
        return None
    if previous is None:
        cued = bool(chart.is_any(i, "make")) or chart.stems[-1] == "instead"
        if not cued and change.kind != "length":
            return None
        return Reading(text=chart.text, action="clarify", intent="segment", question=_NO_SEGMENT, confidence=UNSURE)
    tree = one_of(previous)
    found = places(chart, tree, change)
    made = [replaced(tree, place.leaf, place.changed) for place in found]
    if not made:
        return answers.refused(chart, "Nothing in the segment takes that number. What should it change?", (), "segment")
    if len(made) > 1:
        options = tuple((f"change “{place.label}”", option) for place, option in zip(found, made, strict=True))
        return _settled(chart, Choice(chart.text, options[:4]))
    return _settled(chart, made[0])


def _removal(chart: Sentence, i: int, previous: Definition | None) -> Reading | None:
    found: dict[str, Any] | None = _whole(chart, "removal", i)
    if found is None:
        return None
    if previous is None:
        return Reading(text=chart.text, action="clarify", intent="segment", question=_NO_SEGMENT, confidence=UNSURE)
    tree = one_of(previous)
    parts = list(tree.of) if isinstance(tree, Group) and tree.op == "all" else [tree]
    kept = _kept(chart, parts, found)
    if kept is None or (len(kept) == len(parts) and kept == parts):
        return (
            None
            if "like" in found
            else answers.refused(chart, "The segment has no such condition to remove.", (), "segment")
        )
    if not kept:
        return answers.refused(
            chart, "That is the only condition; without it the segment would be everyone.", (), "segment"
        )
    return _settled(chart, joined("all", *kept))


def _kept(chart: Sentence, parts: list[Tree], found: dict[str, Any]) -> list[Tree] | None:
    if "index" in found:
        index = found["index"]
        if not 1 <= index <= len(parts) and index != -1:
            return None
        drop = len(parts) - 1 if index == -1 else index - 1
        return [part for place, part in enumerate(parts) if place != drop]
    if "about" in found:
        change = Change("", None, about=found["about"])
        return [part for part in parts if not any(_concerns(chart, leaf.node, change) for leaf in leaves(part))]
    wanted = next(leaves(found["like"])).node
    return [part for each in parts if (part := _without(each, wanted)) is not None]


def _concerns(chart: Sentence, node: seg.Leaf, change: Change) -> bool:
    if isinstance(node, seg.Consent | seg.Reachable | seg.Suppressed):
        return "consent" in change.about or node.channel in change.about
    return is_about(chart, node, change)


def _without(part: Tree, wanted: seg.Leaf) -> Tree | None:
    """A condition without a value: gone where it is the only one, else with the others of its list."""
    inner = part.of[0] if isinstance(part, Group) and part.op == "not" else part
    if (
        not isinstance(inner, Leaf)
        or not isinstance(inner.node, seg.Attribute)
        or not isinstance(wanted, seg.Attribute)
    ):
        return None if isinstance(inner, Leaf) and inner.node == wanted else part
    if inner.node.name != wanted.name or inner.node.op not in {"eq", "in"}:
        return part
    gone = set(wanted.value) if isinstance(wanted.value, tuple) else {wanted.value}
    left = [
        value
        for value in (inner.node.value if isinstance(inner.node.value, tuple) else (inner.node.value,))
        if value not in gone
    ]
    if not left:
        return None
    if len(left) == (len(inner.node.value) if isinstance(inner.node.value, tuple) else 1):
        return part
    op, value = ("eq", left[0]) if len(left) == 1 else ("in", tuple(left))
    changed = Leaf(copied(inner.node, op=op, value=value))
    return Group("not", (changed,)) if inner is not part else changed


def _swapped(chart: Sentence, i: int, previous: Definition | None) -> Reading | None:
    """One value for another: change Texas to Ohio, Ohio instead of Texas."""
    found = _whole(chart, "swap", i)
    if found is None or previous is None:
        return None
    one, other = (next(leaves(tree)).node for tree in found)
    old, new = (other, one) if "instead" in chart.stems[i + 1 :] else (one, other)
    if not isinstance(old, seg.Attribute) or not isinstance(new, seg.Attribute):
        return None
    tree = one_of(previous)
    for leaf in leaves(tree):
        node = leaf.node
        if (
            isinstance(node, seg.Attribute)
            and node.name == old.name
            and set(_tuple(old.value)) <= set(_tuple(node.value))
        ):
            return _settled(chart, replaced(tree, leaf, _exchanged(node, old, new)))
    return None


def _exchanged(node: seg.Attribute, old: seg.Attribute, new: seg.Attribute) -> seg.Leaf:
    """The condition with some of its values exchanged; one about another attribute takes its place altogether."""
    if node.name != new.name:
        return new
    kept = [value for value in _tuple(node.value) if value not in _tuple(old.value)]
    values = tuple(dict.fromkeys((*kept, *_tuple(new.value))))
    return copied(node, op="eq" if len(values) == 1 else "in", value=values[0] if len(values) == 1 else values)


def _widened(chart: Sentence, previous: Definition) -> Reading | None:
    """More conditions: to be met as well, to be met instead, or not to be met."""
    polite = chart.past(0, "polite", "comma")
    for at in sorted({0, polite}):
        for part in ("excluding", "including", "adding"):
            for end, _ in chart.at(part, at) if at < len(chart.tokens) else ():
                found = _added(chart, end, part, previous)
                if found:
                    return found
    return _bare(chart, polite, previous)


def _added(chart: Sentence, i: int, part: str, previous: Definition) -> Reading | None:
    if i >= len(chart.tokens):
        return None
    people = audience(chart, i)
    if people.tree is None or (people.unused and not chart.is_any(0, part)):
        return None
    return _patched(chart, people, part, one_of(previous))


def _bare(chart: Sentence, i: int, previous: Definition) -> Reading | None:
    """Conditions without people, said right away: "in Texas", "who bought twice"."""
    if i >= len(chart.tokens) or not chart.is_any(i, "live", "who", "with", "without", "whose"):
        return None
    people = audience(chart, i)
    if people.tree is None or people.unused or any(item.kind == "entity" for item in people.items):
        return None
    return _patched(chart, people, "adding", one_of(previous))


def _patched(chart: Sentence, people: Audience, part: str, before: Tree) -> Reading:
    more = people.tree
    assert more is not None  # noqa: S101 - the callers looked
    if part == "excluding":
        tree = joined("all", before, negated(more, chart.catalog))
    elif part == "including":
        tree = _also(before, more) or joined("any", before, more)
    else:
        also = "also" in chart.stems and _also(before, more)
        tree = also or _instead(before, more) or joined("all", before, more)
    return answers.segment(chart, Audience(tree, people.items, people.unused, named=True, everyone=False), patched=True)


def _also(before: Tree, more: Tree) -> Tree | None:
    """One more value of an attribute that is already compared: Texas, and also Ohio."""
    return _merged(before, more, lambda old, new: tuple(dict.fromkeys((*old, *new))))


def _instead(before: Tree, more: Tree) -> Tree | None:
    """Another value of an attribute that can only have one."""
    return _merged(before, more, lambda _old, new: new)


def _merged(
    before: Tree, more: Tree, values: Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...]]
) -> Tree | None:
    if not isinstance(more, Leaf) or not isinstance(more.node, seg.Attribute) or more.node.op not in {"eq", "in"}:
        return None
    parts = before.of if isinstance(before, Group) and before.op == "all" else (before,)
    for leaf in parts:
        if (
            isinstance(leaf, Leaf)
            and isinstance(leaf.node, seg.Attribute)
            and leaf.node.name == more.node.name
            and leaf.node.op in {"eq", "in"}
        ):
            found = values(_tuple(leaf.node.value), _tuple(more.node.value))
            op, value = ("eq", found[0]) if len(found) == 1 else ("in", found)
            return replaced(before, leaf, copied(leaf.node, op=op, value=value))
    return None


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _settled(chart: Sentence, tree: Tree) -> Reading:
    """The changed segment, or the ways it could be changed."""
    open_choices = choices(tree)
    if open_choices:
        options = tuple(Option(label=label, definition=definition(chart, option)) for label, option in settled(tree))
        return Reading(
            text=chart.text,
            action="clarify",
            intent="segment",
            question="Which number should change?",
            options=options,
            patched=True,
            confidence=0.5,
        )
    return Reading(
        text=chart.text, action="segment", intent="segment", definition=definition(chart, tree), patched=True
    )
