"""What do the numbers look like: percentiles, distributions, top values and trends, of everyone or of a segment?"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta

from db.segments_figures import Rows, begun, dated, done, measured, people, values_of
from domain import segments as seg
from domain.catalog import Catalog, Term
from domain.errors import Invalid
from domain.operators import TIMES
from domain.windows import Window
from services.segments import Value
from services.sources import Source

BINS = 24
TOP = 10
WHOLE = 100
MOST_POINTS = 2_000

Unit = Literal["day", "week", "month", "quarter", "year"]
By = Literal["people", "deeds", "weight"]

STEPS: dict[Unit, timedelta | relativedelta] = {
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": relativedelta(months=1),
    "quarter": relativedelta(months=3),
    "year": relativedelta(years=1),
}
Bounds = tuple[datetime | None, datetime]

AGGREGATES: dict[str, Callable[[Any], sa.ColumnElement[Any]]] = {
    "count": lambda value: sa.func.count(sa.distinct(value)),
    "sum": sa.func.sum,
    "average": sa.func.avg,
    "min": sa.func.min,
    "max": sa.func.max,
}


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
    """A value, how many people have it, and the number it is ranked by: people, deeds, a sum, or a metric's mean."""

    value: str
    people: int
    number: float


class Point(Value):
    """One day, week, month ... that begins on ``start``; ``whole`` unless it reaches past the window or the instant."""

    start: date
    value: float
    people: int
    whole: bool


def everyone(source: Source, definition: seg.Definition | None = None) -> int:
    """How many people there are, or how many a segment has."""
    found = people(definition, source.scope).subquery()
    return int(source.row(sa.select(sa.func.count().label("n")).select_from(found))["n"])


def percentiles(
    source: Source,
    metric: str,
    at: Sequence[float],
    *,
    definition: seg.Definition | None = None,
    during: Window | None = None,
) -> dict[str, float]:
    """Exact percentiles (0 to 100) of a metric, by number; empty where nobody has a value.

    Raises Invalid (``not_a_percentile``, ``unknown_metric``).
    """
    for number in at:
        if not 0 <= number <= WHOLE:
            raise Invalid("not_a_percentile", f"{number} is not between 0 and 100", "for example 75", "at")
    rows = measured(metric, definition, source.scope, during=during).subquery()
    columns = [_percentile(rows.c.value, number / WHOLE).label(f"p{i}") for i, number in enumerate(at)]
    found = source.row(sa.select(*columns).select_from(rows))
    return {f"{number:g}": float(found[f"p{i}"]) for i, number in enumerate(at) if found[f"p{i}"] is not None}


def distribution(
    source: Source,
    metric: str,
    *,
    definition: seg.Definition | None = None,
    during: Window | None = None,
    bins: int = BINS,
) -> Distribution:
    """The spread of a metric over everyone, or over a segment. Raises Invalid (``unknown_metric``)."""
    entry = source.catalog.metric(metric, "metric")
    rows = measured(metric, definition, source.scope, during=during).cte("measured")
    marks = {"10": 0.1, "25": 0.25, "50": 0.5, "75": 0.75, "90": 0.9, "99": 0.99}
    figures = [_percentile(rows.c.value, share).label(f"p{name}") for name, share in marks.items()]
    whole = source.row(
        sa.select(
            sa.func.count().label("n"),
            sa.func.avg(rows.c.value).label("mean"),
            sa.func.min(rows.c.value).label("low"),
            *figures,
        ).select_from(rows)
    )
    if not whole["n"]:
        return Distribution(metric=metric, label=entry.label, people=0, mean=None, percentiles={}, bins=())
    low, high = float(whole["low"]), float(whole["p99"])
    width = (high - low) / bins or 1.0
    place = sa.func.least(sa.func.floor((rows.c.value - low) / width), bins - 1).label("place")
    counted = source.rows(sa.select(place, sa.func.count().label("n")).group_by(place))
    counts = {int(row["place"]): row["n"] for row in counted}
    return Distribution(
        metric=metric,
        label=entry.label,
        people=whole["n"],
        mean=whole["mean"],
        percentiles={name: float(whole[f"p{name}"]) for name in marks},
        bins=tuple(Bin(low=low + i * width, high=low + (i + 1) * width, people=counts.get(i, 0)) for i in range(bins)),
    )


