"""Which calendar days do some words mean? ``March 4th``, ``Q1 2025``, ``last December``, ``Black Friday``."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from agent.offline.grammar import Alternative, Chart, Grammar
from agent.offline.tokens import Token
from domain.windows import Window

FIRST_YEAR, LAST_YEAR = 1900, 2100
THURSDAY, NOVEMBER = 3, 11


@dataclass(frozen=True, slots=True)
class Days:
    """Calendar days, both included; ``said`` is how a period without a year was completed."""

    first: date
    last: date
    said: str = ""


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of dates."""
    _days(grammar)
    _months(grammar)
    _named(grammar)
    _numbers(grammar)


def _days(grammar: Grammar) -> None:
    @grammar.rule("days", "<token_date>")
    def _(_c: Chart, _i: int, _e: int, token: Token) -> Days | None:
        return Days(token.value, token.value) if isinstance(token.value, date) else None

    @grammar.rule("written_days", "<token_date>")
    def _(_c: Chart, _i: int, _e: int, token: Token) -> Days | None:
        return Days(token.value, token.value) if isinstance(token.value, date) else None

    @grammar.rule("days", "the <days>", "the period from <days>", "day|date of <days>")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Days:
        return days

    @grammar.rule("days", "<yearno>", "[the] year <yearno>")
    def _(_c: Chart, _i: int, _e: int, year: int) -> Days:
        return Days(date(year, 1, 1), date(year, 12, 31))

    @grammar.rule("days", "<quarterno> [of] [<yearno>]")
    def _(chart: Any, _i: int, _e: int, quarter: int, year: int | None) -> Days:
        return _quarter(chart.today, quarter, year)

    @grammar.rule("days", "[the] first|1st half of <yearno>", "h1 [of] <yearno>")
    def _(_c: Chart, _i: int, _e: int, year: int) -> Days:
        return Days(date(year, 1, 1), date(year, 6, 30))

    @grammar.rule("days", "[the] second|2nd half of <yearno>", "h2 [of] <yearno>")
    def _(_c: Chart, _i: int, _e: int, year: int) -> Days:
        return Days(date(year, 7, 1), date(year, 12, 31))


def _months(grammar: Grammar) -> None:
    @grammar.rule("days", "<month> <dayno> [:comma] <yearno>", "<month> <dayno>")
    def _(chart: Any, _i: int, _e: int, month: str, day: int, year: int | None = None) -> Days | None:
        return _day(chart.today, year, int(month), day)

    @grammar.rule("days", "<dayno> [of] <month> [:comma] <yearno>", "<dayno> [of] <month>")
    def _(chart: Any, _i: int, _e: int, day: int, month: str, year: int | None = None) -> Days | None:
        return _day(chart.today, year, int(month), day)

    @grammar.rule("days", "<month> [of|in] <yearno>", "<month>")
    def _(chart: Any, i: int, _e: int, month: str, year: int | None = None) -> Days | None:
        if chart.stems[i] == "may" and year is None and (i == 0 or not chart.at("dating", i - 1)):
            return None
        return _month(chart.today, year, int(month))

    @grammar.rule("days", ":last_calendar <month>")
    def _(chart: Any, _i: int, _e: int, month: str) -> Days:
        found = _month(chart.today, None, int(month))
        current = int(month) == chart.today.month
        return _month(chart.today, found.first.year - 1, int(month)) if current else found

    @grammar.rule("days", ":this <month>")
    def _(chart: Any, _i: int, _e: int, month: str) -> Days:
        return _month(chart.today, chart.today.year, int(month))

    @grammar.rule("days", "<month> :last year", "<month> of last year")
    def _(chart: Any, _i: int, _e: int, month: str) -> Days:
        return _month(chart.today, chart.today.year - 1, int(month))


def _named(grammar: Grammar) -> None:
    @grammar.rule("days", "<when>")
    def _(chart: Any, _i: int, _e: int, period: str) -> Days:
        return calendar(chart.today, period)

    @grammar.rule("days", "<weekday>", ":last <weekday>")
    def _(chart: Any, _i: int, _e: int, weekday: str) -> Days | None:
        back = (chart.today.weekday() - int(weekday)) % 7 or 7
        first = chart.today - timedelta(days=back)
        return Days(first, first, f"{first:%A, %-d %B %Y}")

    @grammar.rule("days", "<holiday> [of] [<yearno>]", "last <holiday>", "this past <holiday>")
    def _(chart: Any, _i: int, _e: int, holiday: str, year: int | None = None) -> Days:
        return _holiday(chart.today, holiday, year)

    @grammar.rule("holiday_days", "<holiday> [<yearno>]")
    def _(chart: Any, _i: int, _e: int, holiday: str, year: int | None) -> Days:
        return _holiday(chart.today, holiday, year)

    @grammar.rule("days", ":start_of <days>", ":start_of the <days>")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Days:
        return Days(days.first, days.first, days.said)

    @grammar.rule("days", ":start_of [the] <period>")
    def _(chart: Any, _i: int, _e: int, period: str) -> Days:
        first = calendar(chart.today, f"this_{period}" if period != "day" else "today").first
        return Days(first, first, f"{first}")

    @grammar.rule("days", ":end_of <days>")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Days:
        return Days(days.last, days.last, days.said)

    @grammar.rule("days", "<length> ago")
    def _(chart: Any, _i: int, _e: int, length: str) -> Days | None:
        day = chart.today - delta(length)
        return Days(day, day, f"{day}")


