"""How does a catalog follow from what a database file looks like?

A draft for a person to edit: every guess is said. Which tables there are is told by whoever opened the file.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, TypeVar

from domain.catalog import Activity, Attribute, Catalog, Entity, Join, Metric, Place, Term, suggestion
from domain.errors import Invalid
from domain.operators import Kind

PEOPLE = {"user", "customer", "contact", "person", "people", "member", "account", "company", "client", "subscriber"}
EVENT_NAMES = ("event_name", "event", "event_type", "action", "activity", "type", "kind", "name")
TIMES = ("timestamp", "occurred_at", "happened_at", "event_time", "created_at", "at", "time", "date")
SINCE = ("created_at", "signup_date", "signed_up_at", "signup_at", "registered_at", "joined_at", "joined_on", "since")
PRIVATE = ("email", "phone", "name", "first_name", "last_name", "full_name", "address", "street", "mobile", "birthday")
AMOUNTS = re.compile(r"(^|_)(amount|total|price|revenue|value|cost|spend|spent|paid|fee)(_|$)")

MOST_NAMES = 200
ENOUGH = 0.5
"""A column points at a table when at least this share of its values is found there."""

TYPES: tuple[tuple[str, Kind], ...] = (
    (r"VARCHAR|UUID|ENUM.*", "text"),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", "integer"),
    (r"DECIMAL.*|DOUBLE|FLOAT", "number"),
    (r"DATE", "date"),
    (r"TIMESTAMP.*", "instant"),
    (r"BOOLEAN", "boolean"),
)


@dataclass(frozen=True)
class Column:
    """A column as it was found: ``distinct`` is about how many values there are, ``values`` the most frequent ones.

    ``points_to`` is the table that a declared foreign key names.
    """

    name: str
    type: str
    filled: int
    distinct: int
    unique: bool = False
    points_to: str | None = None
    values: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind | None:
        """What it is in a catalog; nothing for lists, structures and other things that cannot be compared."""
        return next((kind for pattern, kind in TYPES if re.fullmatch(pattern, self.type)), None)


@dataclass(frozen=True)
class Table:
    """A table as it was found."""

    name: str
    rows: int
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name, whatever its case."""
        return next((column for column in self.columns if column.name.lower() == name.lower()), None)

    @property
    def key(self) -> Column | None:
        """The column that tells its rows apart: ``id``, or the first unique one that is called an id or a key."""
        named = sorted(self.columns, key=lambda column: column.name.lower() != "id")
        return next(
            (
                column
                for column in named
                if column.unique and re.search(r"(^|_|[a-z])(id|key|uuid)$", column.name, re.IGNORECASE)
            ),
            None,
        )


Found = Callable[[Table, Column, Table, Column], float]
"""The share of a column's values that another table's key has."""


@dataclass
class Draft:
    """A catalog, what was assumed for it, and what was left out; ``notes`` stand beside the entries in the file."""

    catalog: Catalog
    assumed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


def draft(
    name: str,
    tables: Sequence[Table],
    found: Found,
    *,
    file: str,
    schemas: Sequence[str],
    entity: str | None = None,
    key: str | None = None,
) -> Draft:
    """Draft a catalog; ``entity`` and ``key`` name what the dataset is about where the guess would be wrong.

    Raises Invalid (``no_entity``, ``unknown_table``, ``unknown_column``, ``key_broken``).
    """
    return _Drafting(name, tables, found, file, schemas).drafted(entity, key)


