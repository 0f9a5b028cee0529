"""Which stretch of time does a condition look at?

Stretches are half-open, ``[start, end)``. Hours, days and weeks are fixed lengths (a day is 24 hours); months and years
are calendar ones. A window over what happened never reaches past the instant asked about.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, Self, TypeVar, get_args
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from domain.errors import Invalid

_DURATION = re.compile(r"^(\d{1,4})(h|d|w|mo|y)$")
_UNITS = {"h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}

Period = Literal[
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
]
PERIODS = (*get_args(Period), "tomorrow", "next_week", "next_month", "next_quarter", "next_year")
"""The calendar periods a date may lie in; what happened has no future ones."""

MAX_YEARS = 200
YEARS = range(1900, 2201)
"""From when one can look back the longest window there is, and forth."""


def checked_duration(text: str) -> str:
    """The text, if it is a length of time. Raises ValueError."""
    found = _DURATION.match(text)
    if not found or int(found[1]) == 0:
        message = f"{text!r} is not a length of time; write for example 60d, 12h, 8w, 6mo or 1y"
        raise ValueError(message)
    if int(found[1]) > {"y": MAX_YEARS, "mo": MAX_YEARS * 12}.get(found[2], int(found[1])):
        message = f"{text!r} is longer than {MAX_YEARS} years"
        raise ValueError(message)
    return text


Duration = Annotated[str, AfterValidator(checked_duration)]
"""A length of time: a whole number above 0 and one of ``h``, ``d``, ``w``, ``mo``, ``y``; for example ``60d``."""


def length(duration: str) -> timedelta | relativedelta:
    """``60d`` as something that can be taken from an instant."""
    found = _DURATION.match(duration)
    if not found:
        raise ValueError(duration)
    number = int(found[1])
    match found[2]:
        case "h":
            return timedelta(hours=number)
        case "d":
            return timedelta(days=number)
        case "w":
            return timedelta(weeks=number)
        case "mo":
            return relativedelta(months=number)
        case _:
            return relativedelta(years=number)


def instant(text: str, zone: ZoneInfo) -> datetime:
    """A date (its first moment in the zone) or an ISO instant; without an offset it is in the zone.

    Raises Invalid (``as_of_invalid``), for years too far away to look back from as well.
    """
    try:
        if len(text) == len("2026-01-31"):
            said = datetime.combine(date.fromisoformat(text), time(), zone)
        else:
            said = datetime.fromisoformat(text)
    except ValueError:
        fix = "Write a date such as 2026-01-31, or an instant such as 2026-01-31T09:00+01:00."
        raise Invalid("as_of_invalid", f"{text!r} is not a date or an instant.", fix, "as_of") from None
    if said.year not in YEARS:
        fix = f"Choose a year from {YEARS.start} to {YEARS.stop - 1}."
        raise Invalid("as_of_invalid", f"{text} is too far away.", fix, "as_of")
    return said if said.tzinfo else said.replace(tzinfo=zone)


def spoken(duration: str) -> str:
    """``60d`` as people say it: ``60 days``."""
    found = _DURATION.match(duration)
    if not found:
        raise ValueError(duration)
    return f"{found[1]} {_UNITS[found[2]]}{'' if found[1] == '1' else 's'}"


Day = TypeVar("Day", date, datetime)


class Window(BaseModel):
    """A stretch of time: ``last`` and/or ``until``, ``previous``, ``from``/``to`` dates, or a ``calendar`` period."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    last: Duration | None = Field(default=None, description="Back from the instant asked about, e.g. 60d.")
    until: Duration | None = Field(
        default=None, description="The window ends this long ago; without last it starts in the beginning."
    )
    previous: Duration | None = Field(default=None, description="The stretch of this length before the last one.")
    start: date | None = Field(default=None, alias="from", description="First day, in the store's time zone.")
    end: date | None = Field(default=None, alias="to", description="Last day, inclusive, in the store's time zone.")
    calendar: Period | None = Field(default=None, description="A calendar period in the store's time zone.")
    inclusive: bool = Field(
        default=False, description="For what is dated by day: the day exactly so long ago counts too."
    )

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        ways = [
            self.last is not None or self.until is not None,
            self.previous is not None,
            self.start is not None or self.end is not None,
            self.calendar is not None,
        ]
        if sum(ways) != 1:
            message = "give exactly one of: last/until, previous, from/to, calendar"
            raise ValueError(message)
        if self.inclusive and not (self.last or self.previous):
            message = "inclusive goes with last or previous; the other windows name their first day"
            raise ValueError(message)
        probe = datetime(2000, 1, 1)  # noqa: DTZ001 - only compares two lengths
        if self.last and self.until and probe - length(self.last) >= probe - length(self.until):
            message = "until must be shorter than last"
            raise ValueError(message)
        if self.start and self.end and self.end < self.start:
            message = "to must not be before from"
            raise ValueError(message)
        return self

    @property
    def begins(self) -> bool:
        """It has a beginning, and so there is a window of the same length before it."""
        return bool(self.last or self.previous or self.start or self.calendar)

    def bounds(self, as_of: datetime, zone: ZoneInfo, *, before: bool = False) -> tuple[datetime | None, datetime]:
        """``[start, end)`` as instants; ``None`` = since ever. Never ends after ``as_of``.

        With ``before`` it is the window of the same length that ends where this one begins.
        """
        if self._counts_back:
            return self._back_from(as_of.astimezone(UTC), before=before)
        first, past_last = self._named(as_of.astimezone(zone).date(), before=before)
        start = datetime.combine(first, time(), zone) if first else None
        return start, min(datetime.combine(past_last, time(), zone), as_of) if past_last else as_of

    def days(self, today: date, *, before: bool = False) -> tuple[date | None, date]:
        """``[first, past the last)`` as days, for what is dated by day; never reaches past today.

        The last N days are those later than N days ago. Raises ValueError for hours.
        """
        tomorrow = today + timedelta(days=1)
        if not self._counts_back:
            first, past_last = self._named(today, before=before)
            return first, min(past_last or tomorrow, tomorrow)
        refuse_hours(self.last, self.until, self.previous)
        start, end = self._back_from(today, before=before)
        past = end + timedelta(days=1)
        if start is None:
            return None, past
        if self.inclusive:
            return start - timedelta(days=before), past - timedelta(days=before)
        return start + timedelta(days=1), past

    def english(self) -> str:  # noqa: PLR0911 - one way to say each window
        """For example ``in the last 60 days``."""
        also = " (the first day included)" if self.inclusive else ""
        if self.previous:
            return f"in the {spoken(self.previous)} before the last {spoken(self.previous)}{also}"
        if self.last and self.until:
            return f"between {spoken(self.last)} and {spoken(self.until)} ago{also}"
        if self.last:
            return f"in the last {spoken(self.last)}{also}"
        if self.until:
            return f"more than {spoken(self.until)} ago"
        if self.calendar:
            return self.calendar.replace("_", " ")
        if self.start and self.end:
            return f"on {self.start}" if self.start == self.end else f"from {self.start} to {self.end}"
        return f"since {self.start}" if self.start else f"until {self.end}"

    @property
    def _counts_back(self) -> bool:
        return bool(self.last or self.until or self.previous)

    def _back_from(self, now: Day, *, before: bool) -> tuple[Day | None, Day]:
        if self.until is None:
            step, number = length(self.previous or self.last or ""), 1 + before + bool(self.previous)
            return now - step * number, now - step * (number - 1)
        start, end = now - length(self.last) if self.last else None, now - length(self.until)
        return (start - (end - start), start) if before and start else (start, end)

    def _named(self, today: date, *, before: bool) -> tuple[date | None, date | None]:
        if self.calendar:
            first, past_last = period(self.calendar, today)
            return period(f"last_{_unit(self.calendar)}", first) if before else (first, past_last)
        past = self.end + timedelta(days=1) if self.end else None
        if before and self.start:
            return self.start - ((past or today + timedelta(days=1)) - self.start), self.start
        return self.start, past


