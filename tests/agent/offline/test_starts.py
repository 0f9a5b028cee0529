"""Is a start read as people say it?"""

from datetime import date

import pytest

from agent.offline.starts import start

TODAY = date(2026, 11, 21)  # a Saturday

CASES = {
    "now": {"mode": "now"},
    "right away": {"mode": "now"},
    "tomorrow at 9": {"mode": "local", "date": "2026-11-22", "time": "09:00"},
    "tomorrow": {"mode": "local", "date": "2026-11-22"},
    "today at 18:30": {"mode": "local", "date": "2026-11-21", "time": "18:30"},
    "next Monday at 10am": {"mode": "local", "date": "2026-11-23", "time": "10:00"},
    "on Saturday": {"mode": "local", "date": "2026-11-28"},
    "Friday morning": {"mode": "local", "date": "2026-11-27", "time": "09:00"},
    "on December 5th": {"mode": "local", "date": "2026-12-05"},
    "5 December at 7 pm": {"mode": "local", "date": "2026-12-05", "time": "19:00"},
    "the 3rd of March": {"mode": "local", "date": "2027-03-03"},
    "2026-12-24 at 12am": {"mode": "local", "date": "2026-12-24", "time": "00:00"},
    "at 12 pm": {"mode": "local", "time": "12:00"},
    "tonight": {"mode": "local", "date": "2026-11-21", "time": "19:00"},
    "day after tomorrow at noon": {"mode": "local", "date": "2026-11-23", "time": "12:00"},
    "on February 30th": None,
    "at 25:00": None,
    "soon": None,
    "": None,
}


@pytest.mark.parametrize("when", CASES)
def test_a_start_is_a_day_a_time_both_or_now(when: str) -> None:
    assert start(when, TODAY) == CASES[when]
