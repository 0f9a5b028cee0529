"""How does each condition of the segment language become SQL?

A condition is true or false of the entity's row, never NULL. Every value is bound; every name comes from the catalog.
"""

import operator
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import reduce
from hashlib import sha256
from typing import Any, assert_never

import sqlalchemy as sa

from db.segments_activities import Occurrences, Stretch
from db.segments_comparisons import compare, compare_columns, compare_number, compare_value
from db.segments_facts import Amount, Fact, Population
from db.segments_forms import Happened, JsonLength, TextNumber
from db.segments_kept import with_figures
from db.segments_recency import recent
from db.segments_rfm import scores
from db.segments_sequences import follows
from db.segments_store import StoreRows
from db.segments_tables import TYPES, Bool, Joins, Scope, Value, place, tables
from domain import catalog as cat
from domain import segments as seg
from domain.errors import Invalid, NotFound
from domain.operators import PRESENCE, TIMES, Kind
from domain.rfm import GROUPS
from domain.segments_operands import PICKS
from domain.windows import Window

PRIME = 2**31 - 1
MAX_NESTED = 20
MAX_COMPILED = 2_000
NO_AGGREGATES = (*PICKS, "median_gap")
"""The measures that no aggregate over the rows gives."""

LATEST = ("latest", None)
"""The measure that is the time of the last one."""


