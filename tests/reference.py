"""Who is meant by a definition, worked out the slow way: person by person, condition by condition, in plain Python.

Written from the guide and not from the compiler, so that the two can disagree.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from domain import segments as seg
from domain.windows import Window, length

Row = dict[str, Any]


@dataclass
class Person:
    """Everything known about one person."""

    id: int
    attributes: Row
    first_seen_at: datetime
    activities: dict[str, list[Row]] = field(default_factory=dict)
    consents: list[tuple[str, str, datetime, datetime | None]] = field(default_factory=list)
    tags: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)
    suppressed: list[tuple[str, datetime]] = field(default_factory=list)


@dataclass
class World:
    """Some people, asked as of an instant, in a store whose calendar is UTC."""

    people: list[Person]
    as_of: datetime

    def members(self, definition: seg.Definition) -> set[int]:
        """The ids of who is meant."""
        return {person.id for person in self.known() if self.holds(definition.where, person)}

    def known(self) -> list[Person]:
        """Who existed by then."""
        return [person for person in self.people if person.first_seen_at <= self.as_of]

    def holds(self, node: Any, person: Person) -> bool:  # noqa: C901, PLR0911, PLR0912 - one case per condition
        """Whether a condition is true of a person."""
        match node:
            case seg.All():
                return all(self.holds(child, person) for child in node.of)
            case seg.AnyOf():
                return any(self.holds(child, person) for child in node.of)
            case seg.Not():
                return not self.holds(node.of, person)
            case seg.AtLeast():
                return sum(self.holds(child, person) for child in node.of) >= node.n
            case seg.Attribute():
                return self.attribute(node, person)
            case seg.Metric():
                value = self.metric(node.name, node.during, person)
                if isinstance(node.value, seg.Percentile):
                    threshold = self.percentile(node.name, node.during, node.value)
                    if value is None or threshold is None:
                        return node.missing == "include"
                    return self.compares(node.op, float(value), threshold)
                if value is None:
                    return node.missing == "include"
                return self.compares(node.op, value, node.value)
            case seg.Activity():
                return self.activity(node, person)
            case seg.Sequence():
                return self.follows(node, 0, None, person)
            case seg.Rank():
                return self.ranked(node, person)
            case seg.Consent():
                states = [
                    state
                    for channel, state, since, until in person.consents
                    if channel == node.channel and self.open(since, until)
                ]
                return not states if node.state == "none" else node.state in states
            case seg.Reachable():
                address = person.attributes.get("email" if node.channel == "email" else "phone")
                consent = seg.Consent(channel=node.channel)
                barred = seg.Suppressed(channel=node.channel)
                return address is not None and self.holds(consent, person) and not self.holds(barred, person)
            case seg.Suppressed():
                return any(channel in {node.channel, "*"} and at <= self.as_of for channel, at in person.suppressed)
            case seg.Tagged():
                return any(name == node.name and self.open(since, until) for name, since, until in person.tags)
            case _:
                raise NotImplementedError(node)

    def open(self, since: datetime, until: datetime | None) -> bool:
        """Whether an interval holds the instant."""
        return since <= self.as_of and (until is None or until > self.as_of)

    def attribute(self, node: seg.Attribute, person: Person) -> bool:
        """One attribute compared."""
        value: Any = person.attributes.get(node.name)
        for key in node.path:
            value = value.get(key) if isinstance(value, dict) else None
        if node.measure and value is not None:
            value = Decimal(len(value))
        if node.op in {"set", "missing"}:
            return (value is None) == (node.op == "missing")
        operand: Any = node.value
        if isinstance(operand, seg.OtherAttribute):
            operand = person.attributes.get(operand.attribute)
        if value is None or (operand is None and node.op != "anniversary_today"):
            return node.missing == "include"
        if isinstance(value, date):
            zone = ZoneInfo(person.attributes.get("time_zone") or "UTC") if node.zone == "customer" else None
            return self.timely(node.op, value, operand, zone)
        return self.compares(node.op, value, operand)

    def compares(self, op: str, value: Any, operand: Any) -> bool:
        """One comparison of known values."""
        if op == "matches":
            return re.search(operand, value, re.IGNORECASE) is not None
        if isinstance(value, list):
            small = [item.lower() if isinstance(item, str) else item for item in value]
            among = [_comparable(item, "") if isinstance(item, str) else item for item in _each(operand)]
            held = [item in small for item in among]
            return {"has_all": all(held), "has_none": not any(held)}.get(op, any(held))
        low = [_comparable(item, value) for item in _each(operand)]
        one = value.lower() if isinstance(value, str) else value
        tests: dict[str, Callable[[], bool]] = {
            "eq": lambda: one == low[0],
            "ne": lambda: one != low[0],
            "in": lambda: one in low,
            "not_in": lambda: one not in low,
            "contains": lambda: low[0] in one,
            "not_contains": lambda: low[0] not in one,
            "starts_with": lambda: one.startswith(low[0]),
            "ends_with": lambda: one.endswith(low[0]),
            "gt": lambda: one > low[0],
            "gte": lambda: one >= low[0],
            "lt": lambda: one < low[0],
            "lte": lambda: one <= low[0],
            "between": lambda: low[0] <= one <= low[1],
        }
        return bool(tests[op]())

    def timely(self, op: str, value: Any, operand: Any, zone: ZoneInfo | None) -> bool:
        """A day or an instant compared, in the calendar of a zone; ``None`` = the store's."""
        if isinstance(value, datetime) and zone is None and op in {"in_last", "older_than", "at_least_ago", "in_next"}:
            past, now, future = self.as_of - length(operand), self.as_of, self.as_of + length(operand)
            return bool(
                {
                    "in_last": past <= value < now,
                    "older_than": value < past,
                    "at_least_ago": value <= past,
                    "in_next": now <= value < future,
                }[op]
            )
        day = value.astimezone(zone or UTC).date() if isinstance(value, datetime) else value
        today = self.as_of.astimezone(zone or UTC).date()
        if op.startswith("anniversary"):
            return any(_same_day(day, other) for other in _days_meant(op, operand, today))
        if op == "in_period":
            return _in_period(operand, day, today)
        if op in {"in_last", "older_than", "at_least_ago", "in_next"}:
            earliest, latest = today - length(operand), today + length(operand)
            return bool(
                {
                    "in_last": earliest < day <= today,
                    "older_than": day < earliest,
                    "at_least_ago": day <= earliest,
                    "in_next": today < day <= latest,
                }[op]
            )
        days = [date.fromisoformat(str(item)) for item in _each(operand)]
        tests = {
            "on": day == days[0],
            "eq": day == days[0],
            "ne": day != days[0],
            "before": day < days[0],
            "after": day > days[0],
            "since": day >= days[0],
            "between": days[0] <= day <= days[-1],
        }
        return bool(tests[op])

    def rows(self, name: str, during: Window | None, where: Iterable[seg.Filter], person: Person) -> list[Row]:
        """The rows of an activity that count."""
        start, end = during.bounds(self.as_of, UTC) if during else (None, self.as_of)  # type: ignore[arg-type]
        found = []
        for row in person.activities.get(name, []):
            timely = row["at"] < end and (start is None or row["at"] >= start)
            void = row.get("void_at")
            known = [(test, row.get(test.name)) for test in where]
            passes = all(self.passes(test, value) for test, value in known)
            if timely and (void is None or void > self.as_of) and passes:
                found.append(row)
        return found

    def passes(self, test: seg.Filter, value: Any) -> bool:
        """One comparison of a property."""
        if test.op in {"set", "missing"}:
            return (value is None) == (test.op == "missing")
        return test.missing == "include" if value is None else self.compares(test.op, value, test.value)

    def measure(self, rows: list[Row], measure: str, of: str | None) -> Any:
        """A measure over rows; ``None`` where there is nothing to measure."""
        values = [row[of] for row in rows if of and row.get(of) is not None]
        days = [Decimal((self.as_of - row["at"]) / timedelta(microseconds=1)) / 86_400_000_000 for row in rows]
        measures: dict[str, Callable[[], Any]] = {
            "count": lambda: len({row.get("order_id", id(row)) for row in rows}),
            "distinct": lambda: len(set(values)),
            "sum": lambda: sum(values) if values else None,
            "average": lambda: sum(values) / len(values) if values else None,
            "min": lambda: min(values, default=None),
            "max": lambda: max(values, default=None),
            "days_since_last": lambda: min(days, default=None),
            "days_since_first": lambda: max(days, default=None),
        }
        return measures[measure]()

    def metric(self, name: str, during: Window | None, person: Person) -> Any:
        """A metric of the store."""
        orders = self.rows("order", during, (), person)
        refunds = self.rows("refund", during, (), person)
        metrics: dict[str, Callable[[], Any]] = {
            "ltv": lambda: (self.measure(orders, "sum", "total") or 0) - (self.measure(refunds, "sum", "amount") or 0),
            "order_count": lambda: len(orders),
            "aov": lambda: self.measure(orders, "average", "total"),
            "largest_order": lambda: self.measure(orders, "max", "total"),
            "days_since_last_order": lambda: self.measure(orders, "days_since_last", None),
            "opens": lambda: len(self.rows("email_opened", during, (), person)),
        }
        return metrics[name]()

    def population(self, name: str, during: Window | None, among: seg.Among) -> list[tuple[Person, Any]]:
        """Everyone a percentile or a rank is taken over, with their known value."""
        people = [person for person in self.known() if among == "everyone" or self.rows("order", None, (), person)]
        values = [(person, self.metric(name, during, person)) for person in people]
        return [(person, value) for person, value in values if value is not None]

    def percentile(self, name: str, during: Window | None, at: seg.Percentile) -> float | None:
        """The interpolated percentile."""
        values = sorted(float(value) for _, value in self.population(name, during, at.among))
        if not values:
            return None
        place = (len(values) - 1) * (at.percentile / 100)
        low = int(place)
        high = min(low + 1, len(values) - 1)
        return values[low] + (values[high] - values[low]) * (place - low)

    def activity(self, node: seg.Activity, person: Person) -> bool:
        """Did it, never did it, or a measure over it."""
        rows = self.rows(node.name, node.during, node.where, person)
        if node.op in {"any", "none"}:
            return bool(rows) == (node.op == "any")
        value = self.measure(rows, node.measure, node.of)
        if value is None:
            if node.measure != "sum":
                return False
            value = 0
        return self.compares(node.op, value, node.value)

    def follows(self, node: seg.Sequence, i: int, before: datetime | None, person: Person) -> bool:
        """Step ``i`` and all later ones happened in order and in time."""
        step = node.steps[i]
        rows = self.rows(step.name, node.during if i == 0 else None, step.where, person)
        latest = before + length(step.within) if before and step.within else None
        rows = [row for row in rows if before is None or row["at"] > before]
        rows = [row for row in rows if latest is None or row["at"] <= latest]
        if step.op == "none":
            return latest is not None and latest <= self.as_of and not rows
        last = i + 1 == len(node.steps)
        return any(last or self.follows(node, i + 1, row["at"], person) for row in rows)

    def ranked(self, node: seg.Rank, person: Person) -> bool:
        """Whether few enough are strictly ahead."""
        values = self.population(node.metric, None, node.among)
        if node.per:
            group = person.attributes.get(node.per)
            values = [(other, value) for other, value in values if other.attributes.get(node.per) == group is not None]
        mine = next((value for other, value in values if other is person), None)
        if mine is None:
            return False
        ahead = sum(1 for _, value in values if (value > mine if node.end == "top" else value < mine))
        cut = node.count or ceil(len(values) * Decimal(str(node.percent)) / 100)
        return ahead + 1 <= cut


