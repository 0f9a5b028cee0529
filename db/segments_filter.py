"""What can a condition leave unsaid where it only picks rows?

A condition of a segment is true or false, never NULL, so that it can be denied and counted. Where rows are picked, NULL
picks as little as false does, and insisting on the difference hides from the planners that a row without a partner is
not picked: they can then neither make an inner join of an outer one nor use an index. What is denied stays as it is.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    AsBoolean,
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    Grouping,
    TypeCoerce,
    UnaryExpression,
)
from sqlalchemy.sql.functions import coalesce

from db.segments_tables import Bool, Value

COMPARED = {operators.eq, operators.ne, operators.gt, operators.ge, operators.lt, operators.le}


def picking(condition: Bool) -> Bool:  # noqa: PLR0911 - one case per form
    """The condition for a WHERE: it picks the same rows, but may be NULL where it is not true."""
    match condition:
        case Grouping() if isinstance(condition.element, sa.ColumnElement):
            return picking(condition.element)
        case AsBoolean() if condition.operator is operators.is_true:
            return picking(condition.element)
        case TypeCoerce():
            return picking(condition.clause)
        case UnaryExpression() if condition.operator is operators.inv:
            return _denied(condition.element)
        case BooleanClauseList():
            join = sa.and_ if condition.operator is operators.and_ else sa.or_
            return join(*(picking(part) for part in condition.clauses))
        case coalesce():
            value, instead = condition.clauses
            return picking(value) if isinstance(instead, sa.False_) else condition
        case BinaryExpression() if condition.operator in COMPARED and isinstance(condition.right, BindParameter):
            return _compared(condition, condition.right)
        case _:
            return condition


def _denied(whole: Any) -> Bool:
    """NOT of a group is said of its parts, as the planners can do nothing with a NOT around a group."""
    group = whole.element if isinstance(whole, Grouping) else whole
    if isinstance(group, UnaryExpression) and group.operator is operators.inv:
        return picking(group.element)
    if not isinstance(group, BooleanClauseList):
        denied: Bool = sa.not_(whole)
        return denied
    join = sa.or_ if group.operator is operators.and_ else sa.and_
    return join(*(picking(sa.not_(part)) for part in group.clauses))


def _compared(test: BinaryExpression[Any], operand: BindParameter[Any]) -> Bool:
    """``coalesce(count, 0) >= 3`` picks what ``count >= 3`` picks, as 0 is less than 3."""
    counted = test.left.clause if isinstance(test.left, sa.Cast) else test.left
    if not isinstance(counted, coalesce):
        return test
    value, instead = counted.clauses
    default = instead.value if isinstance(instead, BindParameter) else None
    if default is None or test.operator(default, operand.value):
        return test
    alone: Value = sa.cast(value, test.left.type) if isinstance(test.left, sa.Cast) else value
    found: Bool = test.operator(alone, operand)
    return found
