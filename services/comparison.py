"""How do two segments differ, and is the difference more than noise?

Figures of each side are of all its people. Whether they differ is judged between people who are not the same: the first
segment against those of the second who are not in it (against everyone, that is everyone else).
"""

from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from db.segments_figures import side_by_side
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
    metrics = _metrics(catalog)
    tests = [*_consents(catalog), *_values(source, one)]
    rows = side_by_side(one, other, source.scope, metrics=metrics, tests=[node for _, _, node in tests]).cte("people")
    counted = _counted(source, rows, len(tests))
    left, right = _sides(rows, nested=counted["right"] == 0)
    everyone = stats.everyone(source)
    return Comparison(
        one=Side(of=source.said(one), people=counted["one"], share=_share(counted["one"], everyone)),
        other=Side(of=source.said(other), people=counted["other"], share=_share(counted["other"], everyone)),
        both=counted["both"],
        everyone=everyone,
        metrics=tuple(
            _measured(catalog, name, source.row(_ranked(rows, f"m{i}", left, right))) for i, name in enumerate(metrics)
        ),
        shares=tuple(_shared(about, label, i, counted) for i, (about, label, _) in enumerate(tests)),
        currency=catalog.currency,
        as_of=source.scope.as_of,
    )


def _metrics(catalog: Catalog) -> list[str]:
    """The metrics of buying where there is buying, else the first of the catalog."""
    bought = [
        name
        for name, metric in catalog.metrics.items()
        if metric.terms[0].activity == catalog.buyers and metric.terms[0].measure != "max"
    ]
    return (bought or list(catalog.metrics))[:MOST_METRICS]


Test = tuple[str, str, seg.Leaf]
"""What a share is about, which share it is, and the condition that decides it."""


def _consents(catalog: Catalog) -> list[Test]:
    if catalog.dataset != "store":
        return []
    channels: tuple[seg.Channel, ...] = ("email", "sms", "whatsapp")
    return [
        ("consent", CONSENTS["subscribed"].format(CHANNELS[channel]), seg.Consent(channel=channel))
        for channel in channels
    ]


def _values(source: Source, definition: seg.Definition | None) -> list[Test]:
    """The most frequent values of what the first side bought, by kind rather than by title."""
    place = _kinds(source.catalog)
    if place is None:
        return []
    activity, name = place
    entry = source.catalog.property(activity, name)
    tops = stats.top_values(source, name, activity=activity, definition=definition, limit=MOST_VALUES)
    return [
        (
            entry.label,
            top.value,
            seg.Activity(name=activity, op="any", where=(seg.Filter(name=name, op="eq", value=top.value),)),
        )
        for top in tops
    ]


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


def _counted(source: Source, rows: sa.CTE, tests: int) -> Row:
    """How many are on each side, in both, and in one but not the other; and how many of each meet each test."""
    c = rows.c
    sides = {"one": c.in_one, "other": c.in_other, "both": c.in_one & c.in_other}
    apart = {"left": c.in_one & ~c.in_other, "right": c.in_other & ~c.in_one}
    columns = [sa.func.count().filter(side).label(name) for name, side in {**sides, **apart}.items()]
    for i in range(tests):
        columns += [
            sa.func.count().filter(side & c[f"t{i}"]).label(f"{name}_{i}") for name, side in {**sides, **apart}.items()
        ]
    return source.row(sa.select(*columns).select_from(rows))


def _sides(rows: sa.CTE, *, nested: bool) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Who is judged against whom: nobody stands on both sides."""
    one, other = rows.c.in_one, rows.c.in_other
    return (one & ~other, other) if nested else (one, other & ~one)


def _ranked(rows: sa.CTE, name: str, left: sa.ColumnElement[bool], right: sa.ColumnElement[bool]) -> sa.Select[Row]:
    """Figures of both sides, and how often the left has more than the right, with the variance of that.

    A person's place is the share of the other side that has less, ties counting half: the mean of the left's places is
    the superiority (H. Mann and D. Whitney, 1947), and their variances give its own (E. DeLong et al., 1988).
    """
    value = rows.c[name]
    known = sa.select(
        value.label("value"), rows.c.in_one, rows.c.in_other, left.label("is_left"), (left | right).label("judged")
    )
    known_rows = known.where(value.is_not(None)).cte()
    v = known_rows.c.value
    side = known_rows.c.is_left

    def place(*within: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        ties = sa.func.count().over(partition_by=[*within, v])
        return sa.func.rank().over(partition_by=list(within) or None, order_by=v.asc()) + (ties - 1) / sa.literal(2.0)

    others = sa.func.count().over() - sa.func.count().over(partition_by=side)
    share = (place() - place(side)) / sa.func.nullif(others, 0)
    judged = sa.select(side.label("is_left"), sa.cast(share, sa.Double()).label("place"))
    judged_rows = judged.where(known_rows.c.judged).subquery()
    verdict = sa.select(
        sa.func.count().filter(judged_rows.c.is_left).label("left"),
        sa.func.count().filter(~judged_rows.c.is_left).label("right"),
        sa.func.avg(judged_rows.c.place).filter(judged_rows.c.is_left).label("superiority"),
        sa.func.var_samp(judged_rows.c.place).filter(judged_rows.c.is_left).label("left_variance"),
        sa.func.var_samp(judged_rows.c.place).filter(~judged_rows.c.is_left).label("right_variance"),
    ).subquery()
    figures = []
    for label, inside in (("one", known_rows.c.in_one), ("other", known_rows.c.in_other)):
        middle = sa.func.percentile_cont(sa.literal(0.5, sa.Double())).within_group(v.asc())
        figures += [
            sa.func.count().filter(inside).label(f"people_{label}"),
            sa.func.avg(v).filter(inside).label(f"mean_{label}"),
            middle.filter(inside).label(f"median_{label}"),
        ]
    whole = sa.select(*figures).select_from(known_rows).subquery()
    return sa.select(*whole.c, *verdict.c).select_from(whole.join(verdict, sa.true()))


def _measured(catalog: Catalog, name: str, row: Row) -> Measured:
    entry = catalog.metric(name)
    enough = min(row["left"], row["right"]) >= FEWEST
    middle = low = high = None
    size: effects.Size | None = None
    verdict: Verdict = "too few"
    if enough:
        variance = row["left_variance"] / row["left"] + row["right_variance"] / row["right"]
        middle, low, high = effects.delta(row["superiority"], variance)
        size = effects.size(middle, low, high)
        verdict = _verdict(middle, size)
    return Measured(
        metric=name,
        label=entry.label,
        kind=entry.kind,
        people=(row["people_one"], row["people_other"]),
        median=(row["median_one"], row["median_other"]),
        mean=(row["mean_one"], row["mean_other"]),
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


def _shared(about: str, label: str, i: int, counted: Row) -> Shared:
    nested = counted["right"] == 0
    left, right = ("left", "other") if nested else ("one", "right")
    low, high = effects.newcombe(counted[f"{left}_{i}"], counted[left], counted[f"{right}_{i}"], counted[right])
    one, other = (_share(counted[f"{side}_{i}"], counted[side]) for side in ("one", "other"))
    difference = _share(counted[f"{left}_{i}"], counted[left]) - _share(counted[f"{right}_{i}"], counted[right])
    verdict: Verdict = "higher" if low > 0 else "lower" if high < 0 else "may be chance"
    return Shared(
        about=about,
        label=label,
        share=(one, other),
        difference=difference,
        low=low,
        high=high,
        verdict=verdict if min(counted[left], counted[right]) >= FEWEST else "too few",
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
