"""Which stretch of time do some words mean? ``in the last 60 days``, ``since March``, ``more than a year ago``."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from agent.offline.dates import Days, delta, window
from agent.offline.grammar import Alternative, Chart, Grammar
from agent.offline.tokens import UNIT_WORDS, Token
from domain.glossary import Term
from domain.windows import Window

_PLURAL = {"h": "hours", "d": "days", "w": "weeks", "mo": "months", "y": "years"}
_MOST = {"y": 100, "mo": 1_200, "w": 5_200, "d": 9_999, "h": 9_999}
_CLOSED = {"lt", "lte"}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A window being read: a finished one, a glossary term to be looked up per activity, or all time.

    ``bare`` is a length without "last" ("in 60 days"), ``point`` one without direction ("60 days ago"), ``lacking``
    what was left unsaid ("in the last 30").
    """

    window: Window | None = None
    term: Term | None = None
    note: str = ""
    bare: bool = False
    point: bool = False
    lacking: str = ""


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of time."""
    _lengths(grammar)
    _windows(grammar)


def unit_of(length: str) -> str:
    """``60d`` is in ``days``."""
    return _PLURAL[length.lstrip("0123456789")]


def length_text(value: Decimal, unit: str) -> str | None:
    """A length of time in the segment language, or ``None`` where it is none: nothing, or more than a century."""
    smaller = {"y": (12, "mo"), "mo": (30, "d"), "w": (7, "d"), "d": (24, "h")}
    while value != int(value) and unit in smaller:
        factor, unit = smaller[unit]
        value *= factor
    return f"{int(value)}{unit}" if value == int(value) and 0 < value <= _MOST[unit] else None


def _lengths(grammar: Grammar) -> None:
    @grammar.rule("length", "<token_length>")
    def _(_c: Chart, _i: int, _e: int, token: Token) -> str | None:
        return length_text(token.number, token.unit)

    @grammar.rule("length", "a|an|the <unit>", "<token_number> <unit>")
    def _(_c: Chart, _i: int, _e: int, *found: Any) -> str | None:
        factor, unit = found[-1]
        count = found[0].number if len(found) > 1 else Decimal(1)
        return length_text(count * factor, unit)

    @grammar.rule("length", "half a|an <unit>", "[a] half <unit>")
    def _(_c: Chart, _i: int, _e: int, unit: tuple[int, str]) -> str | None:
        return length_text(Decimal(unit[0]) / 2, unit[1])

    @grammar.rule("length", "a|an <unit> and a half")
    def _(_c: Chart, _i: int, _e: int, unit: tuple[int, str]) -> str | None:
        return length_text(Decimal(unit[0]) * Decimal("1.5"), unit[1])

    @grammar.reader("unit")
    def _(chart: Chart, i: int) -> list[Alternative]:
        unit = UNIT_WORDS.get(chart.stems[i])
        return [(i + 1, unit)] if unit else []


def _windows(grammar: Grammar) -> None:  # noqa: C901 - one rule after the other, each on its own
    rule = grammar.rule

    @rule("window", "<term_window>")
    def _(_c: Chart, _i: int, _e: int, term: Term) -> Stretch:
        return Stretch(term=term)

    @rule(
        "window",
        "[:in] [the|these|their] :last <length>",
        "[:in] [the] :last :compare_low <length>",
        "[:in] <length> :last",
    )
    def _(_c: Chart, _i: int, _e: int, length: str) -> Stretch:
        return Stretch(Window(last=length))

    @rule("window", "[:in] the <length> before the :last <length>")
    def _(_c: Chart, _i: int, _e: int, length: str, other: str) -> Stretch | None:
        return Stretch(Window(previous=length)) if other == length else None

    @rule("window", "[:in] the :last <token_number>", ":in :last <token_number>", "last|past <token_number>")
    def _(chart: Any, _i: int, end: int, token: Token) -> Stretch | None:
        fits = not token.plus and not chart.at("counted", end) and not chart.at("yearno", end - 1)
        return Stretch(lacking=f"{token.number:f}") if fits else None

    @rule(
        "window", ":in the :last <unit>", ":in :last_past <unit>", "past <unit>", "the past <unit>", "the :last <unit>"
    )
    def _(_c: Chart, _i: int, _e: int, unit: tuple[int, str]) -> Stretch:
        return Stretch(Window(last=f"{unit[0]}{unit[1]}"))

    @rule("window", "[:in] <when>")
    def _(_c: Chart, _i: int, _e: int, period: Any) -> Stretch:
        return Stretch(Window(calendar=period))

    @rule("window", ":since <days>", "from <days> :onwards", "<days> :onwards")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Stretch:
        return Stretch(window(start=days.first), note=_since(days))

    @rule("window", ":after <days>")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Stretch:
        return Stretch(window(start=days.last + timedelta(days=1)), note=_since(days))

    @rule("window", ":before <days>")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Stretch:
        return Stretch(window(end=days.first - timedelta(days=1)), note=f"before {days.first}" if days.said else "")

    @rule("window", ":until <days>")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Stretch:
        return Stretch(window(end=days.last), note=f"up to {days.last}" if days.said else "")

    @rule("window", ":between <days> :to <days>", "<days> :to_range <days>", ":during <days> :to_range <days>")
    def _(chart: Any, _i: int, _e: int, first: Days, last: Days) -> Stretch | None:
        return _from_to(chart.today, first, last)

    @rule("window", ":during <days>", "over <holiday_days>", "<written_days>")
    def _(_c: Chart, _i: int, _e: int, days: Days) -> Stretch:
        return Stretch(window(start=days.first, end=days.last), note=days.said)

    @rule("window", ":last_calendar <month>", ":last <weekday>", ":last <holiday>", ":this <month>")
    def _(chart: Any, i: int, _e: int, _named: str) -> Stretch | None:
        best = chart.best("days", i)
        return Stretch(window(start=best[1].first, end=best[1].last), note=best[1].said) if best else None

    @rule("window", "<compare> <length> :ago", "[:in] <length> <or_more> :ago", "[:in] <length> :ago <or_more>")
    def _(_c: Chart, _i: int, _e: int, *found: str) -> Stretch:
        op, length = (
            (found[0], found[1]) if found[0] in {"gt", "gte", "lt", "lte", "eq", "ne"} else (found[1], found[0])
        )
        return Stretch(Window(last=length) if op in _CLOSED else Window(until=length))

    @rule("window", "<token_length> :ago")
    def _(_c: Chart, _i: int, _e: int, token: Token) -> Stretch | None:
        length = length_text(token.number, token.unit)
        return Stretch(Window(until=length), point=not token.plus) if length else None

    @rule("window", "<length> :ago")
    def _(_c: Chart, _i: int, _e: int, length: str) -> Stretch:
        return Stretch(Window(until=length), point=True)

    @rule("window", ":before <length> :ago", "earlier|older than <length> [:ago]", "not :in [the] :last <length>")
    def _(_c: Chart, _i: int, _e: int, length: str) -> Stretch:
        return Stretch(Window(until=length))

    @rule("window", ":since <length> :ago")
    def _(_c: Chart, _i: int, _e: int, length: str) -> Stretch:
        return Stretch(Window(last=length))

    @rule(
        "window",
        ":between <length> :to <length> :ago",
        "<length> :to <length> :ago",
        "[:in] [the] :last <length> :to <length>",
    )
    def _(_c: Chart, _i: int, _e: int, one: str, other: str) -> Stretch | None:
        return _between(one, other)

    @rule("window", ":between <token_number> :to <length> :ago", "<token_number> :to <length> :ago")
    def _(_c: Chart, _i: int, _e: int, one: Token, other: str) -> Stretch | None:
        return _between(f"{one.number:f}{other.lstrip('0123456789')}", other)

    @rule("window", ":between <length> and <length>", ":between <token_number> and <length>")
    def _(_c: Chart, _i: int, _e: int, one: Any, other: str) -> Stretch | None:
        first = one if isinstance(one, str) else f"{one.number:f}{other.lstrip('0123456789')}"
        return replace(found, bare=True) if (found := _between(first, other)) else None

    @rule("window", ":span [<compare>] <length> [<or_more>]")
    def _(_c: Chart, _i: int, _e: int, op: str | None, length: str, more: str | None) -> Stretch | None:
        return None if (op or more or "gt") in _CLOSED else Stretch(Window(last=length), bare=True)

    @rule("window", ":all_time")
    def _(_c: Chart, _i: int, _e: int) -> Stretch:
        return Stretch()

    @rule(
        "window",
        "at least once <window>",
        "at some point <window>",
        "any time <window>",
        "anytime <window>",
        "sometime <window>",
    )
    def _(_c: Chart, _i: int, _e: int, found: Stretch) -> Stretch:
        return found

    rule("compare_low", "<compare>")(lambda _c, _i, _e, op: op in {"lt", "lte"} or None)


def _since(days: Days) -> str:
    return f"from {days.first} on" if days.said else ""


def _from_to(today: date, first: Days, last: Days) -> Stretch | None:
    """From one day to another; a month without a year before the other one is taken from that one's year or before."""
    start = first.first
    if start > last.last and first.said:
        start = start.replace(year=start.year - 1)
    if start > last.last and last.said:
        last = replace(last, last=last.last.replace(year=last.last.year + 1))
    if start > last.last or start > today:
        return None
    said = f"from {start} to {last.last}" if first.said or last.said else ""
    return Stretch(window(start=start, end=last.last), note=said)


def _between(one: str, other: str) -> Stretch | None:
    """Between two lengths of time ago, whichever is named first."""
    if not all(_is_possible(length) for length in (one, other)):
        return None
    origin = date(2000, 12, 31)
    near, far = sorted((one, other), key=lambda length: origin - delta(length), reverse=True)
    try:
        return Stretch(Window(last=far, until=near))
    except ValueError:
        return None


def _is_possible(length: str) -> bool:
    unit = length.lstrip("0123456789")
    return length[: -len(unit)].isdigit() and int(length[: -len(unit)]) <= _MOST[unit]
