"""Which stretch of time does a condition look at?

Stretches of instants are half-open, ``[start, end)``, and never reach past the instant asked about. Hours, days and
weeks are fixed lengths (a day is 24 hours); months and years are calendar ones.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self
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


def _duration(text: str) -> str:
    found = _DURATION.match(text)
    if not found or int(found[1]) == 0:
        message = f"{text!r} is not a length of time; write for example 60d, 12h, 8w, 6mo or 1y"
        raise ValueError(message)
    return text


Duration = Annotated[str, AfterValidator(_duration)]
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

    Raises Invalid (``as_of_invalid``).
    """
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time(), zone)
        said = datetime.fromisoformat(text)
    except ValueError:
        fix = "Write a date such as 2026-01-31, or an instant such as 2026-01-31T09:00+01:00."
        raise Invalid("as_of_invalid", f"{text!r} is not a date or an instant.", fix, "as_of") from None
    return said if said.tzinfo else said.replace(tzinfo=zone)


def spoken(duration: str) -> str:
    """``60d`` as people say it: ``60 days``."""
    found = _DURATION.match(duration)
    if not found:
        raise ValueError(duration)
    return f"{found[1]} {_UNITS[found[2]]}{'' if found[1] == '1' else 's'}"


class Window(BaseModel):
    """A stretch of time: ``last`` and/or ``until`` so long ago, ``from``/``to`` dates, or a calendar period."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    last: Duration | None = Field(default=None, description="Back from the instant asked about, e.g. 60d.")
    until: Duration | None = Field(
        default=None, description="The window ends this long ago; without last it starts in the beginning."
    )
    start: date | None = Field(default=None, alias="from", description="First day, in the store's time zone.")
    end: date | None = Field(default=None, alias="to", description="Last day, inclusive, in the store's time zone.")
    calendar: Period | None = Field(default=None, description="A calendar period in the store's time zone.")

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        ways = [
            self.last is not None or self.until is not None,
            self.start is not None or self.end is not None,
            self.calendar is not None,
        ]
        if sum(ways) != 1:
            message = "give exactly one of: last/until, from/to, calendar"
            raise ValueError(message)
        probe = datetime(2000, 1, 1)  # noqa: DTZ001 - only compares two lengths
        if self.last and self.until and probe - length(self.last) >= probe - length(self.until):
            message = "until must be shorter than last"
            raise ValueError(message)
        if self.start and self.end and self.end < self.start:
            message = "to must not be before from"
            raise ValueError(message)
        return self

    def bounds(self, as_of: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime]:
        """``[start, end)`` as instants; ``None`` = since ever. Never ends after ``as_of``."""
        if self.last or self.until:
            end = as_of - length(self.until) if self.until else as_of
            return as_of - length(self.last) if self.last else None, end
        first: date | None
        past_last: date | None
        if self.calendar:
            first, past_last = _period(self.calendar, as_of.astimezone(zone).date())
        else:
            first, past_last = (self.start, self.end + timedelta(days=1) if self.end else None)
        start = datetime.combine(first, time(), zone) if first else None
        end = datetime.combine(past_last, time(), zone) if past_last else as_of
        return start, min(end, as_of)

    def english(self) -> str:
        """For example ``in the last 60 days``."""
        if self.last and self.until:
            return f"between {spoken(self.last)} and {spoken(self.until)} ago"
        if self.last:
            return f"in the last {spoken(self.last)}"
        if self.until:
            return f"more than {spoken(self.until)} ago"
        if self.calendar:
            return self.calendar.replace("_", " ")
        if self.start and self.end:
            return f"on {self.start}" if self.start == self.end else f"from {self.start} to {self.end}"
        return f"since {self.start}" if self.start else f"until {self.end}"


def _period(name: Period, today: date) -> tuple[date, date]:
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
    which, _, unit = {"today": "this_day", "yesterday": "last_day"}.get(name, name).partition("_")
    start, step = starts[unit]
    return (start, start + step) if which == "this" else (start - step, start)
