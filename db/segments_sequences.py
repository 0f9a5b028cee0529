"""How does "this, then that within so long, then not a third thing" become SQL?

Each step is a row of an activity that has a row of the next one after it. The steps hang on each other and not on the
person, so that the planners can join step to step and need not look at one person after the other. DuckDB joins each
with the nearest next one only: if that is too late, so are all others.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.segments_activities import Occurrences, Stretch
from db.segments_forms import Happened, Nearest
from db.segments_tables import TYPES, Bool
from domain import segments as seg
from domain.windows import length, spoken

if TYPE_CHECKING:
    from db.segments_compiler import Compiler


def follows(compiler: "Compiler", node: seg.Sequence, path: str) -> Bool:
    """All steps happened in their order and in time."""
    happened, nearest = _follows(compiler, node, path), _nearest(compiler, node, path)
    return happened if nearest is None else Happened(compiler.key, happened, nearest.scalar_subquery())


def _nearest(compiler: "Compiler", node: seg.Sequence, path: str) -> sa.Select[Any] | None:
    """The keys of whom it happened to, from the last step to the first; ``None`` where steps are dated by day."""
    found: sa.Select[Any] | None = None
    for i, step in reversed(list(enumerate(node.steps))):
        rows = compiler.occurrences(Stretch(step.name, None if i else node.during, step.where), f"{path}.steps.{i}")
        if rows.activity.time_kind != "instant":
            return None
        here = rows.select(rows.of.label("of"), rows.at.label("at"))
        if i:
            here = here.where(*_not_before_the_first(compiler, node, rows, rows))
        found = here if found is None else _before(compiler, here.subquery(), node.steps[i + 1], found.subquery())
    assert found is not None  # noqa: S101 - a sequence has steps
    of = found.selected_columns.of
    return found.with_only_columns(of).where(of.is_not(None))


def _before(compiler: "Compiler", these: sa.Subquery, step: seg.Step, later: sa.Subquery) -> sa.Select[Any]:
    """Those rows that the next step follows as it should."""
    none = step.op == "none"
    joined = Nearest(these, later, (these.c.of == later.c.of) & (these.c.at < later.c.at), isouter=none)
    found = sa.select(these.c.of, these.c.at).select_from(joined)
    if step.within is None:
        return found
    latest = these.c.at + _interval(step.within)
    if not none:
        return found.where(later.c.at <= latest)
    over = latest <= sa.literal(compiler.as_of, TYPES["instant"])
    return found.where(over, later.c.at.is_(None) | (later.c.at > latest))


def _follows(
    compiler: "Compiler", node: seg.Sequence, path: str, i: int = 0, before: Occurrences | None = None
) -> Bool:
    """Step ``i`` happened after ``before`` and in time, and so on to the last step."""
    step = node.steps[i]
    rows = compiler.occurrences(Stretch(step.name, None if before else node.during, step.where), f"{path}.steps.{i}")
    tests: list[Bool] = [rows.of == (before.of if before else compiler.key)]
    over: Bool = sa.true()
    if before is not None:
        tests += [rows.at > before.at, *_not_before_the_first(compiler, node, rows, before)]
        if step.within:
            latest = before.at + _interval(step.within)
            tests.append(rows.at <= latest)
            over = latest <= sa.literal(compiler.as_of, TYPES["instant"])
    if i + 1 < len(node.steps):
        tests.append(_follows(compiler, node, path, i + 1, rows))
    happened = rows.happened(*tests)
    return over & ~happened if step.op == "none" else happened


def _interval(duration: str) -> sa.ColumnElement[Any]:
    """A length of time; one of months is only known in words, which are read again for each row."""
    exact = length(duration)
    if isinstance(exact, timedelta):
        return sa.literal(exact, sa.Interval())
    return sa.cast(sa.literal(spoken(duration), sa.Text()), sa.Interval())


def _not_before_the_first(
    compiler: "Compiler", node: seg.Sequence, rows: Occurrences, before: Occurrences
) -> list[Bool]:
    """Later steps are later than the beginning of the window too: it follows from the rest, but no planner sees it."""
    start = node.during.bounds(compiler.as_of, compiler.scope.zone)[0] if node.during else None
    if start is None or {rows.activity.time_kind, before.activity.time_kind} != {"instant"}:
        return []
    return [rows.at > sa.literal(start, TYPES["instant"])]