class _Drafting:
    """One draft in the making."""

    def __init__(self, name: str, tables: Sequence[Table], found: Found, file: str, schemas: Sequence[str]) -> None:
        self.name, self.tables, self.found, self.file, self.schemas = name, tables, found, file, schemas
        self.assumed: list[str] = []
        self.left_out: list[str] = []
        self.notes: dict[str, str] = {}

    def drafted(self, entity: str | None, key: str | None) -> Draft:
        home = self._entity(entity)
        id_column = self._key(home, key)
        joins: dict[str, Join] = {}
        attributes = self._attributes(home, {id_column.name}, "attributes")
        activities: dict[str, Activity] = {}
        unused: dict[str, str] = {}
        for table in self.tables:
            link = None if table is home else self._link(table, home, id_column)
            time = self._time(table) if link else None
            if link and time:
                activities[_free(singular(table.name), activities)] = self._activity(table, home, link, time)
            elif link and link.unique:
                self.assumed.append(f"{table.name} says more about each {singular(home.name)}, by its {link.name}")
                joins[table.name] = Join(table=table.name, on={link.name: id_column.name})
                more = self._attributes(table, {link.name}, "attributes", join=table.name)
                attributes |= {_free(name, attributes): entry for name, entry in more.items()}
            elif table is not home:
                leads = f"has no column that leads to {home.name}" if table.rows else "is empty"
                why = "has no time" if link else leads
                unused[table.name] = f"table {table.name}: it {why}"
        for activity in activities.values():
            unused = {
                name: why for name, why in unused.items() if name not in {j.table for j in activity.joins.values()}
            }
        self.left_out += unused.values()
        since = self._since(home)
        catalog = Catalog(
            dataset=self.name,
            file=self.file,
            schemas=tuple(self.schemas),
            entity=Entity(
                label=_label(singular(home.name)),
                plural=_label(home.name),
                table=home.name,
                key=id_column.name,
                key_kind="text" if id_column.kind == "text" else "integer",
                since=since.name if since else None,
                since_kind="date" if since and since.kind == "date" else "instant",
                joins=joins,
            ),
            attributes=attributes,
            activities=activities,
            metrics=_metrics(activities),
        )
        return Draft(catalog, self.assumed, self.left_out, self.notes)

    def _entity(self, named: str | None) -> Table:
        if named is not None:
            return _one(self.tables, named, "table")
        keyed = [table for table in self.tables if table.key]
        if not keyed:
            known = ", ".join(table.name for table in self.tables) or "none"
            fix = "say what the dataset is about with --entity TABLE --key COLUMN"
            raise Invalid("no_entity", f"no table has an id that is unique; tables: {known}", fix, "entity")

        def weight(table: Table) -> tuple[int, bool, int]:
            pointing = sum(1 for other in self.tables if other is not table and _pointers(other, table))
            return pointing, singular(table.name).lower() in PEOPLE, len(table.columns)

        best = max(keyed, key=weight)
        self.assumed.append(f"it is about {best.name}: {weight(best)[0]} other tables lead to it")
        return best

    def _key(self, home: Table, named: str | None) -> Column:
        column = home.key
        if named is not None:
            column = _one(home.columns, named, "column")
        if column is None or not column.unique:
            message = f"{home.name}.{column.name} is not unique" if column else f"{home.name} has no unique id"
            raise Invalid("key_broken", message, "name another column with --key", "key")
        if column.kind not in {"integer", "text"}:
            message = f"{home.name}.{column.name} is a {column.type}"
            raise Invalid("key_broken", message, "a key is a whole number or a text", "key")
        return column

    def _link(self, table: Table, home: Table, key: Column) -> Column | None:
        for column in _pointers(table, home, key):
            share = self.found(table, column, home, key)
            if share >= ENOUGH:
                self.assumed.append(
                    f"{table.name}.{column.name} is the {singular(home.name)}: {share:.0%} of its values are known"
                )
                return column
        return None

    def _time(self, table: Table) -> Column | None:
        times = [column for column in table.columns if column.kind in {"date", "instant"} and column.filled]
        if not times:
            return None
        rank = {name: i for i, name in enumerate(TIMES)}
        times.sort(key=lambda column: (rank.get(column.name.lower(), len(rank)), column.kind == "date"))
        others = f", not {', '.join(column.name for column in times[1:])}" if times[1:] else ""
        what = "days, without a time" if times[0].kind == "date" else "instants"
        zone = "" if "ZONE" in times[0].type or times[0].kind == "date" else ", taken as UTC"
        self.assumed.append(f"{table.name} happens at {times[0].name}{others}: {what}{zone}")
        return times[0]

    def _since(self, home: Table) -> Column | None:
        for name in SINCE:
            column = home.column(name)
            if column and column.kind in {"date", "instant"}:
                self.assumed.append(f"a {singular(home.name)} is known since {column.name}")
                return column
        return None

    def _activity(self, table: Table, home: Table, link: Column, time: Column) -> Activity:
        name = singular(table.name)
        skipped = {link.name, time.name, *([table.key.name] if table.key else [])}
        properties = self._attributes(table, skipped, f"activities.{name}.properties")
        joins: dict[str, Join] = {}
        for other in self.tables:
            key = other.key
            if other is table or other is home or key is None:
                continue
            for column in _pointers(table, other, key):
                if column is not link and self.found(table, column, other, key) >= ENOUGH:
                    joins[singular(other.name)] = Join(table=other.name, on={key.name: column.name})
                    more = self._attributes(other, {key.name}, f"activities.{name}.properties", singular(other.name))
                    properties |= {
                        _free(f"{singular(other.name)}_{at}", properties): entry for at, entry in more.items()
                    }
                    self.assumed.append(f"{table.name}.{column.name} leads to {other.name}")
                    break
        named_by = next((at for at in EVENT_NAMES if (found := table.column(at)) and _names(found, table)), None)
        if named_by:
            named_by = (table.column(named_by) or link).name
            self.assumed.append(f"each {named_by} of {table.name} is an activity of its own")
        return Activity(
            label=_label(name),
            plural=_label(table.name),
            table=table.name,
            entity_column=link.name,
            time_column=time.name,
            time_kind="date" if time.kind == "date" else "instant",
            named_by=named_by,
            joins=joins,
            properties=properties,
        )

    def _attributes(
        self, table: Table, skipped: Iterable[str], path: str, join: str | None = None
    ) -> dict[str, Attribute]:
        entries: dict[str, Attribute] = {}
        for column in table.columns:
            if column.name in skipped:
                continue
            kind = column.kind
            if kind is None:
                self.left_out.append(f"column {table.name}.{column.name}: a {column.type} cannot be compared")
                continue
            if kind in {"number", "integer"} and AMOUNTS.search(column.name.lower()):
                kind = "money"
            name = _free(_name(column.name), entries)
            entries[name] = Attribute(
                label=_label(column.name),
                kind=kind,
                at=Place(column=column.name, join=join),
                private=kind == "text" and _name(column.name) in PRIVATE,
            )
            if column.values and not entries[name].private:
                self.notes[f"{path}.{name}"] = "for example " + ", ".join(column.values)
        return entries


