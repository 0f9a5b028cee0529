"""How does a segment become SQL?

One compiler: a definition becomes one condition over the entity's row that is true or false, never NULL. "How many",
"who", "is this person in" and "why" are that condition under different outer selects. Every value is bound; every name
comes from the catalog.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa

from db.segments_compiler import PRIME, Compiler
from db.segments_facts import Fact
from db.segments_filter import picking
from db.segments_store import ADDRESS
from db.segments_tables import Bool, Scope
from domain import segments as seg
from domain.errors import Invalid


@dataclass(frozen=True)
class Compiled:
    """A definition as SQL. ``id`` is the entity's key, ``rows`` the FROM clause, ``known`` who existed by then.

    ``number`` is the key, or what stands for a key that is a text. ``picked`` is what ``condition`` needs of the rows.
    ``reachable`` says of each of the ``channels`` whether somebody may be written to there.
    """

    id: sa.ColumnElement[int]
    number: sa.ColumnElement[int]
    rows: sa.FromClause
    picked: sa.FromClause
    known: Bool
    condition: Bool
    conjuncts: tuple[Bool, ...]
    facts: tuple[Fact, ...]
    channels: tuple[str, ...]
    reachable: Callable[[str], Bool]

    def size(self) -> sa.Select[Any]:
        """One row, one column: how many."""
        return sa.select(sa.func.count()).select_from(self.picked).where(self.known, picking(self.condition))

    def members(self, *, after: int | str | None = None, limit: int | None = None) -> sa.Select[Any]:
        """The ids in rising order, from the first above ``after``."""
        beyond = sa.true() if after is None else self.id > after
        chosen = sa.select(self.id).select_from(self.picked).where(self.known, picking(self.condition), beyond)
        return chosen.order_by(self.id).limit(limit)

    def matrix(self, *, sample: int) -> sa.Select[Any]:
        """Everything a preview shows, in one row.

        ``everyone``, ``audience``, ``alone_i`` and ``left_i`` per conjunct, ``unknown_i`` per fact that can be unknown,
        ``never_i`` members per fact that something did not happen, ``reachable_CHANNEL``, and ``sample`` ids picked
        evenly and always the same.
        """
        unknown = [(i, fact.unknown) for i, fact in enumerate(self.facts) if fact.unknown is not None]
        never = [(i, fact.never) for i, fact in enumerate(self.facts) if fact.never is not None]
        columns: list[sa.ColumnElement[Any]] = [
            self.id.label("id"),
            self.number.label("number"),
            *(test.label(f"c{i}") for i, test in enumerate(self.conjuncts)),
            *(test.label(f"u{i}") for i, test in unknown),
            *(test.label(f"n{i}") for i, test in never),
            *(self.reachable(channel).label(f"reachable_{channel}") for channel in self.channels),
        ]
        row = sa.select(*columns).select_from(self.rows).where(self.known).cte("person")
        tests = [row.c[f"c{i}"] for i in range(len(self.conjuncts))]
        member = sa.and_(*tests)
        scattered = (row.c.number % PRIME * 2_654_435_761) % 4_294_967_296
        picked = (sa.select(row.c.id).where(member).order_by(scattered).limit(sample)).subquery("picked")
        figures: list[sa.ColumnElement[Any]] = [
            _count().label("everyone"),
            _count(member).label("audience"),
            *(_count(test).label(f"alone_{i}") for i, test in enumerate(tests)),
            *(_count(sa.and_(*tests[: i + 1])).label(f"left_{i}") for i in range(len(tests))),
            *(_count(row.c[f"u{i}"]).label(f"unknown_{i}") for i, _ in unknown),
            *(_count(member & row.c[f"n{i}"]).label(f"never_{i}") for i, _ in never),
            *(_count(member & row.c[f"reachable_{name}"]).label(f"reachable_{name}") for name in self.channels),
            sa.select(sa.func.array_agg(picked.c.id)).scalar_subquery().label("sample"),
        ]
        return sa.select(*figures).select_from(row)

    def why(self, entity_id: int) -> sa.Select[Any]:
        """At most one row for one entity: ``member``, then ``holds_i``, ``value_i``, ``unknown_i``, ``threshold_i``."""
        columns: Iterator[sa.ColumnElement[Any]] = chain.from_iterable(
            (
                fact.holds.label(f"holds_{i}"),
                (fact.value if fact.value is not None else sa.null()).label(f"value_{i}"),
                (fact.unknown if fact.unknown is not None else sa.false()).label(f"unknown_{i}"),
                (fact.threshold if fact.threshold is not None else sa.null()).label(f"threshold_{i}"),
            )
            for i, fact in enumerate(self.facts)
        )
        chosen = sa.select(self.condition.label("member"), *columns).select_from(self.rows)
        return chosen.where(self.known, self.id == entity_id)


def compiled(definition: seg.Definition, scope: Scope) -> Compiled:
    """Compile a definition.

    Raises Invalid for a name the catalog lacks, a value of the wrong type or a cycle, NotFound for a missing segment.
    """
    return whole(Compiler(scope), definition)


def whole(compiler: Compiler, definition: seg.Definition) -> Compiled:
    """Compile a definition within a compilation, where other things may be asked of the same rows."""
    dataset = compiler.catalog.dataset
    if definition.dataset != dataset:
        message = f"this is the dataset {dataset!r}, the definition is for {definition.dataset!r}"
        raise Invalid("wrong_dataset", message, "ask the dataset that the definition names", "dataset")
    compiler.collect(definition.where)
    paths = seg.paths(definition)
    tests = [compiler.condition(node, path) for path, node in paths]
    condition = sa.and_(*tests)
    return Compiled(
        id=compiler.key,
        number=compiler.number,
        channels=tuple(ADDRESS) if dataset == "store" else (),
        reachable=compiler.store.reachable,
        condition=condition,
        conjuncts=tuple(tests),
        facts=tuple(compiler.facts),
        known=compiler.known(compiler.entity),
        rows=compiler.rows(),
        picked=compiler.rows(condition),
    )


def _count(test: Bool | None = None) -> sa.ColumnElement[int]:
    return sa.func.count() if test is None else sa.func.count().filter(test)
