"""How do a store's buyers spread over the RFM grid, and what is each group worth?

The rule is written in ``domain.rfm``; the same statement answers the table and the segment condition.
"""

from datetime import datetime

import sqlalchemy as sa

from db.segments_figures import scored
from domain import rfm
from domain import segments as seg
from services.segments import Value
from services.sources import Source


class Field(Value):
    """One field of the grid: its scores, how many buyers, and what they have spent in all."""

    recency: int
    frequency: int
    people: int
    revenue: float


class Group(Value):
    """A named group: how many, their share of buyers and of revenue, and their means."""

    key: str
    label: str
    people: int
    share: float
    revenue: float
    revenue_share: float
    mean_revenue: float | None
    mean_purchases: float | None
    mean_days: float | None


class Step(Value):
    """Which values one score of one axis stands for here: from the lowest to the highest that anybody has."""

    axis: rfm.Axis
    score: int
    low: float
    high: float
    people: int


class Table(Value):
    """The grid of everyone who bought, or of those of them who are in a segment; all fields, all groups."""

    buyers: int
    revenue: float
    currency: str
    fields: tuple[Field, ...]
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    of: str
    as_of: datetime


def table(source: Source, *, definition: seg.Definition | None = None) -> Table:
    """The RFM table. Scores are given among all buyers; ``definition`` narrows who of them is shown.

    Raises Invalid (``no_buyers``, ``no_revenue``) for a dataset without purchases.
    """
    people = scored(definition, source.scope).cte()
    sums = {name: sa.func.sum(people.c[name]).label(name) for name in ("revenue", "purchases", "days")}
    columns = (people.c.recency, people.c.frequency)
    wanted = sa.select(*columns, sa.func.count().label("people"), *sums.values()).group_by(*columns)
    found = {(row["recency"], row["frequency"]): row for row in source.rows(wanted)}
    buyers = sum(row["people"] for row in found.values())
    revenue = sum(float(row["revenue"]) for row in found.values())
    return Table(
        buyers=buyers,
        revenue=revenue,
        currency=source.catalog.currency,
        fields=tuple(
            Field(
                recency=field[0],
                frequency=field[1],
                people=found[field]["people"] if field in found else 0,
                revenue=float(found[field]["revenue"]) if field in found else 0.0,
            )
            for field in rfm.fields()
        ),
        groups=tuple(
            _group(group, [row for field, row in found.items() if group.holds(*field)], buyers, revenue)
            for group in rfm.GROUPS.values()
        ),
        steps=_steps(source, people),
        of=source.said(definition),
        as_of=source.scope.as_of,
    )


def _group(group: rfm.Group, rows: list[dict[str, float]], buyers: int, whole: float) -> Group:
    people = int(sum(row["people"] for row in rows))
    sums = {name: sum(float(row[name]) for row in rows) for name in ("revenue", "purchases", "days")}
    return Group(
        key=group.key,
        label=group.label,
        people=people,
        share=people / buyers if buyers else 0.0,
        revenue=sums["revenue"],
        revenue_share=sums["revenue"] / whole if whole else 0.0,
        mean_revenue=sums["revenue"] / people if people else None,
        mean_purchases=sums["purchases"] / people if people else None,
        mean_days=sums["days"] / people if people else None,
    )


def _steps(source: Source, people: sa.CTE) -> tuple[Step, ...]:
    """What the scores mean in days, purchases and money."""
    axes: dict[rfm.Axis, str] = {"recency": "days", "frequency": "purchases", "monetary": "revenue"}
    steps = []
    for axis, name in axes.items():
        score, value = people.c[axis], people.c[name]
        wanted = sa.select(
            score, sa.func.min(value).label("low"), sa.func.max(value).label("high"), sa.func.count().label("n")
        )
        steps += [
            Step(axis=axis, score=row[axis], low=float(row["low"]), high=float(row["high"]), people=row["n"])
            for row in source.rows(wanted.group_by(score).order_by(score.desc()))
        ]
    return tuple(steps)
