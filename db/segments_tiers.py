"""In which tier is everyone, and what are their figures and latest deeds? One pass over all of them."""

from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa

from db.segments_activities import Stretch
from db.segments_compiler import Compiler
from db.segments_figures import Rows
from db.segments_sql import whole
from db.segments_tables import Scope, Value, place
from domain import segments as seg
from domain.tiers import Tiers
from domain.windows import Window


def placed(tiers: Tiers, scope: Scope) -> Rows:
    """One row per entity, the best tier first: ``id``, ``tier`` (its place, from 0), then attributes and figures.

    Raises Invalid as ``db.segments_sql.compiled``, the path being that within the set.
    """
    compiler = Compiler(scope)
    conditions = [definition for _, definition in tiers.conditions]
    for definition in conditions:
        compiler.collect(definition.where)
    for figure in tiers.figures:
        scope.catalog.metric(figure.metric, "figures")
        compiler.collect(seg.Metric(name=figure.metric, op="gte", value=Decimal(0), during=figure.during))
    tests = [whole(compiler, definition).condition for definition in conditions]
    tier = sa.case(*((test, i) for i, test in enumerate(tests)), else_=len(tests))
    columns: list[Value] = [compiler.key.label("id"), tier.label("tier")]
    for name in tiers.attributes:
        entry = scope.catalog.attribute(name, "attributes")
        columns.append(place(entry, compiler.entity, compiler.joins).label(name))
    columns += (
        compiler.metric_value(figure.metric, figure.during, "figures").label(figure.name) for figure in tiers.figures
    )
    rows = sa.select(*columns).select_from(compiler.rows()).where(compiler.known(compiler.entity))
    return rows.order_by(sa.literal_column("tier"), compiler.key)


def sizes(tiers: Tiers, scope: Scope) -> Rows:
    """``tier`` (its place) and ``size`` of each tier that has anybody."""
    found = placed(tiers.model_copy(update={"figures": (), "attributes": ()}), scope).order_by(None).subquery()
    return sa.select(found.c.tier, sa.func.count().label("size")).group_by(found.c.tier)


def latest(activity: str, properties: Sequence[str], during: Window | None, scope: Scope, *, most: int) -> Rows:
    """``id``, ``at`` and the properties of the latest deeds of everyone, at most so many each, the latest first.

    A deed that stands in the data several times is one.
    """
    compiler = Compiler(scope)
    rows = compiler.occurrences(Stretch(activity, during), "activity")
    found: list[Value] = [
        place(scope.catalog.property(activity, name, "properties"), rows.source, rows.joins).label(name)
        for name in properties
    ]
    same = rows.source.c[rows.activity.counts] if rows.activity.counts else sa.null()
    once = rows.select(rows.of.label("id"), rows.at.label("at"), same.label("same"), *found).distinct().subquery()
    order = (once.c.at.desc(), once.c.same.asc(), *(once.c[name].asc() for name in properties))
    nth = sa.func.row_number().over(partition_by=once.c.id, order_by=[side.nulls_last() for side in order])
    ranked = sa.select(once, nth.label("nth")).subquery()
    columns = [ranked.c.id, ranked.c.at, *(ranked.c[name] for name in properties)]
    return sa.select(*columns).where(ranked.c.nth <= most).order_by(ranked.c.id, ranked.c.nth)
