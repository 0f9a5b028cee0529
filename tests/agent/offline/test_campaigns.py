"""Are the goal, the people, the message and the steps of a request told apart?"""

import pytest

from agent.offline.lexicon import Lexicon
from agent.offline.parser import read
from domain.segments import parse
from tests.agent.offline.conftest import TODAY

MAIN = "I want to improve revenue from high LTV customers that haven't purchased recently"


def test_the_main_sentence_needs_no_question(words: Lexicon) -> None:
    found = read(MAIN, words, today=TODAY)
    assert (found.action, found.intent, found.unused_words) == ("draft", "flow", ())
    wanted = {
        "type": "all",
        "of": [
            {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75, "among": "everyone"}},
            {"type": "consent", "channel": "email", "state": "subscribed"},
            {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}},
        ],
    }
    assert found.definition == parse({"where": wanted})
    assert found.flow is not None
    assert found.flow.objective == "improve revenue from"


def test_its_assumptions_can_be_changed_in_place(words: Lexicon) -> None:
    found = {note.path: (note.value, note.unit) for note in read(MAIN, words, today=TODAY).assumptions if note.path}
    assert found == {"where.of.0.value.percentile": (75.0, "percentile"), "where.of.2.during.last": (60.0, "days")}


def test_the_goal_and_the_subject_are_no_conditions(words: Lexicon) -> None:
    found = read("Send an email about our Berlin roast to customers in Texas", words, today=TODAY)
    assert found.definition is not None
    assert [str(node) for node in found.definition.where.of if "Berlin" in str(node)] == []  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("Text customers in Texas", "sms"),
        ("email customers in Texas", "email"),
        ("send a WhatsApp message to VIPs", "whatsapp"),
    ],
)
def test_the_channel_decides_which_consent_is_needed(words: Lexicon, text: str, channel: str) -> None:
    found = read(text, words, today=TODAY)
    assert found.flow is not None
    assert found.flow.channel == channel
    assert found.definition is not None
    assert any(getattr(node, "channel", "") == channel for node in found.definition.where.of)  # type: ignore[union-attr]


def test_consent_that_was_said_is_not_added_twice(words: Lexicon) -> None:
    found = read("send an email to subscribers in Texas", words, today=TODAY)
    assert found.definition is not None
    assert sum(node.type == "consent" for node in found.definition.where.of) == 1  # type: ignore[union-attr]


def test_steps_and_their_waits_are_read(words: Lexicon) -> None:
    text = "Create a flow for lapsed customers: send an email, wait 3 days, send a reminder, wait 1 week, send an offer"
    flow = read(text, words, today=TODAY).flow
    assert flow is not None
    assert [step.wait for step in flow.steps] == [None, "3d", "1w"]
    assert [step.about for step in flow.steps] == ["email", "reminder", "offer"]


def test_a_goal_can_name_its_people_itself(words: Lexicon) -> None:
    found = read("win back customers", words, today=TODAY)
    assert found.action == "draft"


def test_without_people_they_are_asked_for_with_suggestions(words: Lexicon) -> None:
    found = read("create a campaign", words, today=TODAY)
    assert (found.action, found.question) == ("clarify", "Who should get it?")
    assert len(found.options) >= 2
    assert all(option.definition for option in found.options)


def test_an_unknown_word_about_the_people_is_asked_about(words: Lexicon) -> None:
    found = read("send an email to customers who like jazz", words, today=TODAY)
    assert found.action in {"clarify", "refuse"}
    assert "jazz" in found.question
