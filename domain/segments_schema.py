"""How does a definition look as JSON Schema (2020-12), for whoever writes one with another program?

The shapes are the nodes' own. What their checks say about several fields at once is added here, as far as JSON Schema
can say it; ``BEYOND`` is what it cannot.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from domain.operators import COMPARISONS, OPERATORS, PRESENCE, Operand
from domain.segments import Definition
from domain.segments_operands import MAX_LIST, MAX_NUMBER, OF_PROPERTY, PICKS
from domain.windows import PERIODS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = "/v1/schemas/segment"

BEYOND = (
    "between takes the lower value first",
    "until is shorter than last, and to is not before from",
    "n of at_least is not larger than the number of its conditions",
    "a day is a day of the calendar, a regular expression one that every engine reads",
    "a definition has at most 400 conditions, nested at most 12 deep, and texts that a database can hold",
    "names and the types of values are checked against the dataset",
)
"""What a definition must be like as well, which no schema can say. On the other hand the parser forgives what a schema
does not: a number in quotes, and ``true`` where 1 is meant."""

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number", "minimum": -int(MAX_NUMBER), "maximum": int(MAX_NUMBER)}
DAY: Schema = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
LENGTH: Schema = {
    "type": "string",
    "pattern": r"^(?=\d{1,4}[a-z])0*([1-9]\d*[hdw]|([1-9]\d{0,2}|1\d{3}|2[0-3]\d\d|2400)mo|([1-9]\d?|1\d\d|200)y)$",
}

_NOT_GIVEN: Schema = {"type": "null"}
_PAIR: Schema = {"type": "array", "minItems": 2, "maxItems": 2}

_OPERANDS: dict[Operand, Schema] = {
    "none": _NOT_GIVEN,
    "one": {"not": {"type": ["array", "null"]}},
    "many": {"type": "array", "minItems": 1, "maxItems": MAX_LIST},
    "pair": _PAIR,
    "duration": LENGTH,
    "period": {"enum": list(PERIODS)},
    "pattern": {"type": "string"},
}


@cache
def schema() -> Schema:
    """The JSON Schema of a definition."""
    whole = _plainer(Definition.model_json_schema(by_alias=True))
    for node in whole["$defs"].values():
        if "const" in node["properties"].get("type", {}):
            node["required"] = ["type", *node.get("required", [])]
    for name, rules in _rules().items():
        whole["$defs"][name]["allOf"] = rules
    for name, field, shape in _SHAPES:
        found = whole["$defs"][name]["properties"][field]
        found["anyOf"] = [shape, _NOT_GIVEN]
    about = f"A segment. Beyond what a schema can say: {'; '.join(BEYOND)}."
    return {**whole, "$schema": DIALECT, "$id": ADDRESS, "title": "Segment", "description": about}


_SHAPES = (
    *(("Window", field, LENGTH) for field in ("last", "until", "previous")),
    *(("Window", field, DAY) for field in ("from", "to")),
    ("Step", "within", LENGTH),
)


def _plainer(found: Any) -> Any:
    """Without titles that repeat the names, and with numbers that are written as numbers."""
    if isinstance(found, list):
        return [_plainer(item) for item in found]
    if not isinstance(found, dict):
        return found
    if found.get("anyOf") == [{"type": "number"}, {"type": "string"}]:
        return NUMBER | {key: value for key, value in found.items() if key in {"default", "exclusiveMinimum"}}
    if found.get("type") == ["string", "number", "boolean"]:
        return found | {key: value for key, value in NUMBER.items() if key != "type"}
    return {key: _plainer(value) for key, value in found.items() if key != "title" or not isinstance(value, str)}


def _when(field: str, values: Iterable[str], then: Schema, *, usual: bool = False) -> Schema:
    """A rule for these values of a field; ``usual`` where leaving the field out means one of them."""
    test: Schema = {"properties": {field: {"enum": list(values)}}}
    return {"if": test if usual else {**test, "required": [field]}, "then": then}


def _given(field: str) -> Schema:
    return {"required": [field], "properties": {field: {"not": _NOT_GIVEN}}}


def _value(shape: Schema) -> Schema:
    return {"required": ["value"], "properties": {"value": shape}}


def _operands() -> list[Schema]:
    """The operator is known, and its operand has the operator's shape."""
    found: list[Schema] = [{"properties": {"op": {"enum": list(OPERATORS)}}}]
    for operand, shape in _OPERANDS.items():
        ops = [row.key for row in OPERATORS.values() if row.operand == operand]
        found.append(_when("op", ops, {"properties": {"value": shape}} if operand == "none" else _value(shape)))
    found.append(_when("op", PRESENCE, {"properties": {"missing": {"const": "exclude"}}}))
    return found


def _compared() -> list[Schema]:
    """A number compared with one number or something that is one, or between two."""
    one = {"type": ["number", "object"]}
    return [
        {"properties": {"op": {"enum": list(COMPARISONS)}}},
        _when("op", ["between"], _value({**_PAIR, "items": NUMBER})),
        _when("op", [op for op in COMPARISONS if op != "between"], _value(one)),
    ]


def _measured() -> Schema:
    """A property is named exactly where the measure is one of a property."""
    named = _when("measure", OF_PROPERTY, _given("of"))
    return {**named, "else": {"properties": {"of": _NOT_GIVEN}}}


def _before() -> Schema:
    """There is a window before only where there is a window that begins."""
    begins = {"anyOf": [_given(field) for field in ("last", "previous", "from", "calendar")], "type": "object"}
    before: Schema = {"required": ["value"], "properties": {"value": {"type": "object", "required": ["window"]}}}
    return {"if": before, "then": {"required": ["during"], "properties": {"during": begins}}}


def _steps() -> list[Schema]:
    """Nothing comes before the first step, and only the last may be one that did not happen, in a time that is said."""
    first: Schema = {"properties": {"within": _NOT_GIVEN, "op": {"const": "any"}}}
    between: Schema = {"properties": {"op": {"const": "any"}}}
    last = _when("op", ["none"], _given("within"))
    return [
        {"minItems": count, "maxItems": count, "prefixItems": [first, *[between] * (count - 2), last]}
        for count in range(2, 7)
    ]


def _rules() -> dict[str, list[Schema]]:
    either_end = {"anyOf": [_given("last"), _given("previous")]}
    ways = (("last", "until"), ("previous",), ("from", "to"), ("calendar",))
    stands_alone = {"properties": {"value": _NOT_GIVEN, "measure": {"const": "count"}}}
    plain: Schema = {"properties": {"value": {"not": {"type": "object"}}}}
    picked = {**_when("measure", PICKS, {"allOf": [*_operands(), plain]}), "else": {"allOf": _compared()}}
    measure = {"allOf": [_measured(), _before(), picked]}
    return {
        "Attribute": _operands(),
        "Filter": _operands(),
        "Metric": [*_compared(), _before()],
        "Activity": [{**_when("op", ["any", "none"], stands_alone, usual=True), "else": measure}],
        "OtherMeasure": [_measured(), {"properties": {"measure": {"not": {"enum": list(PICKS)}}}}],
        "Rank": [{"oneOf": [_given("count"), _given("percent")]}],
        "Sequence": [{"properties": {"steps": {"anyOf": _steps()}}}],
        "Window": [
            {"oneOf": [{"anyOf": [_given(field) for field in way]} for way in ways]},
            {"if": {"required": ["inclusive"], "properties": {"inclusive": {"const": True}}}, "then": either_end},
        ],
    }
