"""Does the JSON Schema take what the parser takes, and refuse what it refuses?"""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from domain.errors import Invalid
from domain.segments import parse
from domain.segments_schema import schema
from tests.segment_cases import CASES

VALIDATOR = Draft202012Validator(schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
WRITTEN = [json.loads(found) for found in re.findall(r"`(\{\"type\".*?\})` \|", GUIDE)]

WHOLE: dict[str, Any] = {
    "version": 1,
    "dataset": "store",
    "where": {
        "type": "at_least",
        "n": 2,
        "of": [
            {"type": "attribute", "name": "state", "op": "in", "value": ["Texas"], "missing": "include"},
            {"type": "attribute", "name": "seen", "op": "in_last", "value": "60d"},
            {"type": "attribute", "name": "note", "op": "matches", "value": "^a+$"},
            {"type": "attribute", "name": "city", "op": "set"},
            {"type": "metric", "name": "ltv", "op": "between", "value": [1, 2.5], "during": {"calendar": "this_year"}},
            {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75, "among": "buyers"}},
            {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d", "until": "30d"}},
            {
                "type": "activity",
                "name": "item",
                "op": "gte",
                "measure": "sum",
                "of": "total",
                "value": 100,
                "during": {"from": "2026-01-01", "to": "2026-01-31"},
                "where": [{"name": "category", "op": "eq", "value": "Beans"}],
            },
            {"type": "activity", "name": "order", "op": "gt", "value": {"window": "before"}, "during": {"last": "9d"}},
            {"type": "activity", "name": "item", "measure": "first", "of": "sku", "op": "contains", "value": "x"},
            {
                "type": "sequence",
                "steps": [
                    {"name": "cart"},
                    {"name": "view", "within": "1d"},
                    {"name": "order", "op": "none", "within": "7d"},
                ],
                "during": {"until": "1y"},
            },
            {"type": "rank", "metric": "ltv", "percent": 10, "per": "country"},
            {"type": "bucket", "name": "spring", "percent": 10.5},
            {"type": "not", "of": {"type": "consent", "channel": "sms", "state": "none"}},
            {"type": "any", "of": [{"type": "tag", "name": "vip"}, {"type": "segment", "id": 3}]},
            {"type": "reachable", "channel": "email"},
        ],
    },
}

SPOILT: list[Any] = [
    None, True, 0, -1, 3, 0.5, 10**16, "", "5", "60d", "0d", "201y", "text", "2026-01-31", "x" * 501,
    [], [1], [1, 2], ["a", "b"], [None], {}, {"percentile": 5}, {"window": "before"}, {"last": "5d"},
    "any", "none", "eq", "between", "in", "set", "matches", "in_last", "sum", "first", "count", "include", "all",
]  # fmt: skip

FORGIVEN = (True, 0, "5")
"""What the parser takes for a number or a day; the schema says how it should be written."""

SAMPLE = 900

UNSAYABLE = re.compile(
    "lower|turn the two|shorter|before from|never hold|too large|calendar|regular expression|date|look-around"
)
"""What the parser says of the mistakes that a schema cannot see."""


def _parsed(raw: Any) -> str:
    """Empty for a definition that is taken, else what is said against it."""
    try:
        parse(copy.deepcopy(raw))
    except Invalid as refused:
        return f"{refused.path}: {refused.message} {refused.fix}"
    return ""


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(item, (*path, key))


def _variants(whole: Any) -> Iterator[tuple[Any, Any]]:
    """The definition with each single part left out, renamed, or replaced by what may be wrong there; and by what."""
    for path in _places(whole):
        if not path:
            continue
        *outer, last = path
        for change in (*SPOILT, "leave out", "rename"):
            changed = copy.deepcopy(whole)
            home = changed
            for key in outer:
                home = home[key]
            if change in ("leave out", "rename"):
                taken = home.pop(last)
                if change == "rename" and isinstance(home, dict):
                    home[f"{last}_"] = taken
            else:
                home[last] = change
            yield changed, change


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())
    assert not re.search(r'"\$ref": "(?!#)', json.dumps(schema())), "nothing outside is needed"


@pytest.mark.parametrize("where", [*(where for where, _ in CASES), *WRITTEN], ids=lambda where: where["type"])
def test_what_the_language_can_say_the_schema_takes(where: dict[str, Any]) -> None:
    if where["type"] == "flow":  # the cases name their flow; its number is the store's to give
        where = {**where, "id": 1}
    assert not _parsed({"where": where})
    assert [error.message for error in VALIDATOR.iter_errors({"where": where})] == []


def test_schema_and_parser_agree_on_every_small_change() -> None:
    assert not _parsed(WHOLE)
    assert VALIDATOR.is_valid(WHOLE)
    variants = [pair for where in WHOLE["where"]["of"] for pair in _variants({"version": 1, "where": where})]
    wrong = []
    for changed, change in variants[:: len(variants) // SAMPLE]:
        said, taken = _parsed(changed), VALIDATOR.is_valid(changed)
        allowed = UNSAYABLE.search(said) if taken else change in FORGIVEN
        if taken != (not said) and not allowed:
            wrong.append((changed, said))
    assert wrong == []
