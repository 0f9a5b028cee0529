"""Does an answer about a person change only when something is written about that very person?

Then a count can be brought up to date by asking only those of whom something was written since. Conditions are let in
one by one; whatever is not known here to be so is not.
"""

from collections.abc import Callable

from domain import segments as seg
from domain.catalog import Catalog
from domain.operators import OPERATORS, TIMES

LASTING = frozenset({"count", "sum", "average", "min", "max", "distinct"})
"""Measures that do not change by waiting."""

Resolve = Callable[[int, str], seg.Definition]


def rests_on_own_rows(node: seg.Leaf | seg.Group, catalog: Catalog, resolve: Resolve) -> bool:  # noqa: PLR0911 - a case per kind
    """Neither windows nor the passing of time, neither percentiles nor ranks: only what is known of the person."""
    match node:
        case seg.All() | seg.AnyOf() | seg.AtLeast():
            return all(rests_on_own_rows(child, catalog, resolve) for child in node.of)
        case seg.Not():
            return rests_on_own_rows(node.of, catalog, resolve)
        case seg.Member():
            return rests_on_own_rows(resolve(node.id, "where").where, catalog, resolve)
        case seg.Attribute():
            return _lasts(node.op)
        case seg.Metric():
            lasting = all(term.measure in LASTING for term in catalog.metric(node.name).terms)
            return lasting and node.during is None and not isinstance(node.value, seg.RELATIVE)
        case seg.Activity():
            lasting = node.measure in LASTING and all(_lasts(test.op) for test in node.where)
            return lasting and node.during is None and not isinstance(node.value, seg.RELATIVE)
        case seg.Consent() | seg.Suppressed() | seg.Reachable() | seg.Tagged() | seg.Bucket():
            return True
        case _:
            return False


def _lasts(op: str) -> bool:
    """The operator does not speak of days and instants, which may be relative to now."""
    return OPERATORS[op].kinds != TIMES
