"""What is measured over things done? ``average total of their orders``, ``the category of the last item bought``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from agent.offline.amounts import Amount
from agent.offline.comparisons import comparisons
from agent.offline.frames import money_notes, money_property, siblings
from agent.offline.grammar import Alternative, Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.sequences import filtered
from agent.offline.small_words import table
from agent.offline.things import Things
from agent.offline.times import Stretch
from agent.offline.trees import Leaf, Note
from domain import segments as seg
from domain.operators import NUMBERS
from domain.segments_operands import PICKS

IN_DAYS = frozenset(("days_since_last", "days_since_first", "average_gap", "median_gap"))
_MEASURES = {"average": "average", "total": "sum", "minimum": "min", "maximum": "max"}
_WORDS = table("aggregates")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A measure of an activity, of one of its properties where it is of one."""

    activity: str
    measure: str
    of: str | None = None

    @property
    def picks(self) -> bool:
        """Whether it is a value of the property rather than a number."""
        return self.measure in PICKS


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of measures over an activity."""
    _of_properties(grammar)
    _of_times(grammar)
    _habits(grammar)
    grammar.reader("aggregated")(_aggregated)


def _of_properties(grammar: Grammar) -> None:
    rule = grammar.rule

    @grammar.reader("summing")
    def _(chart: Sentence, i: int) -> list[tuple[int, str]]:
        found = _MEASURES.get(_WORDS.get(chart.stems[i], ""))
        return [(i + 1, found)] if found else []

    @rule("measure_said", "[:det] <summing> <property> [of|on|per|in] [:det] <activity_noun>")
    def _(chart: Sentence, _i: int, _e: int, what: str, owned: Any, names: tuple[str, ...]) -> Aggregate | None:
        return _owned(chart, what, owned, names, numeric=True)

    @rule("measure_said", "[:det] number|count of :different <property> [of|in|across] [:det] <activity_noun>")
    def _(chart: Sentence, _i: int, _e: int, owned: Any, names: tuple[str, ...]) -> Aggregate | None:
        return _owned(chart, "distinct", owned, names)

    @rule("measure_said", "[:det] <property> of|in [:det] <edge> <activity_noun>")
    def _(chart: Sentence, _i: int, _e: int, owned: Any, edge: str, names: tuple[str, ...]) -> Aggregate | None:
        return _owned(chart, edge, owned, names)

    @rule(
        "measure_said",
        "[:det] most frequent|common|popular|usual <property> of|in [:det] <activity_noun>",
        "[:det] most frequently|often|commonly <activity_verb> <property>",
        "[:det] favourite|favorite <property>",
        "[:det] most frequent|common|popular <property>",
    )
    def _(chart: Sentence, _i: int, _e: int, *found: Any) -> Aggregate | None:
        names = next((item for item in found if item and isinstance(item[0], str)), None)
        owned = next(item for item in found if item and isinstance(item[0], tuple))
        return _owned(chart, "most_frequent", owned, names)


def _owned(
    chart: Sentence, measure: str, owned: Any, names: tuple[str, ...] | None, *, numeric: bool = False
) -> Aggregate | None:
    """The measure of the first property that one of the activities has."""
    for activity, name in owned:
        kind = chart.catalog.activities[activity].properties[name].kind
        if (names is None or activity in names) and (kind in NUMBERS or not numeric):
            return Aggregate(activity, measure, name)
    return None


def _of_times(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("measure_said", "[:det] [time|days] since [:det] <edge> <activity_noun>")
    def _(_c: Sentence, _i: int, _e: int, edge: str, names: tuple[str, ...]) -> Aggregate:
        return Aggregate(names[0], f"days_since_{edge}")

    @rule("measure_said", "[:det] average|mean time|gap|interval between [:det] <activity_noun>")
    def _(_c: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> Aggregate:
        return Aggregate(names[0], "average_gap")

    @rule(
        "measure_said",
        "[:det] usual|typical|median|normal [(] [median] [)] time|gap|interval between [:det] <activity_noun>",
    )
    def _(_c: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> Aggregate:
        return Aggregate(names[0], "median_gap")

    @rule("measure_said", "[:det] number|count of <activity_noun>")
    def _(_c: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> Aggregate:
        return Aggregate(names[0], "count")


def _habits(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("aggregated", "mostly|usually|mainly|primarily <activity_verb> <things>")
    def _(chart: Sentence, _i: int, _e: int, names: tuple[str, ...], found: Things) -> Said | None:
        """What they buy most often is this."""
        thing = found.things[0]
        heads = [name for name in siblings(chart.lexicon, names) if name in thing.owners]
        if len(found.things) > 1 or len(thing.filters) != 1 or not heads:
            return None
        test = thing.filters[0]
        node = seg.Activity(name=heads[0], measure="most_frequent", of=test.name, op=test.op, value=test.value)
        return Said(Leaf(node, thing.notes))

    @rule(
        "aggregated",
        "every|each|all [single|of] [their|the] <activity_noun> [:be] [:cost] <figure_amount>",
        "every|each|all [single|of] [their|the] <activity_noun> [:be] [:cost] <figure_amount> <window>",
    )
    def _(
        chart: Sentence, _i: int, _e: int, names: tuple[str, ...], amount: Amount, stretch: Stretch | None = None
    ) -> Said | None:
        """Of every order: the smallest is above so much, or the largest below."""
        of = money_property(chart.catalog.activities[names[0]], chart.lexicon, total=True)
        measure = {"gt": "min", "gte": "min", "lt": "max", "lte": "max"}.get(amount.op or "")
        if of is None or measure is None or (stretch and (stretch.window is None or stretch.point)):
            return None
        during = stretch.window if stretch else None
        slots: dict[str, Any] = {"measure": measure, "of": of, "op": amount.op, "value": amount.value}
        return Said(Leaf(seg.Activity(name=names[0], during=during, **slots)))


def _aggregated(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A measure compared: with a number, a percentile, another measure, or a value where it is one."""
    start = chart.past(i, "with", "whose", "where_word")
    for at in sorted({i, start}):
        for end, found in chart.at("measure_said", at) if at < len(chart.stems) else ():
            if found.measure == "count":
                continue
            for last, leaf in _compared(chart, end, found):
                yield from _told(chart, last, leaf)


