"""Where does a stretch of time begin and end?"""

from datetime import UTC, datetime, timedelta
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
