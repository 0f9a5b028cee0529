"""Which rows lie behind a figure? The people of a segment with their metrics, what they did and when, and with what.

Each statement is one row per person or per deed; how they are counted and averaged is ``services.stats``'s to say.
``definition`` narrows them to the members of a segment; ``None`` means everyone.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from db.segments_activities import Occurrences, Stretch
from db.segments_compiler import Compiler
from db.segments_filter import picking
from db.segments_rfm import Scores, scores
from db.segments_sql import whole
from db.segments_tables import TYPES, Bool, Scope, Value, place, tables
from domain import catalog as cat
from domain import segments as seg
from domain.windows import Window

SAMPLED_ROWS = 20_000

Definition = seg.Definition | None
Rows = sa.Select[*tuple[Any, ...]]


def people(definition: Definition, scope: Scope) -> Rows:
    """``id`` of each member."""
    compiler = Compiler(scope)
    member = _member(compiler, definition)
    rows = sa.select(compiler.key.label("id")).select_from(compiler.rows())
    return rows.where(compiler.known(compiler.entity), picking(member))


def measured(
    metric: str, definition: Definition, scope: Scope, *, during: Window | None = None, by: str | None = None
) -> Rows:
    """``id`` and ``value`` of a metric for each member where it is known, with the attribute ``by`` as ``group``."""
    compiler = Compiler(scope)
    member = _member(compiler, definition, [metric], during)
    value = _value(compiler, metric, during)
    columns: list[Value] = [compiler.key.label("id"), value.label("value")]
    if by is not None:
        columns.append(place(scope.catalog.attribute(by, "by"), compiler.entity, compiler.joins).label("group"))
    rows = sa.select(*columns).select_from(compiler.rows())
    return rows.where(compiler.known(compiler.entity), member, value.is_not(None))


def described(definition: Definition, attributes: Sequence[str], scope: Scope, *, limit: int) -> Rows:
    """``id`` and attributes of the first members, by id."""
    compiler = Compiler(scope)
    member = _member(compiler, definition)
    columns: list[Value] = [compiler.key.label("id")]
    columns += (
        place(scope.catalog.attribute(name, "attributes"), compiler.entity, compiler.joins).label(name)
        for name in attributes
    )
    rows = sa.select(*columns).select_from(compiler.rows())
    return rows.where(compiler.known(compiler.entity), picking(member)).order_by(compiler.key).limit(limit)


def scored(definition: Definition, scope: Scope) -> Scores:
    """The RFM scores of every member who ever bought, among all buyers."""
    found = scores(Compiler(scope)).subquery()
    chosen = sa.select(*found.c)
    return chosen if definition is None else chosen.where(found.c.id.in_(people(definition, scope)))


def done(
    activity: str, during: Window | None, definition: Definition, scope: Scope, *, measure: tuple[str, str | None]
) -> Rows:
    """``id``, ``day`` (in the dataset's zone) and ``value`` of each deed: what a measure of it adds up or counts."""
    rows = _rows(activity, during, scope)
    columns = (rows.of.label("id"), _day(rows, scope).label("day"), _added(rows, *measure).label("value"))
    return _of_members(rows.select(*columns), rows, definition, scope)


def begun(activity: str, definition: Definition, scope: Scope) -> Rows:
    """``id``, ``day`` of the first time each member ever did it, and their ``id`` as ``value``."""
    rows = _rows(activity, None, scope)
    columns = (rows.of.label("id"), sa.func.min(_day(rows, scope)).label("day"), rows.of.label("value"))
    return _of_members(rows.select(*columns), rows, definition, scope).group_by(rows.of)


def dated(attribute: str, definition: Definition, scope: Scope) -> Rows:
    """``id``, the ``day`` that an attribute of each member is, and their ``id`` as ``value``."""
    compiler = Compiler(scope)
    entry = scope.catalog.attribute(attribute, "attribute")
    member = _member(compiler, definition)
    at = place(entry, compiler.entity, compiler.joins)
    day = _in_zone(at, scope) if entry.kind == "instant" else at
    rows = sa.select(compiler.key.label("id"), day.label("day"), compiler.key.label("value"))
    return rows.select_from(compiler.rows()).where(compiler.known(compiler.entity), member, at.is_not(None))


def values_of(
    entry: cat.Attribute,
    activity: str | None,
    scope: Scope,
    *,
    during: Window | None = None,
    definition: Definition = None,
    weight: str | None = None,
) -> Rows:
    """``id`` of the entity and ``value`` of an attribute, or of a property for each row of an activity.

    Of an activity each row also has its ``deed`` (what a count of the activity counts) and the ``weight`` asked for.
    """
    if activity is None:
        compiler = Compiler(scope)
        member = _member(compiler, definition)
        value = place(entry, compiler.entity, compiler.joins)
        rows = sa.select(compiler.key.label("id"), value.label("value")).select_from(compiler.rows())
        return rows.where(compiler.known(compiler.entity), member, value.is_not(None))
    found = _rows(activity, during, scope)
    value = place(entry, found.source, found.joins)
    columns: list[Value] = [found.of.label("id"), value.label("value"), _added(found, "count", None).label("deed")]
    if weight is not None:
        columns.append(_added(found, "sum", weight).label("weight"))
    return _of_members(found.select(*columns).where(value.is_not(None)), found, definition, scope)


def vocabulary_of(entry: cat.Attribute, activity: str | None, scope: Scope) -> Rows:
    """``value`` as it occurs, for learning the words of the data.

    It is read where it lies if that is a table of its own (products, addresses), else off 20,000 rows of the activity.
    """
    home: cat.Entity | cat.Activity = scope.catalog.activity(activity) if activity else scope.catalog.entity
    if entry.at.join:
        join = home.joins[entry.at.join]
        table = tables(scope.catalog)[join.table]
        fixed = [table.c[column] == value for column, value in join.where.items()]
        return sa.select(table.c[entry.at.column].label("value")).where(*fixed)
    rows = values_of(entry, activity, scope)
    return rows.limit(SAMPLED_ROWS) if activity else rows


def side_by_side(
    one: Definition, other: Definition, scope: Scope, *, metrics: Sequence[str], tests: Sequence[seg.Leaf]
) -> Rows:
    """``id``, ``in_one``, ``in_other``, each metric as ``m0`` ... and each test as ``t0`` ..., for who is in either."""
    compiler = Compiler(scope)
    _collect(compiler, metrics)
    for definition in (one, other):
        if definition is not None:
            compiler.collect(definition.where)
    inside = [_member(compiler, definition) for definition in (one, other)]
    columns: list[Value] = [
        compiler.key.label("id"),
        inside[0].label("in_one"),
        inside[1].label("in_other"),
        *(_value(compiler, metric).label(f"m{i}") for i, metric in enumerate(metrics)),
        *(compiler.condition(test, "tests").label(f"t{i}") for i, test in enumerate(tests)),
    ]
    rows = sa.select(*columns).select_from(compiler.rows())
    return rows.where(compiler.known(compiler.entity), inside[0] | inside[1])


def _rows(activity: str, during: Window | None, scope: Scope) -> Occurrences:
    """The rows of an activity, by themselves."""
    return Compiler(scope).occurrences(Stretch(activity, during), "activity")


def _member(
    compiler: Compiler, definition: Definition, metrics: Sequence[str] = (), during: Window | None = None
) -> Bool:
    """Whether a row is a member. What else is measured must be named first: it is aggregated together."""
    _collect(compiler, metrics, during)
    return sa.true() if definition is None else whole(compiler, definition).condition


def _collect(compiler: Compiler, metrics: Sequence[str], during: Window | None = None) -> None:
    for metric in metrics:
        compiler.collect(seg.Metric(name=metric, op="gte", value=Decimal(0), during=during))


def _value(compiler: Compiler, metric: str, during: Window | None = None) -> Value:
    return sa.cast(compiler.metric_value(metric, during, "metric"), sa.Double())


def _of_members(rows: Rows, found: Occurrences, definition: Definition, scope: Scope) -> Rows:
    return rows if definition is None else rows.where(found.of.in_(people(definition, scope)))


def _added(rows: Occurrences, measure: str, of: str | None) -> Value:
    """What one row adds to a measure: itself or the order it belongs to for a count, else a property."""
    if measure == "count":
        counts = rows.activity.counts
        return rows.source.c[counts] if counts else sa.literal(1, sa.Integer())
    entry = rows.scope.catalog.property(rows.stretch.activity, of or "", "of")
    return place(entry, rows.source, rows.joins)


def _day(rows: Occurrences, scope: Scope) -> Value:
    return rows.at if rows.activity.time_kind == "date" else _in_zone(rows.at, scope)


def _in_zone(at: Value, scope: Scope) -> Value:
    """The moment as the clocks of the dataset's zone showed it."""
    return sa.func.timezone(scope.zone.key, sa.cast(at, TYPES["instant"]), type_=sa.DateTime())
