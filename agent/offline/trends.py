"""Is it asked how something develops? ``revenue by month``, ``new customers per week``, ``how do orders develop``."""

from typing import Any

from agent.offline.grammar import Grammar
from agent.offline.sentence import Sentence
from agent.offline.small_words import table
from domain.operators import TIMES

_INTERVALS = table("intervals")


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of trends."""
    rule = grammar.rule

    @grammar.reader("rhythm")
    def _(chart: Sentence, i: int) -> list[tuple[int, str]]:
        found = _INTERVALS.get(chart.stems[i])
        return [(i + 1, found)] if found else []

    @rule("asked", "[:what_is] [:det] <rhythm> <trended> [trend]")
    def _(_c: Sentence, _i: int, _e: int, interval: str, slots: dict[str, Any]) -> dict[str, Any]:
        return {"what": "trend", "interval": interval, **slots}

    @rule(
        "asked",
        "[:what_is] [:det] <trended> trend",
        "[:what_is] [:det] trend|development of|in [:det] <trended>",
        "how do|does|did|have|has|is|are [:det] <trended> [been] develop|change|evolve|trend|go|grow|developed|changed|"
        "evolved|grown|gone|look|developing|changing|growing|trending|doing [over time]",
        "[:what_is] [:det] <trended> over time",
    )
    def _(_c: Sentence, _i: int, _e: int, slots: dict[str, Any]) -> dict[str, Any]:
        return {"what": "trend", "interval": "month", **slots}

    @rule("asked", "[:what_is] [:det] <trended> per|by|each|every <period>")
    def _(_c: Sentence, _i: int, _e: int, slots: dict[str, Any], period: str) -> dict[str, Any]:
        return {"what": "trend", "interval": period, **slots}

    rule("trended", "[number|count of] <activity_noun>")(lambda _c, _i, _e, names: {"activity": names[0]})
    rule("trended", "<metric>")(lambda _c, _i, _e, name: {"metric": name})
    _people(grammar)


def _people(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "trended",
        "[number|count of] new|first [time] :entity",
        "[number|count of] new|first [time] buyer|customer|shopper",
        "[number|count of] first|1st <activity_noun>",
        "[customer] acquisition",
    )
    def _(chart: Sentence, _i: int, _e: int, names: tuple[str, ...] | None = None) -> dict[str, Any] | None:
        activity = names[0] if names else chart.catalog.buyers
        return {"activity": activity, "first": True} if activity else of_people(chart)

    @rule("trended", "[number|count of] [new] sign|signup|registration|joiner|contact|subscriber [up|ups]")
    def _(chart: Sentence, _i: int, _e: int) -> dict[str, Any] | None:
        return of_people(chart) or None

    @rule("trended", "sales|turnover|income")
    def _(chart: Sentence, _i: int, _e: int) -> dict[str, Any] | None:
        return of_sales(chart) or None


def of_people(chart: Sentence) -> dict[str, Any]:
    """How many came to be known: the attribute that is that day, else whatever buyers do."""
    since = chart.catalog.entity.since
    for name, entry in chart.catalog.attributes.items():
        if entry.kind in TIMES and entry.at.column == since and entry.at.join is None:
            return {"attribute": name}
    return {"activity": chart.catalog.buyers} if chart.catalog.buyers else {}


def of_sales(chart: Sentence) -> dict[str, Any]:
    """The money that buying adds up to, else how often is bought."""
    for name, metric in chart.catalog.metrics.items():
        first = metric.terms[0]
        if metric.kind == "money" and (first.activity, first.measure) == (chart.catalog.buyers, "sum"):
            return {"metric": name}
    return {"activity": chart.catalog.buyers} if chart.catalog.buyers else {}
