"""Who uses DuckMart, a shop that nobody has been to, and what do they do there?

Rows of two CSV files as real programs write them: mostly clean, a share of them odd. Everything follows from the seed,
the instant and the sizes; people are made one after the other, so any number can be written without holding them.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from domain.countries import STATE_NAMES
from domain.demo.chance import happens, one_of
from domain.demo.names import LAST, MEN, WOMEN

USER_COLUMNS = ("id", "name", "age", "gender", "location", "signup_date", "subscription_plan", "device_type")
EVENT_COLUMNS = ("user_id", "event_name", "timestamp")

YEARS = 3
DAY_SECONDS = 86_400
BLOCK = 100
"""Users share out their events in blocks of so many, some much busier than others."""

_MOST_PEOPLED = {"California": 12, "Texas": 9, "Florida": 7, "New York": 6, "Pennsylvania": 4, "Illinois": 4, "Ohio": 4}
_PLANS = {"Free": 55, "Basic": 25, "Premium": 15, "Enterprise": 5}
_DEVICES = {"Android": 38, "iOS": 34, "Desktop": 22, "Tablet": 6}
_GENDERS = {"female": 48, "male": 48, "non-binary": 2, "": 2}
_EVENTS = {
    "PAGE_VIEW": 42,
    "LOGIN": 22,
    "SEARCH": 13,
    "ADD_TO_CART": 9,
    "LOGOUT": 7,
    "PURCHASE": 4,
    "SUBSCRIBE": 2,
    "SUPPORT_TICKET": 1,
}


class User(NamedTuple):
    """One line of ``users.csv``."""

    id: str
    name: str
    age: str
    gender: str
    location: str
    signup_date: str
    subscription_plan: str
    device_type: str


class Event(NamedTuple):
    """One line of ``events.csv``."""

    user_id: str
    event_name: str
    timestamp: str


def _tickets(weights: dict[str, int]) -> list[str]:
    return [value for value, weight in weights.items() for _ in range(weight)]


_STATES = _tickets({state: _MOST_PEOPLED.get(state, 1) for state in STATE_NAMES.values()})
_CODES = {name: code for code, name in STATE_NAMES.items()}
_CHOICES = {
    "gender": _tickets(_GENDERS),
    "location": _STATES,
    "subscription_plan": _tickets(_PLANS),
    "device_type": _tickets(_DEVICES),
}
_NAMES = _tickets(_EVENTS)
_CLOCK = [f"T{hour:02}:{minute:02}:{second:02}Z" for hour in range(24) for minute in range(60) for second in range(60)]


def users(*, seed: int, now: datetime, count: int, odd: float) -> Iterator[User]:
    """The lines of ``count`` users with ids from 1; a share ``odd`` of them is written as people would, or twice."""
    for number in range(1, count + 1):
        user, random = _user(seed, now, number)
        if not happens(odd, random):
            yield user
            continue
        quirk = one_of(_USER_QUIRKS, random)
        yield quirk(user, random)
        if happens(0.2, random):
            yield user


def events(*, seed: int, now: datetime, count: int, of: int, odd: float) -> Iterator[Event]:
    """The lines of ``count`` events of ``of`` users, user by user; none is later than ``now`` or before the sign-up."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [(today - timedelta(days=i)).date().isoformat() for i in range(YEARS * 365 + 1)]
    into_today = int((now - today).total_seconds())
    for number, share in _shares(seed, count, of):
        user, random = _user(seed, now, number)
        lasted = (today.date() - date.fromisoformat(user.signup_date)).days * DAY_SECONDS + into_today
        draw = random.random
        for _ in range(share):
            day, second = divmod(into_today - 1 - int(draw() ** 1.5 * lasted), DAY_SECONDS)
            event = Event(user.id, _NAMES[int(draw() * len(_NAMES))], days[-day] + _CLOCK[second])
            if not odd or draw() >= odd:
                yield event
                continue
            strange = one_of(_EVENT_QUIRKS, random)(event, random)
            yield from (strange, strange) if happens(0.2, random) else (strange,)


def _user(seed: int, now: datetime, number: int) -> tuple[User, Random]:
    """A user, and the stream of chance that goes on from there."""
    random = Random((seed << 32) + number)  # noqa: S311 - a believable shop, not a secret
    drawn = {field: one_of(tickets, random) for field, tickets in _CHOICES.items()}
    first = one_of(MEN["en"] if drawn["gender"] == "male" else WOMEN["en"], random)
    age = "" if happens(0.03, random) else str(18 + int(62 * random.random() ** 1.6))
    signed_up = now.astimezone(UTC).date() - timedelta(days=1 + int(random.random() * (YEARS * 365 - 1)))
    name = f"{first} {one_of(LAST['en'], random)}"
    return User(id=str(number), name=name, age=age, signup_date=signed_up.isoformat(), **drawn), random


def _shares(seed: int, count: int, of: int) -> Iterator[tuple[int, int]]:
    """``(user, number of events)``, ``count`` in all: each block of users gets its part, a few of them most of it."""
    for first in range(1, of + 1, BLOCK):
        numbers = range(first, min(first + BLOCK, of + 1))
        part = count * (numbers[-1]) // of - count * (first - 1) // of
        random = Random((seed << 33) + first)  # noqa: S311
        ends = list(accumulate(random.random() ** 3 + 0.01 for _ in numbers))
        before = 0
        for number, end in zip(numbers, ends, strict=True):
            upto = round(part * end / ends[-1])
            yield number, upto - before
            before = upto


def _spaced(user: User, _random: Random) -> User:
    return user._replace(name=f"  {user.name.replace(' ', '  ')} ", location=f" {user.location} ")


def _cased(user: User, random: Random) -> User:
    change: Callable[[str], str] = one_of((str.upper, str.lower), random)
    return user._replace(**{field: change(getattr(user, field)) for field in _CHOICES})


def _shortened(user: User, _random: Random) -> User:
    return user._replace(gender=user.gender[:1].upper(), location=_CODES[user.location])


def _dated(user: User, random: Random) -> User:
    form = one_of(("%m/%d/%Y", "%d.%m.%Y", "%b %d, %Y", "%d %B %Y", "%Y/%m/%d", "%Y-%m-%d 00:00:00"), random)
    return user._replace(signup_date=date.fromisoformat(user.signup_date).strftime(form))


def _aged(user: User, random: Random) -> User:
    return user._replace(age=one_of(("-1", "999", "unknown", "N/A", f"{user.age or 30}.0"), random))


def _unidentified(user: User, random: Random) -> User:
    return user._replace(id=one_of(("", "n/a", f"U{user.id}"), random))


_USER_QUIRKS = (_spaced, _cased, _shortened, _dated, _aged, _unidentified)


def _of_nobody(event: Event, _random: Random) -> Event:
    return event._replace(user_id=str(10**9 + int(event.user_id)))


def _loosely_named(event: Event, random: Random) -> Event:
    return event._replace(
        event_name=one_of((event.event_name.lower().replace("_", " "), f" {event.event_name} ", ""), random)
    )


def _loosely_timed(event: Event, random: Random) -> Event:
    at = datetime.fromisoformat(event.timestamp)
    ways = (
        str(int(at.timestamp())),
        str(int(at.timestamp() * 1000)),
        f"{at:%m/%d/%Y %H:%M:%S}",
        f"{at:%Y-%m-%d %H:%M:%S}",
        "soon",
    )
    return event._replace(timestamp=one_of(ways, random))


_EVENT_QUIRKS = (_of_nobody, _loosely_named, _loosely_timed)
