"""How can a value be compared? One row per operator: its key, the types it fits, its operand, its SQL and its English.

``apply`` takes a column expression and an operand expression and builds the comparison with their own operators, so
the row needs no database library; text reaches it already lower-cased on both sides. A row has none where the engines
need words of their own (``db.segments_forms``), and where days and instants are meant: those operators stand for
stretches of time, which ``domain.windows`` works out before anything is compared.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "number", "integer", "money", "date", "instant", "boolean", "list", "object"]
Operand = Literal["none", "one", "many", "pair", "duration", "period", "pattern"]

NUMBERS: tuple[Kind, ...] = ("number", "integer", "money")
TIMES: tuple[Kind, ...] = ("date", "instant")
EQUALS: tuple[Kind, ...] = ("text", *NUMBERS, "date", "boolean")
ALL: tuple[Kind, ...] = ("text", *NUMBERS, *TIMES, "boolean", "list", "object")


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
        Operator("eq", EQUALS, "one", "is {}", operator.eq),
        Operator("ne", EQUALS, "one", "is not {}", operator.ne),
        Operator("in", EQUALS, "many", "is one of {}", lambda a, v: a.in_(v)),
        Operator("not_in", EQUALS, "many", "is none of {}", lambda a, v: a.not_in(v)),
        Operator("contains", ("text",), "one", "contains {}", None),
        Operator("not_contains", ("text",), "one", "does not contain {}", None),
        Operator("starts_with", ("text",), "one", "starts with {}", None),
        Operator("ends_with", ("text",), "one", "ends with {}", None),
        Operator("matches", ("text",), "pattern", "matches {}", None),
        Operator("gt", NUMBERS, "one", "is above {}", operator.gt),
        Operator("gte", NUMBERS, "one", "is at least {}", operator.ge),
        Operator("lt", NUMBERS, "one", "is below {}", operator.lt),
        Operator("lte", NUMBERS, "one", "is at most {}", operator.le),
        Operator("between", (*NUMBERS, *TIMES), "pair", "is between {} and {}", lambda a, *pair: a.between(*pair)),
        Operator("on", TIMES, "one", "is on {}", None),
        Operator("before", TIMES, "one", "is before {}", None),
        Operator("after", TIMES, "one", "is after {}", None),
        Operator("since", TIMES, "one", "is {} or later", None),
        Operator("in_last", TIMES, "duration", "is within the last {}", None),
        Operator("older_than", TIMES, "duration", "is more than {} ago", None),
        Operator("at_least_ago", TIMES, "duration", "is at least {} ago", None),
        Operator("in_next", TIMES, "duration", "is within the next {}", None),
        Operator("in_period", TIMES, "period", "falls in {}", None),
        Operator("anniversary_today", TIMES, "none", "comes round today", None),
        Operator("anniversary_in", TIMES, "duration", "comes round in exactly {}", None),
        Operator("anniversary_in_next", TIMES, "duration", "comes round within the next {}", None),
        Operator("anniversary_in_period", TIMES, "period", "comes round {}", None),
        Operator("set", ALL, "none", "is known", lambda a: a.is_not(None)),
        Operator("missing", ALL, "none", "is not known", lambda a: a.is_(None)),
        Operator("has", ("list",), "one", "includes {}", None),
        Operator("has_any", ("list",), "many", "includes {}", None),
        Operator("has_all", ("list",), "many", "includes all of {}", None),
        Operator("has_none", ("list",), "many", "includes none of {}", None),
    )
}

COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "between")
"""The operators that fit a measured number (a count, a sum, a metric)."""

PRESENCE = ("set", "missing")
"""The operators that ask whether a value is known at all, and so have an answer where it is not."""

DAYS = ("between", *(key for key, row in OPERATORS.items() if row.kinds == TIMES))
"""The operators that speak of days or instants, where their subject is one."""
