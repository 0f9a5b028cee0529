"""Which days does each comparison of a date mean, on the borders of months, years and leap years?"""

from datetime import date
from typing import Any

import pytest

from domain.days import anniversaries, stretch

TODAY = date(2026, 6, 15)  # a Monday


@pytest.mark.parametrize(
    ("op", "operand", "first", "past"),
    [
        ("on", TODAY, TODAY, date(2026, 6, 16)),
        ("before", TODAY, None, TODAY),
        ("after", TODAY, date(2026, 6, 16), None),
        ("since", TODAY, TODAY, None),
        ("between", (date(2026, 1, 1), date(2026, 1, 31)), date(2026, 1, 1), date(2026, 2, 1)),
        ("in_last", "7d", date(2026, 6, 9), date(2026, 6, 16)),
        ("in_next", "7d", date(2026, 6, 16), date(2026, 6, 23)),
        ("older_than", "7d", None, date(2026, 6, 8)),
        ("at_least_ago", "7d", None, date(2026, 6, 9)),
        ("in_last", "1mo", date(2026, 5, 16), date(2026, 6, 16)),
        ("in_period", "this_week", date(2026, 6, 15), date(2026, 6, 22)),
        ("in_period", "last_week", date(2026, 6, 8), date(2026, 6, 15)),
        ("in_period", "next_quarter", date(2026, 7, 1), date(2026, 10, 1)),
        ("in_period", "tomorrow", date(2026, 6, 16), date(2026, 6, 17)),
        ("in_period", "last_year", date(2025, 1, 1), date(2026, 1, 1)),
    ],
)
def test_an_operator_means_these_days(op: str, operand: Any, first: date | None, past: date | None) -> None:
    assert stretch(op, operand, TODAY) == (first, past)


@pytest.mark.parametrize(
    ("op", "operand", "today", "days"),
    [
        ("anniversary_today", None, date(2026, 2, 28), [(228, 229)]),
        ("anniversary_today", None, date(2028, 2, 28), [(228, 228)]),
        ("anniversary_today", None, date(2028, 2, 29), [(229, 229)]),
        ("anniversary_in", "1d", date(2026, 12, 31), [(101, 101)]),
        ("anniversary_in_next", "2d", date(2026, 12, 31), [(101, 101), (1231, 1231)]),
        ("anniversary_in_next", "1mo", date(2026, 2, 1), [(201, 229)]),
        ("anniversary_in_period", "tomorrow", date(2026, 6, 15), [(616, 616)]),
        ("anniversary_in_next", "3w", date(2026, 2, 20), [(220, 312)]),
    ],
)
def test_anniversaries_come_round_on_these_days_of_the_year(
    op: str, operand: Any, today: date, days: list[tuple[int, int]]
) -> None:
    assert anniversaries(op, operand, today) == days


@pytest.mark.parametrize(
    ("op", "operand"), [("in_last", "12h"), ("anniversary_in_next", "2y"), ("anniversary_in", "3h")]
)
def test_hours_and_more_than_a_year_of_anniversaries_are_refused(op: str, operand: str) -> None:
    with pytest.raises(ValueError, match=r"1d|1y"):
        (anniversaries if op.startswith("anniversary") else stretch)(op, operand, TODAY)
