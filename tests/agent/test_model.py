"""Does a real endpoint's answer do its work, and does the planner take over, with a notice, when the endpoint fails?"""

import dataclasses

import pytest

from agent import endpoint as agent_endpoint
from agent.model import endpoint
from agent.pieces import Imageless
from services.users import Person
from settings import Settings
from tests.agent.talk import cards, finished, lapsed, notices, questions, talking, text_of
from tests.agent.wire import Reply, calls, says, wire

CLAUSE = lapsed(60).as_json()
PREVIEW = calls(("preview_segment", {"definition": CLAUSE}), text="Let me count.")
PROPOSE = calls(("propose_segment", {"name": "Lapsed", "definition": CLAUSE}), text="One customer.")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint is asked once and given half a second."""
    monkeypatch.setattr(agent_endpoint, "RETRIES", 0)
    monkeypatch.setattr(agent_endpoint, "TIMEOUT_SECONDS", 0.5)


async def test_a_run_over_the_wire_counts_proposes_waits_and_concludes(database: str, marketer: Person) -> None:
    with wire(PREVIEW, PROPOSE, says("The segment is saved.")) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("who lapsed?")
            assert text_of(said) == "Let me count. One customer. "
            (card,) = cards(said)
            talk.decide(card)
            assert text_of(await talk.go_on()) == "The segment is saved. "
    assert served.complaints == []
    first, *_ = served.requests
    assert first["stream"] is True
    assert {tool["function"]["name"] for tool in first["tools"]} >= {"preview_segment", "propose_segment", "ask_person"}
    assert "response_format" not in first
    counted, decided = [message["content"] for message in served.last_messages() if message["role"] == "tool"]
    assert '"audience_size":1' in counted
    assert '"status":"approved"' in decided


async def test_a_rejected_card_is_told_to_the_model(database: str, marketer: Person) -> None:
    with wire(PROPOSE, says("Fine, I will leave it.")) as served:
        async with talking(database, marketer, served.url) as talk:
            (card,) = cards(await talk.say("propose them"))
            talk.decide(card, "reject")
            assert text_of(await talk.go_on()) == "Fine, I will leave it. "
    assert '"status":"rejected"' in served.last_messages()[-1]["content"]


async def test_a_question_ends_the_turn_with_counted_options(database: str, marketer: Person) -> None:
    asked = {"question": "Which ones?", "options": [{"label": "Lapsed", "definition": CLAUSE}, {"label": "None"}]}
    with wire(calls(("ask_person", asked))) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("the good ones")
    (question,) = questions(said)
    assert [(option.label, option.audience_size) for option in question.options] == [("Lapsed", 1), ("None", None)]
    assert len(served.requests) == 1


async def test_no_customer_data_beyond_what_is_masked_reaches_the_model(database: str, marketer: Person) -> None:
    with wire(PREVIEW, calls(("find_customer", {"email": "ann@example.com"})), says("Found.")) as served:
        async with talking(database, marketer, served.url) as talk:
            await talk.say("who lapsed, and is Ann there?")
    told = " ".join(message["content"] for message in served.last_messages() if message["role"] == "tool")
    assert "@example.com" in told
    assert "ann@example.com" not in told
    assert "dee@example.com" not in told


async def test_the_model_is_told_when_the_grammar_reads_the_words_otherwise(database: str, marketer: Person) -> None:
    script = [calls(("preview_segment", {"definition": lapsed(90).as_json()})), PREVIEW, says("Sixty days it is.")]
    with wire(*script) as served:
        async with talking(database, marketer, served.url) as talk:
            await talk.say("high ltv, lapsed")
    first, second = [message["content"] for message in served.last_messages() if message["role"] == "tool"]
    assert "second_reading" in first
    assert "no order in the last 60 days" in first
    assert "second_reading" not in second


async def test_an_image_becomes_a_link_however_it_is_cut_up(database: str, marketer: Person) -> None:
    with wire(says("Look! ![x](https://example.com/x?q=1) and ! [y](z) !")) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("help")
    assert text_of(said) == "Look! [x](https://example.com/x?q=1) and ! [y](z) ! "
    cut = Imageless()
    assert [cut.next("a!"), cut.next("["), cut.next("b]!"), cut.rest()] == ["a", "[", "b]", "!"]


async def test_arguments_that_are_not_json_are_asked_for_once_more(database: str, marketer: Person) -> None:
    half = '{"definition": {"where": {"type": "consent", "channel": "em'
    with wire(calls(("preview_segment", half)), PREVIEW, says("One.")) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("high ltv, lapsed")
    assert notices(said) == ["The model's answer was malformed; asking once more."]
    assert finished(said) == [("preview_segment", True)]
    assert text_of(said) == "Let me count. One. "


async def test_arguments_that_stay_malformed_leave_the_turn_to_the_planner(database: str, marketer: Person) -> None:
    bad = calls(("preview_segment", "{not json"))
    with wire(bad, bad, bad, bad) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("help")
    assert notices(said)[-1] == "The model's answer was malformed twice. The offline planner answers this instead."
    assert text_of(said).startswith("Describe the customers")


async def test_an_unknown_tool_is_answered_with_the_known_ones(database: str, marketer: Person) -> None:
    with wire(calls(("send_everything", {"now": True})), says("I cannot do that.")) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("send everything")
    assert finished(said) == [("send_everything", False)]
    assert "not a valid tool" in served.last_messages()[-1]["content"]
    assert text_of(said) == "I cannot do that. "


FAILURES = {
    "too many requests": (Reply(status=429), "The model refuses more requests for now."),
    "server error": (Reply(status=500), "The model's endpoint failed."),
    "wrong key": (Reply(status=401), "The model's endpoint does not accept the configured key."),
    "no such model": (Reply(status=404), "The model's endpoint failed."),
    "no answer": (Reply(hang_seconds=1.5), "The model did not answer in time."),
    "cut off": (Reply(text="As far as I", cut_after=3), "The connection to the model broke."),
    "ended early": (Reply(text="As far as I", cut_after=3, cut_politely=True), "The connection to the model broke."),
    "cut off in a call": (
        dataclasses.replace(PROPOSE, cut_after=5, cut_politely=True),
        "The connection to the model broke.",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_when_the_endpoint_fails_the_planner_answers_and_says_so(
    database: str, marketer: Person, failure: str
) -> None:
    reply, reason = FAILURES[failure]
    with wire(reply, says("Back again.")) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("help")
            assert notices(said) == [f"{reason} The offline planner answers this instead."]
            assert text_of(said).startswith("Describe the customers")
            assert text_of(await talk.say("and now?")) == "Back again. "
    assert served.complaints == []


async def test_the_planner_finishes_a_turn_that_the_endpoint_began(database: str, marketer: Person) -> None:
    with wire(PREVIEW, Reply(status=500), Reply(status=500), Reply(status=500)) as served:
        async with talking(database, marketer, served.url) as talk:
            said = await talk.say("high ltv, lapsed")
    assert len(cards(said)) == 1
    assert "planner answers" in notices(said)[0]
    assert served.complaints == []


async def test_an_endpoint_that_is_not_there_leaves_everything_to_the_planner(database: str, marketer: Person) -> None:
    async with talking(database, marketer, "http://127.0.0.1:9/v1") as talk:
        said = await talk.say("high ltv, lapsed")
    assert len(cards(said)) == 1
    assert notices(said)[0] == "The connection to the model broke. The offline planner answers this instead."


def test_there_is_an_endpoint_only_when_one_is_configured() -> None:
    assert endpoint(Settings()) is None
    for configured in ({"OPENAI_API_KEY": "k"}, {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}):
        found = endpoint(Settings.model_validate(configured))
        assert found is not None
        found.close()
