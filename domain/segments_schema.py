"""How does a definition look as JSON Schema (2020-12), for whoever writes one with another program?

The shapes are the nodes' own. What their checks say about several fields at once is added here, as far as JSON Schema
can say it; ``BEYOND`` is what it cannot.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from domain.operators import COMPARISONS, OPERATORS, Operand
from domain.segments import MAX_LIST, MAX_PATTERN, Definition

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = "/v1/schemas/segment"

BEYOND = (
    "between takes the lower value first",
    "until is shorter than last, from is not after to",
    "n of at_least is not larger than the number of its conditions",
    "a definition has at most 400 conditions, nested at most 12 deep",
    "names, types of values and regular expressions are checked against the dataset",
)
"""What two values or a whole definition must be like, which no schema can say."""

Schema = dict[str, Any]

_DURATION: Schema = {"type": "string", "pattern": r"^\d{1,4}(h|d|w|mo|y)$", "not": {"pattern": r"^0+\D"}}

_OPERANDS: dict[Operand, Schema] = {
    "none": {"type": "null"},
    "one": {"type": ["string", "number", "boolean"]},
    "many": {"type": "array", "minItems": 1, "maxItems": MAX_LIST},
    "pair": {"type": "array", "minItems": 2, "maxItems": 2},
    "duration": {"type": "string"},
    "anniversary": {"type": "string"},
    "pattern": {"type": "string", "maxLength": MAX_PATTERN},
}

_ONE_NUMBER: Schema = {"required": ["value"], "properties": {"value": {"not": {"type": ["array", "null"]}}}}
_TWO_NUMBERS: Schema = {"required": ["value"], "properties": {"value": {"type": "array"}}}


@cache
def schema() -> Schema:
    """The JSON Schema of a definition."""
    whole = Definition.model_json_schema(by_alias=True)
    for name, rules in _RULES.items():
        whole["$defs"][name].setdefault("allOf", []).extend(rules)
    whole["$defs"]["Window"]["properties"] |= {
        name: {**_DURATION, "description": whole["$defs"]["Window"]["properties"][name].get("description", "")}
        for name in ("last", "until")
    }
    whole["$defs"]["Step"]["properties"]["within"] = {"anyOf": [_DURATION, {"type": "null"}]}
    about = (
        f"A segment, as POST /v1/datasets/{{dataset}}/segments:preview takes it. Beyond a schema: {'; '.join(BEYOND)}."
    )
    return {"$schema": DIALECT, "$id": ADDRESS, **whole, "title": "Segment", "description": about}


def _when(ops: Iterable[str], then: Schema, field: str = "op") -> Schema:
    return {"if": {"required": [field], "properties": {field: {"enum": list(ops)}}}, "then": then}


def _operands() -> list[Schema]:
    """The operator is known, and its operand has the operator's shape."""
    found: list[Schema] = [{"properties": {"op": {"enum": list(OPERATORS)}}}]
    for operand, shape in _OPERANDS.items():
        ops = [row.key for row in OPERATORS.values() if row.operand == operand]
        needed: Schema = {} if operand == "none" else {"required": ["value"]}
        found.append(_when(ops, {**needed, "properties": {"value": shape}}))
    return found


def _exactly_one(*ways: tuple[str, ...]) -> Schema:
    """One of these groups of fields is given, and no other."""
    given = [{"anyOf": [_given(field) for field in way]} for way in ways]
    return {"oneOf": given}


def _given(field: str) -> Schema:
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}


_COMPARED = [
    _when([op for op in COMPARISONS if op != "between"], _ONE_NUMBER),
    _when(["between"], _TWO_NUMBERS),
]
_OF_PROPERTY = ["sum", "average", "min", "max", "distinct"]

_RULES: dict[str, list[Schema]] = {
    "Attribute": _operands(),
    "Filter": _operands(),
    "Metric": _COMPARED,
    "Activity": [
        {
            "if": {"properties": {"op": {"enum": ["any", "none"]}}},
            "then": {"properties": {"value": {"type": "null"}, "measure": {"const": "count"}}},
            "else": {
                "allOf": [
                    *_COMPARED,
                    {
                        "if": {"required": ["measure"], "properties": {"measure": {"enum": _OF_PROPERTY}}},
                        "then": _given("of"),
                        "else": {"properties": {"of": {"type": "null"}}},
                    },
                ]
            },
        }
    ],
    "Rank": [_exactly_one(("count",), ("percent",))],
    "Window": [_exactly_one(("last", "until"), ("from", "to"), ("calendar",))],
    "Sequence": [
        {
            "properties": {
                "steps": {
                    "prefixItems": [{"properties": {"within": {"type": "null"}, "op": {"const": "any"}}}],
                }
            }
        }
    ],
}
