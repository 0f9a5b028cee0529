"""Who is not in a segment, but nearly: who fails exactly one of its conditions, and by how much?"""

import operator
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from db.segments_evidence import Gap, gap
from domain import segments as seg
from domain.segments_english import money
from services import segments
from services.segments import SampleMember, Value

PEOPLE = 5


class NearMiss(Value):
    """Somebody who lacks one condition, masked; ``gap`` is how far from it, ``None`` where that is no number."""

    customer: SampleMember
    gap: float | None
    said: str


class NearMisses(Value):
    """Those who fail this condition and no other; ``people`` are the nearest.

    ``median_gap`` is over all of them, in ``unit``: money, number, integer, days, or what is counted.
    """

    path: str
    text: str
    count: int
    unit: str | None
    closest_gap: float | None
    median_gap: float | None
    said: str
    people: tuple[NearMiss, ...]


def near_misses(
    session: Session, definition: seg.Definition, *, now: datetime, people: int = PEOPLE
) -> tuple[NearMisses, ...]:
    """For each condition that must hold, who would be in the segment but for it alone; nearest first."""
    question = segments.ask(session, definition, now=now)
    conditions = seg.paths(definition)
    gaps = _gaps(session, question, conditions)
    near = _near(question, gaps)
    place = sa.func.row_number().over(partition_by=near.c.fails, order_by=(near.c.gap.asc().nulls_last(), near.c.id))
    ranked = sa.select(near, place.label("place")).subquery()
    middle = sa.func.percentile_cont(sa.literal(0.5, sa.Double())).within_group(near.c.gap.asc())
    whole = (
        sa.select(near.c.fails, sa.func.count().label("n"), middle.label("median")).group_by(near.c.fails).subquery()
    )
    joined = sa.join(ranked, whole, whole.c.fails == ranked.c.fails)
    wanted = sa.select(ranked.c.id, ranked.c.fails, ranked.c.gap, whole.c.n, whole.c.median).select_from(joined)
    found = segments.run(session, wanted.where(ranked.c.place <= people).order_by(ranked.c.fails, ranked.c.place)).all()
    shown = {one.id: one for one in segments.masked(session, [row.id for row in found], now=now)}
    answers = []
    for i, ((path, _), line) in enumerate(zip(conditions, question.lines, strict=True)):
        rows = [row for row in found if row.fails == i]
        far = gaps.get(i)
        median = rows[0].median if rows else None
        answers.append(
            NearMisses(
                path=path,
                text=line.text,
                count=rows[0].n if rows else 0,
                unit=far.unit if far else None,
                closest_gap=rows[0].gap if rows else None,
                median_gap=median,
                said=f"half of them within {_said(median, far, question.catalog.currency)}"
                if median is not None
                else "",
                people=tuple(
                    NearMiss(customer=shown[row.id], gap=row.gap, said=_away(row.gap, far, question.catalog.currency))
                    for row in rows
                ),
            )
        )
    return tuple(answers)


def _gaps(
    session: Session, question: segments.Question, conditions: Sequence[tuple[str, seg.Leaf | seg.Group]]
) -> Mapping[int, Gap]:
    """How far people are from each condition, by its place; a negation is as far as what it negates."""
    scope = segments.scope(session, now=question.as_of)
    facts = {fact.path: fact for fact in question.sql.facts}
    found = {}
    for i, (path, node) in enumerate(conditions):
        fact = facts.get(f"{path}.of" if isinstance(node, seg.Not) else path)
        made = gap(fact, question.sql, scope) if fact else None
        if made:
            found[i] = made
    return found


def _near(question: segments.Question, gaps: Mapping[int, Gap]) -> sa.CTE:
    """``id`` of who fails exactly one condition, which one it is (``fails``), and the ``gap``."""
    sql = question.sql
    points = [sa.case((test, 0), else_=1) for test in sql.conjuncts]
    failed: sa.ColumnElement[int] = reduce(operator.add, points)
    nothing: sa.ColumnElement[Any] = sa.cast(sa.null(), sa.Double())
    which = sa.case(*((sa.not_(test), i) for i, test in enumerate(sql.conjuncts)), else_=None)
    far = sa.case(
        *((sa.not_(test), gaps[i].value if i in gaps else nothing) for i, test in enumerate(sql.conjuncts)),
        else_=nothing,
    )
    columns = (sql.id.label("id"), which.label("fails"), far.label("gap"))
    return sa.select(*columns).select_from(sql.rows).where(sql.known, failed == 1).cte("near")


def _said(distance: float | None, made: Gap | None, currency: str) -> str:
    """A distance as people read it: ``$12.50``, ``3 days``, ``less than a day``."""
    if distance is None or made is None:
        return ""
    if made.unit == "money":
        return money(distance, currency)
    if not made.one:
        return f"{distance:,.4g}"
    number = round(distance)
    return f"{number:,} {made.one if number == 1 else made.unit}" if number else f"less than a {made.one}"


def _away(distance: float | None, made: Gap | None, currency: str) -> str:
    said = _said(distance, made, currency)
    return said and ("just at it" if distance == 0 else f"{said} away")
