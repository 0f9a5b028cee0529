"""Which rows are an activity, and what can be measured over them?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from db.segments_comparisons import compare, folded
from db.segments_tables import TYPES, Bool, Joins, Scope, Value, column_of, place
from domain import catalog as cat
from domain import segments as seg
from domain.errors import Invalid
from domain.windows import Window

DAY_SECONDS = 86_400
Fixed = str | bool | None

AGGREGATES: dict[str, Callable[..., Value]] = {
    "sum": sa.func.sum,
    "average": sa.func.avg,
    "min": sa.func.min,
    "max": sa.func.max,
}


@dataclass(frozen=True)
class Stretch:
    """Rows of one activity in one window that pass the same filters: one aggregation serves all its measures.

    With ``before`` they are those of the window before.
    """

    activity: str
    during: Window | None = None
    where: tuple[seg.Filter, ...] = ()
    before: bool = False


class Occurrences:
    """The rows of a stretch, under an alias of their own."""

    def __init__(self, stretch: Stretch, tables: dict[str, sa.TableClause], scope: Scope, path: str) -> None:
        self.stretch, self.scope, self.path = stretch, scope, path
        self.activity = scope.catalog.activity(stretch.activity, f"{path}.name")
        self.source = tables[self.activity.table].alias()
        self.joins = Joins.of(tables, self.source, self.activity.joins)
        self.of: sa.ColumnElement[int] = self.source.c[self.activity.entity_column]
        self.at: Value = self.source.c[self.activity.time_column]

    def select(self, *columns: Value) -> sa.Select[Any]:
        """Columns of the rows that count. Make the columns first: they may need joins."""
        tests = self.tests
        return sa.select(*columns).select_from(self.joins.rows(self.source)).where(*tests)

    def happened(self, *also: Bool) -> Bool:
        """There is a row that counts and passes the further tests, which may speak of any row around this one."""
        rows = self.select(sa.literal(1)).where(*also)
        return rows.correlate_except(self.source, *(table for table, _ in self.joins.used.values())).exists()

    @cached_property
    def tests(self) -> tuple[Bool, ...]:
        """What makes a row count: its time, its being this activity, not void, and passing the filters."""
        return (*self._timely(), *self._fixed(), *self._filtered())

    def measure(self, measure: str, of: str | None) -> Value:
        """An aggregate over the rows. Raises Invalid for a property that cannot be added up."""
        if measure in {"days_since_last", "days_since_first"}:
            return self.days_since(sa.func.max(self.at) if measure == "days_since_last" else sa.func.min(self.at))
        if measure == "latest":
            return sa.func.max(self.at)
        if measure == "average_gap":
            gaps = sa.func.nullif(sa.func.count(sa.distinct(self.at)) - 1, 0)
            return self._days_between(sa.func.min(self.at), sa.func.max(self.at)) / gaps
        if measure == "count":
            counts = self.activity.counts
            return sa.func.count(sa.distinct(self.source.c[counts])) if counts else sa.func.count()
        entry = self.scope.catalog.property(self.stretch.activity, of or "", f"{self.path}.of")
        column = place(entry, self.source, self.joins)
        if measure == "distinct":
            return sa.func.count(sa.distinct(column))
        if entry.kind not in {"money", "number", "integer"}:
            fix = "use count or distinct"
            raise Invalid("not_a_number", f"{entry.label} cannot be added up", fix, f"{self.path}.of")
        return AGGREGATES[measure](column)

    def each(self, measure: str, of: str | None) -> sa.Select[Any]:
        """``id`` and ``value`` per entity of a measure that no aggregate gives: a picked value, or the median gap.

        Of several values at the same instant the smallest is picked; of several equally frequent ones the one that
        occurred last, then the smallest. Raises Invalid for a property that has no order.
        """
        if measure == "median_gap":
            return self._median_gap()
        entry = self.scope.catalog.property(self.stretch.activity, of or "", f"{self.path}.of")
        if entry.kind in {"list", "object"}:
            fix = "name a property that is a text, a number, a day or a yes or no"
            raise Invalid("no_order", f"{entry.label} is a {entry.kind}", fix, f"{self.path}.of")
        value = folded(entry.kind, place(entry, self.source, self.joins))
        counts = self.activity.counts
        one = self.source.c[counts] if counts else sa.null()
        rows = self.select(self.of.label("id"), value.label("value"), self.at.label("at"), one.label("one")).subquery()
        order: list[Value] = [rows.c.at.desc() if measure == "last" else rows.c.at.asc()]
        if measure == "most_frequent":
            many = sa.func.count(sa.distinct(rows.c.one)) if counts else sa.func.count()
            found = sa.select(rows.c.id, rows.c.value, many.label("many"), sa.func.max(rows.c.at).label("at"))
            rows = found.where(rows.c.value.is_not(None)).group_by(rows.c.id, rows.c.value).subquery()
            order = [rows.c.many.desc(), rows.c.at.desc()]
        order.append(rows.c.value.asc().nulls_last())
        turn = sa.func.row_number().over(partition_by=rows.c.id, order_by=order)
        picked = sa.select(rows.c.id, rows.c.value, turn.label("turn")).subquery()
        return sa.select(picked.c.id, picked.c.value).where(picked.c.turn == 1)

    def _median_gap(self) -> sa.Select[Any]:
        times = self.select(self.of.label("id"), self.at.label("at")).distinct().subquery()
        earlier = sa.func.lag(times.c.at).over(partition_by=times.c.id, order_by=times.c.at)
        gaps = sa.select(times.c.id, times.c.at, earlier.label("earlier")).subquery()
        gap: Value = sa.cast(self._days_between(gaps.c.earlier, gaps.c.at), sa.Double())
        median = sa.func.percentile_cont(sa.literal(0.5, sa.Double())).within_group(gap.asc())
        found = sa.select(gaps.c.id, median.label("value"))
        return found.where(gaps.c.earlier.is_not(None)).group_by(gaps.c.id)

    def days_since(self, at: Value) -> Value:
        """Days of 24 hours, or calendar days where the activity is dated by day."""
        if self.activity.time_kind == "date":
            return self._days_between(at, sa.literal(self.scope.today, sa.Date()))
        return self._days_between(at, sa.literal(self.scope.as_of, TYPES["instant"]))

    def _days_between(self, start: Value, end: Value) -> Value:
        if self.activity.time_kind == "date":
            return end - start
        return (sa.extract("epoch", end) - sa.extract("epoch", start)) / DAY_SECONDS

    def _timely(self) -> Iterator[Bool]:
        during, before = self.stretch.during, self.stretch.before
        if self.activity.time_kind == "date":
            first, past = self._days(during, before=before)
            yield self.at < past
            if first:
                yield self.at >= first
            return
        now, zone = self.scope.as_of, self.scope.zone
        start, end = during.bounds(now, zone, before=before) if during else (None, now)
        yield self.at < end
        if start:
            yield self.at >= start

    def _days(self, during: Window | None, *, before: bool) -> tuple[date | None, date]:
        if during is None:
            return None, self.scope.today + timedelta(days=1)
        try:
            return during.days(self.scope.today, before=before)
        except ValueError as error:
            message = f"{self.activity.label} has days and no hours: {error}"
            raise Invalid("window_does_not_fit", message, "give the window in days", f"{self.path}.during") from None

    def _fixed(self) -> Iterator[Bool]:
        if self.activity.void_at:
            yield self._valid(self.activity.void_at)
        for test in self.activity.where:
            column = column_of(test.at, self.source, self.joins)
            if test.equals is not None:
                yield column == _stored(test.at, test.equals)
            else:
                yield column.is_distinct_from(_stored(test.at, test.is_not))

    def _valid(self, at: cat.Place) -> Bool:
        """It was not void by then. Where another table says so, the few that were are looked up, not all others."""
        if at.join is None:
            void = column_of(at, self.source, self.joins)
            return void.is_(None) | (void > self.scope.as_of)
        table, on = self.joins.tables[at.join]
        void = column_of(cat.Place(column=at.column, key=at.key), table, self.joins)
        rows = sa.select(sa.literal(1)).select_from(table).where(on, void <= self.scope.as_of)
        return ~rows.correlate_except(table).exists()

    def _filtered(self) -> Iterator[Bool]:
        for i, test in enumerate(self.stretch.where):
            path = f"{self.path}.where.{i}"
            entry = self.scope.catalog.property(self.stretch.activity, test.name, f"{path}.name")
            column = place(entry, self.source, self.joins)
            if entry.refers:
                for number in test.value if isinstance(test.value, tuple) else (test.value,):
                    self.scope.must_exist(entry.refers, number, f"{path}.value")
            passes = compare(test.op, entry.kind, column, test.value, path, self.scope)
            yield sa.func.coalesce(passes, sa.true()) if test.missing == "include" else passes


def _stored(at: cat.Place, fixed: Fixed) -> Fixed:
    """A fixed value as it is stored: under a JSON key, as text."""
    return str(fixed).lower() if at.key and isinstance(fixed, bool) else fixed
