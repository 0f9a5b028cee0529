"""When may a message reach this person, in the hours of their own day?

A zone's clock sometimes skips local times and sometimes shows them twice. A window that opens or closes at a skipped
time does so at the first instant after the gap; one that opens at a repeated time does so the second time and one that
closes does so the first time, so that in doubt nobody is woken.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.messages import Window

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

HORIZON_DAYS = 8
"""No zone has closed a window that is open for a minute a day this many days in a row."""


def next_allowed(now: datetime, zone: str, window: Window) -> datetime:
    """The first instant, not before ``now``, that lies within ``window`` of the local day of ``zone`` (an IANA name).

    Answers ``now`` itself when that is allowed already. The answer is in UTC. Raises ValueError for a zone that does
    not exist or a window that is never open.
    """
    now = now.astimezone(UTC)
    today = now.astimezone(_zone(zone)).date()
    for days in range(-1, HORIZON_DAYS):
        opens, closes = _interval(today + days * _DAY, zone, window)
        if max(opens, now) < closes:
            return max(opens, now)
    raise ValueError(f"the window {window.opens}-{window.closes} is never open in {zone}")


def next_allowed_by_all(now: datetime, zone: str, windows: Sequence[Window]) -> datetime:
    """The first instant, not before ``now``, within every one of the windows. Raises ValueError if there is none."""
    found = now
    for _ in range(HORIZON_DAYS * 2):
        later = max((next_allowed(found, zone, window) for window in windows), default=now)
        if later == found:
            return found
        found = later
    raise ValueError(f"the windows have no hour in common in {zone}")


def is_zone(name: str | None) -> bool:
    """Whether there is a time zone of this name."""
    try:
        return bool(name) and bool(_zone(name or ""))
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _interval(day: date, zone: str, window: Window) -> tuple[datetime, datetime]:
    """When the window that opens on local ``day`` opens and closes; one that spans midnight closes on the next day."""
    last = day if window.closes > window.opens else day + _DAY
    return _instant(day, window.opens, zone, late=True), _instant(last, window.closes, zone, late=False)


def _instant(day: date, clock: time, zone: str, *, late: bool) -> datetime:
    """The instant of a local time; of two, the second if ``late``; of none, the first instant after the gap."""
    local = datetime.combine(day, clock, _zone(zone))
    first, second = (local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC))
    if first <= second:
        return second if late else first
    return _change_between(second, first, zone)


def _change_between(before: datetime, after: datetime, zone: str) -> datetime:
    """The instant at which the zone's offset changes, to the second, between two instants with different offsets."""
    offset = before.astimezone(_zone(zone)).utcoffset()
    while after - before > _SECOND:
        middle = before + ((after - before) / 2 // _SECOND) * _SECOND
        if middle.astimezone(_zone(zone)).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"there is no time zone {name}") from error
