"""Who is meant by a definition, worked out the slow way: person by person, condition by condition, in plain Python.

Written from the guide and not from the compiler, so that the two can disagree.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from domain import segments as seg
from domain.windows import Window, length

Row = dict[str, Any]
DAY = timedelta(days=1)

GRID = {
    5: ("new", "potential_loyalists", "potential_loyalists", "champions", "champions"),
    4: ("promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"),
    3: ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    1: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
}
"""The RFM group by recency, then frequency from 1 to 5."""


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
    topics: list[tuple[str, str, datetime, datetime | None]] = field(default_factory=list)
    runs: list[tuple[int, datetime, datetime | None, list[datetime]]] = field(default_factory=list)


@dataclass
class World:
    """Some people, asked as of an instant, in a store whose calendar is UTC."""

    people: list[Person]
    as_of: datetime
    segments: dict[int, seg.Definition] = field(default_factory=dict)

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
                return self.measured(node, value, person)
            case seg.Activity():
                return self.activity(node, person)
            case seg.Member():
                return self.holds(self.segments[node.id].where, person)
            case seg.Topic():
                said = [
                    word for name, word, since, until in person.topics if name == node.name and self.open(since, until)
                ]
                return not said if node.state == "none" else node.state in said
            case seg.InFlow():
                return any(
                    flow == node.id and self.open(since, until) and node.step in {None, self.step(taken)}
                    for flow, since, until, taken in person.runs
                )
            case seg.Scored():
                scores = self.scores(person)
                return node.missing == "include" if scores is None else self.scored(node, scores)
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

    def step(self, taken: list[datetime]) -> int:
        """The step somebody stands at: the last one taken, the first where none was."""
        return max(1, sum(at <= self.as_of for at in taken))

    def rows(
        self, name: str, during: Window | None, where: Iterable[seg.Filter], person: Person, *, before: bool = False
    ) -> list[Row]:
        """The rows of an activity that count."""
        found = []
        for row in person.activities.get(name, []):
            void = row.get("void_at")
            passes = all(self.passes(test, row.get(test.name)) for test in where)
            if self.inside(during, row, before=before) and (void is None or void > self.as_of) and passes:
                found.append(row)
        return found

    def inside(self, during: Window | None, row: Row, *, before: bool) -> bool:  # noqa: PLR0911 - one case per window
        """Whether a row lies in a window, or in the one before it."""
        by_day = "day" in row
        day = row["day"] if by_day else row["at"].date()
        at, now = (day, self.as_of.date()) if by_day else (row["at"], self.as_of)
        if at > now if by_day else at >= now:
            return False
        if during is None:
            return True
        if during.calendar:
            return _in_period(during.calendar, day, self.as_of.date(), shift=-1 if before else 0)
        if during.start or during.end:
            last = during.end or self.as_of.date()
            if before and during.start:
                return bool(during.start - (last - during.start) - DAY <= day < during.start)
            return bool((during.start or day) <= day <= last)
        start, end = _back(during, now, before=before)
        if not by_day:
            return bool((start is None or start <= at) and at < end)
        if during.inclusive and start:
            shift = DAY if before else timedelta(0)
            return bool(start - shift <= at <= end - shift)
        return bool((start is None or start < at) and at <= end)

    def passes(self, test: seg.Filter, value: Any) -> bool:
        """One comparison of a property."""
        if test.op in {"set", "missing"}:
            return (value is None) == (test.op == "missing")
        return test.missing == "include" if value is None else self.compares(test.op, value, test.value)

    def measure(self, rows: list[Row], measure: str, of: str | None) -> Any:
        """A measure over rows; ``None`` where there is nothing to measure, but for counts and sums."""
        values = [row[of] for row in rows if of and row.get(of) is not None]
        times = sorted({row["day"] if "day" in row else row["at"] for row in rows})
        days = [self.days(time, None) for time in times]
        gaps = [self.days(one, other) for one, other in pairwise(times)]
        measures: dict[str, Callable[[], Any]] = {
            "count": lambda: len({row.get("order_id", id(row)) for row in rows}),
            "distinct": lambda: len(set(values)),
            "sum": lambda: sum(values),
            "average": lambda: sum(values) / len(values) if values else None,
            "min": lambda: min(values, default=None),
            "max": lambda: max(values, default=None),
            "days_since_last": lambda: min(days, default=None),
            "days_since_first": lambda: max(days, default=None),
            "average_gap": lambda: self.days(times[0], times[-1]) / len(gaps) if gaps else None,
            "median_gap": lambda: median(map(float, gaps)) if gaps else None,
            "first": lambda: _at(rows, times[0], of) if times else None,
            "last": lambda: _at(rows, times[-1], of) if times else None,
            "most_frequent": lambda: _most_frequent(rows, of),
        }
        return measures[measure]()

    def days(self, start: Any, end: Any) -> Decimal:
        """Days of 24 hours from one time to another, or to now."""
        if not isinstance(start, datetime):
            return Decimal(((end or self.as_of.date()) - start).days)
        return Decimal(((end or self.as_of) - start) / timedelta(microseconds=1)) / 86_400_000_000

    def metric(self, name: str, during: Window | None, person: Person, *, before: bool = False) -> Any:
        """A metric of the store."""
        orders = self.rows("order", during, (), person, before=before)
        refunds = self.rows("refund", during, (), person, before=before)
        opens = self.rows("email_opened", during, (), person, before=before)
        metrics: dict[str, Callable[[], Any]] = {
            "ltv": lambda: self.measure(orders, "sum", "total") - self.measure(refunds, "sum", "amount"),
            "order_count": lambda: len(orders),
            "aov": lambda: self.measure(orders, "average", "total"),
            "largest_order": lambda: self.measure(orders, "max", "total"),
            "days_since_last_order": lambda: self.measure(orders, "days_since_last", None),
            "opens": lambda: len(opens),
        }
        return metrics[name]()

    def measured(self, node: seg.Metric | seg.Activity, value: Any, person: Person) -> bool:
        """A number compared with a number, or with what is read off the data."""
        operand: Any = node.value
        if isinstance(operand, seg.RELATIVE):
            operand = self.threshold(node, person)
            value = None if value is None else float(value)
        if value is None or operand is None:
            return node.missing == "include"
        return self.compares(node.op, value, operand)

    def threshold(self, node: seg.Metric | seg.Activity, person: Person) -> float | None:
        """What a number is compared with, where that is read off the data."""
        operand: Any = node.value
        found: Any
        match operand:
            case seg.Percentile():
                return self.percentile(node, operand)
            case seg.WindowBefore():
                found = self.amount(node, person, before=True)
            case seg.OtherMetric():
                found = self.metric(operand.metric, operand.during, person)
            case _:
                rows = self.rows(operand.name or node.name, operand.during, operand.where, person)
                found = self.measure(rows, operand.measure, operand.of)
        return None if found is None else float(found) * float(operand.times)

    def amount(self, node: seg.Metric | seg.Activity, person: Person, *, before: bool = False) -> Any:
        """The number that a condition looks at."""
        if isinstance(node, seg.Metric):
            return self.metric(node.name, node.during, person, before=before)
        return self.measure(self.rows(node.name, node.during, node.where, person, before=before), node.measure, node.of)

    def among(self, among: seg.Among) -> list[Person]:
        """Everyone a percentile or a rank may be taken over."""
        if isinstance(among, seg.SegmentMembers):
            return [person for person in self.known() if self.holds(self.segments[among.segment].where, person)]
        return [person for person in self.known() if among == "everyone" or self.rows("order", None, (), person)]

    def percentile(self, node: seg.Metric | seg.Activity, at: seg.Percentile) -> float | None:
        """The interpolated percentile."""
        found = [self.amount(node, person) for person in self.among(at.among)]
        values = sorted(float(value) for value in found if value is not None)
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
        if node.measure not in {"first", "last", "most_frequent"}:
            return self.measured(node, value, person)
        if node.op in {"set", "missing"}:
            return (value is None) == (node.op == "missing")
        return node.missing == "include" if value is None else self.compares(node.op, value, node.value)

    def scores(self, person: Person) -> dict[str, int] | None:
        """The RFM scores; ``None`` for who never bought."""
        buyers = {one.id: self.rows("order", None, (), one) for one in self.among("buyers")}
        if person.id not in buyers:
            return None
        everyone = {one.id: one for one in self.people}
        facts: dict[str, Callable[[int], Any]] = {
            "recency": lambda one: max(row["at"] for row in buyers[one]),
            "frequency": lambda one: len(buyers[one]),
            "monetary": lambda one: self.metric("ltv", None, everyone[one]),
        }
        lower = {axis: sum(fact(one) < fact(person.id) for one in buyers) for axis, fact in facts.items()}
        return {axis: 1 + 5 * number // len(buyers) for axis, number in lower.items()}

    def scored(self, node: seg.Scored, scores: dict[str, int]) -> bool:
        """Whether scores are the ones meant."""
        named = all(low <= scores[axis] <= high for axis, (low, high) in node.scores.items())
        return named and node.group in {None, GRID[scores["recency"]][scores["frequency"] - 1]}

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
        found = [(other, self.metric(node.metric, node.during, other)) for other in self.among(node.among)]
        values = [(other, value) for other, value in found if value is not None]
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


def _back(during: Window, now: Any, *, before: bool) -> tuple[Any, Any]:
    """Where a window that counts back from now begins and ends."""
    if during.until:
        end = now - length(during.until)
        start = now - length(during.last) if during.last else None
        return (start - (end - start), start) if before and start else (start, end)
    step = length(during.last or during.previous or "")
    turns = (2 if during.previous else 1) + before
    return now - step * turns, now - step * (turns - 1)


def _at(rows: list[Row], time: Any, of: str | None) -> Any:
    """The smallest of the values at one time."""
    values = [row.get(of or "") for row in rows if (row["day"] if "day" in row else row["at"]) == time]
    return min((_small(value) for value in values if value is not None), default=None)


def _most_frequent(rows: list[Row], of: str | None) -> Any:
    """The value that occurs most often; then the one that occurred last; then the smallest."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        if row.get(of or "") is not None:
            found.setdefault(_small(row[of or ""]), []).append(row)
    if not found:
        return None

    def standing(value: Any) -> tuple[int, Any]:
        many = len({row.get("order_id", id(row)) for row in found[value]})
        return many, max(row["day"] if "day" in row else row["at"] for row in found[value])

    best = max(map(standing, found))
    return min(value for value in found if standing(value) == best)


def _small(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _in_period(name: str, day: date, today: date, *, shift: int = 0) -> bool:
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
    return numbers[unit](day) - numbers[unit](today) == {"last": -1, "this": 0, "next": 1}[which] + shift


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
