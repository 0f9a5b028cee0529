"""Which values are named without their attribute? ``in Texas or Ohio``, ``German customers``, ``who speak French``."""

from collections.abc import Iterator
from typing import Any

from agent.offline.comparisons import value_notes, values_at
from agent.offline.grammar import Alternative, Grammar
from agent.offline.lexicon import Value
from agent.offline.sentence import Said, Sentence
from agent.offline.times import Stretch
from agent.offline.tokens import words
from agent.offline.traits import dated, is_
from agent.offline.trees import Choice, Leaf, Note, Tree, joined, leaves, negated
from domain import segments as seg

LEAST_LETTERS = 2


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of values."""
    grammar.reader("values")(_values)
    _placed(grammar)
    _denied(grammar)
    _spoken(grammar)
    _since(grammar)


def _values(chart: Sentence, i: int) -> Iterator[Alternative]:
    """One value of some attribute, or a list of them, each with the attributes that it may be a value of."""
    start = chart.past(i, "either", "both", "det")
    rows: list[list[Value]] = []
    texts: list[Note] = []
    joint, at = "", start
    while at < len(chart.stems):
        best = _one_value(chart, at)
        if best is None:
            return
        end, values = best
        end, values = _past_label(chart, end, values)
        rows.append(values)
        texts += [note for value in values[:1] for note in value_notes(chart, at, end, value)]
        made = _of_values(chart, rows, joint, tuple(texts), chart.said(i, end))
        if made:
            yield end, Said(made)
        word, at = _joint(chart, end)
        joint = word or joint
        if not at:
            return


def _past_label(chart: Sentence, i: int, values: list[Value]) -> tuple[int, list[Value]]:
    """The place after a word that says what the value is of, and the values it leaves: dark roast, New York City."""
    if i >= len(chart.stems):
        return i, values
    named = [value for value in values if chart.stems[i] in words(chart.catalog.attributes[value.name].label)]
    return (i + 1, named) if named else (i, values)


def _joint(chart: Sentence, i: int) -> tuple[str, int]:
    at = i
    if at < len(chart.stems) and chart.tokens[at].norm == ",":
        at += 1
    word = chart.stems[at] if at < len(chart.stems) else ""
    if word in {"or", "and", "nor", "&", "/", "plus"}:
        return ("or" if word in {"or", "nor", "/"} else "and"), chart.past(at + 1, "in_again")
    return ("comma" if at > i else ""), at if i < at < len(chart.stems) else 0


def _is_favourite(chart: Sentence, node: seg.Leaf) -> bool:
    """Whether an attribute says what people like."""
    if not isinstance(node, seg.Attribute):
        return False
    label = chart.catalog.attributes[node.name].label.lower()
    return any(word in label for word in ("favo", "prefer", "interest", "like"))


def _is_named(chart: Sentence, node: seg.Leaf) -> bool:
    """Whether a value can stand alone: places, languages and genders do, "espresso" as a grind does not."""
    return isinstance(node, seg.Attribute) and node.name in chart.lexicon.spoken


def _one_value(chart: Sentence, i: int) -> tuple[int, list[Value]] | None:
    """The longest value here; two-letter codes only where they are written as such or stand behind a preposition."""
    kinds = ["value"]
    if i > 0 and chart.stems[i - 1] in _BEFORE_CODES and set(chart.classes[i]) <= {"code"}:
        kinds.append("code")
    found = [
        (end, [value for value in values if not value.owners and value.name not in chart.lexicon.languages])
        for kind in kinds
        for end, values in chart.at(kind, i)
    ]
    return max(((end, values) for end, values in found if values), key=lambda pair: pair[0], default=None)


_BEFORE_CODES = frozenset(("in", "from", "or", "and", "to", "of", ","))


def _of_values(chart: Sentence, rows: list[list[Value]], joint: str, notes: tuple[Note, ...], said: str) -> Tree | None:
    shared = set.intersection(*({value.name for value in row} for row in rows))
    if shared:
        options = []
        for name in (name for name in chart.catalog.attributes if name in shared):
            values = tuple(
                dict.fromkeys(text for row in rows for value in row if value.name == name for text in value.values)
            )
            options.append((name, _equal(name, values, notes)))
        plain = {value.name for row in rows for value in row if not value.alias and len(said) > LEAST_LETTERS + 1}
        written = [(name, leaf) for name, leaf in options if name in plain]
        seen = [(name, leaf) for name, leaf in options if _is_seen(chart, leaf)]
        options = written or seen or options
        if len(options) == 1:
            return options[0][1]
        labelled = tuple((f"{chart.catalog.attributes[name].label} is {said}", tree) for name, tree in options)
        return Choice(said, labelled)
    parts = [_equal(row[0].name, row[0].values, notes if not i else ()) for i, row in enumerate(rows)]
    return joined("any" if joint == "or" else "all", *parts)


def _is_seen(chart: Sentence, leaf: Leaf) -> bool:
    """Whether somebody has one of the values: of two places of the same name that one is meant."""
    assert isinstance(leaf.node, seg.Attribute)  # noqa: S101 - made here
    known = {value.lower() for value in chart.catalog.attributes[leaf.node.name].values}
    values = leaf.node.value if isinstance(leaf.node.value, tuple) else (leaf.node.value,)
    return any(str(value).lower() in known for value in values)


def _equal(name: str, values: tuple[str, ...], notes: tuple[Note, ...]) -> Leaf:
    if len(values) == 1:
        return is_(name, "eq", values[0], notes)
    return is_(name, "in", values, notes)


def _placed(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "placed",
        ":live [:live] <values>",
        "<values> :based",
        "<values> :entity",
        ":live [:live] <values> :based",
    )
    def _(_c: Sentence, _i: int, _e: int, found: Said) -> Said:
        return found

    @rule("placed", ":like <values>")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said | None:
        return found if all(_is_favourite(chart, leaf.node) for leaf in leaves(found.tree)) else None

    @rule("placed", "<values>")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said | None:
        return found if all(_is_named(chart, leaf.node) for leaf in leaves(found.tree)) else None


def _denied(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("placed", ":outside <values>", "non <values>", "non <values> :entity")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said:
        return Said(negated(found.tree, chart.catalog))

    @rule(
        "placed",
        "[:whose] [:det] <attribute> is|are neither <values>",
        ":live neither <values>",
        "neither :live <values>",
    )
    def _(chart: Sentence, _i: int, _e: int, *found: Any) -> Said:
        return Said(negated(found[-1].tree, chart.catalog))


def _spoken(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("placed", "non <language> :speaker")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said:
        return Said(negated(found.tree, chart.catalog))

    @rule("placed", ":speak <language>", "<language> :speaker")
    def _(_c: Sentence, _i: int, _e: int, found: Said) -> Said:
        return found

    @grammar.reader("language")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        for name in chart.lexicon.languages:
            for end, found, notes in values_at(chart, i, name, "", free=False):
                yield end, Said(_equal(name, found, notes))

    @rule("placed", ":named <free_name>")
    def _(chart: Sentence, _i: int, _e: int, name: str) -> Said | None:
        return Said(is_("first_name", "eq", name)) if "first_name" in chart.catalog.attributes else None

    @grammar.reader("free_name")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        token = chart.tokens[i]
        if token.kind == "quoted" or (token.kind == "word" and token.text[0].isupper()):
            yield i + 1, str(token.value or token.text)


def _since(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("tenured", ":signed_up")
    def _(chart: Sentence, i: int, _e: int) -> Said | None:
        names = since_names(chart)
        best = chart.best("attribute", i)
        return Said(is_(names[0], "set", None)) if best and set(names) & set(best[1]) else None

    @rule("tenured", "[:be] [:det] :entity <window>", "[:be] [:det] :entity for <window>")
    def _(chart: Sentence, _i: int, _e: int, stretch: Stretch) -> Said | None:
        return _tenure(chart, stretch)

    @rule(
        "next_length",
        "[:be] [coming] [up] in|within|during [the] next|coming|following|upcoming <length>",
        "[:be] [coming] [up] in|within <length>",
    )
    def _(_c: Sentence, _i: int, _e: int, length: str) -> str:
        return length

    @rule("next_length", "[:be] [coming] [up] in|within|during the next|coming <unit>", "[:be] next <unit>")
    def _(_c: Sentence, _i: int, _e: int, unit: tuple[int, str]) -> str:
        return f"{unit[0]}{unit[1]}"


def _tenure(chart: Sentence, stretch: Stretch) -> Said | None:
    """How long somebody has been a customer: customers since 2024, customers for more than two years."""
    names = since_names(chart)
    window = stretch.window
    if window is None or not names:
        return None
    if stretch.bare and window.last:
        return Said(is_(names[0], "older_than", window.last))
    made = dated(chart, names[0], stretch) if window.start and not window.end else None
    return Said(made) if made else None


def since_names(chart: Sentence) -> list[str]:
    """The attributes that say since when somebody is known."""
    since = chart.catalog.entity.since
    attributes = chart.catalog.attributes.items()
    return [name for name, entry in attributes if since and entry.at.column == since and entry.at.join is None]
