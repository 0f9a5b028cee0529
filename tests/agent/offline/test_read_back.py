"""Does the planner understand what the product says back, as the definition it came from?"""

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.offline.lexicon import Lexicon
from agent.offline.parser import read
from domain import segments as seg
from domain.segments_english import sentence
from domain.windows import Window
from tests.agent.offline.conftest import PROPERTIES, TAGS, TODAY, VALUES, store_catalog
from tests.agent.offline.definitions import KINDS, group

CATALOG = store_catalog()

numbers = st.integers(2, 900).map(Decimal)
pairs = st.tuples(st.integers(2, 90), st.integers(91, 900)).map(lambda pair: tuple(map(Decimal, pair)))
lengths = st.builds(lambda n, unit: f"{n}{unit}", st.integers(2, 90), st.sampled_from(("d", "w", "mo")))
periods: st.SearchStrategy[Any] = st.sampled_from(
    ("today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_year", "last_year")
)
days = st.dates(date(2020, 1, 1), date(2026, 6, 14))
spans = st.tuples(days, days).map(sorted)
windows = st.one_of(
    lengths.map(lambda length: Window(last=length)),
    lengths.map(lambda length: Window(until=length)),
    periods.map(lambda period: Window(calendar=period)),
    days.map(lambda day: Window.model_validate({"from": day})),
    days.map(lambda day: Window.model_validate({"to": day})),
    spans.map(lambda pair: Window.model_validate({"from": pair[0], "to": pair[1]})),
)
maybe = st.one_of(st.none(), windows)
comparisons: st.SearchStrategy[Any] = st.sampled_from(("gt", "gte", "lt", "lte"))
channels: st.SearchStrategy[Any] = st.sampled_from(("email", "sms", "whatsapp"))
states: st.SearchStrategy[Any] = st.sampled_from(("subscribed", "pending", "unsubscribed", "none"))
populations: st.SearchStrategy[Any] = st.sampled_from(("everyone", "buyers"))
ends: st.SearchStrategy[Any] = st.sampled_from(("top", "bottom"))


@st.composite
def texts(draw: st.DrawFn) -> seg.Attribute:
    name = draw(st.sampled_from(sorted(VALUES)))
    op = draw(st.sampled_from(("eq", "ne", "in", "not_in", "contains", "starts_with", "ends_with", "set", "missing")))
    if op in {"set", "missing"}:
        return seg.Attribute(name=name, op=op)
    if op in {"in", "not_in"}:
        return seg.Attribute(name=name, op=op, value=VALUES[name][:2])
    return seg.Attribute(name=name, op=op, value=draw(st.sampled_from(VALUES[name])))


@st.composite
def amounts(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"op": "between", "value": draw(pairs)}
    return {"op": draw(comparisons), "value": draw(numbers)}


@st.composite
def metrics(draw: st.DrawFn) -> seg.Metric:
    name = draw(st.sampled_from(sorted(CATALOG.metrics)))
    if draw(st.booleans()):
        value = seg.Percentile(percentile=draw(st.integers(1, 99)), among=draw(populations))
        return seg.Metric(name=name, op=draw(comparisons), value=value, during=draw(maybe))
    return seg.Metric(name=name, during=draw(maybe), **draw(amounts()))


@st.composite
def filters(draw: st.DrawFn, activity: str) -> tuple[seg.Filter, ...]:
    known = [key for key in CATALOG.activities[activity].properties if key in PROPERTIES]
    if not known or draw(st.booleans()):
        return ()
    key = draw(st.sampled_from(known))
    op = draw(st.sampled_from(("eq", "ne", "contains")))
    return (seg.Filter(name=key, op=op, value=draw(st.sampled_from(PROPERTIES[key]))),)


@st.composite
def deeds(draw: st.DrawFn) -> seg.Activity:
    name = draw(st.sampled_from(sorted(CATALOG.activities)))
    where = draw(filters(name))
    common: dict[str, Any] = {"name": name, "during": draw(maybe), "where": where}
    if draw(st.booleans()):
        return seg.Activity(op=draw(st.sampled_from(("any", "none"))), **common)
    return seg.Activity(**draw(amounts()), **common)


