"""Where do a catalog's names lie in the database, and against what is a definition compiled?

A catalog's tables, their columns and types, and what may be joined to what.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import reduce
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.functions import FunctionElement

from db.segments_forms import JsonIs, JsonNumber, JsonText, JsonValue, TextDay, TextInstant
from domain import catalog as cat
from domain import segments as seg
from domain.catalog import suggestion
from domain.errors import NotFound
from domain.operators import Kind

Bool = sa.ColumnElement[bool]
Value = sa.ColumnElement[Any]


class SmallText(sa.Text):
    """Text that is always in small letters."""


TYPES: dict[Kind, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "number": sa.Double(),
    "integer": sa.BigInteger(),
    "money": sa.Numeric(),
    "date": sa.Date(),
    "instant": sa.DateTime(timezone=True),
    "boolean": sa.Boolean(),
    "list": postgresql.JSONB(),
    "object": postgresql.JSONB(),
}
JSON_KINDS: dict[Kind, str] = {
    "text": "string",
    "number": "number",
    "integer": "number",
    "money": "number",
    "boolean": "boolean",
    "list": "array",
    "object": "object",
    "date": "string",
    "instant": "string",
}


Resolve = Callable[[int, str], seg.Definition]
"""The definition of a saved segment, by its id and the path that names it. Raises NotFound."""


Known = Callable[[Literal["flow", "topic"]], Mapping[Any, str]]
"""What exists beside segments: the names of flows by id, the labels of topics by name."""


def nothing(_kind: str) -> Mapping[Any, str]:
    """There are no flows and no topics."""
    return {}


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
    known: Known = nothing

    def must_exist(self, kind: Literal["flow", "topic"], one: Any, path: str) -> None:
        """Raise NotFound (``unknown_flow``, ``unknown_topic``) for what is not there, or no more."""
        known = self.known(kind)
        if one not in known:
            fix = suggestion(str(one), map(str, known)) if known else f"the store has no {kind}s"
            raise NotFound(f"unknown_{kind}", f"there is no {kind} {one!r}", fix, path)

    @property
    def today(self) -> date:
        """The calendar day of ``as_of``."""
        return self.as_of.astimezone(self.zone).date()


@dataclass
class Joins:
    """The tables that may hang on a row, and which of them a condition really used."""

    tables: Mapping[str, tuple[sa.FromClause, Bool]]
    used: dict[str, tuple[sa.FromClause, Bool]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Mapping[str, sa.TableClause], source: sa.FromClause, joins: Mapping[str, cat.Join]) -> Self:
        """The joins that a catalog entry allows on a row."""
        possible: dict[str, tuple[sa.FromClause, Bool]] = {}
        for name, join in joins.items():
            table = tables[join.table].alias()
            on = [table.c[theirs] == source.c[ours] for theirs, ours in join.on.items()]
            fixed = [table.c[column] == value for column, value in join.where.items()]
            possible[name] = (table, sa.and_(*on, *fixed))
        return cls(possible)

    def use(self, name: str) -> sa.FromClause:
        """The joined table of that name; from now on it is part of the FROM clause."""
        self.used[name] = self.tables[name]
        return self.tables[name][0]

    def rows(self, source: sa.FromClause) -> sa.FromClause:
        """The row with everything used so far hung on it; ask after all conditions are compiled."""
        for table, on in self.used.values():
            source = source.outerjoin(table, on)
        return source


def column_of(at: cat.Place, source: sa.FromClause, joins: Joins) -> Value:
    """The column of a place on a row, or the text under its JSON keys; joins what it needs."""
    column: Value = (joins.use(at.join) if at.join else source).c[at.column]
    return _under(JsonText, _inside(column, at.keys[:-1]), at.keys[-1]) if at.keys else column


def place(entry: cat.Attribute, source: sa.FromClause, joins: Joins) -> Value:
    """The value of a catalog entry on a row; a JSON value of another type than the entry's counts as not known."""
    text = column_of(entry.at, source, joins)
    if not entry.at.keys:
        return text
    value = _inside(column_of(cat.Place(column=entry.at.column, join=entry.at.join), source, joins), entry.at.keys)
    if entry.kind == "number":
        return JsonNumber(value)
    typed: Value
    match entry.kind:
        case "list" | "object":
            typed = value
        case "date":
            typed = TextDay(text)
        case "instant":
            typed = TextInstant(text)
        case _:
            typed = sa.cast(text, TYPES[entry.kind])
    return sa.case((JsonIs(value, sa.literal(JSON_KINDS[entry.kind], sa.Text())), typed), else_=None)


