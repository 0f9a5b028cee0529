"""How is a day or an instant compared, and whose days are meant?"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa

from db.segments_tables import TYPES, Bool, Scope, Value
from domain.days import FOLLOWS_TODAY, Stretch, anniversaries, stretch
from domain.errors import Invalid
from domain.operators import OPERATORS, Kind
from domain.windows import length

UTC = ZoneInfo("UTC")
ISO_DAY = re.compile(r"[12]\d{3}-\d{2}-\d{2}")
REGIONS = ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"]


@cache
def zone_names() -> tuple[str, ...]:
    """The time zones that a customer may live in; every engine knows them."""
    return ("UTC", *sorted(name for name in available_timezones() if name.split("/")[0] in REGIONS))


def timed(op: str, kind: Kind, column: Value, value: Any, path: str, scope: Scope, zones: Value | None) -> Bool:
    """A day or an instant compared, NULL where it is not known.

    Days are those of the store's calendar; with ``zones``, a column of time zones, those of each person's own.
    """
    try:
        if zones is not None:
            return _in_own_zone(op, _own_day(kind, column, scope, zones), _operand(op, value, scope), scope, zones)
        if kind == "date":
            return _of_days(op, column, _operand(op, value, scope), scope.today)
        if op.startswith("anniversary"):
            return _of_days(op, local_day(column, scope), value, scope.today)
        return _of_instants(op, column, value, scope)
    except (ValueError, OverflowError) as error:
        raise Invalid("wrong_type", f"{value!r} does not fit a {kind}: {error}", _fix(op), f"{path}.value") from None


def local_day(column: Value, scope: Scope) -> Value:
    """The day of an instant in the store's calendar."""
    return _day_there(sa.literal(scope.zone.key, sa.Text()), column)


def _day_there(zone: Value, column: Value) -> Value:
    """The day of an instant in a zone; DuckDB would take a time without an offset for the zone's own, not for UTC."""
    return sa.cast(sa.func.timezone(zone, sa.cast(column, TYPES["instant"])), sa.Date())


def _own_day(kind: Kind, column: Value, scope: Scope, zones: Value) -> Value:
    if kind == "date":
        return column
    zone = sa.case((zones.in_(zone_names()), zones), else_=sa.literal(scope.zone.key, sa.Text()))
    return _day_there(zone, column)


def _in_own_zone(op: str, day: Value, operand: Any, scope: Scope, zones: Value) -> Bool:
    if op not in FOLLOWS_TODAY and not op.startswith("anniversary"):
        return _of_days(op, day, operand, scope.today)
    return sa.or_(*(here & _of_days(op, day, operand, today) for today, here in _todays(scope, zones)))


def _todays(scope: Scope, zones: Value) -> Iterator[tuple[date, Bool]]:
    """The days that it is anywhere now, each with whether it is that day where a person lives."""
    elsewhere: dict[date, list[str]] = {}
    for name in zone_names():
        elsewhere.setdefault(scope.as_of.astimezone(ZoneInfo(name)).date(), []).append(name)
    elsewhere.pop(scope.today, None)
    for day, names in elsewhere.items():
        yield day, sa.func.coalesce(zones.in_(names), sa.false())
    others = [name for names in elsewhere.values() for name in names]
    yield scope.today, sa.func.coalesce(zones.not_in(others), sa.true())


def _of_days(op: str, column: Value, operand: Any, today: date) -> Bool:
    if op.startswith("anniversary"):
        of_the_year = sa.extract("month", column) * 100 + sa.extract("day", column)
        return sa.or_(*(of_the_year.between(*days) for days in anniversaries(op, operand, today)))
    return _within(column, stretch(op, operand, today), sa.Date())


def _of_instants(op: str, column: Value, value: Any, scope: Scope) -> Bool:
    now = scope.as_of
    match op:
        case "in_last":
            return _within(column, (now - length(value), now), TYPES["instant"])
        case "in_next":
            return _within(column, (now, now + length(value)), TYPES["instant"])
        case "older_than":
            return column < _instant(now - length(value))
        case "at_least_ago":
            return column <= _instant(now - length(value))
    operand = _operand(op, value, scope)
    if isinstance(operand, datetime) or (isinstance(operand, tuple) and any(isinstance(d, datetime) for d in operand)):
        return _exactly(op, column, operand, scope)
    first, past = stretch(op, operand, scope.today)
    return _within(column, (_midnight(first, scope), _midnight(past, scope)), TYPES["instant"])


def _exactly(op: str, column: Value, operand: Any, scope: Scope) -> Bool:
    match op:
        case "before":
            return column < _instant(operand)
        case "after":
            return column > _instant(operand)
        case "since":
            return column >= _instant(operand)
        case "between":
            low, high = operand
            start = low if isinstance(low, datetime) else _midnight(low, scope)
            if isinstance(high, datetime):
                return (column >= _instant(start)) & (column <= _instant(high))
            return _within(column, (start, _midnight(high + timedelta(days=1), scope)), TYPES["instant"])
    message = "on takes a day"
    raise ValueError(message)


def _within(column: Value, bounds: Stretch, kind: sa.types.TypeEngine[Any]) -> Bool:
    start, end = bounds
    tests = [column >= sa.literal(start, kind)] if start is not None else []
    if end is not None:
        tests.append(column < sa.literal(end, kind))
    return sa.and_(*tests)


def _operand(op: str, value: Any, scope: Scope) -> Any:
    """The operand as a day or an instant, each of a pair; what stands for a stretch stays as it is."""
    if OPERATORS[op].operand not in {"one", "pair"}:
        return value
    return tuple(moment(one, scope.zone) for one in value) if isinstance(value, tuple) else moment(value, scope.zone)


def moment(value: Any, zone: ZoneInfo = UTC) -> date:
    """A day or an instant as it is written; without an offset, in the zone. Raises ValueError."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and ISO_DAY.fullmatch(value):
        return date.fromisoformat(value)
    if isinstance(value, str) and ISO_DAY.match(value):
        at = datetime.fromisoformat(value)
        return at if at.tzinfo else at.replace(tzinfo=zone)
    message = "it is no day"
    raise ValueError(message)


def _midnight(day: date | None, scope: Scope) -> datetime | None:
    return datetime.combine(day, time(), scope.zone) if day else None


def _instant(at: datetime | None) -> Value:
    return sa.literal(at, TYPES["instant"])


def _fix(op: str) -> str:
    return {
        "duration": "give a length of time such as 60d, in days for a date",
        "period": "give a period such as last_month",
    }.get(OPERATORS[op].operand, "give a day such as 2026-01-31")
