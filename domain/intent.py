"""What counts as recent, and what are the facts behind a company's buying intent?

"Within the last N days" of a day means later than N days before it and not later than it: 23 April is not within the
last 7 days of 30 April. Where the boundary is inclusive, the day N days before counts too.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

Key = int | str


class Boundary(StrEnum):
    """Whether the day exactly N days ago is within the last N days."""

    STRICT = "strict"
    INCLUSIVE = "inclusive"


def lies_within(day: date, days: int, as_of: date, boundary: Boundary) -> bool:
    """Whether a day lies within the last ``days`` days of ``as_of``."""
    earliest = as_of - timedelta(days=days)
    return earliest < day <= as_of or (boundary is Boundary.INCLUSIVE and day == earliest)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody of a company was on the website; ``email`` as it is compared: in lower case."""

    on: date
    email: str


@dataclass(frozen=True, slots=True)
class Publication:
    """Something was published about a company."""

    on: date
    headline: str | None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a company; names as in the file, ``email`` in lower case, and None where it is no address."""

    id: Key
    company_id: Key
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a company did lately, as of a day; the windows are those of the rule, in its boundary.

    ``visits`` and ``news`` are the latest ones, of the last 7 and 30 days, latest first.
    """

    visits_last_7_days: int
    news_last_7_days: int
    news_last_30_days: int
    last_visit_on: date | None
    last_news_on: date | None
    visits: tuple[Visit, ...] = ()
    news: tuple[Publication, ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """A company in its tier; ``domain`` is its host, without www and in lower case."""

    id: Key
    address: str | None
    domain: str | None
    tier: str
    facts: Facts
