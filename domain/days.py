"""Which days does a comparison of a date mean? Half-open stretches of days, or days of the year that come round."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from domain.windows import length, period, refuse_hours

LEAP_DAY = 229
MAX_ANNIVERSARY_DAYS = 366
DAY = timedelta(days=1)
YEAR = tuple(day.month * 100 + day.day for day in (date(2000, 1, 1) + i * DAY for i in range(366)))
"""Every day of a leap year, as month x 100 + day."""

Stretch = tuple[date | None, date | None]
"""From the first day up to and without the last; ``None`` = without end."""

_STRETCHES: Mapping[str, Callable[[Any, date], Stretch]] = {
    "on": lambda day, _: (day, day + DAY),
    "before": lambda day, _: (None, day),
    "after": lambda day, _: (day + DAY, None),
    "since": lambda day, _: (day, None),
    "between": lambda pair, _: (pair[0], pair[1] + DAY),
    "in_period": period,
    "in_last": lambda last, today: (today - length(last) + DAY, today + DAY),
    "older_than": lambda past, today: (None, today - length(past)),
    "at_least_ago": lambda past, today: (None, today - length(past) + DAY),
    "in_next": lambda following, today: (today + DAY, today + length(following) + DAY),
}
FOLLOWS_TODAY = ("in_period", "in_last", "older_than", "at_least_ago", "in_next")
"""The operators whose stretch moves with the day they are asked on; so do anniversaries."""


def stretch(op: str, operand: Any, today: date) -> Stretch:
    """The days an operator means.

    The last N days are those later than N days ago and not later than today; the next N follow today. Raises ValueError
    for hours.
    """
    if isinstance(operand, str):
        refuse_hours(operand)
    return _STRETCHES[op](operand, today)


def anniversaries(op: str, operand: Any, today: date) -> list[tuple[int, int]]:
    """The days of the year an operator means: first and last of each stretch, as month x 100 + day.

    The next N days begin with today. 29 February is kept on the 28th of a common year. Raises ValueError for more than
    a year, or hours.
    """
    refuse_hours(operand)
    match op:
        case "anniversary_today":
            first, past_last = today, today + DAY
        case "anniversary_in":
            first = today + length(operand)
            past_last = first + DAY
        case "anniversary_in_period":
            first, past_last = period(operand, today)
        case _:
            first, past_last = today, today + length(operand)
    count = (past_last - first).days
    if count > MAX_ANNIVERSARY_DAYS:
        message = "at most a year, for example 1y"
        raise ValueError(message)
    return _of_the_year(first + i * DAY for i in range(count))


def _of_the_year(days: Iterable[date]) -> list[tuple[int, int]]:
    keys = set()
    for day in days:
        keys.add(day.month * 100 + day.day)
        if (day.month, day.day) == (2, 28) and (day + DAY).day == 1:
            keys.add(LEAP_DAY)
    found: list[tuple[int, int]] = []
    for key, before in zip(YEAR, (0, *YEAR), strict=False):
        if key in keys:
            first = found.pop()[0] if before in keys else key
            found.append((first, key))
    return found
