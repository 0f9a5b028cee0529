"""Which metric is compared with what? ``LTV over $500``, ``spent $100 on beans``, ``top 10 % by orders``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from agent.offline.amounts import Amount, decided
from agent.offline.arguments import described
from agent.offline.deeds import said
from agent.offline.frames import Frame, money_notes, siblings, term_window
from agent.offline.grammar import Alternative, Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.terms import filled, readings
from agent.offline.times import Stretch
from agent.offline.tokens import Token
from agent.offline.trees import Choice, Leaf, Note, Tree
from domain import segments as seg
from domain.glossary import Term, Undecided
from domain.operators import NUMBERS

WHOLE = 100
MOST_MEASURES = 3

_RANKED = frozenset(("gt", "gte", "lt", "lte"))


@dataclass(frozen=True, slots=True)
class Standing:
    """A place among others: beyond a percentile, or among the first or last N or N percent."""

    op: Literal["gt", "gte", "lt", "lte"] = "gte"
    percentile: float | None = None
    end: Literal["top", "bottom"] = "top"
    count: int | None = None
    percent: float | None = None
    among: seg.Among = "everyone"
    per: str | None = None


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of metrics."""
    _compared(grammar)
    _levels(grammar)
    _standings(grammar)
    _ranks(grammar)
    grammar.reader("spending")(_spending)


def compared(chart: Sentence, name: str, amount: Amount, stretch: Stretch | None) -> Said | None:
    """A metric against a number, in a window where one is said."""
    metric = chart.catalog.metrics[name]
    op, assumed = decided(amount)
    if metric.kind != "money" and amount.money:
        return None
    window, notes = (None, ()) if stretch is None else term_window(stretch, metric.terms[0].activity)
    if stretch and (stretch.lacking or stretch.point):
        return None
    node = seg.Metric(name=name, op=op, value=amount.value, during=window)
    if metric.kind == "money":
        extra = tuple(money_notes(amount, assumed, "value", chart.catalog.currency))
    else:
        unit = metric.unit or metric.label
        extra = (Note(amount.text, assumed, "value", float(amount.low), unit),) if assumed else ()
    return Said(Leaf(node, (*notes, *extra)))


def _compared(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "measured",
        "[:with] [:det] <metric> [:be] [:was] [:metric_prep] <figure_amount> [<window>]",
        "[:with] [:det] <metric> <window> [:be] [:metric_prep] <figure_amount>",
    )
    def _(chart: Sentence, _i: int, _e: int, name: str, *found: Any) -> Said | None:
        amount = next(item for item in found if isinstance(item, Amount))
        return compared(chart, name, amount, next((item for item in found if isinstance(item, Stretch)), None))

    @rule("measured", "[:with] <figure_amount> [in|of|for|on] [:det] <metric> [<window>]")
    def _(chart: Sentence, _i: int, _e: int, amount: Amount, name: str, stretch: Stretch | None) -> Said | None:
        verb = chart.catalog.metrics[name].kind != "money" or amount.money or amount.op
        return compared(chart, name, amount, stretch) if verb else None

    @rule(
        "measured",
        "[:with] [:det] <metric> [:be] [:metric_prep] <standing> [<window>]",
        "[:with] <standing> [:metric_of] [:det] <metric> [<window>]",
    )
    def _(chart: Sentence, _i: int, _e: int, *found: Any) -> Said | None:
        name = next(item for item in found if isinstance(item, str))
        standing = next(item for item in found if isinstance(item, Standing))
        return _stood(chart, name, standing, next((item for item in found if isinstance(item, Stretch)), None))

    @rule("measured", "[:with] [:det] total <property> [:be] <figure_amount> [<window>]")
    def _(chart: Sentence, _i: int, _e: int, owned: Any, amount: Amount, stretch: Stretch | None) -> Said | None:
        """The total order value adds the orders up."""
        money = [
            (owner, key) for owner, key in owned if chart.catalog.activities[owner].properties[key].kind == "money"
        ]
        return (
            said(Frame((money[0][0],), money=replace(amount, money=True), sum=True, stretch=stretch), chart)
            if money
            else None
        )


