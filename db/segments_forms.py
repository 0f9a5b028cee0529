"""Where do the two engines need different words? Each row of difference is one class here, with a form per engine.

PostgreSQL's form is the default; DuckDB's stands beside it. A JSON key is always given as a JSON Pointer to DuckDB,
which would read a key like ``*`` or ``$`` as a path.
"""

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
}


class JsonText(FunctionElement[str]):
    """The text under a key of a JSON object."""

    type = sa.Text()
    inherit_cache = True


class JsonValue(FunctionElement[Any]):
    """The JSON under a key of a JSON object."""

    type = JSONB()
    inherit_cache = True


class JsonIs(FunctionElement[bool]):
    """Whether a JSON value is of a kind: string, number, boolean or array."""

    type = sa.Boolean()
    inherit_cache = True


class Matches(FunctionElement[bool]):
    """Whether a text matches a regular expression, without regard to case."""

    type = sa.Boolean()
    inherit_cache = True


class TextNumber(FunctionElement[int]):
    """A whole number from 0 to 2**32 - 1 that follows from a text and looks random."""

    type = sa.BigInteger()
    inherit_cache = True


class Includes(FunctionElement[bool]):
    """Whether a JSON list includes a value, given as a list of one."""

    type = sa.Boolean()
    inherit_cache = True


POSTGRES = {
    JsonText: "{} ->> {}",
    JsonValue: "{} -> {}",
    Matches: "{} ~* {}",
    Includes: "{} @> {}",
    TextNumber: "cast(cast('x' || left(md5({}), 8) as bit(32)) as bigint)",
}
DUCKDB = {
    JsonText: "json_extract_string({}, '/' || replace(replace({}, '~', '~0'), '/', '~1'))",
    JsonValue: "json_extract({}, '/' || replace(replace({}, '~', '~0'), '/', '~1'))",
    Matches: "regexp_matches({}, {}, 'i')",
    Includes: "json_contains({}, {})",
    TextNumber: "cast('0x' || left(md5({}), 8) as bigint)",
}


def _said(forms: dict[Any, str]) -> Any:
    def said(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
        return "(" + forms[type(element)].format(*(compiler.process(part, **kw) for part in element.clauses)) + ")"

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
