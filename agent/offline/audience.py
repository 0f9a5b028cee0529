"""Who is meant by a stretch of a sentence, and which of its words had no effect?"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.offline.cover import Item, cover
from agent.offline.logic import combined
from agent.offline.reading import Ambiguity, Assumption, Option, Role, Span
from agent.offline.sentence import Said, Sentence
from agent.offline.trees import Built, Group, Leaf, Note, Tree, built, choices, joined, settled
from domain import segments as seg
from domain.segments import Definition

MAX_UNUSED = 40


@dataclass(frozen=True)
class Audience:
    """The people a stretch of words means. ``named`` where it speaks of people at all, ``everyone`` where of all."""

    tree: Tree | None
    items: tuple[Item, ...]
    unused: tuple[str, ...]
    named: bool
    everyone: bool


def audience(chart: Sentence, start: int = 0, end: int | None = None, about: Said | None = None) -> Audience:
    """Read who is meant between two places; ``about`` is the thing spoken of before."""
    chart.lost.clear()
    chart.used.clear()
    items = cover(chart, start, end)
    tree = combined(chart, items, about)
    named = any(item.kind in {"entity", "them"} for item in items)
    return Audience(tree, tuple(items), unused_words(chart, items), named, everyone=named and tree is None)


def unused_words(chart: Sentence, items: Sequence[Item]) -> tuple[str, ...]:
    """The words that had no effect, as typed; words side by side are named together."""
    found: list[tuple[int, int]] = []
    for item in items:
        lost = item.kind == "fragment" and item.start not in chart.used
        lost = lost or any(item.value == said for said in chart.lost)
        if item.kind == "unknown" or lost:
            if found and found[-1][1] == item.start:
                found[-1] = (found[-1][0], item.end)
            else:
                found.append((item.start, item.end))
    return tuple(chart.said(start, end) for start, end in found)[:MAX_UNUSED]


def with_everyone(chart: Sentence) -> Tree | None:
    """A condition that all meet: the moment they came to be known is."""
    since = chart.catalog.entity.since
    for name, entry in chart.catalog.attributes.items():
        if since and entry.at.column == since and entry.at.join is None:
            return Leaf(seg.Attribute(name=name, op="set"), (Note("everyone", "no condition: everyone"),))
    return None


def definition(chart: Sentence, tree: Tree) -> Definition:
    """A settled tree as a definition."""
    return Definition(dataset=chart.catalog.dataset, where=built(tree).where)


def assumptions(chart: Sentence, made: Built) -> tuple[Assumption, ...]:
    """What was assumed, once each, with the places of its numbers."""
    found: dict[tuple[str, str, str], Assumption] = {}
    for note in chart.repairs:
        found[note.word, note.text, ""] = Assumption(word=note.word, text=note.text)
    for path, note in made.notes:
        key = (note.word.lower(), note.text, note.unit if note.at else "")
        place = f"{path}.{note.at}" if note.at else None
        known = found.get(key)
        if known is None:
            found[key] = Assumption(word=note.word, text=note.text, path=place, value=note.value, unit=note.unit)
        elif place and known.path and place not in (known.path, *known.also) and known.value == note.value:
            found[key] = known.model_copy(update={"also": (*known.also, place)})
    return tuple(found.values())


def spans(
    chart: Sentence, items: Sequence[Item], made: Built | None, *, objective: range = range(0)
) -> tuple[Span, ...]:
    """What each stretch of the sentence was read as."""
    paths: dict[tuple[int, int], str] = {}
    for path, span in made.spans if made else ():
        paths.setdefault(span, path)
    found = []
    for item in items:
        start, end = chart.span(item.start, item.end)
        role = _role(item, objective)
        found.append(Span(start=start, end=end, text=chart.text[start:end], role=role, path=paths.get((start, end))))
    return tuple(found)


def _role(item: Item, objective: range) -> Role:
    if item.start in objective:
        return "objective"
    if item.kind in {"condition", "fragment"}:
        return "condition"
    if item.kind == "unknown":
        return "unused"
    if item.kind in {"and", "or", "but", "except", "not", "either", "both", "neither", "comma"}:
        return "connective"
    return "request" if item.value == "ask" else "filler"


def ambiguities(chart: Sentence, tree: Tree) -> tuple[Ambiguity, ...]:
    """Each stretch that can be read in several ways, with the whole definition that each way gives."""
    found = []
    for choice in choices(tree):
        options = tuple(
            Option(label=label, definition=definition(chart, settled(_with_choice(tree, choice, option))[0][1]))
            for label, option in choice.options
        )
        start, end = choice.span or (0, len(chart.text))
        found.append(Ambiguity(start=start, end=end, text=chart.text[start:end], options=options))
    return tuple(found)


def _with_choice(tree: Tree, choice: Tree, option: Tree) -> Tree:
    if tree is choice:
        return option
    if isinstance(tree, Group):
        return Group(tree.op, tuple(_with_choice(part, choice, option) for part in tree.of), tree.notes, tree.n)
    return tree


def narrowed(tree: Tree | None, more: Tree | None) -> Tree | None:
    """Both conditions, where there are two."""
    if tree is None or more is None:
        return tree or more
    return joined("all", tree, more)
