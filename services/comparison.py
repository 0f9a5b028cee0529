"""How do two segments differ, and is the difference more than noise?

Figures of each side are of all its people. Whether they differ is judged between people who are not the same: the first
segment against those of the second who are not in it (against everyone, that is everyone else).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from db.segments_figures import Rows, side_by_side
from domain import effects
from domain import segments as seg
from domain.catalog import Catalog
from domain.segments_english import CHANNELS, CONSENTS
from services import stats
from services.segments import Value
from services.sources import Row, Source

MOST_METRICS, MOST_VALUES, LONGEST_LIST = 6, 6, 40
FEWEST = 5
"""With fewer people on a side nothing is judged."""

Verdict = Literal["higher", "lower", "about the same", "may be chance", "too few"]


class Side(Value):
    """One of the two: who it is in English, how many, which share of everyone."""

    of: str
    people: int
    share: float


class Measured(Value):
    """One metric on both sides: people with a value, median and mean.

    ``delta`` is Cliff's: 1 where everybody of the first has more than anybody of the second, -1 the other way round, 0
    where neither tends to have more; ``low`` and ``high`` are its 99 % interval.
    """

    metric: str
    label: str
    kind: str
    people: tuple[int, int]
    median: tuple[float | None, float | None]
    mean: tuple[float | None, float | None]
    delta: float | None
    low: float | None
    high: float | None
    size: effects.Size | None
    verdict: Verdict


class Shared(Value):
    """The share of each side that meets a condition, their difference and its 99 % interval."""

    about: str
    label: str
    share: tuple[float, float]
    difference: float
    low: float
    high: float
    verdict: Verdict


class Comparison(Value):
    """Two segments side by side; ``both`` is how many are in both."""

    one: Side
    other: Side
    both: int
    everyone: int
    metrics: tuple[Measured, ...]
    shares: tuple[Shared, ...]
    currency: str
    as_of: datetime


def compare(source: Source, one: seg.Definition | None, other: seg.Definition | None = None) -> Comparison:
    """Compare two segments; ``None`` is everyone. Raises Invalid as definitions do."""
    catalog = source.catalog
    metrics, consents = _metrics(catalog), _consents(catalog)
    row = source.row(_statement(source, one, other, metrics, [node for _, node in consents]))
    counts = Counts(row["one"], row["other"], row["both"])
    shares = [
        _shared("consent", label, Counts(*(row[f"{side}_{i}"] for side in SIDES)), counts)
        for i, (label, _) in enumerate(consents)
    ]
    everyone = stats.everyone(source)
    return Comparison(
        one=Side(of=source.said(one), people=counts.one, share=_share(counts.one, everyone)),
        other=Side(of=source.said(other), people=counts.other, share=_share(counts.other, everyone)),
        both=counts.both,
        everyone=everyone,
        metrics=tuple(_measured(catalog, name, row, f"m{i}") for i, name in enumerate(metrics)),
        shares=(*shares, *_values(source, one, other, counts)),
        currency=catalog.currency,
        as_of=source.scope.as_of,
    )


SIDES = ("one", "other", "both")


class Counts(NamedTuple):
    """How many are in the first, in the second, and in both."""

    one: int
    other: int
    both: int

    def apart(self, whole: "Counts") -> tuple[int, int]:
        """How many of the two sides that are judged: nobody stands on both. ``whole`` are all people of the sides."""
        if whole.other == whole.both:
            return self.one - self.both, self.other
        return self.one, self.other - self.both


def _metrics(catalog: Catalog) -> list[str]:
    """The metrics of buying where there is buying, else the first of the catalog."""
    bought = [
        name
        for name, metric in catalog.metrics.items()
        if metric.terms[0].activity == catalog.buyers and metric.terms[0].measure != "max"
    ]
    return (bought or list(catalog.metrics))[:MOST_METRICS]


def _consents(catalog: Catalog) -> list[tuple[str, seg.Leaf]]:
    if catalog.dataset != "store":
        return []
    channels: tuple[seg.Channel, ...] = ("email", "sms", "whatsapp")
    return [(CONSENTS["subscribed"].format(CHANNELS[channel]), seg.Consent(channel=channel)) for channel in channels]


def _values(
    source: Source, one: seg.Definition | None, other: seg.Definition | None, counts: Counts
) -> Iterator[Shared]:
    """The most frequent values of what the first side bought, by kind rather than by title."""
    place = _kinds(source.catalog)
    if place is None:
        return
    activity, name = place

    def people(definition: seg.Definition | None) -> dict[str, int]:
        tops = stats.top_values(source, name, activity=activity, definition=definition, limit=LONGEST_LIST)
        return {top.value: top.people for top in tops}

    found, others = people(one), people(other)
    both = others if one is None else found if other is None else people(_both(one, other))
    label = source.catalog.property(activity, name).label
    for value, count in list(found.items())[:MOST_VALUES]:
        yield _shared(label, value, Counts(count, others.get(value, 0), both.get(value, 0)), counts)


def _both(one: seg.Definition, other: seg.Definition) -> seg.Definition:
    return seg.Definition(dataset=one.dataset, where=seg.All(of=(one.where, other.where)))


def _kinds(catalog: Catalog) -> tuple[str, str] | None:
    """The property that sorts deeds into a handful of kinds: the one with most values that still fit a short list."""
    found = [
        (len(entry.values), activity, name)
        for activity, one in catalog.activities.items()
        for name, entry in one.properties.items()
        if entry.kind == "text" and not entry.private and 1 < len(entry.values) <= LONGEST_LIST
    ]
    most = max((count for count, _, _ in found), default=0)
    return next(((activity, name) for count, activity, name in found if count == most), None)


def _statement(
    source: Source,
    one: seg.Definition | None,
    other: seg.Definition | None,
    metrics: Sequence[str],
    tests: Sequence[seg.Leaf],
) -> Rows:
    """One row: how many on each side and in both, of them those who meet each test, and the figures of each metric.

    Who is judged against whom is settled here: nobody stands on both sides.
    """
    found = side_by_side(one, other, source.scope, metrics=metrics, tests=tests).cte()
    only_other = found.c.in_other & ~found.c.in_one
    rows = sa.select(*found.c, sa.func.bool_or(only_other).over().label("apart")).cte()
    c = rows.c
    sides = {"one": c.in_one, "other": c.in_other, "both": c.in_one & c.in_other}
    columns = [sa.func.count().filter(side).label(name) for name, side in sides.items()]
    columns += [
        sa.func.count().filter(side & c[f"t{i}"]).label(f"{name}_{i}")
        for i in range(len(tests))
        for name, side in sides.items()
    ]
    whole: sa.FromClause = sa.select(*columns).select_from(rows).subquery()
    parts = [whole, *(_ranked(rows, f"m{i}").subquery() for i in range(len(metrics)))]
    for part in parts[1:]:
        whole = whole.join(part, sa.true())
    return sa.select(*(column for part in parts for column in part.c)).select_from(whole)


def _ranked(rows: sa.CTE, name: str) -> Rows:
    """Figures of both sides, and how often the left has more than the right, with the variance of that.

    A person's place is the share of the other side that has less, ties counting half: the mean of the left's places is
    the superiority (H. Mann and D. Whitney, 1947), and their variances give its own (E. DeLong et al., 1988).
    """
    c = rows.c
    left, right = c.in_one & (c.apart | ~c.in_other), c.in_other & (~c.apart | ~c.in_one)
    known = sa.select(
        c[name].label("value"), c.in_one, c.in_other, left.label("is_left"), (left | right).label("judged")
    )
    people = known.where(c[name].is_not(None)).cte()
    value, side = people.c.value, people.c.is_left

    def place(*within: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        ties = sa.func.count().over(partition_by=[*within, value])
        return sa.func.rank().over(partition_by=list(within) or None, order_by=value.asc()) + (ties - 1) / sa.literal(
            2.0
        )

    others = sa.func.count().over() - sa.func.count().over(partition_by=side)
    share = (place() - place(side)) / sa.func.nullif(others, 0)
    judged = (
        sa.select(side.label("is_left"), sa.cast(share, sa.Double()).label("place")).where(people.c.judged).subquery()
    )
    lefts, rights = judged.c.is_left, ~judged.c.is_left
    verdict = sa.select(
        sa.func.count().filter(lefts).label(f"{name}_left"),
        sa.func.count().filter(rights).label(f"{name}_right"),
        sa.func.avg(judged.c.place).filter(lefts).label(f"{name}_superiority"),
        sa.func.var_samp(judged.c.place).filter(lefts).label(f"{name}_left_variance"),
        sa.func.var_samp(judged.c.place).filter(rights).label(f"{name}_right_variance"),
    ).subquery()
    figures = []
    for label, inside in (("one", people.c.in_one), ("other", people.c.in_other)):
        middle = sa.func.percentile_cont(sa.literal(0.5, sa.Double())).within_group(value.asc())
        figures += [
            sa.func.count().filter(inside).label(f"{name}_people_{label}"),
            sa.func.avg(value).filter(inside).label(f"{name}_mean_{label}"),
            middle.filter(inside).label(f"{name}_median_{label}"),
        ]
    whole = sa.select(*figures).select_from(people).subquery()
    return sa.select(*whole.c, *verdict.c).select_from(whole.join(verdict, sa.true()))


def _measured(catalog: Catalog, metric: str, row: Row, name: str) -> Measured:
    entry = catalog.metric(metric)
    left, right = row[f"{name}_left"], row[f"{name}_right"]
    middle = low = high = None
    size: effects.Size | None = None
    verdict: Verdict = "too few"
    if min(left, right) >= FEWEST:
        variance = row[f"{name}_left_variance"] / left + row[f"{name}_right_variance"] / right
        middle, low, high = effects.delta(row[f"{name}_superiority"], variance)
        size = effects.size(middle, low, high)
        verdict = _verdict(middle, size)
    return Measured(
        metric=metric,
        label=entry.label,
        kind=entry.kind,
        people=(row[f"{name}_people_one"], row[f"{name}_people_other"]),
        median=(row[f"{name}_median_one"], row[f"{name}_median_other"]),
        mean=(row[f"{name}_mean_one"], row[f"{name}_mean_other"]),
        delta=middle,
        low=low,
        high=high,
        size=size,
        verdict=verdict,
    )


def _verdict(middle: float, size: effects.Size) -> Verdict:
    if size == "none":
        return "may be chance"
    if size == "negligible":
        return "about the same"
    return "higher" if middle > 0 else "lower"


def _shared(about: str, label: str, hits: Counts, whole: Counts) -> Shared:
    (left, right), (lefts, rights) = hits.apart(whole), whole.apart(whole)
    low, high = effects.newcombe(left, lefts, right, rights)
    verdict: Verdict = "higher" if low > 0 else "lower" if high < 0 else "may be chance"
    return Shared(
        about=about,
        label=label,
        share=(_share(hits.one, whole.one), _share(hits.other, whole.other)),
        difference=_share(left, lefts) - _share(right, rights),
        low=low,
        high=high,
        verdict=verdict if min(lefts, rights) >= FEWEST else "too few",
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
