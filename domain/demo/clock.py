"""When do people shop and read: on which days, at which hours of their own day?

Instants are whole seconds since 1970 (UTC) until they become rows; arithmetic on them is many times cheaper.
"""

from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from domain.demo.chance import happens

HOUR = 3_600
DAY = 86_400
HISTORY_DAYS = 735
FIRST_DAY = date(1970, 1, 1).toordinal()

# Weight of each hour of the day, from midnight on.
RHYTHMS = {
    "early": "1 0 0 0 1 8 24 30 22 12 8 6 7 5 4 4 4 5 6 7 6 4 2 1",
    "midday": "1 0 0 0 0 1 2 4 7 10 14 20 28 24 14 9 7 6 6 7 7 5 3 2",
    "evening": "3 1 0 0 0 0 1 3 4 4 4 5 6 5 4 5 7 10 15 24 30 26 14 6",
    "office": "0 0 0 0 0 0 1 6 18 26 24 16 8 16 20 14 8 3 1 0 0 0 0 0",
}
_HOURS = {name: tuple(accumulate(int(weight) for weight in weights.split())) for name, weights in RHYTHMS.items()}

# Weight of each day of the week, from Monday on, relative to the busiest.
_WEEKDAYS = (1.0, 0.93, 0.88, 0.85, 0.72, 0.62, 0.95)
_OFFICE_DAYS = (1.0, 1.0, 0.95, 0.9, 0.7, 0.05, 0.03)


@dataclass(frozen=True)
class Span:
    """The time the store has existed, ``[start, end)`` in seconds since 1970."""

    start: int
    end: int

    @classmethod
    def until(cls, now: datetime) -> "Span":
        """The two years that end at ``now``."""
        end = int(now.timestamp())
        return cls(end - HISTORY_DAYS * DAY, end)


def instant(seconds: int) -> datetime:
    """Seconds since 1970 as a row carries them."""
    return datetime.fromtimestamp(seconds, UTC)


def day_of(seconds: int) -> date:
    """The calendar day (UTC) of an instant."""
    return date.fromordinal(FIRST_DAY + seconds // DAY)


def at_hour(seconds: int, zone: str, rhythm: str, random: Random) -> int:
    """Another instant on the local day of ``seconds``, or on one of the two after it that suits the person better."""
    day = (seconds + _offset(zone, seconds // DAY)) // DAY
    weights = _OFFICE_DAYS if rhythm == "office" else _WEEKDAYS
    for _ in range(2):
        if happens(weights[(day + 3) % 7], random):  # day 0 was a Thursday
            break
        day += 1
    return on_day(day, zone, rhythm, random)


def on_day(day: int, zone: str, rhythm: str, random: Random) -> int:
    """An instant on a local day (days since 1970) at an hour that suits the person."""
    hours = _HOURS[rhythm]
    hour = bisect(hours, random.random() * hours[-1])
    return day * DAY + hour * HOUR + int(random.random() * HOUR) - _offset(zone, day)


def black_friday(year: int) -> int:
    """The day after Thanksgiving (the fourth Thursday of November), in days since 1970."""
    first = date(year, 11, 1)
    return (first + timedelta(days=(3 - first.weekday()) % 7 + 22)).toordinal() - FIRST_DAY


@cache
def _offset(zone: str, day: int) -> int:
    noon = datetime.combine(date.fromordinal(FIRST_DAY + day), time(12), ZoneInfo(zone))
    offset = noon.utcoffset()
    return int(offset.total_seconds()) if offset else 0
