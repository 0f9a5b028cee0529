"""Is a figure asked for? ``how many``, ``average LTV by country``, ``top products``, ``orders per month``."""

from dataclasses import dataclass, replace
from typing import Any

from agent.offline import answers, contrasts, trends
from agent.offline.audience import Audience, audience, narrowed, unused_words
from agent.offline.cover import Item, cover
from agent.offline.frames import QUANTITY, money_property
from agent.offline.grammar import Grammar
from agent.offline.logic import combined
from agent.offline.measures import WHOLE, counting
from agent.offline.reading import Reading, StatsQuery
from agent.offline.sentence import Sentence
from agent.offline.small_words import table
from agent.offline.times import Stretch
from agent.offline.tokens import Token
from agent.offline.trees import Tree, choices, one_of
from domain.segments import Definition
from domain.windows import Window

ASKED = 0.6
_AGGREGATES = table("aggregates")
_QUESTIONS = frozenset(["how", "what", "which", "where", "count"])


RANKINGS = {
    "people": "people|customer|buyer|user",
    "deeds": "order|purchase|transaction|popularity",
    "money": "revenue|sales|turnover|value|money|spend|income",
    "quantity": "unit|piece|quantity|copy|volume",
}
"""What values of a property can be ranked by, and how it is said."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the values of a property are ranked by, before it is clear which property of which activity."""

    what: str

    def by(self, chart: Sentence, activity: str) -> str | None:
        """The ranking in the activity's own terms; ``None`` where it has no such number."""
        properties = chart.catalog.activities[activity].properties
        match self.what:
            case "money":
                return money_property(chart.catalog.activities[activity], chart.lexicon, total=True)
            case "quantity":
                return QUANTITY if QUANTITY in properties else None
            case what:
                return what


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of questions about figures."""
    _counts(grammar)
    _aggregates(grammar)
    _tops(grammar)
    _breakdowns(grammar)
    _grids(grammar)
    for part in (trends, contrasts):
        part.add(grammar)


def _counts(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("asked", ":how_many [of] [:them] [:det] <countable> [:happened]", ":how_many of :them")
    def _(_c: Sentence, _i: int, _e: int, slots: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"what": "count", **(slots or {})}

    @rule(
        "asked",
        "[:what_is] [the|a] percentage|percent|share|proportion|fraction of [:det] [:entity]",
        "what percent|percentage|share|proportion|fraction of [:det] [:entity]",
        "how large|big a share of [:det] [:entity]",
    )
    def _(_c: Sentence, _i: int, _e: int) -> dict[str, Any]:
        return {"what": "share"}

    rule("countable", ":entity")(lambda *_: {})
    rule("countable", "<agent>")(lambda _c, _i, _e, _names: None)

    @rule("countable", "<activity_noun>")
    def _(_c: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> dict[str, Any]:
        return {"activity": names[0]}

    @rule("countable", "[different|distinct|unique] <attribute>")
    def _(_c: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> dict[str, Any]:
        return {"what": "distribution", "attribute": names[0]}


def _aggregates(grammar: Grammar) -> None:
    rule = grammar.rule

    @grammar.reader("aggregate")
    def _(chart: Sentence, i: int) -> list[tuple[int, str]]:
        found = _AGGREGATES.get(chart.stems[i])
        return [(i + 1, found)] if found else []

    @rule("asked", "[:what_is] [:det] <aggregate> [:of] [:det] <metric>", "[:what_is] [:det] <metric> <aggregate>")
    def _(chart: Sentence, _i: int, _e: int, *found: str) -> dict[str, Any]:
        metric = next(item for item in found if item in chart.catalog.metrics)
        return {"what": next(item for item in found if item in _AGGREGATES.values()), "metric": metric}

    @rule(
        "asked",
        ":what_is [:det] <metric>",
        "how much [:det] <metric>",
        "how much [:money_word] did|do we|i make|earn|take|sell",
    )
    def _(chart: Sentence, i: int, _e: int, metric: str | None = None) -> dict[str, Any] | None:
        name = metric or next((name for name, entry in chart.catalog.metrics.items() if entry.kind == "money"), None)
        if name is None:
            return None
        adds_up = chart.catalog.metrics[name].absent is not None
        said = [stem for stem in chart.stems[i:_e] if stem in {"revenue", "sales", "spend", "much"}]
        return {"what": "total" if adds_up and said else "average", "metric": name}

    @rule("asked", "[:what_is] [:det] <aggregate> [:of] [:det] <property>")
    def _(chart: Sentence, _i: int, _e: int, what: str, owned: tuple[tuple[str, str], ...]) -> dict[str, Any] | None:
        metric = _metric_of(chart, owned, what)
        return {"what": what, "metric": metric} if metric else None

    @rule(
        "asked",
        "[:what_is] [:det] <nth> [:of] [:det] [:distribution_of] <metric>",
        "[:what_is] [:det] <metric> [at] [the] <nth>",
        "[:what_is] [:det] <token_ordinal> percentile [:of] [:det] <metric>",
    )
    def _(_c: Sentence, _i: int, _e: int, *found: Any) -> dict[str, Any] | None:
        metric = next(item for item in found if isinstance(item, str))
        nth = next(item for item in found if not isinstance(item, str))
        number = float(nth.number) if isinstance(nth, Token) else nth
        return {"what": "percentile", "metric": metric, "percentile": number} if 0 < number < WHOLE else None

    @rule(
        "asked",
        "[:what_is] [:det] distribution|histogram|spread|range|quartile|percentile|breakdown|plot|chart of [:det] "
        "<metric>",
        "[:what_is] [:det] <metric> distribution|histogram|spread|percentile|quartile",
        "how is|are [:det] <metric> distributed",
    )
    def _(_c: Sentence, _i: int, _e: int, metric: str) -> dict[str, Any]:
        return {"what": "distribution", "metric": metric}

    @rule(
        "asked",
        "[:what_is] [:det] distribution|breakdown|split of [:det] [:entity] by|across|per|over [:det] <attribute>",
        "[:what_is] [:det] <attribute> distribution|breakdown|split",
        "[:what_is] [:det] distribution|breakdown of [:det] <attribute>",
        "[:what_is] [:det] :entity by|per <attribute>",
        "which|what <attribute> [do|are] [:det] :entity [come] [from|in]",
        "where do|are [:det] :entity [live|come] [from|in]",
        "break|split|group [:det] :entity [down] by <attribute>",
    )
    def _(chart: Sentence, _i: int, _e: int, names: tuple[str, ...] | None = None) -> dict[str, Any] | None:
        name = names[0] if names else ("country" if "country" in chart.catalog.attributes else None)
        return {"what": "distribution", "attribute": name} if name else None


def _metric_of(chart: Sentence, owned: tuple[tuple[str, str], ...], what: str) -> str | None:
    """The metric made of a property: the average order value for the value of orders."""
    measures = {"total": ("sum",), "maximum": ("max", "sum"), "minimum": ("min", "sum")}.get(what, ("average", "sum"))
    for measure in measures:
        for name, metric in chart.catalog.metrics.items():
            term = metric.terms[0]
            if term.measure == measure and (term.activity, term.of) in owned:
                return name
    return None


def _tops(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "asked",
        "[:what_is] [:det] [our|the] <end> [<token_number>] [:popular] <property>",
        "[:what_is] [:det] [<token_number>] :popular <property>",
        "which|what [<token_number>] <property> [:be] :popular",
        "which|what <property> sell|sells|sold [the] best|most",
        "[:what_is] [:det] [<token_number>] :popular [<token_number>] <property>",
        "which|what <property> do people|customer|they buy [the] most",
        "[:what_is] [:det] <end> [<token_number>] [:popular] <property> [[ranked] by [number|count of] <ranking>]",
        "[:what_is] [:det] [<token_number>] :popular <property> [ranked] by [number|count of] <ranking>",
    )
    def _(chart: Sentence, i: int, end: int, *found: Any) -> dict[str, Any] | None:
        owned = next(item for item in found if isinstance(item, tuple))
        texts = [pair for pair in owned if chart.catalog.activities[pair[0]].properties[pair[1]].kind == "text"]
        viewed = [pair for pair in texts if {"viewed", "view"} & set(chart.stems[i:end]) and "view" in pair[0]]
        if not texts:
            return None
        activity, name = (viewed or texts)[0]
        number = next((item for item in found if isinstance(item, Token)), None)
        side = next((item for item in found if item == "bottom"), "top")
        ranking = next((item for item in found if isinstance(item, Ranking)), None)
        by = ranking.by(chart, activity) if ranking else None
        if ranking and by is None:
            return None
        return {
            "what": "top",
            "activity": activity,
            "property": name,
            "by": by,
            "limit": int(number.number) if number else None,
            "end": side,
        }

    for what, said in RANKINGS.items():
        rule("ranking", said)(lambda *_, what=what: Ranking(what))

    @rule(
        "asked",
        "[:what_is] [:det] <end> [<token_number>] [:popular] <attribute> [by] [:entity]",
        "which|what <attribute> [:have] [the] most :entity",
        "[:what_is] [:det] [<token_number>] most common <attribute>",
        "which|what <attribute> :have [:det] most",
        "[:what_is] [:det] <attribute> with the most :entity",
    )
    def _(_c: Sentence, _i: int, _e: int, *found: Any) -> dict[str, Any] | None:
        names = next(item for item in found if isinstance(item, tuple))
        number = next((item for item in found if isinstance(item, Token)), None)
        side = next((item for item in found if item == "bottom"), "top")
        return {"what": "top", "attribute": names[0], "limit": int(number.number) if number else None, "end": side}


def _grids(grammar: Grammar) -> None:
    @grammar.rule(
        "asked",
        "[:what_is] [:det] rfm [table|grid|matrix|group|segment|analysis|score|distribution|breakdown|report] [of|for]",
        "[:what_is] [:det] recency frequency [and] monetary [value] [table|grid|analysis] [of|for]",
    )
    def _(_c: Sentence, _i: int, _e: int) -> dict[str, Any]:
        return {"what": "rfm"}


def _breakdowns(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "broken_down",
        "by|per|across|each [their|the] <attribute>",
        "by|per [:det] customer <attribute>",
        "split|grouped|broken [down] by <attribute>",
        "for|in each|every <attribute>",
    )
    def _(chart: Sentence, _i: int, _e: int, names: tuple[str, ...]) -> dict[str, Any]:
        primary = [name for name in names if name not in chart.lexicon.secondary] or list(names)
        return {"attribute": primary[0]}

    @rule("broken_down", "by|per|each|every <period>", "for|in each|every <period>")
    def _(_c: Sentence, _i: int, _e: int, period: str) -> dict[str, Any]:
        return {"interval": period}

    rule("broken_down", "over time", "trend", "as a trend")(lambda *_: {"interval": "month"})

    @rule("asked", "[:what_is] [:det] <metric> by|per|across <attribute>")
    def _(chart: Sentence, i: int, end: int, metric: str, names: tuple[str, ...]) -> dict[str, Any]:
        total = (
            bool({"revenue", "sales", "order"} & set(chart.stems[i:end]))
            and chart.catalog.metrics[metric].absent is not None
        )
        return {"what": "total" if total else "average", "metric": metric, "attribute": names[0]}


def read(chart: Sentence, previous: Definition | None) -> Reading | None:
    """The reading of a question about figures; ``None`` where the sentence is none."""
    compared = contrasts.read(chart, previous)
    if compared:
        return compared
    start = chart.past(0, "lead")
    for at in sorted({0, start, max(0, start - 1), max(0, start - 2), max(0, start - 3)}):
        best = chart.best("asked", at)
        if best and not _is_people(chart, at):
            return _answered(chart, at, best[0], best[1], previous)
    return None


def _is_people(chart: Sentence, at: int) -> bool:
    """Whether words that only might ask for a figure say who is meant: "average order value above $80"."""
    if chart.is_any(at, "what_is", "how_many") or chart.stems[at] in _QUESTIONS:
        return False
    people = audience(chart)
    return people.tree is not None and not people.unused


def _answered(chart: Sentence, at: int, end: int, slots: dict[str, Any], previous: Definition | None) -> Reading:
    items = _cover(chart, end)
    during: Window | None = None
    people: list[Item] = []
    for item in items:
        if item.kind == "broken_down":
            slots = {**slots, **item.value}
        elif item.kind == "among":
            continue
        elif item.kind == "window" and isinstance(item.value, Stretch) and item.value.window:
            during = item.value.window
        else:
            people.append(item)
    tree = combined(chart, people)
    them = any(item.kind == "them" for item in people) or "them" in chart.stems[at:end]
    if previous is not None and them:
        tree = narrowed(one_of(previous), tree)
    unused = unused_words(chart, people)
    found = Audience(tree, tuple(items), unused, named=True, everyone=False)
    return _reading(chart, _query(chart, slots, during), tree, found)


def _cover(chart: Sentence, start: int) -> list[Item]:
    return cover(chart, start, extra=(("broken_down", ASKED), ("window", ASKED), ("among", ASKED)))


def _query(chart: Sentence, slots: dict[str, Any], during: Window | None) -> StatsQuery:
    if slots.get("interval") and slots["what"] != "trend":
        slots = {**slots, "what": "trend"}
    followed = slots.get("activity") or slots.get("metric") or slots.get("attribute")
    if slots["what"] == "trend" and not followed:
        slots = {**slots, **trends.of_people(chart)}
    return StatsQuery(**{**slots, "during": during})


def _reading(chart: Sentence, query: StatsQuery, tree: Tree | None, found: Audience) -> Reading:
    if found.unused:
        question = f"I did not use: {answers.named(found.unused)}. What do you mean?"
        return Reading(
            text=chart.text,
            action="clarify",
            intent="stats",
            question=question,
            unused_words=found.unused,
            stats=query,
            confidence=0.4,
        )
    if tree is None:
        return Reading(text=chart.text, action="answer", intent="stats", stats=query)
    if choices(tree):
        asked = answers.segment(chart, found, intent="stats")
        return asked.model_copy(update={"stats": query})
    told = answers.segment(chart, replace(found, tree=tree), intent="stats")
    query = query.model_copy(update={"definition": told.definition})
    return told.model_copy(update={"action": "answer", "stats": query})


def counted(chart: Sentence, activity: str) -> str | None:
    """The metric that counts an activity."""
    return counting(chart, (activity,))
