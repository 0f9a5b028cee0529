"""How can a value be compared? One row per operator: its key, the types it fits, its operand, its SQL and its English.

``apply`` takes a column expression and an operand expression and builds the comparison with their own operators, so
the row needs no database library; text reaches it already lower-cased on both sides. Where the engines need words of
their own, the row has none and ``db.segments_forms`` has one form per engine.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "number", "integer", "money", "date", "instant", "boolean", "list"]
Operand = Literal["none", "one", "many", "pair", "duration", "anniversary", "pattern"]

NUMBERS: tuple[Kind, ...] = ("number", "integer", "money")
TIMES: tuple[Kind, ...] = ("date", "instant")
SCALARS: tuple[Kind, ...] = ("text", *NUMBERS, *TIMES, "boolean")


@dataclass(frozen=True)
class Operator:
    """One way to compare. ``english`` has ``{}`` where the operand is said (``{}`` twice for a pair)."""

    key: str
    kinds: tuple[Kind, ...]
    operand: Operand
    english: str
    apply: Callable[..., Any] | None


OPERATORS: dict[str, Operator] = {
    row.key: row
    for row in (
        Operator("eq", SCALARS, "one", "is {}", operator.eq),
        Operator("ne", SCALARS, "one", "is not {}", operator.ne),
        Operator("in", SCALARS, "many", "is one of {}", lambda a, v: a.in_(v)),
        Operator("not_in", SCALARS, "many", "is none of {}", lambda a, v: a.not_in(v)),
        Operator("contains", ("text",), "one", "contains {}", lambda a, v: a.contains(v, autoescape=True)),
        Operator("not_contains", ("text",), "one", "does not contain {}", lambda a, v: ~a.contains(v, autoescape=True)),
        Operator("starts_with", ("text",), "one", "starts with {}", lambda a, v: a.startswith(v, autoescape=True)),
        Operator("ends_with", ("text",), "one", "ends with {}", lambda a, v: a.endswith(v, autoescape=True)),
        Operator("matches", ("text",), "pattern", "matches {}", None),
        Operator("gt", NUMBERS, "one", "is above {}", operator.gt),
        Operator("gte", NUMBERS, "one", "is at least {}", operator.ge),
        Operator("lt", NUMBERS, "one", "is below {}", operator.lt),
        Operator("lte", NUMBERS, "one", "is at most {}", operator.le),
        Operator(
            "between", (*NUMBERS, "date"), "pair", "is between {} and {}", lambda a, low, high: a.between(low, high)
        ),
        Operator("before", TIMES, "one", "is before {}", operator.lt),
        Operator("after", TIMES, "one", "is after {}", operator.gt),
        Operator("since", TIMES, "one", "is {} or later", operator.ge),
        Operator(
            "in_last", TIMES, "duration", "is within the last {}", lambda a, past, now, _: (a >= past) & (a < now)
        ),
        Operator("older_than", TIMES, "duration", "is more than {} ago", lambda a, past, _now, _next: a < past),
        Operator(
            "in_next", TIMES, "duration", "is within the next {}", lambda a, _, now, next_: (a >= now) & (a < next_)
        ),
        Operator("anniversary_in_next", TIMES, "anniversary", "comes round within the next {}", lambda a, v: a.in_(v)),
        Operator("set", (*SCALARS, "list"), "none", "is known", lambda a: a.is_not(None)),
        Operator("missing", (*SCALARS, "list"), "none", "is not known", lambda a: a.is_(None)),
        Operator("has", ("list",), "one", "includes {}", None),
    )
}

COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "between")
"""The operators that fit a measured number (a count, a sum, a metric)."""