def _compared(chart: Sentence, i: int, found: Aggregate) -> Iterator[tuple[int, Leaf]]:
    entry = chart.catalog.activities[found.activity].properties.get(found.of or "")
    slots: dict[str, Any] = {"name": found.activity, "measure": found.measure, "of": found.of}
    if found.picks and entry is not None and found.of is not None:
        for end, compared in comparisons(chart, i, entry, found.of, found.activity):
            yield end, Leaf(seg.Activity(op=compared.op, value=compared.value, **slots), compared.notes)
        return
    at = chart.past(i, "be", "is") if i < len(chart.stems) else i
    for start in sorted({i, at}):
        if start >= len(chart.stems):
            continue
        for end, amount in (*chart.at("figure_amount", start), *chart.at("day_amount", start)):
            yield end, _with_amount(chart, slots, amount)
        for end, op in chart.at("compare", start):
            for last, other in chart.at("relative", end) if end < len(chart.stems) else ():
                if not isinstance(other, seg.OtherMetric):
                    yield last, Leaf(seg.Activity(op=op, value=_own(other, found.activity), **slots))


def _with_amount(chart: Sentence, slots: dict[str, Any], amount: Amount) -> Leaf:
    op, notes = amount.op or "eq", tuple(money_notes(amount, "", "value", chart.catalog.currency))
    return Leaf(seg.Activity(op=op, value=amount.value, **slots), notes)


def _own(other: Any, activity: str) -> Any:
    """A measure of the same activity does not name it again."""
    same = isinstance(other, seg.OtherMeasure) and other.name == activity
    return other.model_copy(update={"name": None}) if same else other


def _told(chart: Sentence, i: int, leaf: Leaf) -> Iterator[Alternative]:
    """With the properties and the time that narrow it."""
    yield i, Said(leaf)
    for end, node in _narrowed(chart, i, leaf.node):
        yield end, Said(replace(leaf, node=node))
        for last, stretch in chart.at("window", end) if end < len(chart.stems) else ():
            if isinstance(stretch, Stretch) and stretch.window and not stretch.point:
                during = node.model_copy(update={"during": stretch.window})
                note = (Note("", stretch.note),) if stretch.note else ()
                yield last, Said(replace(leaf, node=during, notes=(*leaf.notes, *note)))


def _narrowed(chart: Sentence, i: int, node: Any) -> Iterator[tuple[int, Any]]:
    yield i, node
    for end, where in filtered(chart, i, node.name):
        yield end, node.model_copy(update={"where": where})
