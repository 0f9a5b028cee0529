"""Does one sentence get its whole answer, and is nothing written on the way?"""

import json
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from agent.answers import ask
from commands.ask import app
from db.approvals import Approval
from db.session import reading
from services.users import Person
from settings import settings
from tests.agent.wire import calls, says, wire
from tests.planted import NOW, Planted

SENTENCE = "I want to improve revenue from high LTV customers that haven't purchased recently"
DEFINITION = {
    "version": 1,
    "dataset": "store",
    "where": {
        "type": "all",
        "of": [
            {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75, "among": "everyone"}},
            {"type": "consent", "channel": "email", "state": "subscribed"},
            {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}},
        ],
    },
}


@pytest.fixture
def shop(session: Session) -> Planted:
    """Four subscribers; Dee spent the most, and only Ann ordered lately."""
    shop = Planted.store(session)
    for spent, name in enumerate(("Ann", "Bob", "Cid", "Dee"), 1):
        shop.person(name, region="Texas")
        shop.consent(name, "subscribed", timedelta(days=400))
        ago = timedelta(days=10 if name == "Ann" else 100)
        shop.order(name, 100 * spent, ago, items={f"Kettle {spent}": "Kettles"})
    session.flush()
    return shop


def test_the_main_sentence_needs_no_question(shop: Planted) -> None:
    found = ask(SENTENCE, session=shop.session, now=NOW)
    assert (found.action, found.audience_size, found.definition) == ("draft", 1, DEFINITION)
    assert {one["path"] for one in found.assumptions if one["path"]} == {
        "where.of.0.value.percentile",
        "where.of.2.during.last",
    }
    assert found.unused_words == []
    assert found.campaign is not None
    assert found.campaign["evidence"]["products"][0]["title"] == "Kettle 4"
    assert "Kettle 4" in json.dumps(found.campaign["spec"]["steps"])
    assert "wait" not in found.text
    assert "High LTV = above the 75th percentile of everyone." in found.text


def test_a_sentence_about_people_is_a_segment(shop: Planted) -> None:
    found = ask("customers in Texas who ordered in the last 30 days", session=shop.session, now=NOW)
    assert (found.action, found.audience_size, found.campaign) == ("segment", 1, None)


def test_a_vague_word_is_asked_back_with_counts(shop: Planted) -> None:
    found = ask("best customers", session=shop.session, now=NOW)
    assert found.action == "clarify"
    assert found.question
    assert all(option["audience_size"] is not None for option in found.options)
    assert found.question in found.text


def test_an_unknown_word_is_named(shop: Planted) -> None:
    found = ask("customers who like jazz", session=shop.session, now=NOW)
    assert found.action in {"refuse", "clarify"}
    assert "jazz" in " ".join(found.unused_words)
    assert "jazz" in (found.question or "")


def test_a_question_about_figures_is_answered(shop: Planted) -> None:
    found = ask("what is the average LTV", session=shop.session, now=NOW)
    assert (found.action, found.definition) == ("answer", None)
    assert found.figures is not None
    assert found.figures["value"] == 250
    assert "$250" in found.text


def test_nothing_is_proposed(shop: Planted) -> None:
    ask(SENTENCE, session=shop.session, now=NOW)
    assert shop.session.query(Approval).count() == 0


def test_a_past_instant_is_answered_as_of_then(shop: Planted) -> None:
    earlier = ask("customers who ordered in the last 30 days", session=shop.session, now=NOW - timedelta(days=90))
    assert earlier.audience_size == 3


def test_a_configured_endpoint_answers_instead(shop: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    propose = ("propose_segment", {"name": "Lapsed", "definition": DEFINITION, "unused_words": ["please"]})
    script = [calls(("preview_segment", {"definition": DEFINITION})), calls(propose), says("One customer.")]
    with wire(*script) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        settings.cache_clear()
        found = ask("who lapsed, please", session=shop.session, now=NOW)
    settings.cache_clear()
    assert (found.action, found.audience_size, found.text) == ("segment", 1, "One customer.")
    assert found.unused_words == ["please"]
    assert "`ltv`" in endpoint.requests[0]["messages"][0]["content"]


def test_the_command_prints_the_answer_or_its_json(configured: str, marketer: Person) -> None:
    said = CliRunner().invoke(app, [SENTENCE, "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert set(found) >= {
        "action",
        "definition",
        "read_back",
        "audience_size",
        "assumptions",
        "unused_words",
        "question",
        "options",
    }
    assert found["definition"] == DEFINITION
    assert "1 customer" in CliRunner().invoke(app, [SENTENCE]).stdout
    assert "0 of 0" not in CliRunner().invoke(app, ["customers in Texas", "--as-of", "2020-01-01"]).stdout
    with reading(configured) as session:
        assert session.query(Approval).count() == 0