def _numbers(grammar: Grammar) -> None:
    @grammar.reader("yearno")
    def _(chart: Any, i: int) -> list[Alternative]:
        token = chart.tokens[i]
        is_year = token.kind == "number" and FIRST_YEAR <= token.number <= LAST_YEAR and token.text.isdigit()
        return [(i + 1, int(token.number))] if is_year and not token.plus else []

    @grammar.reader("dayno")
    def _(chart: Any, i: int) -> list[Alternative]:
        token = chart.tokens[i]
        is_day = token.kind in {"number", "ordinal"} and 1 <= token.number <= 31  # noqa: PLR2004
        return [(i + 1, int(token.number))] if is_day and not token.plus else []

    @grammar.reader("quarterno")
    def _(chart: Any, i: int) -> list[Alternative]:
        stem = chart.stems[i]
        named = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
        if len(stem) == 2 and stem[0] == "q" and stem[1] in "1234":  # noqa: PLR2004
            return [(i + 1, int(stem[1]))]
        return [(i + 2, named[stem])] if stem in named and chart.stems[i + 1 : i + 2] == ("quarter",) else []

    @grammar.reader("comma")
    def _(chart: Any, i: int) -> list[Alternative]:
        return [(i + 1, True)] if chart.tokens[i].norm in {",", ";"} else []


def window(start: date | None = None, end: date | None = None) -> Window:
    """From one day to another, both included; either may be open."""
    return Window.model_validate({"from": start, "to": end})


def delta(length: str) -> timedelta | relativedelta:
    """A length of time as something that can be taken from a day."""
    number, unit = int(length.rstrip("dhwmoy")), length.lstrip("0123456789")
    if unit in {"h", "d", "w"}:
        return timedelta(hours=number) if unit == "h" else timedelta(days=number * (7 if unit == "w" else 1))
    return relativedelta(months=number) if unit == "mo" else relativedelta(years=number)


def _day(today: date, year: int | None, month: int, day: int) -> Days | None:
    try:
        found = date(year or today.year, month, day)
    except ValueError:
        return None
    if year is None and found > today:
        found = found.replace(year=found.year - 1)
    return Days(found, found, "" if year else f"{found:%-d %B %Y}")


def _month(today: date, year: int | None, month: int) -> Days:
    chosen = year or (today.year if month <= today.month else today.year - 1)
    first = date(chosen, month, 1)
    return Days(first, first + relativedelta(months=1, days=-1), "" if year else f"{first:%B %Y}")


def _quarter(today: date, quarter: int, year: int | None) -> Days:
    first = date(year or today.year, quarter * 3 - 2, 1)
    if year is None and first > today:
        first = first.replace(year=first.year - 1)
    return Days(first, first + relativedelta(months=3, days=-1), "" if year else f"Q{quarter} {first.year}")


def calendar(today: date, period: str) -> Days:
    """The days of a calendar period of the segment language."""
    which, _, unit = {"today": "this_day", "yesterday": "last_day"}.get(period, period).partition("_")
    month = today.replace(day=1)
    starts = {
        "day": (today, relativedelta(days=1)),
        "week": (today - timedelta(days=today.weekday()), relativedelta(weeks=1)),
        "month": (month, relativedelta(months=1)),
        "quarter": (month - relativedelta(months=(month.month - 1) % 3), relativedelta(months=3)),
        "year": (today.replace(month=1, day=1), relativedelta(years=1)),
    }
    start, step = starts[unit]
    start = start if which == "this" else start - step
    return Days(start, start + step - timedelta(days=1), period.replace("_", " "))


def _holiday(today: date, holiday: str, year: int | None) -> Days:
    found = _holiday_of(year or today.year, holiday)
    if year is None and found > today:
        found = _holiday_of(today.year - 1, holiday)
    return Days(found, found, f"{found:%-d %B %Y}")


def _holiday_of(year: int, holiday: str) -> date:
    fixed = {
        "christmas": (12, 25),
        "christmas_eve": (12, 24),
        "new_year": (1, 1),
        "valentine": (2, 14),
        "halloween": (10, 31),
    }
    if holiday in fixed:
        return date(year, *fixed[holiday])
    first = date(year, NOVEMBER, 1)
    thanksgiving = first + timedelta(days=(THURSDAY - first.weekday()) % 7 + 21)
    return thanksgiving + timedelta(days={"thanksgiving": 0, "black_friday": 1, "cyber_monday": 4}[holiday])
