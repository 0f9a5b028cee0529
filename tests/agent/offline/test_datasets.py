"""Does the planner speak of any dataset that has a catalog, with no word of it written anywhere else?"""

import pytest

from agent.offline.lexicon import Lexicon, build
from agent.offline.parser import read
from domain.catalog import Catalog
from domain.catalog import read as catalog_of
from domain.segments import parse
from domain.shipped_terms import shipped
from tests.agent.offline.conftest import TODAY


def users() -> Catalog:
    """Users of an app, with events named as programs name them."""
    places, plans = ["California", "Texas", "Berlin"], ["free", "premium"]
    events = {"table": "events", "entity_column": "user_id", "time_column": "at"}
    score = {"label": "score", "kind": "number", "at": {"column": "score"}}
    return catalog_of(
        {
            "dataset": "duckmart",
            "entity": {"label": "user", "plural": "users", "table": "users", "key": "user_id"},
            "attributes": {
                "age": {"label": "age", "kind": "integer", "at": {"column": "age"}},
                "location": text("location", places),
                "subscription_plan": text("subscription plan", plans) | {"synonyms": ["plan"]},
                "device_type": text("device type", ["ios", "android", "web"]) | {"synonyms": ["device"]},
            },
            "activities": {
                "LOGIN": {"label": "login", **events},
                "quiz_completed": {"label": "quiz completed", **events, "properties": {"score": score}},
            },
        }
    )


def text(label: str, values: list[str]) -> dict[str, object]:
    return {"label": label, "kind": "text", "at": {"column": label}, "values": values}


def attribute(name: str, op: str, value: object) -> dict[str, object]:
    return {"type": "attribute", "name": name, "op": op, "value": value}


@pytest.fixture(scope="module")
def user_words() -> Lexicon:
    return build(users(), shipped())


def login(op: str = "any", **rest: object) -> dict[str, object]:
    return {"type": "activity", "name": "LOGIN", "op": op, **rest}


CALIFORNIA = attribute("location", "eq", "California")
QUIZ = {"type": "activity", "name": "quiz_completed", "op": "any"}

SENTENCES = {
    "users aged 25-34": attribute("age", "between", [25, 34]),
    "users over 30": attribute("age", "gt", 30),
    "users in California who logged in at least once": {"type": "all", "of": [CALIFORNIA, login()]},
    "location = California and LOGIN at least once": {"type": "all", "of": [CALIFORNIA, login()]},
    "users who never logged in": login("none"),
    "at least 5 logins in the last week": login("gte", value=5, during={"last": "1w"}),
    "premium users": attribute("subscription_plan", "eq", "premium"),
    "plan is free or premium": attribute("subscription_plan", "in", ["free", "premium"]),
    "users who completed the quiz": QUIZ,
    "completed a quiz with a score over 80": QUIZ | {"where": [{"name": "score", "op": "gt", "value": 80}]},
}


@pytest.mark.parametrize("text", SENTENCES)
def test_words_come_from_the_catalog(user_words: Lexicon, text: str) -> None:
    found = read(text, user_words, today=TODAY)
    assert found.definition is not None, found.question
    assert found.definition.as_json() == parse({"dataset": "duckmart", "where": SENTENCES[text]}).as_json()


def test_words_of_the_store_are_unknown_elsewhere(user_words: Lexicon) -> None:
    found = read("users who bought a grinder", user_words, today=TODAY)
    assert found.definition is None
    assert "grinder" in " ".join(found.unused_words)


def test_a_term_that_the_dataset_cannot_say_is_not_used(user_words: Lexicon) -> None:
    assert read("lapsed users", user_words, today=TODAY).definition is None