@dataclass
class Compiler:
    """One compilation. Joins and aggregations are collected on the way, each once."""

    scope: Scope
    measures: dict[Stretch, dict[tuple[str, str | None], Amount | None]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    nodes: int = 0

    def __post_init__(self) -> None:
        """Name every table and column of the catalog once."""
        self.catalog, self.as_of = self.scope.catalog, self.scope.as_of
        self.within = self.scope.within
        self.tables = tables(self.catalog)
        self.entity = self.tables[self.catalog.entity.table].alias("entity")
        self.key: sa.ColumnElement[int] = self.entity.c[self.catalog.entity.key]
        self.number = TextNumber(self.key) if self.catalog.entity.key_kind == "text" else self.key
        self.joins = Joins.of(self.tables, self.entity, self.catalog.entity.joins)
        self.store = StoreRows(self.scope, self.entity, self.key)
        self.joined: list[sa.CTE] = []
        self.collected: set[int] = set()

    def condition(self, node: seg.Leaf | seg.Group, path: str) -> Bool:
        """A condition as SQL that is never NULL."""
        self.nodes += 1
        if self.nodes > MAX_COMPILED:
            fix = "name fewer segments within segments"
            raise Invalid("segment_too_large", f"more than {MAX_COMPILED:,} conditions in all", fix, path)
        match node:
            case seg.All():
                return sa.and_(*(self.condition(child, f"{path}.of.{i}") for i, child in enumerate(node.of)))
            case seg.AnyOf():
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

    def fact(self, node: seg.Leaf, path: str) -> Fact:  # noqa: C901, PLR0911, PLR0912 - one case per kind of condition
        """A leaf as SQL, with what it looked at."""
        match node:
            case seg.Attribute():
                return self._attribute(node, path)
            case seg.Metric():
                return self._metric(node, path)
            case seg.Activity():
                return self._activity(node, path)
            case seg.Rank():
                return self._rank(node, path)
            case seg.Sequence():
                return Fact(path, node, follows(self, node, path))
            case seg.Bucket():
                return Fact(path, node, self._bucket(node))
            case seg.Consent():
                return Fact(path, node, self.store.consent(node.channel, node.state))
            case seg.Reachable():
                return Fact(path, node, self.store.reachable(node.channel))
            case seg.Suppressed():
                return Fact(path, node, self.store.suppressed(node.channel))
            case seg.Topic():
                return Fact(path, node, self.store.topic(node, path))
            case seg.InFlow():
                return Fact(path, node, self.store.in_flow(node, path))
            case seg.Scored():
                return self._scored(node, path)
            case seg.Tagged():
                return Fact(path, node, self.store.tagged(node.name))
            case seg.Member():
                return Fact(path, node, self._member(node, path))
            case seg.Listed():
                return Fact(path, node, self.store.listed(node, path, self.within))
            case _:
                assert_never(node)

    def _member(self, node: seg.Member, path: str) -> Bool:
        where = self._resolved(node.id, f"{path}.id")
        outer, self.within = self.within, (*self.within, node.id)
        facts, self.facts = self.facts, []
        condition = self.condition(where, path)
        self.within, self.facts = outer, facts
        return condition

    def _attribute(self, node: seg.Attribute, path: str) -> Fact:
        kind, column = self._subject(node, path)
        other: Value | None = None
        if isinstance(node.value, seg.OtherAttribute):
            entry = self.catalog.attribute(node.value.attribute, f"{path}.value.attribute")
            other = self._value(entry)
            test = compare_columns(node.op, (kind, entry.kind), (column, other), path)
        else:
            test = compare(node.op, kind, column, node.value, path, self.scope, self._zones(node, kind, path))
        if node.op in PRESENCE:
            return Fact(path, node, test, column)
        unknown = column.is_(None) if other is None else column.is_(None) | other.is_(None)
        return Fact(path, node, _decided(test, node.missing), column, unknown, other)

    def _subject(self, node: seg.Attribute, path: str) -> tuple[Kind, Value]:
        entry = self.catalog.attribute(node.name, f"{path}.name", node.path)
        column = self._value(entry)
        if node.measure is None:
            return entry.kind, column
        if entry.kind != "list":
            message = f"{entry.label} is a {entry.kind}, only a list has a length"
            raise Invalid("not_a_list", message, "leave out measure", f"{path}.measure")
        return "integer", JsonLength(column)

    def _value(self, entry: cat.Attribute) -> Value:
        column = place(entry, self.entity, self.joins)
        return sa.case((column <= sa.literal(self.as_of, TYPES["instant"]), column)) if entry.moves else column

    def _zones(self, node: seg.Attribute, kind: Kind, path: str) -> Value | None:
        if node.zone == "store":
            return None
        if kind not in TIMES or self.catalog.entity.zone is None:
            fix = "leave out zone; it is for days and instants where the catalog knows who lives in which zone"
            raise Invalid("no_own_zone", f"{node.name} has no days of the customer's own", fix, f"{path}.zone")
        return place(self.catalog.attribute(self.catalog.entity.zone), self.entity, self.joins)

    def _metric(self, node: seg.Metric, path: str) -> Fact:
        amount = self.metric(node.name, node.during, path)
        value: Value = sa.cast(amount.value, sa.Double())
        threshold = self._threshold(node, amount, path)
        (first, *others) = self.catalog.metrics[node.name].terms
        absent = self.catalog.metrics[node.name].absent
        test = None
        if not others and first.sign == 1 and absent is None:
            test = recent(self, Stretch(first.activity, node.during), first.measure, node, path)
        if test is None:
            test = self._compared(node.op, value, node.value, threshold)
        unknown = _unknown(value if absent is None else None, threshold)
        return Fact(path, node, _decided(test, node.missing), value, unknown, threshold)

    def _activity(self, node: seg.Activity, path: str) -> Fact:
        stretch = Stretch(node.name, node.during, node.where)
        if node.op in {"any", "none"}:
            lately = self._lately(node, path)
            happened = self._happened(stretch, self.key, path) if lately is None else lately
            if node.op == "any":
                return Fact(path, node, happened)
            return Fact(path, node, ~happened, never=self._never(node, path) if node.during else None)
        if node.measure in PICKS:
            return self._pick(node, path)
        amount = self._amount(stretch, node.measure, node.of, path)
        threshold = self._threshold(node, amount, path)
        test = recent(self, stretch, node.measure, node, path)
        if test is None:
            test = self._compared(node.op, amount.value, node.value, threshold)
        unknown = _unknown(None if node.counts else amount.value, threshold)
        return Fact(path, node, _decided(test, node.missing), amount.value, unknown, threshold)

    def _pick(self, node: seg.Activity, path: str) -> Fact:
        kind = self.catalog.property(node.name, node.of or "", f"{path}.of").kind
        value = self._measure(Stretch(node.name, node.during, node.where), node.measure, node.of, path).value
        test = compare(node.op, kind, value, node.value, path, self.scope)
        if node.op in PRESENCE:
            return Fact(path, node, test, value)
        return Fact(path, node, _decided(test, node.missing), value, value.is_(None))

    def _compared(self, op: str, value: Value, operand: Any, threshold: Value | None) -> Bool:
        if threshold is None:
            return compare_number(op, value, operand)
        return compare_value(op, sa.cast(value, sa.Double()), threshold)

    def _threshold(self, node: seg.Metric | seg.Activity, amount: Amount, path: str) -> Value | None:
        """What a number is compared with, where that is read off the data."""
        operand, at = node.value, f"{path}.value"
        match operand:
            case seg.Percentile():
                return self._percentile(amount, operand, at)
            case seg.WindowBefore():
                if isinstance(node, seg.Metric):
                    other = self.metric(node.name, node.during, path, before=True)
                else:
                    stretch = Stretch(node.name, node.during, node.where, before=True)
                    other = self._amount(stretch, node.measure, node.of, path)
            case seg.OtherMetric():
                other = self.metric(operand.metric, operand.during, f"{at}.metric")
            case seg.OtherMeasure() if isinstance(node, seg.Activity):
                stretch = Stretch(operand.name or node.name, operand.during, operand.where)
                other = self._amount(stretch, operand.measure, operand.of, at)
            case _:
                return None
        return sa.cast(other.value, sa.Double()) * sa.literal(float(operand.times), sa.Double())

    def _amount(self, stretch: Stretch, measure: str, of: str | None, path: str) -> Amount:
        """A measured number; 0 where nothing was counted or added up."""
        found = self._measure(stretch, measure, of, path)
        counts = measure in {"count", "sum", "distinct"}
        return replace(found, value=sa.func.coalesce(found.value, 0)) if counts else found

    def _lately(self, node: seg.Activity, path: str) -> Bool | None:
        """It happened in a window that ends now, read off the latest time of an aggregation that is there anyway."""
        whole = Stretch(node.name, None, node.where)
        if LATEST not in self.measures.get(whole, {}) or node.during is None:
            return None
        start, end = node.during.bounds(self.as_of, self.scope.zone)
        if start is None or end != self.as_of:
            return None
        latest = self._measure(whole, *LATEST, path).value
        return _decided(latest >= sa.literal(start, TYPES["instant"]), "exclude")

    def _never(self, node: seg.Activity, path: str) -> Bool:
        """It did not happen at any time; read off an aggregation of all of it where another condition needs one."""
        whole = Stretch(node.name, None, node.where)
        counted = next((wanted for wanted in self.measures.get(whole, {}) if wanted[0] not in NO_AGGREGATES), None)
        if counted:
            return self._measure(whole, *counted, path).measures[0].c.id.is_(None)
        return ~self._happened(whole, self.key, path)

    def counted(self, stretch: Stretch) -> sa.FromClause | None:
        """An aggregation of the stretch that was made already; who never did it is not in it."""
        return next((found.measures[0] for wanted, found in self.measures.get(stretch, {}).items()
                     if found and wanted[0] not in NO_AGGREGATES), None)  # fmt: skip

    def _bucket(self, node: seg.Bucket) -> Bool:
        """Universal hashing of the key modulo a prime; the name picks the function."""
        digest = sha256(node.name.encode()).digest()
        factor = int.from_bytes(digest[:4]) % (PRIME - 1) + 1
        shift = int.from_bytes(digest[4:8]) % PRIME
        bound = [
            sa.literal(number, sa.BigInteger()) for number in (PRIME, factor, shift, int(PRIME * node.percent / 100))
        ]
        prime, times, plus, below = bound
        return ((self.number % prime) * times + plus) % prime < below

    def _rank(self, node: seg.Rank, path: str) -> Fact:
        amount = self.metric(node.metric, node.during, f"{path}.metric")
        people = self.population(amount, node.among, f"{path}.among")
        value: Value = sa.cast(people.value, sa.Double())
        order = value.desc() if node.end == "top" else value.asc()
        group = []
        if node.per is not None:
            group.append(place(self.catalog.attribute(node.per, f"{path}.per"), people.entity, people.joins))
        columns = (
            people.key.label("id"),
            sa.func.rank().over(partition_by=group, order_by=order).label("place"),
            sa.func.count().over(partition_by=group).label("n"),
        )
        named = [column.is_not(None) for column in (people.value, *group)]
        rows = people.select(*columns).where(*named).cte()
        if node.count is not None:
            cut: Any = node.count
        else:
            share = Decimal(str(node.percent)) / 100
            cut = sa.func.ceil(rows.c.n * sa.literal(share, sa.Numeric()))
        return Fact(path, node, self.key.in_(sa.select(rows.c.id).where(rows.c.place <= cut)), amount.value)

    def _percentile(self, amount: Amount, at: seg.Percentile, path: str) -> Value:
        people = self.population(amount, at.among, f"{path}.among")
        share: Value = sa.literal(at.percentile / 100, sa.Double())
        cont = sa.func.percentile_cont(share).within_group(sa.cast(people.value, sa.Double()).asc())
        return people.select(cont.label("value")).cte().select().scalar_subquery()

    def population(self, amount: Amount, among: seg.Among, path: str) -> Population:
        """The people among whom an amount is ranked, under aliases of their own."""
        entity = self.tables[self.catalog.entity.table].alias()
        key: sa.ColumnElement[int] = entity.c[self.catalog.entity.key]
        tests = [self.known(entity)]
        if isinstance(among, seg.SegmentMembers):
            tests.append(key.in_(self._members(among.segment, f"{path}.segment")))
        elif among == "buyers":
            if self.catalog.buyers is None:
                raise Invalid("no_buyers", f"{self.catalog.dataset} has no buyers", "use everyone", path)
            bought = Stretch(self.catalog.buyers)
            counted = self.counted(bought)
            if counted is not None and counted in amount.measures:
                tests.append(counted.c.id.is_not(None))
            else:
                tests.append(self._happened(bought, key, path))
        joins = Joins.of(self.tables, entity, self.catalog.entity.joins)
        return Population(entity, key, joins, amount.value, amount.measures, tuple(tests))

    def _members(self, segment_id: int, path: str) -> sa.Select[Any]:
        """The keys of a saved segment's members, compiled apart."""
        where = self._resolved(segment_id, path)
        inner = Compiler(replace(self.scope, within=(*self.within, segment_id)), nodes=self.nodes)
        inner.collect(where)
        condition = inner.condition(where, path)
        self.nodes = inner.nodes
        return sa.select(inner.key).select_from(inner.rows()).where(inner.known(inner.entity), condition)

    def _resolved(self, segment_id: int, path: str) -> seg.Leaf | seg.Group:
        """What a saved segment means. Raises Invalid (``segment_cycle``, ``segment_too_large``), NotFound."""
        if segment_id in self.within:
            chain = " → ".join(str(one) for one in (*self.within[self.within.index(segment_id) :], segment_id))
            raise Invalid("segment_cycle", f"segments contain each other: {chain}", "leave one of them out", path)
        if len(self.within) >= MAX_NESTED:
            fix = "name the inner segments' conditions themselves"
            raise Invalid("segment_too_large", f"segments within segments, {MAX_NESTED} deep", fix, path)
        return self.scope.resolve(segment_id, path).where

    def metric_value(self, name: str, during: Window | None, path: str) -> Value:
        """The metric on the entity's row; NULL where it is not known."""
        return self.metric(name, during, path).value

    def metric(self, name: str, during: Window | None, path: str, *, before: bool = False) -> Amount:
        """The metric of each entity; NULL where it is not known. Raises Invalid (``unknown_metric``)."""
        metric = self.catalog.metric(name, path if path.endswith(".metric") else f"{path}.name")
        found = [
            self._measure(Stretch(term.activity, during, (), before), term.measure, term.of, path)
            for term in metric.terms
        ]
        parts = [one.value if term.sign > 0 else -one.value for one, term in zip(found, metric.terms, strict=True)]
        if metric.absent is not None:
            parts = [sa.func.coalesce(part, metric.absent) for part in parts]
        return Amount(
            reduce(operator.add, parts), tuple(dict.fromkeys(table for one in found for table in one.measures))
        )

    def collect(self, node: seg.Leaf | seg.Group) -> None:
        """Find every measure first, so that one aggregation per stretch serves them all; names are checked later."""
        for leaf in seg.walk(node):
            match leaf:
                case seg.Metric() if leaf.name in self.catalog.metrics:
                    self._want_metric(leaf.name, leaf.during)
                case seg.Rank() if leaf.metric in self.catalog.metrics:
                    self._want_metric(leaf.metric, leaf.during)
                case seg.Activity() if leaf.op not in {"any", "none"}:
                    self._want(Stretch(leaf.name, leaf.during, leaf.where), leaf.measure, leaf.of)
                    if isinstance(leaf.value, seg.OtherMeasure):
                        other = leaf.value
                        stretch = Stretch(other.name or leaf.name, other.during, other.where)
                        self._want(stretch, other.measure, other.of)
                case seg.Member() if leaf.id not in self.within and leaf.id not in self.collected:
                    self.collected.add(leaf.id)
                    outer, self.within = self.within, (*self.within, leaf.id)
                    with suppress(NotFound):  # which is said where its place is known
                        self.collect(self.scope.resolve(leaf.id, "").where)
                    self.within = outer
                case _:
                    pass
        for leaf in seg.walk(node):
            if isinstance(leaf, seg.Activity) and leaf.op in {"any", "none"} and leaf.during:
                self._want_latest(Stretch(leaf.name, None, leaf.where))

    def _want_latest(self, stretch: Stretch) -> None:
        """The time of the last one, where all of them are aggregated anyway."""
        activity = self.catalog.activities.get(stretch.activity)
        aggregated = any(wanted[0] not in NO_AGGREGATES for wanted in self.measures.get(stretch, ()))
        if aggregated and activity and activity.time_kind == "instant":
            self._want(stretch, *LATEST)

    def _want_metric(self, name: str, during: Window | None) -> None:
        for term in self.catalog.metrics[name].terms:
            self._want(Stretch(term.activity, during), term.measure, term.of)

    def _want(self, stretch: Stretch, measure: str, of: str | None) -> None:
        self.measures.setdefault(stretch, {}).setdefault((measure, of), None)

    def _measure(self, stretch: Stretch, measure: str, of: str | None, path: str) -> Amount:
        """A measure on the entity's row; NULL where there is nothing to measure."""
        self._want(stretch, measure, of)
        if self.measures[stretch][measure, of] is None:
            self._aggregate(stretch, (measure, of), path)
        found = self.measures[stretch][measure, of]
        assert found is not None  # noqa: S101 - just made
        return found

    def _aggregate(self, stretch: Stretch, wanted: tuple[str, str | None], path: str) -> None:
        """One aggregation of everything that is wanted of the stretch as yet, or one for what no aggregate gives."""
        rows, named = self.occurrences(stretch, path), self.measures[stretch]
        if wanted[0] in NO_AGGREGATES:
            cte = rows.each(*wanted).cte()
            self.joined.append(cte)
            named[wanted] = Amount(cte.c.value, (cte,))
            return
        open_ = [one for one, found in named.items() if found is None and one[0] not in NO_AGGREGATES]
        columns = [rows.measure(*one).label(f"m{i}") for i, one in enumerate(open_)]
        counted = rows.select(rows.of.label("id"), *columns).group_by(rows.of)
        cte = with_figures(rows, open_, counted, self.tables).cte()
        self.joined.append(cte)  # nameless, so that two compilations fit into one statement
        named.update({one: Amount(cte.c[f"m{i}"], (cte,)) for i, one in enumerate(open_)})

    def occurrences(self, stretch: Stretch, path: str) -> Occurrences:
        """The rows of a stretch. Raises Invalid (``unknown_activity``)."""
        return Occurrences(stretch, self.tables, self.scope, path)

    def _happened(self, stretch: Stretch, key: sa.ColumnElement[int], path: str) -> Bool:
        rows = self.occurrences(stretch, path)
        them = rows.select(rows.of).where(rows.of.is_not(None)).correlate(None)
        return Happened(key, rows.happened(rows.of == key), them.scalar_subquery())

    def known(self, entity: sa.FromClause) -> Bool:
        """The entity was known by the instant asked about."""
        since = self.catalog.entity.since
        if since is None:
            return sa.true()
        latest = self.scope.today if self.catalog.entity.since_kind == "date" else self.as_of
        return entity.c[since].is_(None) | (entity.c[since] <= latest)

    def rows(self, only: Bool | None = None) -> sa.FromClause:
        """The entity with everything used so far hung on it; of the aggregations, those that ``only`` speaks of."""
        named = None if only is None else {column.table for column in _columns(only)}
        rows = self.joins.rows(self.entity)
        for cte in self.joined:
            if named is None or cte in named:
                rows = rows.outerjoin(cte, cte.c.id == self.key)
        return rows

    def _scored(self, node: seg.Scored, path: str) -> Fact:
        found = scores(self).cte()
        self.joined.append(found)
        ranges: list[tuple[str, tuple[int, int]]] = list(node.scores.items())
        if node.group:
            group = GROUPS[node.group]
            ranges += [("recency", group.recency), ("frequency", group.frequency)]
        tests = [found.c[axis].between(low, high) for axis, (low, high) in ranges]
        digits = found.c.recency * 100 + found.c.frequency * 10 + found.c.monetary
        return Fact(path, node, _decided(sa.and_(*tests), node.missing), digits, found.c.id.is_(None))


def _columns(test: sa.ClauseElement) -> Iterator[sa.ColumnClause[Any]]:
    """The columns a condition speaks of itself, leaving out what the statements in it look up for themselves."""
    for part in test.get_children():
        if isinstance(part, sa.ColumnClause):
            yield part
        elif not isinstance(part, sa.SelectBase):
            yield from _columns(part)


def _decided(test: Bool, missing: str) -> Bool:
    """A test that is NULL where the value is not known, with what is meant then."""
    return sa.func.coalesce(test, sa.true() if missing == "include" else sa.false())


def _unknown(*sides: Value | None) -> Bool | None:
    """One of the sides of a comparison is not known; ``None`` stands for a side that always is."""
    tests = [side.is_(None) for side in sides if side is not None]
    return sa.or_(*tests) if tests else None