leaves = st.one_of(
    texts(),
    metrics(),
    deeds(),
    st.builds(seg.Rank, metric=st.sampled_from(("ltv", "aov", "order_count")), percent=st.integers(1, 99), end=ends),
    st.builds(seg.Rank, metric=st.sampled_from(("ltv", "aov")), count=st.integers(1, 500), among=populations),
    st.builds(seg.Consent, channel=channels, state=states),
    st.builds(seg.Reachable, channel=channels),
    st.builds(seg.Suppressed, channel=channels),
    st.builds(seg.Tagged, name=st.sampled_from(TAGS)),
    st.just(seg.Member(id=7)),
)
several = st.lists(leaves, min_size=2, max_size=3, unique_by=str).map(tuple)
conditions = st.one_of(
    leaves,
    several.map(lambda of: seg.All(of=of)),
    several.map(lambda of: seg.AnyOf(of=of)),
    leaves.map(lambda node: seg.Not(of=node)),
    several.map(lambda of: seg.AtLeast(n=1, of=of)),
)


@settings(max_examples=300, deadline=None)
@given(conditions)
def test_what_is_said_back_is_understood_the_same(words: Lexicon, where: Any) -> None:
    definition = seg.Definition(where=where)
    said = sentence(definition, CATALOG, {7: "Spring buyers"})
    found = read(said, words, today=TODAY)
    assert found.definition is not None, f"{said}: {found.question}"
    assert plain(found.definition) == plain(definition), said


def plain(definition: seg.Definition) -> Any:
    """What a definition means, however it is nested: turned-round conditions are written in one way."""
    return _plain(definition.where)


def _plain(node: Any) -> Any:
    match node:
        case seg.All() | seg.AnyOf():
            return node.type, frozenset(_plain(part) for part in node.of)
        case seg.AtLeast():
            return "at_least", node.n, frozenset(_plain(part) for part in node.of)
        case seg.Not(of=seg.Not(of=inner)):
            return _plain(inner)
        case seg.Not(of=seg.AnyOf(of=parts)):
            return _plain(seg.All(of=tuple(seg.Not(of=part) for part in parts)))
        case seg.Not():
            return _turned(node.of)
        case _:
            return str(seg.Definition(where=node).as_json()["where"])


def _turned(node: Any) -> Any:
    flipped = {"any": "none", "none": "any", "gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt", "eq": "ne", "ne": "eq"}
    sure = (isinstance(node, seg.Activity) and node.counts) or (
        isinstance(node, seg.Metric) and CATALOG.metric(node.name).absent is not None
    )
    if sure and node.op in flipped:
        return _plain(node.model_copy(update={"op": flipped[node.op]}))
    if isinstance(node, seg.Attribute) and node.op in {"set", "missing"}:
        return _plain(node.model_copy(update={"op": "missing" if node.op == "set" else "set"}))
    return "not", _plain(node)


EACH, LEAST, LEAST_OF_A_KIND = 12, 0.97, 0.75


def test_what_is_said_of_any_kind_of_condition_is_nearly_always_understood(words: Lexicon) -> None:
    """Every kind of the language, from a fixed source of chance; the shares are printed where one is too low."""
    shares: dict[str, float] = {}
    for kind, maker in (*KINDS.items(), ("group", group)):
        chance = Random(kind)  # noqa: S311 - the same each time
        wanted = [seg.Definition(where=maker(chance, CATALOG)) for _ in range(EACH)]
        shares[kind] = sum(_understood(words, definition) for definition in wanted) / EACH
    assert sum(shares.values()) / len(shares) >= LEAST, shares
    assert min(shares.values()) >= LEAST_OF_A_KIND, shares


def _understood(words: Lexicon, wanted: seg.Definition) -> bool:
    found = read(sentence(wanted, CATALOG, {7: "Spring buyers"}), words, today=TODAY).definition
    return found is not None and plain(found) == plain(wanted)
