"""How is a column compared with an operand of the segment language?"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from db.segments_forms import Includes, Matches
from db.segments_tables import TYPES, Bool, Scope, Value
from domain.errors import Invalid
from domain.operators import OPERATORS, Kind
from domain.windows import length

DAYS_OF_A_YEAR = 366
LEAP_DAY = 229
FOREIGN = re.compile(r"\(\?[=!<P]|\\[1-9]")
FORMS = {"matches": Matches, "has": Includes}


def compare(op: str, kind: Kind, column: Value, value: Any, path: str, scope: Scope) -> Bool:
    """The comparison, NULL where the column is. Raises Invalid (``operator_does_not_fit``, ``wrong_type``)."""
    row = OPERATORS[op]
    if kind not in row.kinds:
        fits = ", ".join(key for key, other in OPERATORS.items() if kind in other.kinds)
        raise Invalid("operator_does_not_fit", f"{op!r} does not fit a {kind}", f"use one of: {fits}", f"{path}.op")
    folds = kind == "text"
    subject = sa.func.lower(column, type_=sa.Text()) if folds else column
    values = value if isinstance(value, tuple) else (value,)
    match row.operand:
        case "none":
            return apply(op, column)
        case "duration":
            return apply(op, column, *_around(value, kind, f"{path}.value", scope))
        case "anniversary":
            month_day = sa.extract("month", column) * 100 + sa.extract("day", column)
            return apply(op, month_day, _anniversaries(value, f"{path}.value", scope))
        case "pattern":
            return apply(op, column, sa.literal(_pattern(value, f"{path}.value"), sa.Text()))
        case _:
            bound = [_coerced(kind, item, f"{path}.value", scope) for item in values]
            bound = [item.lower() for item in bound] if folds else bound
            return apply(op, subject, bound) if row.operand == "many" else apply(op, subject, *_typed(bound, kind))


def compare_number(op: str, value: Value, operand: Any) -> Bool:
    """A measured number compared with one number, or a pair of them."""
    numbers = operand if isinstance(operand, tuple) else (operand,)
    return apply(op, value, *(sa.literal(number, sa.Numeric()) for number in numbers))


def apply(op: str, *sides: Any) -> Bool:
    """The operator on a column and its operands: its own words, or the form that each engine has for it."""
    test = (OPERATORS[op].apply or FORMS[op])(*sides)
    return sa.type_coerce(test, sa.Boolean())


def _typed(values: list[Any], kind: Kind) -> list[Any]:
    """Lists are bound as JSON; everything else takes the column's own type."""
    return [sa.literal(value, TYPES[kind]) for value in values] if kind == "list" else values


def _pattern(value: Any, path: str) -> str:
    """A regular expression that both engines read alike and that takes linear time."""
    try:
        re.compile(value)
    except re.error as error:
        raise Invalid("wrong_pattern", f"{value!r} is not a regular expression: {error}", "correct it", path) from None
    if FOREIGN.search(value):
        fix = "do without look-around and back-references"
        raise Invalid("wrong_pattern", f"{value!r} uses what not every engine has", fix, path)
    return str(value)


def _around(duration: str, kind: Kind, path: str, scope: Scope) -> tuple[Any, Any, Any]:
    """So long before the instant asked about, that instant, and so long after it.

    For a date, the days after those: the last N days are those later than N days ago and not later than today.
    """
    try:
        step = length(duration)
    except ValueError:
        raise Invalid(
            "not_a_duration", f"{duration!r} is not a length of time", "write for example 60d", path
        ) from None
    if kind == "date":
        tomorrow = scope.today + timedelta(days=1)
        return tomorrow - step, tomorrow, tomorrow + step
    return scope.as_of - step, scope.as_of, scope.as_of + step


def _anniversaries(duration: str, path: str, scope: Scope) -> list[int]:
    """The days from today on, as month x 100 + day; 29 February is kept on the 28th of a common year."""
    _, tomorrow, end = _around(duration, "date", path, scope)
    if (end - tomorrow).days > DAYS_OF_A_YEAR:
        raise Invalid("duration_too_long", f"{duration} is more than a year", "at most 1y", path)
    days = [scope.today + timedelta(days=i) for i in range((end - tomorrow).days)]
    keys = [day.month * 100 + day.day for day in days]
    return [*keys, LEAP_DAY] if LEAP_DAY - 1 in keys and LEAP_DAY not in keys else keys


def _coerced(kind: Kind, value: Any, path: str, scope: Scope) -> Any:
    """The operand as the column's type. Raises Invalid (``wrong_type``)."""
    try:
        match kind:
            case "text":
                return str(value)
            case "money" | "number" | "integer" if not isinstance(value, bool):
                return Decimal(str(value))
            case "boolean" if isinstance(value, bool):
                return value
            case "date":
                return date.fromisoformat(str(value))
            case "instant":
                at = datetime.fromisoformat(str(value))
                return at if at.tzinfo else at.replace(tzinfo=scope.zone)
            case "list":
                return [value]
            case _:
                pass
    except (ValueError, ArithmeticError):
        pass
    raise Invalid("wrong_type", f"{value!r} is not a {kind}", f"give a {kind}", path)
