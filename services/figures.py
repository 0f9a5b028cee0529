"""What is the answer to a question about figures: how many, what share, which average, who is on top, since when?"""

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from db.segments_sql import measured
from domain import segments as seg
from domain.catalog import Catalog
from domain.errors import Invalid
from domain.segments_english import sentence
from domain.windows import Window
from services import catalog as catalogs
from services import segments, stats
from services.segments import Value

What = Literal[
    "count", "share", "average", "median", "minimum", "maximum", "total", "percentile", "distribution", "top", "trend"
]

EVERYONE = seg.Definition(where=seg.Metric(name="order_count", op="gte", value=seg.Number(0)))
TOP = 10


class Question(Value):
    """One question; which slots go with which ``what`` is said in ``tools.stats``."""

    what: What
    metric: str | None = None
    activity: str | None = None
    property: str | None = None
    attribute: str | None = None
    percentile: float | None = Field(default=None, ge=0, le=100)
    limit: int | None = Field(default=None, gt=0, le=100)
    end: Literal["top", "bottom"] = "top"
    interval: Literal["day", "week", "month", "quarter", "year"] | None = None
    during: Window | None = None
    definition: seg.Definition | None = None


class Row(Value):
    """One line of an answer: ``value`` is a number of people, a mean or a number of activities, as ``Figures`` says."""

    label: str
    value: float
    people: int | None = None


class Figures(Value):
    """An answer: one ``value``, or ``rows``, or a ``distribution``. ``of`` says in English about whom it is."""

    what: What
    label: str
    kind: str
    of: str
    value: float | None = None
    people: int | None = None
    everyone: int | None = None
    rows: tuple[Row, ...] = ()
    distribution: stats.Distribution | None = None
    currency: str = ""
    as_of: datetime


def answer(session: Session, question: Question, *, now: datetime) -> Figures:
    """Answer a question. Raises Invalid for an unknown name, or where a slot that the question needs is empty."""
    catalog = catalogs.current(session)
    of = sentence(question.definition, catalog) if question.definition else f"all {catalog.entity.plural}"
    found = Figures(what=question.what, label="", kind="integer", of=of, currency=catalog.currency, as_of=now)
    match question.what:
        case "count" | "share":
            return _counted(session, question, catalog, found)
        case "distribution" if question.attribute:
            return _values(session, question, catalog, found)
        case "distribution":
            spread = stats.distribution(session, _metric(question), now=now, definition=question.definition)
            return _about(found, question, catalog, distribution=spread, people=spread.people)
        case "top":
            return _top(session, question, catalog, found)
        case "trend":
            return _trend(session, question, catalog, found)
        case _:
            return _summary(session, question, catalog, found)


def _counted(session: Session, question: Question, catalog: Catalog, found: Figures) -> Figures:
    if question.activity:
        entry = catalog.activity(question.activity, "activity")
        points = stats.trend(
            session, question.activity, now=found.as_of, during=question.during, definition=question.definition
        )
        return found.model_copy(update={"label": entry.label, "value": sum(point.count for point in points)})
    if question.attribute:
        return _values(session, question, catalog, found)
    everyone = segments.size(session, EVERYONE, now=found.as_of)
    people = segments.size(session, question.definition, now=found.as_of) if question.definition else everyone
    value = people if question.what == "count" else people / everyone if everyone else None
    label = catalog.entity.plural
    return found.model_copy(update={"label": label, "value": value, "people": people, "everyone": everyone})


def _values(session: Session, question: Question, catalog: Catalog, found: Figures) -> Figures:
    name = question.attribute or ""
    label = catalog.attribute(name, "attribute").label
    limit = question.limit or TOP
    if question.definition:
        groups = stats.by_group(
            session, "order_count", name, now=found.as_of, definition=question.definition, limit=limit
        )
    else:
        groups = stats.top_values(session, name, now=found.as_of, limit=limit)
    rows = tuple(Row(label=group.value, value=group.people, people=group.people) for group in groups)
    return found.model_copy(update={"label": label, "rows": rows})


def _top(session: Session, question: Question, catalog: Catalog, found: Figures) -> Figures:
    limit = question.limit or TOP
    if question.attribute:
        return _values(session, question, catalog, found)
    if question.activity and question.property:
        entry = catalog.property(question.activity, question.property, "property")
        tops = stats.top_values(session, question.property, now=found.as_of, activity=question.activity, limit=limit)
        rows = tuple(Row(label=top.value, value=top.people) for top in tops)
        return found.model_copy(update={"label": entry.label, "rows": rows})
    values = measured(_metric(question), question.definition, segments.scope(session, now=found.as_of)).subquery()
    order = values.c.value.desc() if question.end == "top" else values.c.value.asc()
    best = segments.run(session, sa.select(values.c.id, values.c.value).order_by(order, values.c.id).limit(limit)).all()
    names = {one.id: one.name for one in segments.masked(session, [row.id for row in best], now=found.as_of)}
    rows = tuple(Row(label=f"{names[row.id]} (customer {row.id})", value=float(row.value)) for row in best)
    return _about(found, question, catalog, rows=rows)


def _trend(session: Session, question: Question, catalog: Catalog, found: Figures) -> Figures:
    activity = question.activity or catalog.metric(_metric(question), "metric").terms[0].activity
    unit: stats.Unit = "day" if question.interval == "day" else "week" if question.interval == "week" else "month"
    points = stats.trend(
        session, activity, now=found.as_of, unit=unit, during=question.during, definition=question.definition
    )
    rows = tuple(Row(label=point.start.date().isoformat(), value=point.count, people=point.people) for point in points)
    return found.model_copy(update={"label": catalog.activity(activity).label, "rows": rows})


def _summary(session: Session, question: Question, catalog: Catalog, found: Figures) -> Figures:
    metric, definition, now = _metric(question), question.definition, found.as_of
    if question.attribute:
        groups = stats.by_group(session, metric, question.attribute, now=now, definition=definition)
        rows = tuple(Row(label=group.value, value=group.mean or 0, people=group.people) for group in groups)
        return _about(found, question, catalog, rows=rows)
    spread = stats.distribution(session, metric, now=now, definition=definition)
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
            value = stats.percentiles(session, metric, [at], now=now, definition=definition).get(f"{at:g}")
    return _about(found, question, catalog, value=value, people=spread.people)


def _metric(question: Question) -> str:
    if question.metric is None:
        raise Invalid("metric_missing", "the question names no metric", "name one, for example ltv", "metric")
    return question.metric


def _about(found: Figures, question: Question, catalog: Catalog, **slots: object) -> Figures:
    entry = catalog.metric(_metric(question), "metric")
    return found.model_copy(update={"label": entry.label, "kind": entry.kind, **slots})
