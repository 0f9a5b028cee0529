"""Is the next allowed instant allowed, not before now, and the first, in every zone and at every clock change?"""

import zoneinfo
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.messages import Window
from domain.quiet_hours import is_zone, next_allowed, next_allowed_by_all

ZONES = sorted(
    zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith(("posix", "right"))
)
DAY = Window(time(8), time(21))
MINUTE = timedelta(minutes=1)

windows = st.builds(
    lambda opens, length: Window(_clock(opens), _clock(opens + length)),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 24 * 60 - 1),
)
instants = st.integers(0, 9 * 365 * 24 * 60).map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + minutes * MINUTE)


def _clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _repeated(local: datetime) -> bool:
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


def _allowed(at: datetime, zone: zoneinfo.ZoneInfo, window: Window) -> bool:
    """The rule said another way: about one instant, without looking for intervals."""
    local = at.astimezone(zone)
    clock = local.time()
    wraps = window.closes <= window.opens
    inside = window.opens <= clock or clock < window.closes if wraps else window.opens <= clock < window.closes
    if not inside:
        return False
    if _repeated(local):
        opens = datetime.combine(local.date(), window.opens, zone)
        closes = datetime.combine(local.date(), window.closes, zone)
        first_pass_of_opening = local.fold == 0 and _repeated(opens) and clock >= window.opens
        second_pass_of_closing = local.fold == 1 and _repeated(closes) and clock < window.closes
        return not first_pass_of_opening and not second_pass_of_closing
    return True


def _changes(zone: zoneinfo.ZoneInfo) -> list[datetime]:
    """The hours of 2026 and 2027 in which a zone's offset changes."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=hour) for hour in range(2 * 365 * 24)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [at for at, before, after in zip(hours[1:], offsets, offsets[1:], strict=False) if before != after]


def _check(now: datetime, name: str, window: Window) -> None:
    zone = zoneinfo.ZoneInfo(name)
    found = next_allowed(now, name, window)
    assert found >= now
    assert _allowed(found, zone, window)
    assert next_allowed(found, name, window) == found
    earlier = now
    while earlier < found:
        assert not _allowed(earlier, zone, window), f"{earlier} was allowed before {found}"
        earlier += MINUTE


@settings(max_examples=150, deadline=None)
@given(instants, st.sampled_from(ZONES), windows)
def test_the_answer_is_the_first_allowed_minute(now: datetime, zone: str, window: Window) -> None:
    _check(now, zone, window)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo"]),
    st.integers(-26 * 60, 4 * 60),
    st.integers(-4 * 60, 4 * 60),
    st.integers(1, 24 * 60 - 1),
    st.data(),
)
def test_the_answer_is_the_first_allowed_minute_around_clock_changes(
    zone: str, before: int, opens: int, length: int, data: st.DataObject
) -> None:
    change = data.draw(st.sampled_from(_changes(zoneinfo.ZoneInfo(zone))))
    local = (change + opens * MINUTE).astimezone(zoneinfo.ZoneInfo(zone))
    start = local.hour * 60 + local.minute
    _check(change + before * MINUTE, zone, Window(_clock(start), _clock(start + length)))


@pytest.mark.parametrize(
    ("now", "zone", "window", "expected"),
    [
        ("2026-07-01T12:00+00:00", "Europe/Berlin", DAY, "2026-07-01T12:00+00:00"),
        ("2026-07-01T19:00+00:00", "Europe/Berlin", DAY, "2026-07-02T06:00+00:00"),  # 21:00 there: closed from then on
        ("2026-07-01T18:59+00:00", "Europe/Berlin", DAY, "2026-07-01T18:59+00:00"),
        (
            "2026-03-08T05:00+00:00",
            "America/New_York",
            Window(time(2, 30), time(4)),
            "2026-03-08T07:00+00:00",
        ),  # 2:30 skipped
        (
            "2026-11-01T04:00+00:00",
            "America/New_York",
            Window(time(1, 30), time(4)),
            "2026-11-01T06:30+00:00",
        ),  # second 1:30
        (
            "2026-11-01T05:45+00:00",
            "America/New_York",
            Window(time(0), time(1, 30)),
            "2026-11-02T05:00+00:00",
        ),  # first 1:30 passed
        ("2026-07-01T22:30+00:00", "UTC", Window(time(22), time(6)), "2026-07-01T22:30+00:00"),
        ("2026-07-01T05:59+00:00", "UTC", Window(time(22), time(6)), "2026-07-01T05:59+00:00"),
        ("2026-07-01T06:00+00:00", "UTC", Window(time(22), time(6)), "2026-07-01T22:00+00:00"),
    ],
)
def test_known_days(now: str, zone: str, window: Window, expected: str) -> None:
    assert next_allowed(datetime.fromisoformat(now), zone, window) == datetime.fromisoformat(expected)


def test_two_windows_meet_in_the_hours_they_share() -> None:
    now = datetime(2026, 7, 1, 7, tzinfo=UTC)
    morning, late = Window(time(8), time(12)), Window(time(11), time(20))
    assert next_allowed_by_all(now, "UTC", [morning, late]) == datetime(2026, 7, 1, 11, tzinfo=UTC)
    with pytest.raises(ValueError, match="no hour in common"):
        next_allowed_by_all(now, "UTC", [morning, Window(time(13), time(20))])


def test_an_unknown_zone_is_said_to_be_one() -> None:
    assert is_zone("Europe/Berlin")
    assert not any(is_zone(name) for name in ("Mars/Base", "", None, "../etc/passwd"))
    with pytest.raises(ValueError, match="no time zone"):
        next_allowed(datetime(2026, 1, 1, tzinfo=UTC), "Mars/Base", DAY)
