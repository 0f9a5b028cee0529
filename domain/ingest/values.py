"""What does a value written by another system mean: a number, an instant, an identifier, a yes?

Nothing here raises: a value that cannot be read is None, and the line it stands on is set aside and counted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Literal
from zoneinfo import ZoneInfo

DateOrder = Literal["dmy", "mdy"]

_BLANK = frozenset({"", "nan", "none", "null", "n/a", "na", "nat", "#n/a", "<na>", "\\n", "-"})
_FLOAT_TEXT = re.compile(r"^(\d+)\.0+$")
_NUMBER = re.compile(r"^[-+]?(\d[\d., '\u00a0\u202f]*|[.,]\d+)$")
_MONEY_SIGNS = re.compile(r"^\(?\s*([-+]?)\s*(?:[A-Z]{3}|[$€£¥₹]|Rs\.?)?\s*(.*?)\s*(?:[A-Z]{3}|[$€£¥₹])?\s*\)?$")
_EMAIL = re.compile(r"^[^\s@,;<>()\"]+@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_TIME = rf"(?:[T ,]+{_CLOCK})?"
_OFFSET = r"\s*(?P<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
_YEAR_FIRST = re.compile(
    r"^(?P<year>\d{4})(?P<mark>[-/.]?)(?P<month>\d{2}|(?<=\D)\d)(?P=mark)(?P<day>\d{2}|(?<=\D)\d)" + _TIME + _OFFSET
)
_YEAR_LAST = re.compile(r"^(?P<first>\d{1,2})[-/.](?P<then>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _TIME + _OFFSET)
_NAMED = re.compile(r"^(?P<day>\d{1,2})[- .]+(?P<name>[A-Za-z]{3,9})[-,. ]+(?P<year>\d{4}|\d{2})" + _TIME + _OFFSET)
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}

_NOON = 12
_CENTURY = 100
_THIS_CENTURY_UNTIL = 69
"""Two-digit years follow POSIX: 69 to 99 are of the last century."""


def text(value: str | None) -> str | None:
    """A value without the spaces around and doubled within it; None for the usual ways to write nothing."""
    if value is None:
        return None
    cleaned = " ".join(value.replace("\x00", "").split())
    if cleaned.startswith("'") and len(cleaned) > 1 and (cleaned[1].isdigit() or cleaned[1] == "+"):
        cleaned = cleaned[1:]  # the apostrophe with which spreadsheets keep digits from becoming numbers
    return None if cleaned.casefold() in _BLANK else cleaned


def identifier(value: str | None) -> str | None:
    """A key as it was meant: ``17850`` where a spreadsheet made ``17850.0`` of it."""
    cleaned = text(value)
    found = _FLOAT_TEXT.match(cleaned) if cleaned else None
    return found[1] if found else cleaned


def email(value: str | None) -> str | None:
    """An address in lower case, or None where it cannot be one."""
    cleaned = text(value)
    lowered = cleaned.lower() if cleaned else ""
    return lowered if _EMAIL.match(lowered) else None


def yes(value: str | None) -> bool | None:
    """Whether a value says yes or no; None where it says neither."""
    cleaned = (text(value) or "").casefold()
    if cleaned in {"yes", "y", "true", "1", "on", "subscribed"}:
        return True
    return False if cleaned in {"no", "n", "false", "0", "off", "unsubscribed"} else None


@dataclass(frozen=True)
class Numbers:
    """How a column writes numbers: with a decimal point or a decimal comma."""

    decimal: Literal[".", ","] = "."

    @classmethod
    def of(cls, values: Iterable[str | None]) -> "Numbers":
        """The writing that fits the values: a mark that repeats or comes before the other is not the decimal one."""
        points = commas = 0
        for value in values:
            cleaned = text(value) or ""
            point, comma = cleaned.rfind("."), cleaned.rfind(",")
            if point >= 0 and comma >= 0:
                points, commas = points + (point > comma), commas + (comma > point)
            elif comma >= 0 and cleaned.count(",") == 1:
                grouped = re.search(r",\d{3}$", cleaned)
                commas += not grouped
            elif point >= 0 and cleaned.count(".") == 1:
                points += 1
        return cls("," if commas > points else ".")

    def read(self, value: str | None) -> Decimal | None:
        """The number, without signs of money and marks between thousands; None where it is none."""
        cleaned = text(value)
        if cleaned is None:
            return None
        try:
            return _finite(Decimal(cleaned)) if self.decimal == "." and cleaned.isascii() else self._dressed(cleaned)
        except InvalidOperation:
            return self._dressed(cleaned)

    def _dressed(self, cleaned: str) -> Decimal | None:
        found = _MONEY_SIGNS.match(cleaned)
        if found is None or not _NUMBER.match(found[2]):
            return None
        other = "," if self.decimal == "." else "."
        plain = re.sub(r"[ '\u00a0\u202f]", "", found[2]).replace(other, "").replace(self.decimal, ".")
        negative = found[1] == "-" or (cleaned.startswith("(") and cleaned.endswith(")"))
        try:
            return _finite(Decimal(f"-{plain}" if negative else plain))
        except InvalidOperation:
            return None


@dataclass(frozen=True)
class Instants:
    """How a column writes instants: day or month first where the year is last, and the zone of times without one."""

    zone: ZoneInfo
    order: DateOrder | None = None

    def read(self, value: str | None) -> datetime | None:
        """The instant in UTC; None where it is none. A date alone means its beginning."""
        cleaned = text(value)
        if cleaned is None:
            return None
        found = _YEAR_FIRST.match(cleaned)
        if found:
            return self._instant(found, int(found["month"]), int(found["day"]))
        found = _YEAR_LAST.match(cleaned)
        if found:
            first, then = int(found["first"]), int(found["then"])
            return self._instant(found, first, then) if self.order == "mdy" else self._instant(found, then, first)
        found = _NAMED.match(cleaned)
        month = _MONTHS.get(found["name"][:3].casefold()) if found else None
        return self._instant(found, month, int(found["day"])) if found and month else None

    def _instant(self, found: re.Match[str], month: int, day: int) -> datetime | None:
        year, hour = int(found["year"]), int(found["hour"] or 0)
        if year < _CENTURY:
            year += 2000 if year < _THIS_CENTURY_UNTIL else 1900
        if found["half"]:
            hour = hour % _NOON + (_NOON if found["half"][0] in "Pp" else 0)
        try:
            local = datetime(
                year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), tzinfo=self._zone(found)
            )
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def _zone(self, found: re.Match[str]) -> ZoneInfo | timezone:
        offset = found["offset"]
        if not offset:
            return self.zone
        if offset in {"Z", "UTC", "GMT"}:
            return UTC
        minutes = int(offset[1:3]) * 60 + int(offset[3:].lstrip(":") or 0)
        return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def date_order(values: Iterable[str | None]) -> DateOrder | None:
    """Whether days or months come first in dates that end with the year; None where no value tells."""
    days_first = months_first = False
    for value in values:
        found = _YEAR_LAST.match(text(value) or "")
        if found:
            days_first |= int(found["first"]) > _NOON
            months_first |= int(found["then"]) > _NOON
    if days_first == months_first:
        return None
    return "dmy" if days_first else "mdy"


def end_with_year(values: Iterable[str | None]) -> bool:
    """Whether some dates end with the year, so that one must know whether days or months come first."""
    return any(_YEAR_LAST.match(text(value) or "") for value in values)


def _finite(number: Decimal) -> Decimal | None:
    return number if number.is_finite() else None
