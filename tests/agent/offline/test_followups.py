"""Does a sentence change the segment before it, and only that?"""

from typing import Any

import pytest

from agent.offline.lexicon import Lexicon
from agent.offline.parser import read
from domain.segments import parse
from tests.agent.offline.conftest import TODAY

TEXAS = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}
EMAIL = {"type": "consent", "channel": "email", "state": "subscribed"}
QUIET = {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}}
RICH = {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75, "among": "everyone"}}
GRINDER = {"type": "activity", "name": "item", "where": [{"name": "category", "op": "eq", "value": "Grinders"}]}


def both(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "all", "of": list(parts)}


def states(*names: str) -> dict[str, Any]:
    return {"type": "attribute", "name": "state", "op": "in", "value": list(names)}


CHANGES: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    (QUIET, "make it 90 days", QUIET | {"during": {"last": "90d"}}),
    (both(RICH, QUIET), "what about 30 days?", both(RICH, QUIET | {"during": {"last": "30d"}})),
    (
        both(RICH, QUIET),
        "use the 90th percentile",
        both(RICH | {"value": {"percentile": 90, "among": "everyone"}}, QUIET),
    ),
    (both(TEXAS, EMAIL), "remove the second one", TEXAS),
    (both(TEXAS, EMAIL), "without the email condition", TEXAS),
    (both(TEXAS, EMAIL), "drop Texas", EMAIL),
    (states("Texas", "California"), "remove California", TEXAS),
    (TEXAS, "also in California", states("Texas", "California")),
    (both(TEXAS, EMAIL), "change Texas to California", both(TEXAS | {"value": "California"}, EMAIL)),
    (QUIET, "only in Texas", both(QUIET, TEXAS)),
    (TEXAS, "who bought a grinder", both(TEXAS, GRINDER)),
    (TEXAS, "exclude people who bought a grinder", both(TEXAS, GRINDER | {"op": "none"})),
    (TEXAS, "or people subscribed to email", {"type": "any", "of": [TEXAS, EMAIL]}),
    (
        {"type": "rank", "metric": "ltv", "percent": 10},
        "make it the top 20%",
        {"type": "rank", "metric": "ltv", "percent": 20},
    ),
    (
        {"type": "metric", "name": "ltv", "op": "gt", "value": 500},
        "at least 800",
        {"type": "metric", "name": "ltv", "op": "gte", "value": 800},
    ),
]


@pytest.mark.parametrize(("before", "text", "after"), CHANGES, ids=[text for _, text, _ in CHANGES])
def test_a_change_keeps_everything_else(
    words: Lexicon, before: dict[str, Any], text: str, after: dict[str, Any]
) -> None:
    found = read(text, words, today=TODAY, previous=parse({"where": before}))
    assert found.patched
    assert found.definition is not None, found.question
    assert found.definition.as_json() == parse({"where": after}).as_json()


def test_a_whole_new_sentence_is_a_new_segment(words: Lexicon) -> None:
    found = read("customers in Germany", words, today=TODAY, previous=parse({"where": TEXAS}))
    assert not found.patched
    assert found.definition is not None
    assert found.definition.where.name == "country"  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["make it 90 days", "remove the second one", "make it 90 days instead"])
def test_a_change_of_nothing_is_asked_about(words: Lexicon, text: str) -> None:
    found = read(text, words, today=TODAY)
    assert found.action == "clarify"
    assert "no segment yet" in found.question


def test_a_number_that_fits_two_conditions_is_asked_about(words: Lexicon) -> None:
    opened = {"type": "activity", "name": "email_opened", "during": {"last": "30d"}}
    found = read("make it 90 days", words, today=TODAY, previous=parse({"where": both(QUIET, opened)}))
    assert found.action == "clarify"
    assert len(found.options) == 2


def test_the_only_condition_is_not_removed(words: Lexicon) -> None:
    found = read("remove the first one", words, today=TODAY, previous=parse({"where": TEXAS}))
    assert found.action == "refuse"
    assert "only condition" in found.question


def test_them_are_the_people_spoken_of_before(words: Lexicon) -> None:
    before = parse({"where": TEXAS})
    counted = read("how many of them are subscribed to email?", words, today=TODAY, previous=before)
    assert counted.stats is not None
    assert counted.stats.definition == parse({"where": both(TEXAS, EMAIL)})
    sent = read("send them an email about the sale", words, today=TODAY, previous=before)
    assert (sent.action, sent.definition) == ("draft", parse({"where": both(TEXAS, EMAIL)}))
