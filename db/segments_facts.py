"""What does a compilation find out: about a condition, about a number of each person, about whom it is taken over?"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from db.segments_tables import Bool, Joins, Value
from domain import segments as seg


@dataclass(frozen=True)
class Fact:
    """One leaf of a definition as SQL: whether it holds, what it looked at, and whether that is unknown.

    ``never`` is of a leaf that something did not happen in a window: it did not happen before that either.
    """

    path: str
    node: seg.Leaf
    holds: Bool
    value: Value | None = None
    unknown: Bool | None = None
    threshold: Value | None = None
    never: Bool | None = None


@dataclass(frozen=True)
class Amount:
    """A number of each entity, and the aggregations it is read off."""

    value: Value
    measures: tuple[sa.FromClause, ...]


@dataclass(frozen=True)
class Population:
    """The people that a percentile or a rank is taken over, apart from the person asked about, and their values."""

    entity: sa.FromClause
    key: sa.ColumnElement[int]
    joins: Joins
    value: Value
    measures: tuple[sa.FromClause, ...]
    tests: tuple[Bool, ...]

    def select(self, *columns: Value) -> sa.Select[Any]:
        """Columns over the population. Make the columns first: they may need joins."""
        rows = self.joins.rows(self.entity)
        for cte in self.measures:
            rows = rows.outerjoin(cte, cte.c.id == self.key)
        return sa.select(*columns).select_from(rows).where(*self.tests)