def _inside(column: Value, keys: Sequence[str]) -> Value:
    return reduce(lambda value, key: _under(JsonValue, value, key), keys, column)


def _under(form: type[FunctionElement[Any]], value: Value, key: str) -> Value:
    pointer = "/" + key.replace("~", "~0").replace("/", "~1")
    found: Value = form(value, sa.literal(key, sa.Text()), sa.literal(pointer, sa.Text()))
    if not key.isdecimal():
        return found
    is_object = JsonIs(value, sa.literal("object", sa.Text()))
    return sa.case((is_object, found), else_=None)  # in a list, the key would be a place


def tables(catalog: cat.Catalog) -> dict[str, sa.TableClause]:
    """Every table the catalog names, by name."""
    return {
        name: sa.table(name, *(sa.column(column, kind) for column, kind in found.items()))
        for name, found in _columns(catalog).items()
    }


Columns = dict[str, dict[str, sa.types.TypeEngine[Any] | None]]


def _columns(catalog: cat.Catalog) -> Columns:
    """Every table the catalog names, with every column it names there and its type where it is known."""
    found: Columns = {}
    entity = catalog.entity
    _note(found, entity.table, entity.key, TYPES[entity.key_kind])
    if entity.since:
        _note(found, entity.table, entity.since, TYPES[entity.since_kind])
    _note_joins(found, entity.table, entity.joins)
    for attribute in catalog.attributes.values():
        _note_value(found, entity, attribute)
    for activity in catalog.activities.values():
        _note_activity(found, activity)
    return found


def _note_activity(found: Columns, activity: cat.Activity) -> None:
    _note(found, activity.table, activity.entity_column, TYPES["integer"])
    _note(found, activity.table, activity.time_column, TYPES[activity.time_kind])
    _note_joins(found, activity.table, activity.joins)
    if activity.void_at:
        _note_place(found, activity, activity.void_at, "instant")
    if activity.counts:
        _note(found, activity.table, activity.counts)
    if activity.figures:
        _note_figures(found, activity, activity.figures)
    for test in activity.where:
        fixed = test.equals if test.equals is not None else test.is_not
        _note_place(found, activity, test.at, "boolean" if isinstance(fixed, bool) else "text")
    for entry in activity.properties.values():
        _note_value(found, activity, entry)


def _note_figures(found: Columns, activity: cat.Activity, figures: cat.Figures) -> None:
    instants = ("earliest", "latest")
    _note(found, figures.table, activity.entity_column, TYPES["integer"])
    _note(found, figures.table, figures.settled, TYPES["instant"])
    for measure, column in figures.columns.items():
        _, _, of = measure.partition(" ")
        kind = activity.properties[of].kind if of else "instant" if measure in instants else "integer"
        _note(found, figures.table, column, TYPES[kind])


def _note_joins(found: Columns, table: str, joins: Mapping[str, cat.Join]) -> None:
    for join in joins.values():
        for theirs, ours in join.on.items():
            _note(found, join.table, theirs)
            _note(found, table, ours)
        for column, value in join.where.items():
            _note(found, join.table, column, TYPES["boolean" if isinstance(value, bool) else "text"])


def _note_value(found: Columns, home: cat.Entity | cat.Activity, entry: cat.Attribute) -> None:
    _note_place(found, home, entry.at, entry.kind)
    if entry.lowercase and not entry.at.keys:
        table = home.joins[entry.at.join].table if entry.at.join else home.table
        found[table][entry.at.column] = SmallText()


def _note_place(found: Columns, home: cat.Entity | cat.Activity, at: cat.Place, kind: Kind) -> None:
    table = home.joins[at.join].table if at.join else home.table
    _note(found, table, at.column, postgresql.JSONB() if at.key else TYPES[kind])


def _note(found: Columns, table: str, column: str, kind: sa.types.TypeEngine[Any] | None = None) -> None:
    columns = found.setdefault(table, {})
    columns[column] = kind or columns.get(column)
