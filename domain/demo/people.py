"""Which kinds of people come to the demo shop, and what sets two of a kind apart?"""

from bisect import bisect
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random

from domain.demo import names, places
from domain.demo.chance import happens, one_of
from domain.demo.clock import DAY, Span, day_of
from domain.demo.places import Place


@dataclass(frozen=True)
class Kind:
    """A kind of customer; shares and chances are between 0 and 1.

    ``churn`` is the chance that an order is the last routine one, ``staples`` how many things are bought again and
    again, ``extras`` the chance of something on the side, ``machine`` of a machine in the first order, ``gifts`` of
    buying presents in a holiday season, ``agrees`` of joining the mailing list, ``visits`` the visits a month that end
    without an order.
    """

    name: str
    share: float
    churn: float
    staples: tuple[int, int]
    extras: float
    machine: float
    gifts: float
    agrees: float
    visits: float


VISITOR = Kind("visitor", 0.17, 0.0, (0, 0), 0.0, 0.0, 0.0, 0.9, 0.5)
ONCE = Kind("once", 0.25, 1.0, (0, 0), 0.25, 0.0, 0.08, 0.64, 0.08)
OCCASIONAL = Kind("occasional", 0.23, 0.26, (1, 2), 0.3, 0.06, 0.18, 0.7, 0.3)
REGULAR = Kind("regular", 0.26, 0.07, (1, 4), 0.25, 0.3, 0.3, 0.78, 0.5)
ENTHUSIAST = Kind("enthusiast", 0.06, 0.045, (3, 6), 0.5, 0.75, 0.4, 0.86, 1.0)
BUSINESS = Kind("business", 0.03, 0.035, (1, 3), 0.12, 0.2, 0.1, 0.8, 0.3)
KINDS = (VISITOR, ONCE, OCCASIONAL, REGULAR, ENTHUSIAST, BUSINESS)
_KIND_SUMS = tuple(accumulate(kind.share for kind in KINDS))

# How likely a month is to bring somebody new, relative to the best.
_NEWCOMERS = (0.6, 0.55, 0.6, 0.62, 0.66, 0.58, 0.5, 0.5, 0.62, 0.72, 1.0, 1.0)
_RHYTHMS = ("evening",) * 9 + ("early",) * 5 + ("midday",) * 4 + ("office",) * 2

MISSING_NAME, MISSING_LAST_NAME, MISSING_EMAIL, MISSING_ZONE = 0.06, 0.04, 0.015, 0.1


@dataclass(frozen=True, slots=True)
class Person:
    """One customer as the simulation knows them; the shop knows less (``customers.write`` leaves values out).

    ``pace`` is how long things last with them compared with the average; ``bags`` how many they take of a coffee;
    ``reads`` the chance that they open a mail; ``prefetched`` says that their mail program opens every mail by itself.
    """

    number: int
    kind: Kind
    place: Place
    joined: int
    woman: bool
    first_name: str
    last_name: str
    company: str | None
    language: str
    rhythm: str
    pace: float
    bags: int
    reads: float
    prefetched: bool
    has_email: bool
    from_popup: bool
    mobile: bool


def draw(number: int, random: Random, span: Span) -> Person:
    """Customer ``number`` with all traits."""
    kind = KINDS[min(bisect(_KIND_SUMS, random.random() * _KIND_SUMS[-1]), len(KINDS) - 1)]
    place = places.draw(random)
    woman = happens(0.56, random)
    language = place.language if place.language in names.LAST else "en"
    first_names = (names.WOMEN if woman else names.MEN)[language]
    business = kind is BUSINESS
    company = (
        f"{one_of(names.COMPANY_BEGINNINGS, random)} {one_of(names.COMPANY_ENDINGS, random)}" if business else None
    )
    reads = random.betavariate(1.6, 3.4)
    return Person(
        number=number,
        kind=kind,
        place=place,
        joined=_joined(random, span),
        woman=woman,
        first_name=one_of(first_names, random),
        last_name=one_of(names.LAST[language], random),
        company=company,
        language=place.language if happens(0.9, random) else "en",
        rhythm="office" if business else one_of(_RHYTHMS, random),
        pace=random.lognormvariate(0.28, 0.35),
        bags=1 + int(random.random() * random.random() * 4),
        reads=reads * (1.2 if kind is ENTHUSIAST else 1.0),
        prefetched=happens(0.25 if business else 0.4, random),
        has_email=not happens(MISSING_EMAIL, random),
        from_popup=happens(0.75 if kind is VISITOR else 0.35, random),
        mobile=happens(0.2 if business else 0.62, random),
    )


def first_day(year: int, month: int, day: int) -> int:
    """A calendar day in seconds since 1970."""
    return (date(year, month, day) - date(1970, 1, 1)).days * DAY


def _joined(random: Random, span: Span) -> int:
    """When somebody first shows up: more of late than in the beginning, most before the holidays."""
    at = span.start
    for _ in range(4):
        at = span.start + int((span.end - span.start) * random.random() ** 0.8)
        if happens(_NEWCOMERS[day_of(at).month - 1], random):
            break
    return at