def period(name: str, today: date) -> tuple[date, date]:
    """First day of a calendar period and the day after its last; weeks start on Monday."""
    month = today.replace(day=1)
    quarter = month - relativedelta(months=(month.month - 1) % 3)
    starts: dict[str, tuple[date, relativedelta]] = {
        "day": (today, relativedelta(days=1)),
        "week": (today - timedelta(days=today.weekday()), relativedelta(weeks=1)),
        "month": (month, relativedelta(months=1)),
        "quarter": (quarter, relativedelta(months=3)),
        "year": (today.replace(month=1, day=1), relativedelta(years=1)),
    }
    start, step = starts[_unit(name)]
    which = _SINGLE_DAYS.get(name, name).partition("_")[0]
    first = {"last": start - step, "this": start, "next": start + step}[which]
    return first, first + step


_SINGLE_DAYS = {"today": "this_day", "yesterday": "last_day", "tomorrow": "next_day"}


def _unit(name: str) -> str:
    return _SINGLE_DAYS.get(name, name).partition("_")[2]


def refuse_hours(*durations: str | None) -> None:
    """Raise ValueError for a length of time in hours, which days do not have."""
    for duration in durations:
        if duration and (found := _DURATION.match(duration)) and found[2] == "h":
            message = f"{duration!r} does not fit days; write for example 1d"
            raise ValueError(message)
