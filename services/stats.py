"""What do the numbers look like: percentiles, distributions, top values and trends, of everyone or of a segment?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from db.segments_sql import happened, measured, values_of
from domain import segments as seg
from domain.errors import Invalid
from domain.windows import Window
from services import catalog as catalogs
from services.segments import Value, run, scope, zone

BINS = 24
TOP = 10
WHOLE = 100

Unit = Literal["day", "week", "month"]


class Bin(Value):
    """How many people have a value in ``[low, high)``; the last bin holds everything above its ``low``."""

    low: float
    high: float
    people: int


class Distribution(Value):
    """The spread of a metric. ``bins`` are of equal width up to the 99th percentile, so a few extremes hide nothing."""

    metric: str
    label: str
    people: int
    mean: float | None
    percentiles: dict[str, float]
    bins: tuple[Bin, ...]


class Top(Value):
    """A value and how often it occurs, or the mean of a metric over the people who have it."""

    value: str
    people: int
    mean: float | None = None


class Point(Value):
    """How many activities began in the day, week or month that starts at ``start``, and by how many people."""

    start: datetime
    count: int
    people: int


def percentiles(
    session: Session,
    metric: str,
    at: Sequence[float],
    *,
    now: datetime,
    definition: seg.Definition | None = None,
) -> dict[str, float]:
    """Exact percentiles (0 to 100) of a metric, by number; empty where nobody has a value.

    Raises Invalid (``not_a_percentile``, ``unknown_metric``).
    """
    for number in at:
        if not 0 <= number <= WHOLE:
            raise Invalid("not_a_percentile", f"{number} is not between 0 and 100", "for example 75", "at")
    rows = measured(metric, definition, scope(session, now=now)).subquery()
    columns = [
        sa.func.percentile_cont(sa.literal(number / WHOLE, sa.Double())).within_group(rows.c.value).label(f"p{i}")
        for i, number in enumerate(at)
    ]
    found = run(session, sa.select(*columns).select_from(rows)).one()
    return {f"{number:g}": float(value) for number, value in zip(at, found, strict=True) if value is not None}


def distribution(
    session: Session, metric: str, *, now: datetime, definition: seg.Definition | None = None, bins: int = BINS
) -> Distribution:
    """The spread of a metric over everyone, or over a segment. Raises Invalid (``unknown_metric``)."""
    entry = catalogs.current(session).metric(metric, "metric")
    rows = measured(metric, definition, scope(session, now=now)).cte("measured")
    marks = {"10": 0.1, "25": 0.25, "50": 0.5, "75": 0.75, "90": 0.9, "99": 0.99}
    figures = [
        sa.func.percentile_cont(sa.literal(share, sa.Double())).within_group(rows.c.value).label(f"p{name}")
        for name, share in marks.items()
    ]
    whole = run(session, sa.select(sa.func.count().label("n"), sa.func.avg(rows.c.value).label("mean"),
                                   sa.func.min(rows.c.value).label("low"), *figures)).mappings().one()  # fmt: skip
    if not whole["n"]:
        return Distribution(metric=metric, label=entry.label, people=0, mean=None, percentiles={}, bins=())
    low, high = float(whole["low"]), float(whole["p99"])
    width = (high - low) / bins or 1.0
    place = sa.func.least(sa.func.floor((rows.c.value - low) / width), bins - 1).label("place")
    counts = {int(n): people for n, people in run(session, sa.select(place, sa.func.count()).group_by(place))}
    return Distribution(
        metric=metric,
        label=entry.label,
        people=whole["n"],
        mean=whole["mean"],
        percentiles={name: float(whole[f"p{name}"]) for name in marks},
        bins=tuple(Bin(low=low + i * width, high=low + (i + 1) * width, people=counts.get(i, 0)) for i in range(bins)),
    )


def by_group(
    session: Session,
    metric: str,
    attribute: str,
    *,
    now: datetime,
    definition: seg.Definition | None = None,
    limit: int = TOP,
) -> list[Top]:
    """The mean of a metric per value of an attribute, for the values that most people have."""
    rows = measured(metric, definition, scope(session, now=now), by=attribute).subquery()
    people = sa.func.count()
    wanted = sa.select(rows.c.group, people, sa.func.avg(rows.c.value)).where(rows.c.group.is_not(None))
    wanted = wanted.group_by(rows.c.group).order_by(people.desc(), rows.c.group).limit(limit)
    return [Top(value=str(value), people=count, mean=mean) for value, count, mean in run(session, wanted)]


def top_values(
    session: Session, name: str, *, now: datetime, activity: str | None = None, limit: int = TOP
) -> list[Top]:
    """The values of an attribute that most people have, or of a property of an activity that most did it with.

    Raises Invalid for an unknown name.
    """
    catalog = catalogs.current(session)
    entry = catalog.property(activity, name, "name") if activity else catalog.attribute(name, "name")
    values = values_of(entry, activity, scope(session, now=now)).subquery()
    people = sa.func.count(sa.distinct(values.c.id))
    wanted = sa.select(values.c.value, people).group_by(values.c.value)
    wanted = wanted.order_by(people.desc(), values.c.value).limit(limit)
    return [Top(value=str(value), people=count) for value, count in run(session, wanted)]


def trend(
    session: Session,
    activity: str,
    *,
    now: datetime,
    unit: Unit = "month",
    during: Window | None = None,
    definition: seg.Definition | None = None,
) -> list[Point]:
    """Activities per day, week or month of the store's calendar, of everyone or of a segment; oldest first."""
    rows = happened(activity, during, definition, scope(session, now=now)).subquery()
    home = zone(session)
    start = sa.func.date_trunc(unit, sa.func.timezone(home.key, rows.c.at)).label("start")
    people = sa.func.count(sa.distinct(rows.c.id)).label("people")
    wanted = sa.select(start, sa.func.count().label("happened"), people).group_by(start).order_by(start)
    return [
        Point(start=found.start.replace(tzinfo=home), count=found.happened, people=found.people)
        for found in run(session, wanted)
    ]
