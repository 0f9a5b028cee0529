"""What is the answer to a question about figures: how many, what share, which average, who is on top, since when?"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from domain import segments as seg
from domain.catalog import Catalog
from domain.errors import Invalid
from domain.windows import Window
from services import stats
from services.comparison import Comparison, compare
from services.rfm import Table, table
from services.segments import Value
from services.sources import Source

What = Literal[
    "count",
    "share",
    "average",
    "median",
    "minimum",
    "maximum",
    "total",
    "percentile",
    "distribution",
    "top",
    "trend",
    "compare",
    "rfm",
]


class Question(Value):
    """One question; which slots go with which ``what`` is said in ``tools.stats``."""

    what: What
    metric: str | None = None
    activity: str | None = None
    property: str | None = None
    attribute: str | None = None
    by: str | None = None
    first: bool = False
    percentile: float | None = Field(default=None, ge=0, le=100)
    limit: int | None = Field(default=None, gt=0, le=100)
    end: Literal["top", "bottom"] = "top"
    interval: stats.Unit | None = None
    during: Window | None = None
    definition: seg.Definition | None = None
    other: seg.Definition | None = None


class Row(Value):
    """One line of an answer: what ``value`` counts is said by ``Figures.counted``; ``whole`` is false of a part."""

    label: str
    value: float
    people: int | None = None
    whole: bool = True


class Figures(Value):
    """An answer: one ``value``, or ``rows``, or a ``distribution``, a ``comparison``, an RFM table.

    ``of`` says in English about whom it is, ``called`` what one and several of them are called,
    ``during`` about when, ``counted`` what each number counts or measures.
    """

    what: What
    label: str
    kind: str
    of: str
    called: tuple[str, str]
    during: str = ""
    counted: str = ""
    value: float | None = None
    people: int | None = None
    everyone: int | None = None
    rows: tuple[Row, ...] = ()
    distribution: stats.Distribution | None = None
    comparison: Comparison | None = None
    rfm: Table | None = None
    currency: str = ""
    as_of: datetime


def answer(source: Source, question: Question) -> Figures:
    """Answer a question. Raises Invalid for an unknown name, or where a slot that the question needs is empty."""
    catalog = source.catalog
    found = Figures(
        what=question.what,
        label="",
        kind="integer",
        of=source.said(question.definition),
        called=(catalog.entity.label, catalog.entity.plural),
        during=question.during.english() if question.during else "",
        counted=catalog.entity.plural,
        currency=catalog.currency,
        as_of=source.scope.as_of,
    )
    return found.model_copy(update=ANSWERS.get(question.what, _summary)(source, question))


Slots = dict[str, Any]
"""What an answer says beyond whom it is about."""


def _counted(source: Source, question: Question) -> Slots:
    if question.attribute:
        return _values(source, question)
    if question.activity:
        number, people = stats.deeds(source, question.activity, **_narrowed(question))
        label = source.catalog.activity(question.activity).label
        return {
            "label": label,
            "value": number,
            "people": people,
            "counted": _plural(source.catalog, question.activity),
        }
    everyone = stats.everyone(source)
    people = stats.everyone(source, question.definition) if question.definition else everyone
    value = people if question.what == "count" else people / everyone if everyone else None
    return {"label": source.catalog.entity.plural, "value": value, "people": people, "everyone": everyone}


def _values(source: Source, question: Question) -> Slots:
    name = question.attribute or ""
    label = source.catalog.attribute(name, "attribute").label
    last, limit = question.end == "bottom", question.limit or stats.TOP
    tops = stats.top_values(source, name, definition=question.definition, last=last, limit=limit)
    return {"label": label, "rows": _rows(tops)}


def _spread(source: Source, question: Question) -> Slots:
    if question.attribute:
        return _values(source, question)
    spread = stats.distribution(source, _metric(question), **_narrowed(question))
    return _about(source, question, distribution=spread, people=spread.people)


def _top(source: Source, question: Question) -> Slots:
    if question.attribute:
        return _values(source, question)
    limited = {**_narrowed(question), "limit": question.limit or stats.TOP, "last": question.end == "bottom"}
    if question.activity and question.property:
        return _top_properties(source, question, question.activity, question.property, limited)
    best = stats.most(source, _metric(question), **limited)
    label = source.catalog.metric(_metric(question)).label
    return _about(source, question, rows=_rows(best), counted=label)


def _top_properties(source: Source, question: Question, activity: str, name: str, limited: Slots) -> Slots:
    """The values of a property by the people, the deeds, or a number of the same deed added up."""
    label, counted = source.catalog.property(activity, name, "property").label, _plural(source.catalog, activity)
    slots = {"label": label, "counted": counted}
    by = question.by or "deeds"
    match by:
        case "people":
            slots["counted"] = f"{source.catalog.entity.plural} with such {counted}"
            tops = stats.top_values(source, name, activity=activity, by="people", **limited)
        case "deeds":
            tops = stats.top_values(source, name, activity=activity, by="deeds", **limited)
        case weight:
            entry = source.catalog.property(activity, weight, "by")
            slots |= {"counted": f"{entry.label}, added up", "kind": entry.kind}
            tops = stats.top_values(source, name, activity=activity, by="weight", weight=weight, **limited)
    return {**slots, "rows": _rows(tops)}


def _trend(source: Source, question: Question) -> Slots:
    catalog, interval = source.catalog, question.interval or "month"
    points = stats.trend(
        source,
        activity=question.activity,
        metric=None if question.activity else question.metric,
        attribute=None if question.activity or question.metric else question.attribute,
        first=question.first,
        unit=interval,
        **_narrowed(question),
    )
    rows = tuple(
        Row(label=point.start.isoformat(), value=point.value, people=point.people, whole=point.whole)
        for point in points
    )
    label, counted, kind = _followed(catalog, question)
    return {"rows": rows, "label": label, "kind": kind, "counted": f"{counted} per {interval}"}


def _followed(catalog: Catalog, question: Question) -> tuple[str, str, str]:
    """What a trend is called, what each of its points counts, and as which kind of number."""
    people = catalog.entity.plural
    if question.activity and question.first:
        return f"first {catalog.activity(question.activity).label}", people, "integer"
    if question.activity:
        plural = _plural(catalog, question.activity)
        return plural, plural, "integer"
    if question.metric:
        entry = catalog.metric(question.metric)
        return entry.label, entry.label, entry.kind
    return catalog.attribute(question.attribute or "").label, people, "integer"


def _compared(source: Source, question: Question) -> Slots:
    return {"label": "comparison", "comparison": compare(source, question.definition, question.other)}


def _grid(source: Source, question: Question) -> Slots:
    found = table(source, definition=question.definition)
    return {"label": "RFM groups", "rfm": found, "people": found.buyers}


def _summary(source: Source, question: Question) -> Slots:
    metric, catalog = _metric(question), source.catalog
    if question.attribute:
        total = question.what == "total"
        groups = stats.by_group(source, metric, question.attribute, total=total, **_narrowed(question))
        label = catalog.metric(metric).label
        counted = f"{'total' if total else 'average'} {label} by {catalog.attribute(question.attribute).label}"
        return _about(source, question, rows=_rows(groups), counted=counted)
    spread = stats.distribution(source, metric, **_narrowed(question))
    value: float | None
    match question.what:
        case "average":
            value = spread.mean
        case "total":
            value = spread.mean * spread.people if spread.mean is not None else 0
        case other:
            marks = {"median": 50.0, "minimum": 0.0, "maximum": 100.0}
            at = marks.get(other, question.percentile)
            if at is None:
                raise Invalid("percentile_missing", "which percentile is not said", "for example 75", "percentile")
            value = stats.percentiles(source, metric, [at], **_narrowed(question)).get(f"{at:g}")
    return _about(source, question, value=value, people=spread.people)


ANSWERS: Mapping[What, Callable[[Source, Question], Slots]] = {
    "count": _counted,
    "share": _counted,
    "distribution": _spread,
    "top": _top,
    "trend": _trend,
    "compare": _compared,
    "rfm": _grid,
}
"""Who answers what; everything else is one number that sums a metric up."""


def _narrowed(question: Question) -> dict[str, Any]:
    return {"definition": question.definition, "during": question.during}


def _metric(question: Question) -> str:
    if question.metric is None:
        raise Invalid("metric_missing", "the question names no metric", "name one, for example ltv", "metric")
    return question.metric


def _about(source: Source, question: Question, **slots: object) -> Slots:
    entry = source.catalog.metric(_metric(question), "metric")
    return {"label": entry.label, "kind": entry.kind, **slots}


def _rows(tops: list[stats.Top]) -> tuple[Row, ...]:
    return tuple(Row(label=top.value, value=top.number, people=top.people) for top in tops)


def _plural(catalog: Catalog, activity: str) -> str:
    """What a count of an activity counts: lines of an order are counted in orders."""
    entry = catalog.activity(activity, "activity")
    for one in entry.properties.values():
        if entry.counts and one.at.column == entry.counts and one.at.join is None:
            return f"{one.label}s"
    return entry.plural or f"{entry.label}s"