def by_group(
    source: Source,
    metric: str,
    attribute: str,
    *,
    definition: seg.Definition | None = None,
    during: Window | None = None,
    total: bool = False,
    limit: int = TOP,
) -> list[Top]:
    """The mean (or total) of a metric per value of an attribute, for the values that most people have."""
    rows = measured(metric, definition, source.scope, during=during, by=attribute).subquery()
    count = sa.func.count()
    number = sa.func.sum(rows.c.value) if total else sa.func.avg(rows.c.value)
    wanted = sa.select(rows.c.group.label("value"), count.label("people"), number.label("number"))
    wanted = wanted.where(rows.c.group.is_not(None)).group_by(rows.c.group)
    return _tops(source, wanted.order_by(count.desc(), rows.c.group).limit(limit))


def top_values(
    source: Source,
    name: str,
    *,
    activity: str | None = None,
    by: By = "people",
    weight: str | None = None,
    during: Window | None = None,
    definition: seg.Definition | None = None,
    last: bool = False,
    limit: int = TOP,
) -> list[Top]:
    """The values of an attribute that most people have, or those of a property of an activity.

    Properties are ranked ``by`` the people who did it with them, by the deeds (orders for what was bought), or by the
    sum of the numeric property ``weight``; ``last`` begins with the least. Raises Invalid for an unknown name.
    """
    entry = source.catalog.property(activity, name, "name") if activity else source.catalog.attribute(name, "name")
    rows = values_of(
        entry, activity, source.scope, during=during, definition=definition, weight=weight if by == "weight" else None
    ).subquery()
    count = sa.func.count(sa.distinct(rows.c.id))
    number: sa.ColumnElement[Any] = count
    if activity and by == "deeds":
        counts = source.catalog.activity(activity).counts
        number = sa.func.count(sa.distinct(rows.c.deed)) if counts else sa.func.count()
    elif activity and by == "weight":
        number = sa.func.sum(rows.c.weight)
    wanted = sa.select(rows.c.value, count.label("people"), number.label("number")).group_by(rows.c.value)
    order = number.asc() if last else number.desc()
    return _tops(source, wanted.order_by(order, rows.c.value).limit(limit))


def most(
    source: Source,
    metric: str,
    *,
    definition: seg.Definition | None = None,
    during: Window | None = None,
    last: bool = False,
    limit: int = TOP,
) -> list[Top]:
    """The people with the most of a metric, or with the least where ``last``; ties by number."""
    rows = measured(metric, definition, source.scope, during=during).subquery()
    order = rows.c.value.asc() if last else rows.c.value.desc()
    best = source.rows(sa.select(rows.c.id, rows.c.value).order_by(order, rows.c.id).limit(limit))
    names = source.called([row["id"] for row in best])
    return [Top(value=names[row["id"]], people=1, number=float(row["value"])) for row in best]


def deeds(
    source: Source, activity: str, *, during: Window | None = None, definition: seg.Definition | None = None
) -> tuple[int, int]:
    """How often an activity happened, and how many people did it. Raises Invalid (``unknown_activity``)."""
    rows = done(activity, during, definition, source.scope, measure=("count", None)).subquery()
    counts = source.catalog.activity(activity).counts
    number = sa.func.count(sa.distinct(rows.c.value)) if counts else sa.func.count()
    found = source.row(sa.select(number.label("number"), sa.func.count(sa.distinct(rows.c.id)).label("people")))
    return found["number"], found["people"]


def trend(
    source: Source,
    *,
    activity: str | None = None,
    metric: str | None = None,
    attribute: str | None = None,
    first: bool = False,
    unit: Unit = "month",
    during: Window | None = None,
    definition: seg.Definition | None = None,
) -> list[Point]:
    """One point per day, week, month ... of the dataset's calendar, oldest first, quiet ones included.

    It follows the number of an ``activity``, of people who did it for the ``first`` time, a ``metric`` made anew from
    each stretch (revenue), or the people whose ``attribute`` is a day in it. Raises Invalid (``no_trend``,
    ``too_many_points``).
    """
    bounds = _bounds(source, during)
    found: dict[date, tuple[float, int]] = {}
    for sign, value, rows in _followed(
        source, activity, metric, attribute, first=first, during=during, definition=definition
    ):
        for row in source.rows(_per(unit, value, rows, bounds)):
            before, count = found.get(row["start"], (0.0, 0))
            found[row["start"]] = (before + sign * float(row["value"] or 0), max(count, row["people"]))
    return list(_filled(found, unit, bounds))