def _stood(chart: Sentence, name: str, standing: Standing, stretch: Stretch | None) -> Said | None:
    metric = chart.catalog.metrics[name]
    window, notes = (None, ()) if stretch is None else term_window(stretch, metric.terms[0].activity)
    if standing.percentile is not None:
        value = seg.Percentile(percentile=standing.percentile, among=standing.among)
        return Said(Leaf(seg.Metric(name=name, op=standing.op, value=value, during=window), notes))
    rank = seg.Rank(metric=name, end=standing.end, count=standing.count, percent=standing.percent,
                    among=standing.among, per=standing.per, during=window)  # fmt: skip
    return Said(Leaf(rank, notes))


def _levels(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "levelled",
        "[:with] [:det] <term_level> [:of] <metric> [<window>]",
        "[:with] [:det] <metric> :be [:very] <term_level>",
        "<term_level> in|on <metric>",
    )
    def _(chart: Sentence, i: int, end: int, *found: Any) -> Said | None:
        term = next(item for item in found if isinstance(item, Term))
        name = next(item for item in found if isinstance(item, str))
        made = filled(chart, term, metric=name, word=chart.said(i, end))
        stretch = next((item for item in found if isinstance(item, Stretch)), None)
        return Said(_windowed(chart, made, name, stretch)) if made else None

    @rule(
        "levelled",
        "[:with] [:det] <undecided_level> [:of] <metric> [<window>]",
        "[:with] [:det] <metric> [:be] [:of] <undecided_level>",
        "<metric_verb> [:something] [:very] <undecided_level> [<window>]",
    )
    def _(chart: Sentence, i: int, end: int, *found: Any) -> Said | None:
        entry = next(item for item in found if isinstance(item, Undecided))
        return _vague(chart, entry, next(item for item in found if isinstance(item, str)), chart.said(i, end), found)

    @rule(
        "levelled",
        "[:light] [:det] <undecided_level> [:of] <activity_noun> [<window>]",
        "<activity_verb> [:something] [:very] <undecided_level> [<window>]",
    )
    def _(chart: Sentence, i: int, end: int, *found: Any) -> Said | None:
        entry = next(item for item in found if isinstance(item, Undecided))
        name = counting(chart, next(item for item in found if isinstance(item, tuple)))
        return _vague(chart, entry, name, chart.said(i, end), found) if name else None


def _vague(chart: Sentence, entry: Undecided, name: str, said: str, found: tuple[Any, ...]) -> Said:
    stretch = next((item for item in found if isinstance(item, Stretch)), None)
    return Said(_windowed(chart, readings(chart, entry, word=said, metric=name), name, stretch))


def _windowed(chart: Sentence, made: Tree, name: str, stretch: Stretch | None) -> Tree:
    if isinstance(made, Choice):
        options = tuple((label, _windowed(chart, option, name, stretch)) for label, option in made.options)
        return replace(made, options=options)
    if stretch is None or not isinstance(made, Leaf) or not isinstance(made.node, seg.Metric):
        return made
    window, notes = term_window(stretch, chart.catalog.metrics[name].terms[0].activity)
    return replace(made, node=made.node.model_copy(update={"during": window}), notes=(*made.notes, *notes))


def counting(chart: Sentence, activities: tuple[str, ...]) -> str | None:
    """The metric that counts one of these activities."""
    for name, metric in chart.catalog.metrics.items():
        if len(metric.terms) == 1 and metric.terms[0].measure == "count" and metric.terms[0].activity in activities:
            return name
    return None


