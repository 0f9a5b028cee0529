"""On what rows does a condition rest for one person, and how far is a person from meeting it?"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from db.segments_activities import DAY_SECONDS, Occurrences, Stretch
from db.segments_facts import Fact
from db.segments_sql import Compiled
from db.segments_tables import TYPES, Scope, Value, tables
from domain import segments as seg
from domain.operators import COMPARISONS, Kind

NUMBERS: frozenset[Kind] = frozenset({"money", "number", "integer"})


@dataclass(frozen=True)
class Gap:
    """How far a person is from meeting a condition: a number in a ``unit``, a kind of number or what is counted.

    ``one`` of what is counted is called so.
    """

    value: Value
    unit: str
    one: str = ""


DAYS = ("days", "day")


def occurred(stretch: Stretch, entity_id: int, scope: Scope, path: str) -> sa.Select[Any]:
    """``times`` and ``last_at`` of one entity's rows in a stretch, and ``ever_at``, the last of them at any time."""
    inside, ever = (
        Occurrences(one, tables(scope.catalog), scope, path)
        for one in (stretch, Stretch(stretch.activity, None, stretch.where))
    )
    times = inside.measure("count", None)
    last = ever.select(sa.func.max(ever.at)).where(ever.of == entity_id).scalar_subquery()
    columns = (times.label("times"), sa.func.max(inside.at).label("last_at"), last.label("ever_at"))
    return inside.select(*columns).where(inside.of == entity_id)


INTERVALS = {
    "consents": ("channel", "state"),
    "suppressions": ("channel", "reason"),
    "tags": ("name", "name"),
    "topic_consents": ("topic", "state"),
}
"""Tables of states with a beginning: what tells the states of one person apart, and what they say."""


def interval(name: str, which: str, entity_id: int, scope: Scope) -> sa.Select[Any]:
    """``state``, ``since_at`` and ``until_at`` of the latest row of an interval table by then, of one entity.

    ``which`` is the channel or the tag; a suppression of every channel counts for each, and none ends.
    """
    key, state = INTERVALS[name]
    ends = name != "suppressions"
    since, until = sa.column("since_at", TYPES["instant"]), sa.column("until_at", TYPES["instant"])
    rows = sa.select(sa.column(state).label("state"), since, (until if ends else sa.null()).label("until_at"))
    rows = rows.select_from(sa.table(name)).where(
        sa.column("customer_id") == entity_id,
        sa.column(key, sa.Text()).in_([which] if ends else [which, "*"]),
        since <= scope.as_of,
    )
    return rows.order_by(since.desc()).limit(1)


def gap(fact: Fact, sql: Compiled, scope: Scope) -> Gap | None:  # noqa: PLR0911 - one case per kind of condition
    """How far a row of ``sql`` is from this condition; ``None`` where that is no number."""
    match fact.node:
        case seg.Metric():
            return _numeric(fact, scope.catalog.metric(fact.node.name).kind)
        case seg.Attribute(measure="length"):
            return _numeric(fact, "integer")
        case seg.Attribute(op=op) if op in COMPARISONS and _kind(fact.node, scope) in NUMBERS:
            return _numeric(fact, _kind(fact.node, scope))
        case seg.Activity(op="any" | "none"):
            return _timely(fact.node, sql, scope, fact.path)
        case seg.Activity(measure="first" | "last" | "most_frequent"):
            return None
        case seg.Activity(measure="days_since_last" | "days_since_first" | "average_gap" | "median_gap"):
            return _numeric(fact, *DAYS)
        case seg.Activity(measure="count"):
            entry = scope.catalog.activity(fact.node.name)
            return _numeric(fact, entry.plural or f"{entry.label}s", entry.label)
        case seg.Activity(of=str(of), measure=measure):
            kind = "integer" if measure == "distinct" else scope.catalog.property(fact.node.name, of).kind
            return _numeric(fact, kind) if kind in NUMBERS else None
        case _:
            return None


def _kind(node: seg.Attribute, scope: Scope) -> Kind:
    return scope.catalog.attribute(node.name, "", node.path).kind


def _numeric(fact: Fact, unit: str, one: str = "") -> Gap | None:
    """The distance to the threshold, or to the nearest of the numbers asked for; ``None`` where there is no number."""
    asked: Any = getattr(fact.node, "value", None)
    numbers = [number for number in (asked if isinstance(asked, tuple) else (asked,)) if isinstance(number, Decimal)]
    bounds: list[Value] = [sa.literal(float(number), sa.Double()) for number in numbers]
    if fact.threshold is not None:
        bounds = [fact.threshold]
    if fact.value is None or not bounds:
        return None
    distances = [sa.func.abs(sa.cast(fact.value, sa.Double()) - bound) for bound in bounds]
    return Gap(distances[0] if len(distances) == 1 else sa.func.least(*distances), unit, one)


def _timely(node: seg.Activity, sql: Compiled, scope: Scope, path: str) -> Gap | None:
    """Days until the last one drops out of a window that moves along, or since one fell out of it; else how many."""
    entry = scope.catalog.activity(node.name)
    moving = node.during is not None and node.during.last is not None and node.during.until is None
    rows = Occurrences(
        Stretch(node.name, node.during if node.op == "none" else None, node.where), tables(scope.catalog), scope, path
    )
    mine = rows.of == sql.id
    if moving and node.during:
        start, _ = node.during.bounds(scope.as_of, scope.zone)
        if start is None:
            return None
        last = rows.select(sa.func.max(rows.at)).where(mine).scalar_subquery()
        if entry.time_kind == "date":
            apart: Value = last - sa.literal(start.astimezone(scope.zone).date(), sa.Date())
        else:
            apart = sa.extract("epoch", last - sa.literal(start, TYPES["instant"])) / DAY_SECONDS
        return Gap(sa.cast(sa.func.abs(apart), sa.Double()), *DAYS)
    if node.op == "none":
        many = rows.select(rows.measure("count", None)).where(mine).scalar_subquery()
        return Gap(sa.cast(many, sa.Double()), entry.plural or f"{entry.label}s", entry.label)
    return None
