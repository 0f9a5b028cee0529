"""How does each condition of the segment language become SQL?

A condition is true or false of the entity's row, never NULL. Every value is bound; every name comes from the catalog.
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, assert_never
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from db.segments_tables import TYPES, Bool, Joins, Value, column_of, place, tables
from domain import catalog as cat
from domain import segments as seg
from domain.errors import Invalid
from domain.operators import OPERATORS, Kind
from domain.windows import Window, length

Resolve = Callable[[int, str], seg.Definition]
"""The definition of a saved segment, by its id and the path that names it. Raises NotFound."""

ADDRESS = {"email": "email", "sms": "phone", "whatsapp": "phone"}
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Fact:
    """One leaf of a definition as SQL: whether it holds, what it looked at, and whether that is unknown."""

    path: str
    node: seg.Leaf
    holds: Bool
    value: Value | None = None
    unknown: Bool | None = None
    threshold: Value | None = None


@dataclass(frozen=True)
class Stretch:
    """Rows of one activity in one window that pass the same filters: one aggregation serves all its measures."""

    activity: str
    during: Window | None
    where: tuple[seg.Filter, ...]


@dataclass(frozen=True)
class Scope:
    """What a definition is compiled against: which data, as of when, with whose calendar, and which saved segments.

    ``within`` are segments that must not be referred to: the one being defined, and those being looked into.
    """

    catalog: cat.Catalog
    as_of: datetime
    zone: ZoneInfo
    resolve: Resolve
    within: tuple[int, ...] = ()


@dataclass
class Compiler:
    """One compilation. Joins and aggregations are collected on the way, each once."""

    scope: Scope
    measures: dict[Stretch, dict[tuple[str, str | None], str]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Name every table and column of the catalog once."""
        self.catalog, self.as_of, self.zone = self.scope.catalog, self.scope.as_of, self.scope.zone
        self.within = self.scope.within
        self.tables = tables(self.catalog)
        self.entity = self.tables[self.catalog.entity.table].alias("entity")
        self.key: sa.ColumnElement[int] = self.entity.c[self.catalog.entity.key]
        self.joins = Joins.of(self.tables, self.entity, self.catalog.entity.joins)
        self.ctes: dict[Stretch, sa.CTE] = {}

    def condition(self, node: seg.Leaf | seg.Group, path: str) -> Bool:
        """A condition as SQL that is never NULL."""
        match node:
            case seg.All():
                return sa.and_(*(self.condition(child, f"{path}.of.{i}") for i, child in enumerate(node.of)))
            case seg.Any_():
                return sa.or_(*(self.condition(child, f"{path}.of.{i}") for i, child in enumerate(node.of)))
            case seg.Not():
                return sa.not_(self.condition(node.of, f"{path}.of"))
            case seg.AtLeast():
                held = (self.condition(child, f"{path}.of.{i}") for i, child in enumerate(node.of))
                points: list[Value] = [sa.case((test, 1), else_=0) for test in held]
                return reduce(operator.add, points) >= node.n
            case seg.Member():
                return self._member(node, path)
            case _:
                fact = self.fact(node, path)
                self.facts.append(fact)
                return fact.holds

    def fact(self, node: seg.Leaf, path: str) -> Fact:
        """A leaf as SQL, with what it looked at."""
        match node:
            case seg.Attribute():
                return self._attribute(node, path)
            case seg.Metric():
                return self._metric(node, path)
            case seg.Activity():
                return self._activity(node, path)
            case seg.Rank():
                return Fact(path, node, self._rank(node, path), self.metric_value(node.metric, None, path))
            case seg.Consent():
                return Fact(path, node, self._consent(node.channel, node.state))
            case seg.Reachable():
                return Fact(path, node, self.reachable(node.channel))
            case seg.Suppressed():
                return Fact(path, node, self._suppressed(node.channel))
            case seg.Tagged():
                return Fact(path, node, self._open("tags", sa.column("name") == node.name))
            case seg.Member():
                return Fact(path, node, self._member(node, path))
            case _:
                assert_never(node)

    def _member(self, node: seg.Member, path: str) -> Bool:
        if node.id in self.within:
            raise Invalid("segment_cycle", f"segment {node.id} contains itself", "leave one of the two out", path)
        outer, self.within = self.within, (*self.within, node.id)
        facts, self.facts = self.facts, []
        condition = self.condition(self.scope.resolve(node.id, path).where, path)
        self.within, self.facts = outer, facts
        return condition

    def _attribute(self, node: seg.Attribute, path: str) -> Fact:
        entry = self.catalog.attribute(node.name, f"{path}.name")
        column = place(entry, self.entity, self.joins)
        test = self._compare(node.op, entry.kind, column, node.value, path)
        if OPERATORS[node.op].operand == "none":
            return Fact(path, node, test, column)
        holds = sa.func.coalesce(test, sa.true() if node.missing == "include" else sa.false())
        return Fact(path, node, holds, column, column.is_(None))

    def _metric(self, node: seg.Metric, path: str) -> Fact:
        value = sa.cast(self.metric_value(node.name, node.during, path), sa.Double())
        threshold = None
        if isinstance(node.value, seg.Percentile):
            threshold = self._percentile(node.name, node.during, node.value, path)
            test = OPERATORS[node.op].apply(value, threshold)
        else:
            test = _number_test(node.op, value, node.value)
        holds = sa.func.coalesce(test, sa.true() if node.missing == "include" else sa.false())
        unknown = value.is_(None) if self.catalog.metric(node.name).absent is None else None
        return Fact(path, node, holds, value, unknown, threshold)

    def _activity(self, node: seg.Activity, path: str) -> Fact:
        stretch = Stretch(node.name, node.during, node.where)
        if node.op in {"any", "none"}:
            happened = self._happened(stretch, self.entity, path)
            return Fact(path, node, happened if node.op == "any" else ~happened)
        measured = self._measure(stretch, node.measure, node.of)
        if node.measure in {"count", "sum", "distinct"}:
            value: Value = sa.func.coalesce(measured, 0)
            return Fact(path, node, _number_test(node.op, value, node.value), value)
        test = sa.func.coalesce(_number_test(node.op, measured, node.value), sa.false())
        return Fact(path, node, test, measured, measured.is_(None))

    def _rank(self, node: seg.Rank, path: str) -> Bool:
        people, key, value = self._population(node.metric, None, node.among, path)
        ordered = value.desc() if node.end == "top" else value.asc()
        ranked = people.add_columns(
            key.label("id"), sa.func.rank().over(order_by=ordered).label("place"), sa.func.count().over().label("n")
        )
        rows = ranked.where(value.is_not(None)).cte()
        if node.count is not None:
            cut: Any = node.count
        else:
            share = Decimal(str(node.percent)) / 100
            cut = sa.func.ceil(rows.c.n * sa.literal(share, sa.Numeric()))
        return self.key.in_(sa.select(rows.c.id).where(rows.c.place <= cut))

    def _percentile(self, metric: str, during: Window | None, at: seg.Percentile, path: str) -> Value:
        people, _, value = self._population(metric, during, at.among, path)
        share = sa.literal(at.percentile / 100, sa.Double())
        cont = sa.func.percentile_cont(share).within_group(sa.cast(value, sa.Double()).asc())
        return people.add_columns(cont.label("value")).cte().select().scalar_subquery()

    def _population(
        self, metric: str, during: Window | None, among: seg.Among, path: str
    ) -> tuple[sa.Select[Any], sa.ColumnElement[int], Value]:
        """A select without columns over the population, its key, and the metric's value there."""
        entity = self.tables[self.catalog.entity.table].alias()
        value, stretches = self._terms(metric, during, path)
        rows: sa.FromClause = entity
        for stretch in stretches:
            cte = self._cte(stretch)
            rows = rows.outerjoin(cte, cte.c.id == entity.c[self.catalog.entity.key])
        people = sa.select().select_from(rows).where(self.known(entity))
        if among == "buyers":
            if self.catalog.buyers is None:
                raise Invalid(
                    "no_buyers", f"{self.catalog.dataset} has no buyers", "use everyone", f"{path}.value.among"
                )
            people = people.where(self._happened(Stretch(self.catalog.buyers, None, ()), entity, path))
        return people, entity.c[self.catalog.entity.key], value

    def metric_value(self, name: str, during: Window | None, path: str) -> Value:
        """The metric on the entity's row; NULL where it is not known."""
        return self._terms(name, during, path)[0]

    def _terms(self, name: str, during: Window | None, path: str) -> tuple[Value, list[Stretch]]:
        metric = self.catalog.metric(name, f"{path}.name")
        stretches = [Stretch(term.activity, during, ()) for term in metric.terms]
        parts = [
            self._measure(stretch, term.measure, term.of) * sa.literal_column(str(term.sign))
            if term.sign < 0
            else self._measure(stretch, term.measure, term.of)
            for stretch, term in zip(stretches, metric.terms, strict=True)
        ]
        if metric.absent is not None:
            parts = [sa.func.coalesce(part, metric.absent) for part in parts]
        return reduce(operator.add, parts), list(dict.fromkeys(stretches))

    def collect(self, node: seg.Leaf | seg.Group) -> None:
        """Find every measure first, so that one aggregation per stretch serves them all; names are checked later."""
        for leaf in seg.walk(node):
            match leaf:
                case seg.Metric() if leaf.name in self.catalog.metrics:
                    self._want_metric(leaf.name, leaf.during)
                case seg.Rank() if leaf.metric in self.catalog.metrics:
                    self._want_metric(leaf.metric, None)
                case seg.Activity() if leaf.op not in {"any", "none"}:
                    self._want(Stretch(leaf.name, leaf.during, leaf.where), leaf.measure, leaf.of)
                case seg.Member() if leaf.id not in self.within:
                    outer, self.within = self.within, (*self.within, leaf.id)
                    self.collect(self.scope.resolve(leaf.id, "where").where)
                    self.within = outer
                case _:
                    pass

    def _want_metric(self, name: str, during: Window | None) -> None:
        for term in self.catalog.metrics[name].terms:
            self._want(Stretch(term.activity, during, ()), term.measure, term.of)

    def _want(self, stretch: Stretch, measure: str, of: str | None) -> None:
        named = self.measures.setdefault(stretch, {})
        named.setdefault((measure, of), f"m{len(named)}")

    def _measure(self, stretch: Stretch, measure: str, of: str | None) -> Value:
        self._want(stretch, measure, of)
        return self._cte(stretch).c[self.measures[stretch][measure, of]]

    def _cte(self, stretch: Stretch) -> sa.CTE:
        if stretch not in self.ctes:
            activity, source, joins = self._source(stretch, stretch.activity)
            key = source.c[activity.entity_column]
            columns = [
                self._aggregate(measure, of, stretch, activity, source, joins).label(name)
                for (measure, of), name in self.measures[stretch].items()
            ]
            tests = list(self._tests(stretch, activity, source, joins, stretch.activity))
            rows = sa.select(key.label("id"), *columns).select_from(joins.rows(source)).where(*tests).group_by(key)
            self.ctes[stretch] = rows.cte(f"{stretch.activity}_{len(self.ctes)}")
        return self.ctes[stretch]

    def _aggregate(
        self,
        measure: str,
        of: str | None,
        stretch: Stretch,
        activity: cat.Activity,
        source: sa.FromClause,
        joins: "Joins",
    ) -> Value:
        at = source.c[activity.time_column]
        if measure in {"days_since_last", "days_since_first"}:
            edge = sa.func.max(at) if measure == "days_since_last" else sa.func.min(at)
            return self._days_before(edge, activity.time_kind)
        if measure == "count":
            return sa.func.count(sa.distinct(source.c[activity.counts])) if activity.counts else sa.func.count()
        entry = self.catalog.property(stretch.activity, of or "", "of")
        column = place(entry, source, joins)
        if measure == "distinct":
            return sa.func.count(sa.distinct(column))
        if entry.kind not in {"money", "number", "integer"}:
            raise Invalid("not_a_number", f"{entry.label} cannot be added up", "use count or distinct", "of")
        functions = {"sum": sa.func.sum, "average": sa.func.avg, "min": sa.func.min, "max": sa.func.max}
        return functions[measure](column)

    def _days_before(self, at: Value, kind: str) -> Value:
        if kind == "date":
            return sa.literal(self.as_of.astimezone(self.zone).date(), sa.Date()) - at
        seconds = sa.extract("epoch", sa.literal(self.as_of, TYPES["instant"])) - sa.extract("epoch", at)
        return seconds / DAY_SECONDS

    def _source(self, stretch: Stretch, path: str) -> tuple[cat.Activity, sa.FromClause, "Joins"]:
        activity = self.catalog.activity(stretch.activity, f"{path}.name")
        source = self.tables[activity.table].alias()
        return activity, source, Joins.of(self.tables, source, activity.joins)

    def occurrences(self, stretch: Stretch, path: str) -> sa.Select[Any]:
        """``id`` of the entity and ``at`` for each row of a stretch."""
        activity, source, joins = self._source(stretch, path)
        tests = list(self._tests(stretch, activity, source, joins, path))
        columns = (source.c[activity.entity_column].label("id"), source.c[activity.time_column].label("at"))
        return sa.select(*columns).select_from(joins.rows(source)).where(*tests)

    def _happened(self, stretch: Stretch, entity: sa.FromClause, path: str) -> Bool:
        activity, source, joins = self._source(stretch, path)
        tests = list(self._tests(stretch, activity, source, joins, path))
        same = source.c[activity.entity_column] == entity.c[self.catalog.entity.key]
        return sa.select(sa.literal(1)).select_from(joins.rows(source)).where(same, *tests).exists()

    def _tests(
        self, stretch: Stretch, activity: cat.Activity, source: sa.FromClause, joins: "Joins", path: str
    ) -> Iterator[Bool]:
        """What makes a row count: its time, its being this activity, not void, and passing the filters."""
        at = source.c[activity.time_column]
        if activity.time_kind == "instant":
            start, end = stretch.during.bounds(self.as_of, self.zone) if stretch.during else (None, self.as_of)
            yield at < end
            if start:
                yield at >= start
        else:
            first, last = self._days(stretch.during)
            yield at <= last
            if first:
                yield at > first
        if activity.void_at:
            void = column_of(activity.void_at, source, joins)
            yield void.is_(None) | (void > self.as_of)
        for test in activity.where:
            column = column_of(test.at, source, joins)
            if test.equals is not None:
                yield (column == _as_text(test.equals) if test.at.key else column == test.equals)
            else:
                yield column.is_distinct_from(_as_text(test.is_not) if test.at.key else test.is_not)
        for i, condition in enumerate(stretch.where):
            entry = self.catalog.property(stretch.activity, condition.name, f"{path}.where.{i}.name")
            column = place(entry, source, joins)
            yield self._compare(condition.op, entry.kind, column, condition.value, f"{path}.where.{i}")

    def _days(self, during: Window | None) -> tuple[date | None, date]:
        """``(after, up_to]`` in days, for activities that have a date and no time."""
        today = self.as_of.astimezone(self.zone).date()
        if during is None:
            return None, today
        if during.last:
            last = today - length(during.until) if during.until else today
            return today - length(during.last), last
        start, end = during.bounds(self.as_of + timedelta(days=1), self.zone)
        first = start.astimezone(self.zone).date() - timedelta(days=1) if start else None
        return first, min(today, end.astimezone(self.zone).date() - timedelta(days=1))

    def _compare(self, op: str, kind: Kind, column: Value, value: Any, path: str) -> Bool:
        row = OPERATORS[op]
        if kind not in row.kinds:
            fits = ", ".join(key for key, other in OPERATORS.items() if kind in other.kinds)
            raise Invalid("operator_does_not_fit", f"{op!r} does not fit a {kind}", f"use one of: {fits}", f"{path}.op")
        if row.operand == "none":
            return row.apply(column)
        if row.operand == "duration":
            try:
                start = self.as_of - length(value)
            except ValueError:
                raise Invalid("not_a_duration", f"{value!r} is not a length of time", "write 60d", path) from None
            end = self.as_of
            if kind == "date":
                return row.apply(column, start.astimezone(self.zone).date(), end.astimezone(self.zone).date())
            return row.apply(column, start, end)
        subject = sa.func.lower(column, type_=sa.Text()) if kind == "text" else column
        values = value if isinstance(value, tuple) else (value,)
        bound = [self._coerced(kind, item, f"{path}.value") for item in values]
        return row.apply(subject, bound) if row.operand == "many" else row.apply(subject, *bound)

    def _coerced(self, kind: Kind, value: Any, path: str) -> Any:
        """The operand as the column's type. Raises Invalid (``wrong_type``)."""
        try:
            match kind:
                case "text":
                    return str(value).lower()
                case "money" | "number" | "integer" if not isinstance(value, bool):
                    return Decimal(str(value))
                case "boolean" if isinstance(value, bool):
                    return value
                case "date":
                    return date.fromisoformat(str(value))
                case "instant":
                    at = datetime.fromisoformat(str(value))
                    return at if at.tzinfo else at.replace(tzinfo=self.zone)
                case "list":
                    return [value]
                case _:
                    pass
        except (ValueError, ArithmeticError):
            pass
        raise Invalid("wrong_type", f"{value!r} is not a {kind}", f"give a {kind}", path)

    def known(self, entity: sa.FromClause) -> Bool:
        """The entity was known by the instant asked about."""
        since = self.catalog.entity.since
        return entity.c[since] <= self.as_of if since else sa.true()

    def rows(self) -> sa.FromClause:
        """The entity with everything used so far hung on it."""
        rows = self.joins.rows(self.entity)
        for cte in self.ctes.values():
            rows = rows.outerjoin(cte, cte.c.id == self.key)
        return rows

    def _consent(self, channel: str, state: str) -> Bool:
        table_channel, table_state = sa.column("channel"), sa.column("state")
        if state == "none":
            return ~self._open("consents", table_channel == channel)
        return self._open("consents", (table_channel == channel) & (table_state == state))

    def _suppressed(self, channel: str) -> Bool:
        table = self._store_table("suppressions", "customer_id", "channel", "since_at")
        rows = sa.select(sa.literal(1)).where(
            table.c.customer_id == self.key,
            table.c.channel.in_([channel, "*"]),
            table.c.since_at <= self.as_of,
        )
        return rows.exists()

    def reachable(self, channel: str) -> Bool:
        """May be written to on a channel: address, consent, no suppression."""
        address = self.entity.c[ADDRESS[channel]].is_not(None)
        return sa.and_(address, self._consent(channel, "subscribed"), ~self._suppressed(channel))

    def _open(self, name: str, test: Bool) -> Bool:
        """A row of an interval table (consents, tags) that was open at ``as_of`` and passes the test."""
        table = self._store_table(name, "customer_id", "since_at", "until_at")
        rows = sa.select(sa.literal(1)).select_from(table)
        rows = rows.where(
            table.c.customer_id == self.key,
            table.c.since_at <= self.as_of,
            table.c.until_at.is_(None) | (table.c.until_at > self.as_of),
            test,
        )
        return rows.exists()

    def _store_table(self, name: str, *columns: str) -> sa.FromClause:
        if self.catalog.dataset != "store":
            fix = "use attributes and activities of the dataset"
            raise Invalid("not_in_dataset", f"the dataset {self.catalog.dataset!r} has no {name}", fix)
        types = {"since_at": TYPES["instant"], "until_at": TYPES["instant"]}
        return sa.table(name, *(sa.column(column, types.get(column)) for column in columns))


def _number_test(op: str, value: Value, operand: Any) -> Bool:
    bound = [sa.literal(number, sa.Numeric()) for number in (operand if isinstance(operand, tuple) else (operand,))]
    return OPERATORS[op].apply(value, *bound)


def _as_text(value: str | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
