"""Which definitions can be said at all? One maker per kind of condition, from a source of chance.

What a maker makes is legal and sensible; names are those of the tests' catalog.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from domain import segments as seg
from domain.catalog import Catalog
from domain.operators import NUMBERS, OPERATORS, TIMES
from domain.rfm import GROUPS
from domain.windows import Window
from tests.agent.offline.conftest import PROPERTIES, TAGS, VALUES

PERIODS = ("today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_year", "last_year")
COMPARED: tuple[Any, ...] = ("gt", "gte", "lt", "lte", "between")
TEXT_OPS = ("eq", "ne", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with", "set", "missing")
DURATION_OPS = ("in_last", "older_than", "at_least_ago", "in_next", "anniversary_in_next", "anniversary_in")
DAY_OPS = ("on", "before", "after", "since")
SEGMENT = 7


def duration(chance: Random) -> str:
    return f"{chance.randint(2, 90)}{chance.choice(('d', 'w', 'mo'))}"


def day(chance: Random) -> date:
    return date(2020, 1, 1) + timedelta(days=chance.randint(0, 2_300))


def window(chance: Random) -> Window:
    days = sorted((day(chance), day(chance)))
    ways: list[dict[str, Any]] = [
        {"last": duration(chance)},
        {"until": duration(chance)},
        {"calendar": chance.choice(PERIODS)},
        {"from": days[0]},
        {"to": days[1]},
        {"from": days[0], "to": days[1]},
        {"last": f"{chance.randint(60, 90)}d", "until": f"{chance.randint(2, 50)}d"},
        {"previous": duration(chance)},
    ]
    return Window.model_validate(chance.choice(ways))


def maybe(chance: Random) -> Window | None:
    return window(chance) if chance.random() < 0.5 else None


def number(chance: Random) -> dict[str, Any]:
    op: Any = chance.choice(COMPARED)
    pair = (Decimal(chance.randint(2, 90)), Decimal(chance.randint(91, 900)))
    return {"op": op, "value": pair if op == "between" else pair[chance.randint(0, 1)]}


def missing(chance: Random) -> Any:
    return "include" if chance.random() < 0.2 else "exclude"


def text_attribute(chance: Random, _catalog: Catalog) -> seg.Leaf:
    name, op = chance.choice(sorted(VALUES)), chance.choice(TEXT_OPS)
    match OPERATORS[op].operand:
        case "none":
            return seg.Attribute(name=name, op=op)
        case "many":
            return seg.Attribute(name=name, op=op, value=VALUES[name][:2], missing=missing(chance))
        case _:
            return seg.Attribute(name=name, op=op, value=chance.choice(VALUES[name]), missing=missing(chance))


def number_attribute(chance: Random, catalog: Catalog) -> seg.Leaf:
    names = sorted(name for name, entry in catalog.attributes.items() if entry.kind in NUMBERS)
    return seg.Attribute(name=chance.choice(names), missing=missing(chance), **number(chance))


def date_attribute(chance: Random, catalog: Catalog) -> seg.Leaf:
    name = chance.choice(sorted(name for name, entry in catalog.attributes.items() if entry.kind in TIMES))
    op = chance.choice((*DURATION_OPS, *DAY_OPS, "in_period", "set", "missing"))
    value: Any = None
    if op in DURATION_OPS:
        value = duration(chance) if op not in {"anniversary_in_next", "anniversary_in"} else f"{chance.randint(2, 90)}d"
    elif op in DAY_OPS:
        value = day(chance).isoformat()
    elif op == "in_period":
        value = chance.choice(PERIODS)
    return seg.Attribute(name=name, op=op, value=value)


def metric(chance: Random, catalog: Catalog) -> seg.Leaf:
    name = chance.choice(sorted(catalog.metrics))
    return seg.Metric(name=name, during=maybe(chance), missing=missing(chance), **number(chance))


def percentile(chance: Random, catalog: Catalog) -> seg.Leaf:
    among: Any = chance.choice(("everyone", "buyers", seg.SegmentMembers(segment=SEGMENT)))
    value = seg.Percentile(percentile=chance.randint(1, 99), among=among)
    name, op = chance.choice(sorted(catalog.metrics)), chance.choice(COMPARED[:-1])
    return seg.Metric(name=name, op=op, value=value, during=maybe(chance))


def metric_before(chance: Random, catalog: Catalog) -> seg.Leaf:
    name = chance.choice(("ltv", "order_count", "opens", "views"))
    value = seg.WindowBefore(window="before", times=_times(chance))
    return seg.Metric(name=name, op=chance.choice(COMPARED[:-1]), value=value, during=Window(last=duration(chance)))


def other_metric(chance: Random, catalog: Catalog) -> seg.Leaf:
    one, other = chance.sample(sorted(catalog.metrics), 2)
    value = seg.OtherMetric(metric=other, times=_times(chance))
    return seg.Metric(name=one, op=chance.choice(COMPARED[:-1]), value=value)


def filters(chance: Random, catalog: Catalog, activity: str) -> tuple[seg.Filter, ...]:
    known = [key for key in catalog.activities[activity].properties if key in PROPERTIES]
    if not known or chance.random() < 0.5:
        return ()
    key = chance.choice(known)
    return (seg.Filter(name=key, op=chance.choice(("eq", "ne", "contains")), value=chance.choice(PROPERTIES[key])),)


def happened(chance: Random, catalog: Catalog) -> seg.Leaf:
    name = chance.choice(sorted(catalog.activities))
    return seg.Activity(
        name=name, op=chance.choice(("any", "none")), during=maybe(chance), where=filters(chance, catalog, name)
    )


def count(chance: Random, catalog: Catalog) -> seg.Leaf:
    name = chance.choice(sorted(catalog.activities))
    return seg.Activity(name=name, during=maybe(chance), where=filters(chance, catalog, name), **number(chance))


def measure(chance: Random, catalog: Catalog) -> seg.Leaf:
    name, of = chance.choice((("order", "total"), ("item", "price"), ("item", "quantity"), ("refund", "amount")))
    kind: Any = chance.choice(("sum", "average", "min", "max"))
    return seg.Activity(name=name, measure=kind, of=of, during=maybe(chance), **number(chance))


def distinct(chance: Random, catalog: Catalog) -> seg.Leaf:
    name, of = chance.choice((("item", "product"), ("item", "category"), ("product_viewed", "category")))
    return seg.Activity(name=name, measure="distinct", of=of, during=maybe(chance), **number(chance))


def days_since(chance: Random, catalog: Catalog) -> seg.Leaf:
    kind: Any = chance.choice(("days_since_last", "days_since_first", "average_gap", "median_gap"))
    return seg.Activity(name=chance.choice(sorted(catalog.activities)), measure=kind, **number(chance))


def picked(chance: Random, catalog: Catalog) -> seg.Leaf:
    kind: Any = chance.choice(("first", "last", "most_frequent"))
    name, of = chance.choice((("item", "product"), ("item", "category"), ("order", "coupon"), ("order", "source")))
    op = chance.choice(("eq", "ne", "in", "contains"))
    value: Any = PROPERTIES[of][:2] if op == "in" else chance.choice(PROPERTIES[of])
    return seg.Activity(name=name, measure=kind, of=of, op=op, value=value, during=maybe(chance))


def other_measure(chance: Random, catalog: Catalog) -> seg.Leaf:
    name, op = chance.choice(("order", "email_opened", "product_viewed")), chance.choice(COMPARED[:-1])
    gap: Any = chance.choice(("average_gap", "median_gap"))
    value = seg.OtherMeasure(measure=gap, times=_times(chance))
    return seg.Activity(name=name, measure="days_since_last", op=op, value=value)


def rank(chance: Random, catalog: Catalog) -> seg.Leaf:
    end: Any = chance.choice(("top", "bottom"))
    among: Any = chance.choice(("everyone", "buyers", seg.SegmentMembers(segment=SEGMENT)))
    size: dict[str, Any] = chance.choice(({"percent": chance.randint(1, 99)}, {"count": chance.randint(1, 500)}))
    per = chance.choice((None, None, "country", "state"))
    during = window(chance) if chance.random() < 0.3 else None
    name = chance.choice(("ltv", "aov", "order_count"))
    return seg.Rank(metric=name, end=end, among=among, per=per, during=during, **size)


def sequence(chance: Random, catalog: Catalog) -> seg.Leaf:
    names = [chance.choice(sorted(catalog.activities)) for _ in range(chance.randint(2, 3))]
    steps = [seg.Step(name=names[0], where=filters(chance, catalog, names[0]))]
    for i, name in enumerate(names[1:], 2):
        none = i == len(names) and chance.random() < 0.5
        within = duration(chance) if none or chance.random() < 0.5 else None
        steps.append(seg.Step(name=name, op="none" if none else "any", within=within))
    return seg.Sequence(steps=tuple(steps), during=maybe(chance))


def permission(chance: Random, _catalog: Catalog) -> seg.Leaf:
    channel: Any = chance.choice(("email", "sms", "whatsapp"))
    state: Any = chance.choice(("subscribed", "pending", "unsubscribed", "none"))
    ways = seg.Consent(channel=channel, state=state), seg.Reachable(channel=channel), seg.Suppressed(channel=channel)
    return chance.choice(ways)


def scored(chance: Random, _catalog: Catalog) -> seg.Leaf:
    axis, grades = chance.choice(("recency", "frequency", "monetary")), sorted(chance.sample(range(1, 6), 2))
    named: Any = chance.choice(sorted(GROUPS))
    slots: Any = {axis: chance.choice((grades[0], tuple(grades)))}
    return chance.choice((seg.Scored(group=named), seg.Scored(**slots)))


def topic_or_flow(chance: Random, _catalog: Catalog) -> seg.Leaf:
    state: Any = chance.choice(("subscribed", "unsubscribed", "none"))
    step = chance.choice((None, 2))
    return chance.choice((seg.Topic(name="recipes", state=state), seg.InFlow(id=3, step=step)))


def mark(chance: Random, _catalog: Catalog) -> seg.Leaf:
    bucket = seg.Bucket(name=chance.choice(("sample", "holdout")), percent=chance.randint(1, 99))
    return chance.choice((seg.Tagged(name=chance.choice(TAGS)), seg.Member(id=SEGMENT), bucket))


def _times(chance: Random) -> Decimal:
    return chance.choice((Decimal(1), Decimal(2), Decimal(3), Decimal("0.5"), Decimal("1.5")))


Maker = Callable[[Random, Catalog], seg.Leaf]

KINDS: Mapping[str, Maker] = {
    maker.__name__: maker
    for maker in (
        text_attribute,
        number_attribute,
        date_attribute,
        metric,
        percentile,
        metric_before,
        other_metric,
        happened,
        count,
        measure,
        distinct,
        days_since,
        picked,
        other_measure,
        rank,
        sequence,
        permission,
        scored,
        topic_or_flow,
        mark,
    )
}
"""Every kind of condition, by the name of its maker."""


def group(chance: Random, catalog: Catalog) -> Any:
    """Two or three conditions in a group, sometimes with a group inside."""
    parts = [chance.choice(list(KINDS.values()))(chance, catalog) for _ in range(chance.randint(2, 3))]
    of: tuple[Any, ...] = tuple({str(part): part for part in parts}.values())
    if len(of) == 1:
        return seg.Not(of=of[0])
    ways: tuple[Any, ...] = (
        seg.All(of=of),
        seg.AnyOf(of=of),
        seg.AtLeast(n=chance.randint(1, len(of)), of=of),
        seg.Not(of=of[0]),
        seg.Not(of=seg.AnyOf(of=of)),
        seg.All(of=(of[0], seg.AnyOf(of=(*of[1:], seg.Tagged(name="vip"))))),
    )
    return chance.choice(ways)
