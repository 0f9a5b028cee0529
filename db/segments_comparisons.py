"""How is a column compared with an operand of the segment language?"""

import operator
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from db.segments_forms import Contains, EndsWith, Includes, JsonLower, Matches, StartsWith
from db.segments_tables import TYPES, Bool, Scope, SmallText, Value
from db.segments_times import moment, timed
from domain.errors import Invalid
from domain.operators import DAYS, NUMBERS, OPERATORS, TIMES, Kind, Operator
from domain.patterns import portable


def compare(
    op: str, kind: Kind, column: Value, value: Any, path: str, scope: Scope, zones: Value | None = None
) -> Bool:
    """The comparison, NULL where the column is. Raises Invalid (``operator_does_not_fit``, ``wrong_type``).

    With ``zones``, a column of time zones, days are those of each person's own calendar.
    """
    row = _fitting(op, kind, path)
    if kind in TIMES and op in DAYS:
        return timed(op, kind, column, value, path, scope, zones)
    if kind == "list" and row.operand != "none":
        return _of_list(op, column, value)
    match row.operand:
        case "none":
            return _applied(op, column)
        case "pattern":
            return Matches(column, sa.literal(portable(value), sa.Text()))
        case "one" if op in PARTS:
            return _of_part(op, folded(kind, column), _coerced(kind, value, f"{path}.value"))
        case _:
            values = value if isinstance(value, tuple) else (value,)
            bound = [_coerced(kind, item, f"{path}.value") for item in values]
            return _applied(op, folded(kind, column), *([bound] if row.operand == "many" else bound))


def compare_columns(op: str, kinds: tuple[Kind, Kind], columns: tuple[Value, Value], path: str) -> Bool:
    """Two columns compared, NULL where one is. Raises Invalid (``operator_does_not_fit``, ``wrong_type``)."""
    row, (kind, other) = _fitting(op, kinds[0], path), kinds
    if kind != other and not (kind in NUMBERS and other in NUMBERS):
        message, fix = f"a {kind} cannot be compared with a {other}", f"name an attribute that is a {kind}"
        raise Invalid("wrong_type", message, fix, f"{path}.value.attribute")
    if row.key not in COMPARED:
        fits = ", ".join(key for key in COMPARED if kind in OPERATORS[key].kinds)
        raise Invalid(
            "operator_does_not_fit", f"{op!r} does not compare attributes", f"use one of: {fits}", f"{path}.op"
        )
    return sa.type_coerce(COMPARED[op](*(folded(kind, column) for column in columns)), sa.Boolean())


COMPARED: dict[str, Callable[[Value, Value], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "on": operator.eq,
    "before": operator.lt,
    "after": operator.gt,
    "since": operator.ge,
}
"""How one attribute is compared with another."""


PARTS: dict[str, tuple[type[Contains], str]] = {
    "contains": (Contains, "%{}%"),
    "not_contains": (Contains, "%{}%"),
    "starts_with": (StartsWith, "{}%"),
    "ends_with": (EndsWith, "%{}"),
}
"""How a text is looked for in another, with the pattern for it."""


def _of_part(op: str, column: Value, part: str) -> Bool:
    form, pattern = PARTS[op]
    escaped = part.replace("/", "//").replace("%", "/%").replace("_", "/_")
    found: Bool = form(column, sa.literal(pattern.format(escaped), sa.Text()), sa.literal(part, sa.Text()))
    return sa.not_(found) if op == "not_contains" else found


def folded(kind: Kind, column: Value) -> Value:
    """The column as it is compared: text in small letters."""
    small = kind != "text" or isinstance(column.type, SmallText)
    return column if small else sa.func.lower(column, type_=sa.Text())


def _fitting(op: str, kind: Kind, path: str) -> Operator:
    row = OPERATORS[op]
    if kind not in row.kinds:
        fits = ", ".join(key for key, other in OPERATORS.items() if kind in other.kinds)
        raise Invalid("operator_does_not_fit", f"{op!r} does not fit a {kind}", f"use one of: {fits}", f"{path}.op")
    return row


def _of_list(op: str, column: Value, value: Any) -> Bool:
    small = JsonLower(column)
    values = value if isinstance(value, tuple) else (value,)
    items = [_item(item) for item in values]
    tests = [Includes(small, sa.literal([item], TYPES["list"])) for item in items]
    match op:
        case "has_all":
            return sa.and_(*tests)
        case "has_none":
            return sa.not_(sa.or_(*tests))
        case _:
            return sa.or_(*tests)


def _item(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value.lower() if isinstance(value, str) else value


def compare_number(op: str, value: Value, operand: Any) -> Bool:
    """A measured number compared with one number, or a pair of them."""
    numbers = operand if isinstance(operand, tuple) else (operand,)
    return _applied(op, value, *(sa.literal(number, sa.Numeric()) for number in numbers))


def compare_value(op: str, value: Value, other: Value) -> Bool:
    """A measured number compared with another one."""
    return _applied(op, value, other)


def _applied(op: str, *sides: Any) -> Bool:
    apply = OPERATORS[op].apply
    assert apply is not None  # noqa: S101 - those without words of their own were seen to before
    return sa.type_coerce(apply(*sides), sa.Boolean())


def _coerced(kind: Kind, value: Any, path: str) -> Any:
    """The operand as the column's type. Raises Invalid (``wrong_type``)."""
    if kind == "text" and not isinstance(value, bool):
        return str(value).lower()
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in NUMBERS and isinstance(value, Decimal):
        return value
    if kind == "date":
        with suppress(ValueError):
            return moment(value)
    raise Invalid("wrong_type", f"{value!r:.80} is not a {kind}", f"give a {kind}", path)
