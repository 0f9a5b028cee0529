"""Where does a stretch of time begin and end?"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from domain.windows import Window

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def test_until_alone_means_everything_before_then() -> None:
    window = Window(until="60d")
    assert window.bounds(NOW, ZoneInfo("UTC")) == (None, NOW - timedelta(days=60))
    assert window.english() == "more than 60 days ago"


def test_until_must_be_shorter_than_last() -> None:
    with pytest.raises(ValidationError, match="until must be shorter"):
        Window(last="30d", until="60d")


def test_lengths_and_dates_do_not_mix() -> None:
    with pytest.raises(ValidationError, match="exactly one of"):
        Window(until="30d", calendar="last_month")


@pytest.mark.parametrize(
    ("today", "first"),
    [
        ("2026-02-28", "2026-01-29"),
        ("2024-02-29", "2024-01-30"),
        ("2026-03-30", "2026-03-01"),
        ("2026-04-30", "2026-03-31"),
    ],
)
def test_the_last_month_is_the_days_later_than_a_month_ago(today: str, first: str) -> None:
    asked, begins, day = date.fromisoformat(today), date.fromisoformat(first), timedelta(days=1)
    assert Window(last="1mo").days(asked) == (begins, asked + day)
    assert Window(last="1mo", inclusive=True).days(asked) == (begins - day, asked + day)
    assert Window(last="1mo", inclusive=True).days(asked, before=True)[1] == begins - day
    assert Window(until="1mo").days(asked) == (None, begins)
    assert Window(last="2mo", until="1mo").days(asked)[1] == begins
    assert Window(previous="1mo").days(asked)[1] == begins
    assert Window(last="1mo").days(asked, before=True)[1] == begins


def test_the_last_year_begins_on_the_first_of_march_after_a_leap_day() -> None:
    assert Window(last="1y").days(date(2024, 2, 29))[0] == date(2023, 3, 1)
    assert Window(last="1y").days(date(2025, 2, 28))[0] == date(2024, 2, 29)
