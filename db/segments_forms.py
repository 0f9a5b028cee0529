"""Where do the two engines need different words? Each row of difference is one class here, with a form per engine.

PostgreSQL's form is the default; DuckDB's stands beside it. A JSON key is always given as a JSON Pointer to DuckDB,
which would read a key like ``*`` or ``$`` as a path, and a text to look for as itself, which it finds faster than a
pattern.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

DUCK_KINDS = {
    "string": ("VARCHAR",),
    "number": ("DOUBLE", "BIGINT", "UBIGINT", "HUGEINT"),
    "boolean": ("BOOLEAN",),
    "array": ("ARRAY",),
    "object": ("OBJECT",),
}


class JsonText(FunctionElement[str]):
    """The text under a key of a JSON object: the object, the key, and the key as a JSON Pointer."""

    type = sa.Text()
    inherit_cache = True


class JsonValue(FunctionElement[Any]):
    """The JSON under a key of a JSON object; given as to ``JsonText``."""

    type = JSONB()
    inherit_cache = True


class JsonLower(FunctionElement[Any]):
    """A JSON value with every text in it in small letters."""

    type = JSONB()
    inherit_cache = True


class JsonLength(FunctionElement[int]):
    """How many entries a JSON list has; ask only of a list."""

    type = sa.BigInteger()
    inherit_cache = True


class TextDay(FunctionElement[date]):
    """The day that a text says in ISO 8601; NULL where it says none."""

    type = sa.Date()
    inherit_cache = True


class TextInstant(FunctionElement[datetime]):
    """The instant that a text says in ISO 8601, offset included; NULL where it says none."""

    type = sa.DateTime(timezone=True)
    inherit_cache = True


class JsonNumber(FunctionElement[float]):
    """The number that a JSON value is; NULL for anything else, a text of digits too."""

    type = sa.Double()
    inherit_cache = True


class JsonIs(FunctionElement[bool]):
    """Whether a JSON value is of a kind: string, number, boolean, array or object."""

    type = sa.Boolean()
    inherit_cache = True


class Matches(FunctionElement[bool]):
    """Whether a text matches a regular expression, without regard to case."""

    type = sa.Boolean()
    inherit_cache = True


class Happened(FunctionElement[bool]):
    """Whether a key is among those something happened to: the key, a correlated EXISTS, and all their keys.

    As a column of everyone, DuckDB answers the keys several times faster; PostgreSQL knows best from the EXISTS.
    """

    type = sa.Boolean()
    inherit_cache = True


class Contains(FunctionElement[bool]):
    """Whether a text contains another: the text, the other as a pattern for LIKE, and the other."""

    type = sa.Boolean()
    inherit_cache = True


class StartsWith(Contains):
    """Whether a text starts with another; given as to ``Contains``."""

    inherit_cache = True


class EndsWith(Contains):
    """Whether a text ends with another; given as to ``Contains``."""

    inherit_cache = True


class Nearest(sa.Join):
    """Each row with the nearest one that its last comparison allows: DuckDB's ASOF join, which PostgreSQL lacks."""

    inherit_cache = True


class TextNumber(FunctionElement[int]):
    """A whole number from 0 to 2**32 - 1 that follows from a text and looks random."""

    type = sa.BigInteger()
    inherit_cache = True


class Includes(FunctionElement[bool]):
    """Whether a JSON list includes a value, given as a list of one."""

    type = sa.Boolean()
    inherit_cache = True


DAY = "^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}"
INSTANT = DAY + "[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,6}})?)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$"

