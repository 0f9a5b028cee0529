"""Who has which RFM scores? The rule of ``domain.rfm`` as SQL, for the segment condition and for the table alike."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.segments_activities import Stretch
from db.segments_tables import Value
from domain import rfm

if TYPE_CHECKING:
    from db.segments_compiler import Compiler

Scores = sa.Select[*tuple[Any, ...]]
"""Per buyer: ``id``; ``recency``, ``frequency``, ``monetary`` (1 to 5); ``days``, ``purchases``, ``revenue``."""


def scores(compiler: "Compiler") -> Scores:
    """The scores of every buyer, as a statement that stands for itself within a compilation.

    A compilation that has aggregated something already must have collected the revenue metric with it. Raises Invalid
    (``no_buyers``, ``no_revenue``).
    """
    people = compiler.population(compiler.metric(rfm.revenue(compiler.catalog), None, "rfm"), "everyone", "rfm")
    bought = compiler.occurrences(Stretch(compiler.catalog.buyers or ""), "rfm")
    columns = (
        bought.of.label("id"),
        bought.measure("days_since_last", None).label("days"),
        bought.measure("count", None).label("purchases"),
    )
    facts = bought.select(*columns).group_by(bought.of).cte()
    buyers = replace(people, measures=(*people.measures, facts), tests=(*people.tests, facts.c.id.is_not(None)))
    revenue: Value = sa.cast(people.value, sa.Double())
    return buyers.select(
        people.key.label("id"),
        _score(facts.c.days.desc()).label("recency"),
        _score(facts.c.purchases.asc()).label("frequency"),
        _score(revenue.asc()).label("monetary"),
        sa.cast(facts.c.days, sa.Double()).label("days"),
        facts.c.purchases.label("purchases"),
        revenue.label("revenue"),
    )


def _score(order: Value) -> sa.ColumnElement[int]:
    """``1 + floor(5 x L / N)``; a rank is one more than L."""
    lower: Value = sa.cast(sa.func.rank().over(order_by=order) - 1, sa.Double())
    share = lower * rfm.SCORES / sa.cast(sa.func.count().over(), sa.Double())
    return sa.cast(sa.func.floor(share), sa.Integer()) + 1
