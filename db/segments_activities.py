"""Which rows are an activity, and what can be measured over them?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from db.segments_comparisons import compare
from db.segments_tables import TYPES, Bool, Joins, Scope, Value, column_of, place
from domain import catalog as cat
from domain import segments as seg
from domain.errors import Invalid
from domain.windows import Window, length

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
    """Rows of one activity in one window that pass the same filters: one aggregation serves all its measures."""

    activity: str
    during: Window | None = None
    where: tuple[seg.Filter, ...] = ()


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
            return self._days_since(sa.func.max(self.at) if measure == "days_since_last" else sa.func.min(self.at))
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

    def _days_since(self, at: Value) -> Value:
        if self.activity.time_kind == "date":
            return sa.literal(self.scope.today, sa.Date()) - at
        now = sa.literal(self.scope.as_of, TYPES["instant"])
        return (sa.extract("epoch", now) - sa.extract("epoch", at)) / DAY_SECONDS

    def _timely(self) -> Iterator[Bool]:
        during = self.stretch.during
        if self.activity.time_kind == "date":
            after, up_to = self._days(during)
            yield self.at <= up_to
            if after:
                yield self.at > after
            return
        start, end = during.bounds(self.scope.as_of, self.scope.zone) if during else (None, self.scope.as_of)
        yield self.at < end
        if start:
            yield self.at >= start

    def _days(self, during: Window | None) -> tuple[date | None, date]:
        """``(after, up_to]`` in days, for activities that have a date and no time."""
        today = self.scope.today
        if during is None:
            return None, today
        if during.last or during.until:
            up_to = today - length(during.until) if during.until else today
            after = today - length(during.last) if during.last else None
            return after - timedelta(days=1) if after and during.inclusive else after, up_to
        start, end = during.bounds(self.scope.as_of + timedelta(days=1), self.scope.zone)
        after = start.astimezone(self.scope.zone).date() - timedelta(days=1) if start else None
        return after, min(today, end.astimezone(self.scope.zone).date() - timedelta(days=1))

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
            yield compare(test.op, entry.kind, column, test.value, path, self.scope)


def _stored(at: cat.Place, fixed: Fixed) -> Fixed:
    """A fixed value as it is stored: under a JSON key, as text."""
    return str(fixed).lower() if at.key and isinstance(fixed, bool) else fixed
