"""How long ago was the last one? Often that can be told without looking at all of them.

The last one was at most so long ago if there is one since; it was longer ago if there is one, but none since. Both read
a stretch of an index only, where the time of the last one would have to be found for everybody.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from db.segments_activities import Stretch
from db.segments_tables import TYPES, Bool
from domain import segments as seg

if TYPE_CHECKING:
    from db.segments_compiler import Compiler

DAY = 86_400_000_000
"""Microseconds, in which both engines keep instants."""


def recent(
    compiler: "Compiler", stretch: Stretch, measure: str, node: seg.Metric | seg.Activity, path: str
) -> Bool | None:
    """``days_since_last`` against one number or a pair, or None where that has to be computed."""
    rows = compiler.occurrences(stretch, path)
    bounds = _instants(compiler.as_of, node.value)
    if measure != "days_since_last" or rows.activity.time_kind != "instant" or bounds is None:
        return None
    if node.missing == "include" or set(compiler.measures.get(stretch, ())) - {(measure, None)}:
        return None  # the rest is aggregated anyway

    def since(at: datetime | None, up_to: datetime | None = None, *, then: bool) -> Bool:
        """There is one after ``at``, or ``then`` too, and not after ``up_to``."""
        found = compiler.occurrences(stretch, path)
        tests = [found.of == compiler.key]
        if at:
            start = sa.literal(at, TYPES["instant"])
            tests.append(found.at >= start if then else found.at > start)
        if up_to:
            tests.append(found.at <= sa.literal(up_to, TYPES["instant"]))
        return found.happened(*tests)

    match node.op, bounds:
        case "lt" | "lte", (at,):
            return since(at, then=node.op == "lte")
        case "gt" | "gte", (at,):
            return since(None, then=True) & ~since(at, then=node.op == "gt")
        case "between", (latest, earliest):
            return since(earliest, latest, then=True) & ~since(latest, then=False)
        case _:
            return None


def _instants(as_of: datetime, operand: object) -> tuple[datetime, ...] | None:
    """So many days before the instant asked about, if that is a whole number of microseconds each."""
    numbers = operand if isinstance(operand, tuple) else (operand,)
    lengths = [number * DAY for number in numbers if isinstance(number, Decimal)]
    if len(lengths) != len(numbers) or any(one != int(one) or not 0 <= one < DAY * 36_500 for one in lengths):
        return None
    return tuple(as_of - timedelta(microseconds=int(one)) for one in lengths)