def _standings(grammar: Grammar) -> None:
    rule = grammar.rule
    rule("population", "everyone|everybody|all", "all [:det] :entity", ":det :entity", ":entity")(lambda *_: "everyone")
    rule("population", "buyer|purchaser|order", "all [:det] buyer", "people who bought|ordered|purchased")(
        lambda *_: "buyers"
    )

    @rule("population", "[:det] [members of] [the] segment <segment_quoted>", "[:det] segment <segment_name>",
          "[members of] <segment_name>")  # fmt: skip
    def _(_c: Sentence, _i: int, _e: int, number: int) -> seg.SegmentMembers:
        return seg.SegmentMembers(segment=number)

    @rule("nth", "<token_ordinal> :percentile_word", "percentile <token_number>")
    def _(_c: Sentence, _i: int, _e: int, token: Token) -> float | None:
        return float(token.number) if 0 < token.number < WHOLE else None

    @rule("nth", "<token_ordinal>")
    def _(_c: Sentence, _i: int, _e: int, token: Token) -> float | None:
        return float(token.number) if token.unit == "percentile" and token.number > 0 else None

    rule("nth", "median", "median value")(lambda *_: 50.0)

    @rule(
        "standing",
        "[:be] <compare> [:det] <nth> [of|among|for|across <population>]",
        "[:be] in|at|within [:det] <nth> [of|among|for|across <population>] [<or_more>]",
    )
    def _(_c: Sentence, _i: int, _e: int, *found: Any) -> Standing:
        op: Any = next((item for item in found if isinstance(item, str) and item in _RANKED), "gte")
        nth = next(item for item in found if isinstance(item, float))
        among: Any = next((item for item in found if _is_population(item)), "everyone")
        return Standing(op=op, percentile=nth, among=among)

    @rule("standing", "[:be] [in|among|within] [:det] <end> <size> [of|among|across <population>] [<per>]")
    def _(_c: Sentence, _i: int, _e: int, end: Any, size: dict[str, Any], among: Any, per: str | None) -> Standing:
        return Standing(end=end, among=among or "everyone", per=per, **size)

    rule("end", ":top", "upper")(lambda *_: "top")
    rule("end", ":bottom")(lambda *_: "bottom")

    @rule("size", "<token_percent>")
    def _(_c: Sentence, _i: int, _e: int, token: Token) -> dict[str, Any] | None:
        return {"percent": float(token.number)} if 0 < token.number <= WHOLE else None

    @rule("size", "<token_number>")
    def _(chart: Sentence, _i: int, end: int, token: Token) -> dict[str, Any] | None:
        whole = token.number == int(token.number) and token.number > 0 and not token.plus
        return {"count": int(token.number)} if whole and not chart.is_any(end, "time_word") else None

    @rule("size", "<portion>")
    def _(_c: Sentence, _i: int, _e: int, portion: str) -> dict[str, Any]:
        return {"percent": float(portion)}

    @rule(
        "per", "[in|within|per|by|for|of|from] each|every|per <attribute>", "per <attribute>", "in|of each <attribute>"
    )
    def _(chart: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> str | None:
        return next((name for name in names if name not in chart.lexicon.secondary), None)


def _ranks(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "ranked",
        "[in|among] [:det] <end> <size> [[of] [:det] <population>] [<per>] :rank_by [:det] <metric> [among "
        "<population>] [<per>] [<window>]",
        "[in|among] [:det] <end> <size> :rank_by [:det] <metric> <window> [among <population>] [<per>]",
        "[in|among] [:det] <end> <size> [:of] [:det] <metric> [<population>] [<per>] [<window>]",
    )
    def _(chart: Sentence, _i: int, _e: int, end: Any, size: dict[str, Any], *found: Any) -> Said | None:
        return _first_or_last(chart, end, size, found)

    @rule(
        "ranked",
        "[in|among] [:det] <end> <size> [of] [our|the|all] <metric_agent> [<per>] [by [:det] <metric>] [<window>]",
    )
    def _(chart: Sentence, _i: int, _e: int, end: Any, size: dict[str, Any], name: str, *found: Any) -> Said | None:
        named = next((item for item in found if isinstance(item, str) and item in chart.catalog.metrics), name)
        among = ("buyers",) if "percent" in size else ()
        return _first_or_last(chart, end, size, (named, *among, *(item for item in found if item != named)))

    @rule(
        "ranked",
        "[:det] <size> [:det] <population> <most> [:det] <metric> [<per>] [<window>]",
        "[:det] <size> <top_end> <metric> [<population>] [<window>]",
        "[:det] <size> <top_end> <metric_agent> [<window>]",
    )
    def _(chart: Sentence, _i: int, _e: int, size: dict[str, Any], *found: Any) -> Said | None:
        end = next((item for item in found if item in {"top", "bottom"}), "top")
        return _first_or_last(chart, end, size, tuple(item for item in found if item not in {"top", "bottom"}))

    @rule("ranked", "[:det] <end> <size> [of] [:det] <population>", "[:det] <end> <size> <agent>")
    def _(chart: Sentence, i: int, end_at: int, end: Any, size: dict[str, Any], _population: Any) -> Said | None:
        return _by_what(chart, i, end_at, end, size)

    rule("top_end", "highest|biggest|largest|top|greatest|best")(lambda *_: "top")
    rule("top_end", "lowest|smallest")(lambda *_: "bottom")
    rule("most", ":with_most")(lambda *_: "top")
    rule("most", ":with_least")(lambda *_: "bottom")


def _is_population(item: Any) -> bool:
    return isinstance(item, seg.SegmentMembers) or item in {"everyone", "buyers"}


def _first_or_last(chart: Sentence, end: Any, size: dict[str, Any], found: tuple[Any, ...]) -> Said | None:
    texts = [item for item in found if isinstance(item, str)]
    name = next((item for item in texts if item in chart.catalog.metrics), None)
    among: Any = next((item for item in found if _is_population(item) and item != "everyone"), "everyone")
    per = next((item for item in texts if item in chart.catalog.attributes and item != name), None)
    stretch = next((item for item in found if isinstance(item, Stretch)), None)
    if name is None:
        return None
    return _stood(chart, name, Standing(end=end, among=among, per=per, **size), stretch)


def _by_what(chart: Sentence, i: int, end_at: int, end: Any, size: dict[str, Any]) -> Said | None:
    """The top 100 customers, by a measure that was not said: offer the first few there are."""
    options: list[tuple[str, Tree]] = []
    for name, metric in chart.catalog.metrics.items():
        if len(options) < MOST_MEASURES:
            rank = seg.Rank(metric=name, end=end, **size)
            options.append((f"by {metric.label}", Leaf(rank)))
    return Said(Choice(chart.said(i, end_at), tuple(options))) if len(options) > 1 else None


def _spending(chart: Sentence, i: int) -> Iterator[Alternative]:
    """What was spent, on what and when: spent over $100 on beans in March."""
    for end, name in chart.at("metric_verb", i):
        for last, _ in chart.at("none", end) if end < len(chart.stems) else ():
            yield last, Said(Leaf(seg.Metric(name=name, op="lte", value=Decimal(0))))
    for start, name in chart.at("metric_verb", i):
        metric = chart.catalog.metrics[name]
        heads = siblings(chart.lexicon, (metric.terms[0].activity,))
        for end, frame in described(chart, start, Frame(heads)):
            if frame.money is None:
                frame, end = _plain_sum(chart, end, frame)  # noqa: PLW2901 - an amount without a currency
            if frame.money is None or metric.kind not in NUMBERS:
                continue
            found = _spent(chart, name, frame, single=bool(_single(chart, start, end)))
            if found:
                yield end, found
            yield from _per_order(chart, end, name, frame)


def _per_order(chart: Sentence, i: int, name: str, frame: Frame) -> Iterator[Alternative]:
    """Spent so much on average: the metric that averages what this one adds up."""
    term = chart.catalog.metrics[name].terms[0]
    for end, _ in chart.at("per_order", i) if i < len(chart.stems) and frame.money else ():
        for other, metric in chart.catalog.metrics.items():
            first = metric.terms[0]
            same = (first.activity, first.of, first.measure) == (term.activity, term.of, "average")
            found = (
                compared(chart, other, frame.money, frame.stretch)
                if same and frame.money and not frame.things
                else None
            )
            if found:
                yield end, found


def _plain_sum(chart: Sentence, i: int, frame: Frame) -> tuple[Frame, int]:
    best = chart.best("figure_amount", i) if i < len(chart.stems) else None
    if best is None or chart.is_any(best[0], "time_word"):
        return frame, i
    return replace(frame, money=replace(best[1], money=True)), best[0]


def _single(chart: Sentence, start: int, end: int) -> bool:
    return any(chart.at("single", at) for at in range(start, end))


def _spent(chart: Sentence, name: str, frame: Frame, *, single: bool) -> Said | None:
    """The whole metric where nothing narrows it; the money of the activity where something does."""
    if single:
        return said(replace(frame, sum=False), chart)
    if frame.things or frame.tests:
        return said(replace(frame, sum=True), chart)
    if frame.amount is not None or frame.money is None:
        return None
    if frame.stretch and (frame.stretch.lacking or frame.stretch.point):
        return said(replace(frame, sum=True), chart)
    found = compared(chart, name, replace(frame.money, money=True), frame.stretch)
    return replace(found, frame=frame) if found else None