def _each(operand: Any) -> tuple[Any, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _comparable(operand: Any, value: Any) -> Any:
    if isinstance(value, str):
        return str(operand).lower()
    return float(operand) if isinstance(value, float) else operand


def _in_period(name: str, day: date, today: date) -> bool:
    """Whether a day lies in a calendar period: so many days, weeks, months, quarters or years from today's."""
    single = {"yesterday": "last_day", "today": "this_day", "tomorrow": "next_day"}
    which, unit = single.get(name, name).split("_")
    numbers: dict[str, Callable[[date], int]] = {
        "day": lambda one: one.toordinal(),
        "week": lambda one: (one.toordinal() - 1) // 7,
        "month": lambda one: one.year * 12 + one.month,
        "quarter": lambda one: one.year * 4 + (one.month - 1) // 3,
        "year": lambda one: one.year,
    }
    return numbers[unit](day) - numbers[unit](today) == {"last": -1, "this": 0, "next": 1}[which]


def _days_meant(op: str, operand: Any, today: date) -> list[date]:
    """The days on which something may come round."""
    around = [today + timedelta(days=i) for i in range(-800, 800)]
    match op:
        case "anniversary_today":
            return [today]
        case "anniversary_in":
            return [today + length(operand)]
        case "anniversary_in_next":
            return [day for day in around if today <= day < today + length(operand)]
        case _:
            return [day for day in around if _in_period(operand, day, today)]


def _same_day(born: date, day: date) -> bool:
    leap = (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28) and not _leap(day.year)
    return (born.month, born.day) == (day.month, day.day) or leap


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