def _followed(
    source: Source,
    activity: str | None,
    metric: str | None,
    attribute: str | None,
    *,
    first: bool,
    during: Window | None,
    definition: seg.Definition | None,
) -> Iterator[tuple[int, sa.ColumnElement[Any], sa.Subquery]]:
    """What is added up: its sign, its aggregate, and the rows with a day that this is of."""
    scope, catalog = source.scope, source.catalog
    if attribute is not None:
        _is_time(catalog, attribute)
        rows = dated(attribute, definition, scope).subquery()
        yield 1, sa.func.count(), rows
    elif activity is not None and first:
        rows = begun(activity, definition, scope).subquery()
        yield 1, sa.func.count(), rows
    else:
        for term in _terms(catalog, activity, metric):
            rows = done(term.activity, during, definition, scope, measure=(term.measure, term.of)).subquery()
            plain = term.measure == "count" and not catalog.activity(term.activity).counts
            yield term.sign, sa.func.count() if plain else AGGREGATES[term.measure](rows.c.value), rows


def _terms(catalog: Catalog, activity: str | None, metric: str | None) -> tuple[Term, ...]:
    if activity is not None:
        catalog.activity(activity, "activity")
        return (Term(activity=activity, measure="count"),)
    if metric is None:
        fix = "name an activity, a metric or an attribute that is a day"
        raise Invalid("no_trend", "nothing is named whose development is wanted", fix, "metric")
    entry = catalog.metric(metric, "metric")
    if any(term.measure not in AGGREGATES for term in entry.terms):
        fix = "ask for the activity itself, or for a metric that is counted, added up or averaged"
        raise Invalid("no_trend", f"{entry.label} has no value per month", fix, "metric")
    return entry.terms


def _is_time(catalog: Catalog, attribute: str) -> None:
    entry = catalog.attribute(attribute, "attribute")
    if entry.kind not in TIMES:
        raise Invalid("no_trend", f"{entry.label} is no day", "name an attribute that is a date", "attribute")


def _per(unit: Unit, value: sa.ColumnElement[Any], rows: sa.Subquery, bounds: Bounds) -> Rows:
    day = sa.cast(rows.c.day, sa.DateTime())
    start = sa.cast(sa.func.date_trunc(unit, day), sa.Date()).label("start")
    columns = (start, value.label("value"), sa.func.count(sa.distinct(rows.c.id)).label("people"))
    first, end = bounds
    wanted = sa.select(*columns).where(day < sa.literal(end, sa.DateTime())).group_by(start).order_by(start)
    return wanted.where(day >= sa.literal(first, sa.DateTime())) if first else wanted


def _bounds(source: Source, during: Window | None) -> Bounds:
    """Where a window begins, if anywhere, and where it ends, as the clocks of the dataset's zone show it."""
    zone = source.scope.zone
    start, end = during.bounds(source.scope.as_of, zone) if during else (None, source.scope.as_of)
    return (
        start.astimezone(zone).replace(tzinfo=None) if start else None,
        end.astimezone(zone).replace(tzinfo=None),
    )


def _filled(found: dict[date, tuple[float, int]], unit: Unit, bounds: Bounds) -> Iterator[Point]:
    """Every stretch from the first to the last, with nought where nothing happened."""
    first, end = bounds
    start = min(found, default=None) if first is None else _begin(first.date(), unit)
    for _ in range(MOST_POINTS):
        if start is None or _midnight(start) >= end:
            return
        following = start + STEPS[unit]
        value, count = found.get(start, (0.0, 0))
        whole = _midnight(following) <= end and (first is None or _midnight(start) >= first)
        yield Point(start=start, value=value, people=count, whole=whole)
        start = following
    fix = "ask per week or month, or about a shorter time"
    raise Invalid("too_many_points", f"that is more than {MOST_POINTS:,} points", fix, "unit")


def _begin(day: date, unit: Unit) -> date:
    """The first day of the stretch that a day lies in; weeks start on Monday."""
    match unit:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(day=1, month=day.month - (day.month - 1) % 3)
        case "year":
            return day.replace(day=1, month=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _percentile(value: sa.ColumnElement[Any], share: float) -> sa.ColumnElement[Any]:
    return sa.func.percentile_cont(sa.literal(share, sa.Double())).within_group(value.asc())


def _tops(source: Source, wanted: Rows) -> list[Top]:
    return [
        Top(value=str(row["value"]), people=row["people"], number=float(row["number"] or 0))
        for row in source.rows(wanted)
    ]
