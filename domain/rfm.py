"""How recent, how frequent and how valuable is a buyer? Scores from 1 to 5, and the named groups of the grid they make.

The rule, among everybody who has bought by the instant asked about:

- recency is the time of the last purchase, frequency the number of purchases, monetary value the revenue net of
  refunds;
- a score is ``1 + floor(5 x L / N)``, where N counts the buyers and L those with a lower value (an earlier last
  purchase, fewer purchases, less revenue); 5 is best. Buyers with the same value share a score, the lower one;
- a group is a field of the grid of recency and frequency; every field belongs to exactly one. Monetary value names no
  group; it is shown beside them.

Who never bought has no score and is in no group.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from domain.catalog import Catalog
from domain.errors import Invalid, NotFound

SCORES = 5

Axis = Literal["recency", "frequency", "monetary"]


@dataclass(frozen=True)
class Group:
    """A stretch of the grid: lowest and highest score on both axes, both included."""

    key: str
    label: str
    recency: tuple[int, int]
    frequency: tuple[int, int]

    def holds(self, recency: int, frequency: int) -> bool:
        """Whether a field of the grid belongs to the group."""
        return self.recency[0] <= recency <= self.recency[1] and self.frequency[0] <= frequency <= self.frequency[1]


GROUPS: dict[str, Group] = {
    group.key: group
    for group in (
        Group("champions", "champions", (5, 5), (4, 5)),
        Group("loyal", "loyal customers", (3, 4), (4, 5)),
        Group("potential_loyalists", "potential loyalists", (4, 5), (2, 3)),
        Group("new", "new customers", (5, 5), (1, 1)),
        Group("promising", "promising", (4, 4), (1, 1)),
        Group("need_attention", "need attention", (3, 3), (3, 3)),
        Group("about_to_sleep", "about to sleep", (3, 3), (1, 2)),
        Group("cannot_lose", "cannot lose them", (1, 2), (5, 5)),
        Group("at_risk", "at risk", (1, 2), (3, 4)),
        Group("hibernating", "hibernating", (1, 2), (1, 2)),
    )
}
"""The groups, best first; the names and fields are those commonly used with RFM grids of five by five."""


def fields() -> Iterator[tuple[int, int]]:
    """Every field of the grid as (recency, frequency), the best first."""
    for recency in range(SCORES, 0, -1):
        for frequency in range(SCORES, 0, -1):
            yield recency, frequency


def group_of(recency: int, frequency: int) -> Group:
    """The group of a field. Raises NotFound (``no_such_score``) for scores that are not 1 to 5."""
    for group in GROUPS.values():
        if group.holds(recency, frequency):
            return group
    raise NotFound("no_such_score", f"there is no score {recency}-{frequency}", f"scores are 1 to {SCORES}")


def revenue(catalog: Catalog) -> str:
    """The metric that is the monetary value: the money that the buyers' activity adds up to.

    Raises Invalid (``no_buyers``, ``no_revenue``) for a dataset without one.
    """
    if catalog.buyers is None:
        raise Invalid("no_buyers", f"{catalog.dataset} has no buyers", "name the activity in its catalog: buyers = ...")
    for name, metric in catalog.metrics.items():
        first = metric.terms[0]
        if metric.kind == "money" and first.activity == catalog.buyers and first.measure == "sum":
            return name
    fix = f"add a metric to its catalog that sums money of {catalog.buyers}"
    raise Invalid("no_revenue", f"{catalog.dataset} has no revenue", fix)