def toml(draft: Draft) -> str:
    """The draft as a catalog file, with what was assumed as comments."""
    plain = draft.catalog.model_dump(mode="json", exclude_defaults=True)
    head = [
        f"# The dataset {draft.catalog.dataset}, drafted from its file. Correct it and add how people say things",
        "# (labels, synonyms, verbs); `parley dataset check` tells whether it fits the file.",
        "#",
    ]
    head += [f"# Assumed: {line}." for line in draft.assumed]
    head += [f"# Left out: {line}." for line in draft.left_out]
    flat = [f"{name} = {_value(value)}" for name, value in plain.items() if not isinstance(value, dict)]
    sections = [
        line for name, value in plain.items() if isinstance(value, dict) for line in _section(name, value, draft)
    ]
    return "\n".join([*head, "", *flat, *sections]) + "\n"


INLINE = {"at", "on", "where", "void_at"}
"""Small tables that are written in one line."""


def _section(path: str, table: Mapping[str, Any], draft: Draft) -> list[str]:
    nested = {name: value for name, value in table.items() if isinstance(value, dict) and name not in INLINE}
    flat = {name: value for name, value in table.items() if name not in nested}
    lines = ["", *([f"# {draft.notes[path]}"] if path in draft.notes else []), f"[{path}]"] if flat else []
    lines += [f"{_bare(name)} = {_value(value)}" for name, value in flat.items()]
    for name, value in nested.items():
        lines += _section(f"{path}.{_bare(name)}", value, draft)
    return lines


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_bare(name)} = {_value(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _bare(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _pointers(table: Table, other: Table, key: Column | None = None) -> list[Column]:
    """The columns that may name a row of another table: declared ones, else by their names; of the key's kind."""
    key = key or other.key
    one = singular(other.name).lower()
    names = [f"{one}_id", f"{other.name.lower()}_id", f"{one}id", f"{one}_key", one]
    if key and key.name.lower() not in {"id", "key"}:
        names.append(key.name.lower())
    declared = [column for column in table.columns if column.points_to == other.name]
    named = [column for name in names if (column := table.column(name)) is not None]
    return [column for column in dict.fromkeys((*declared, *named)) if key is None or column.kind == key.kind]


def _names(column: Column, table: Table) -> bool:
    return column.kind == "text" and 1 < column.distinct <= min(MOST_NAMES, max(2, table.rows // 2))


def _metrics(activities: Mapping[str, Activity]) -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for name, entry in activities.items():
        plural = entry.plural
        found[_free(f"{name}_count", found)] = Metric(
            label=f"number of {plural}", kind="integer", absent=0, terms=(Term(activity=name, measure="count"),)
        )
        for key, item in entry.properties.items():
            if item.kind == "money" and item.at.join is None:
                found[_free(f"{name}_{key}", found)] = Metric(
                    label=f"sum of {item.label} of {plural}",
                    kind="money",
                    absent=0,
                    terms=(Term(activity=name, measure="sum", of=key),),
                )
        found[_free(f"days_since_last_{name}", found)] = Metric(
            label=f"days since the last {entry.label}",
            kind="number",
            unit="days",
            terms=(Term(activity=name, measure="days_since_last"),),
        )
    return found


T = TypeVar("T", Table, Column)


def _one(named: Sequence[T], name: str, what: str) -> T:
    found = next((each for each in named if each.name.lower() == name.lower()), None)
    if found is None:
        fix = suggestion(name, (each.name for each in named))
        raise Invalid(f"unknown_{what}", f"there is no {what} {name!r}", fix, "entity" if what == "table" else "key")
    return found


def singular(name: str) -> str:
    """``companies`` -> ``company``; a name that is none of the usual plurals stays as it is."""
    for ending, one in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if name.endswith(ending):
            return name.removesuffix(ending) + one
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is", "news")) else name


def _label(name: str) -> str:
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)).strip().lower() or name


def _name(name: str) -> str:
    return _label(name).replace(" ", "_")


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, or the first of name_2, name_3 ... that nothing else has."""
    names = set(taken)
    return next(each for each in chain([name], (f"{name}_{i}" for i in count(2))) if each not in names)
