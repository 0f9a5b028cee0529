"""When does "tomorrow at 9" begin? A day, a time of day, or both, on each recipient's clock; or now."""

import re
from datetime import date, timedelta
from typing import Any

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
PARTS_OF_DAY = {"morning": 9, "noon": 12, "midday": 12, "afternoon": 14, "evening": 18, "tonight": 19}
SHORTEST_NAME = 3

_NOW = re.compile(r"\b(now|immediately|right away|at once|straight away|asap)\b")
_CLOCK = re.compile(r"\b(?:at\s+)?(\d{1,2})(?::(\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|o'clock|h)?(?=\W|$)")
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


def start(when: str, today: date) -> dict[str, Any] | None:
    """The start as flows write it, with ``date``, ``time`` or both; ``None`` where nothing of it can be read."""
    said = when.lower()
    if _NOW.search(said):
        return {"mode": "now"}
    day, rest = _day(said, today)
    clock = _clock(rest)
    found = {"date": day.isoformat() if day else None, "time": clock}
    known = {key: value for key, value in found.items() if value}
    return {"mode": "local", **known} if known else None


def _day(said: str, today: date) -> tuple[date | None, str]:
    """The day that is named, never one before today, and the words without it."""
    if iso := _ISO.search(said):
        return _made(int(iso[1]), int(iso[2]), int(iso[3])), _ISO.sub(" ", said)
    for word, ahead in (("day after tomorrow", 2), ("tomorrow", 1), ("today", 0), ("tonight", 0)):
        if word in said:
            return today + timedelta(days=ahead), said if word == "tonight" else said.replace(word, " ")
    for name in re.findall(r"[a-z]+", said):
        if len(name) < SHORTEST_NAME:
            continue
        weekday = next((i for i, one in enumerate(WEEKDAYS) if one.startswith(name)), None)
        if weekday is not None:
            ahead = (weekday - today.weekday() - 1) % 7 + 1
            return today + timedelta(days=ahead), said.replace(name, " ")
        month = next((i for i, one in enumerate(MONTHS, 1) if one.startswith(name)), None)
        if month is not None:
            return _in_month(said, name, month, today)
    return None, said


def _in_month(said: str, name: str, month: int, today: date) -> tuple[date | None, str]:
    """``december 5th`` or ``5 december``: this year's, or next year's where that is over."""
    found = re.search(
        rf"\b{name}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b|\b(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+{name}\b", said
    )
    if found is None:
        return None, said
    number = int(found[1] or found[2])
    day = _made(today.year, month, number)
    if day is not None and day < today:
        day = _made(today.year + 1, month, number)
    return day, said.replace(found[0], " ")


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(said: str) -> str | None:
    for word, hour in PARTS_OF_DAY.items():
        if re.search(rf"\b{word}\b", said) and not re.search(r"\d", said):
            return f"{hour:02d}:00"
    for found in _CLOCK.finditer(said):
        hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "")[:1]
        if half == "p" and hour < 12:  # noqa: PLR2004 - noon
            hour += 12
        elif half == "a" and hour == 12:  # noqa: PLR2004 - midnight
            hour = 0
        if hour < 24 and minute < 60:  # noqa: PLR2004 - a clock
            return f"{hour:02d}:{minute:02d}"
    return None