POSTGRES = {
    JsonText: "{0} ->> {1}",
    JsonValue: "{0} -> {1}",
    JsonNumber: "case when jsonb_typeof({0}) = 'number' then cast({0} as double precision) end",
    JsonLower: "cast(lower(cast({0} as text)) as jsonb)",
    JsonLength: "cast(jsonb_array_length({0}) as bigint)",
    TextDay: f"case when {{0}} ~ '{DAY}$' and pg_input_is_valid({{0}}, 'date') then cast({{0}} as date) end",
    TextInstant: f"case when {{0}} ~ '{INSTANT}' and pg_input_is_valid({{0}}, 'timestamptz')"
    " then cast({0} as timestamptz) end",
    Matches: "{0} ~* {1}",
    Includes: "{0} @> {1}",
    Contains: "{0} LIKE {1} ESCAPE '/'",
    StartsWith: "{0} LIKE {1} ESCAPE '/'",
    EndsWith: "{0} LIKE {1} ESCAPE '/'",
    TextNumber: "cast(cast('x' || left(md5({0}), 8) as bit(32)) as bigint)",
}
DUCKDB = {
    JsonText: "json_extract_string({0}, {2})",
    JsonValue: "json_extract({0}, {2})",
    JsonNumber: "try_cast(cast({0} as varchar) as double)",
    JsonLower: "cast(lower(cast({0} as varchar)) as json)",
    JsonLength: "cast(json_array_length({0}) as bigint)",
    TextDay: f"case when regexp_matches({{0}}, '{DAY}$') then try_cast({{0}} as date) end",
    TextInstant: f"case when regexp_matches({{0}}, '{INSTANT}') then try_cast({{0}} as timestamptz) end",
    Matches: "regexp_matches({0}, {1}, 'is')",
    Includes: "list_contains(cast({0} as json[]), json_extract({1}, '$[0]'))",
    Contains: "contains({0}, {2})",
    StartsWith: "starts_with({0}, {2})",
    EndsWith: "ends_with({0}, {2})",
    TextNumber: "cast('0x' || left(md5({0}), 8) as bigint)",
}


@dataclass(frozen=True)
class _Part:
    """A part of a form, made SQL where the form says it: one that is not said is not bound either."""

    clause: sa.ColumnElement[Any]
    compiler: SQLCompiler
    kw: dict[str, Any]

    def __format__(self, _spec: str) -> str:
        return self.compiler.process(self.clause, **self.kw)


def _said(forms: dict[Any, str]) -> Any:
    def said(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
        return "(" + forms[type(element)].format(*(_Part(part, compiler, kw) for part in element.clauses)) + ")"

    return said


for _form in POSTGRES:
    compiles(_form)(_said(POSTGRES))
    compiles(_form, "duckdb")(_said(DUCKDB))


@compiles(JsonIs)
def _json_is(element: JsonIs, compiler: SQLCompiler, **kw: Any) -> str:
    value, kind = element.clauses
    return f"(jsonb_typeof({compiler.process(value, **kw)}) = {compiler.process(kind, **kw)})"


@compiles(JsonIs, "duckdb")
def _json_is_in_duckdb(element: JsonIs, compiler: SQLCompiler, **kw: Any) -> str:
    value, kind = element.clauses
    names = " ".join(f"WHEN '{name}' THEN {list(found)!r}" for name, found in DUCK_KINDS.items())
    found = f"json_type({compiler.process(value, **kw)})"
    return f"list_contains(CASE {compiler.process(kind, **kw)} {names} END, {found})"


@compiles(Happened)
def _happened(element: Happened, compiler: SQLCompiler, **kw: Any) -> str:
    _, exists, _ = element.clauses
    return compiler.process(exists, **kw)


@compiles(Happened, "duckdb")
def _happened_in_duckdb(element: Happened, compiler: SQLCompiler, **kw: Any) -> str:
    key, _, them = element.clauses
    return f"({compiler.process(key, **kw)} IN {compiler.process(them, **kw)})"


@compiles(Nearest, "duckdb")
def _nearest(element: Nearest, compiler: SQLCompiler, **kw: Any) -> str:
    left, right = (compiler.process(side, **{**kw, "asfrom": True}) for side in (element.left, element.right))
    on = compiler.process(element.onclause, **kw) if element.onclause is not None else "true"
    return f"{left} ASOF {'LEFT ' if element.isouter else ''}JOIN {right} ON {on}"
