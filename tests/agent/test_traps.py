"""Does a conversation stay sound when people do what they do: write on, press twice, leave, come back, guess ids?"""

import asyncio
import uuid
from contextlib import aclosing

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from sqlalchemy import func, select, text

from agent.parts import Card, ToolStarted
from agent.repair import without_gaps
from db import store
from db.checkpoints import alone, pool
from db.segments import Segment
from db.session import transaction
from domain.errors import Conflict, Forbidden, Invalid
from services import plans, users
from services.users import Person
from tests.agent.talk import PASSWORD, Talk, cards, finished, lapsed, notices, talking, text_of
from tests.agent.wire import calls, says, wire

CLAUSE = lapsed(60).as_json()


def segments_saved(url: str) -> int:
    with transaction(url) as session:
        return session.scalars(select(func.count()).select_from(Segment)).one()


async def test_nothing_is_saved_before_the_card_is_approved_and_then_the_answer_goes_on(talk: Talk) -> None:
    said = await talk.say("high ltv, lapsed")
    (card,) = cards(said)
    assert await talk.waiting() == [card]
    assert segments_saved(talk.url) == 0
    talk.decide(card)
    assert segments_saved(talk.url) == 1
    after = await talk.go_on()
    assert cards(after) == [card]
    assert "1 customer" in text_of(said)
    assert "approved by mara" in text_of(after)


async def test_a_new_message_while_a_card_waits_is_answered_and_the_card_stays_open(talk: Talk) -> None:
    (card,) = cards(await talk.say("high ltv, lapsed"))
    said = await talk.say("help")
    assert "Describe the customers" in text_of(said)
    assert await talk.waiting() == [card]
    talk.decide(card)
    after = await talk.go_on()
    assert cards(after) == [card]
    assert "approved by mara" in text_of(after)
    assert await talk.go_on() == []


async def test_after_a_new_message_every_tool_call_has_its_answer_on_the_wire(database: str, marketer: Person) -> None:
    script = [calls(("propose_segment", {"name": "Lapsed", "definition": CLAUSE})), says("Hello again.")]
    with wire(*script) as endpoint:
        async with talking(database, marketer, endpoint.url) as talk:
            (card,) = cards(await talk.say("propose them"))
            said = await talk.say("and now something else")
            assert text_of(said).strip() == "Hello again."
            assert await talk.waiting() == [card]
    assert endpoint.complaints == []
    told = [message for message in endpoint.last_messages() if message["role"] == "tool"]
    assert '"status":"pending"' in told[0]["content"]


async def test_a_decision_pressed_twice_has_one_effect(talk: Talk) -> None:
    (card,) = cards(await talk.say("high ltv, lapsed"))
    talk.decide(card)
    with pytest.raises(Conflict) as refused:
        talk.decide(card)
    assert refused.value.code == "already_decided"
    first, second = await asyncio.gather(talk.go_on(), talk.go_on())
    assert sorted([bool(first), bool(second)]) == [False, True]
    assert segments_saved(talk.url) == 1


async def test_two_open_cards_are_decided_one_by_one_in_any_order(database: str, marketer: Person) -> None:
    both = calls(
        ("propose_segment", {"name": "Sixty", "definition": lapsed(60).as_json()}),
        ("propose_segment", {"name": "Ninety", "definition": lapsed(90).as_json()}),
    )
    with wire(both, says("Both are decided.")) as endpoint:
        async with talking(database, marketer, endpoint.url) as talk:
            opened = cards(await talk.say("propose both"))
            assert len(set(opened)) == 2
            talk.decide(opened[1], "reject")
            after_one = await talk.go_on()
            assert cards(after_one) == [opened[1]]
            assert text_of(after_one) == ""
            assert await talk.waiting() == [opened[0]]
            talk.decide(opened[0])
            after_both = await talk.go_on()
            assert cards(after_both) == [opened[0]]
            assert text_of(after_both).strip() == "Both are decided."
    assert segments_saved(database) == 1
    assert endpoint.complaints == []


async def test_the_conversation_goes_on_after_a_restart(database: str, marketer: Person) -> None:
    async with talking(database, marketer) as before:
        (card,) = cards(await before.say("high ltv, lapsed"))
    async with talking(database, marketer) as after:
        after.thread_id = before.thread_id
        assert await after.waiting() == [card]
        after.decide(card)
        assert "approved by mara" in text_of(await after.go_on())


async def test_a_decision_taken_elsewhere_is_told_at_the_next_message(talk: Talk) -> None:
    (card,) = cards(await talk.say("high ltv, lapsed"))
    talk.decide(card, "reject")
    said = await talk.say("help")
    assert "Describe the customers" in text_of(said)
    assert await talk.go_on() == []


async def test_changing_an_open_card_from_the_chat_voids_the_old_one(talk: Talk) -> None:
    (old,) = cards(await talk.say("high ltv, lapsed"))
    (new,) = cards(await talk.say("make it 90 days"))
    assert talk.approval(old).status == "void"
    assert talk.approval(new).proposal["definition"] == lapsed(90).as_json()
    assert await talk.waiting() == [new]
    talk.decide(new)
    assert "approved by mara" in text_of(await talk.go_on())


async def test_a_follow_up_builds_on_the_card_as_it_is_now_and_not_on_one_that_was_decided(talk: Talk) -> None:
    (first,) = cards(await talk.say("high ltv, lapsed"))
    with transaction(talk.url) as session:
        now = store.business_now(session)
        changes = {"definition": lapsed(75).as_json()}
        (edited,) = plans.revise(session, first, changes, by=talk.person, now=now)
    (changed,) = cards(await talk.say("make it 90 days"))
    assert plans_latest(talk, first) == plans_latest(talk, edited.id) == changed
    talk.decide(changed)
    anew = await talk.say("make it 90 days")
    assert [card for card in cards(anew) if card != changed] == await talk.waiting()
    assert talk.approval(changed).status == "approved"


def plans_latest(talk: Talk, approval_id: uuid.UUID) -> uuid.UUID:
    with transaction(talk.url) as session:
        return plans.latest(session, approval_id).id


async def test_arguments_that_make_no_sense_go_back_to_the_model_and_open_no_card(
    database: str, marketer: Person
) -> None:
    empty = {"where": {"type": "all", "of": []}}
    script = [
        calls(("propose_segment", {"name": "Nobody", "definition": empty})),
        calls(("propose_segment", {"name": "No definition"})),
        says("I give up."),
    ]
    with wire(*script) as endpoint:
        async with talking(database, marketer, endpoint.url) as talk:
            said = await talk.say("propose nobody")
    assert finished(said) == [("propose_segment", False), ("propose_segment", False)]
    assert not any(isinstance(part, Card) for part in said)
    first, second = [message["content"] for message in endpoint.last_messages() if message["role"] == "tool"]
    assert "an empty group would mean everyone" in first
    assert "definition" in second


async def test_an_answer_that_was_stopped_leaves_a_conversation_that_can_go_on(database: str, marketer: Person) -> None:
    with wire(calls(("preview_segment", {"definition": CLAUSE})), says("Hello again.")) as endpoint:
        async with talking(database, marketer, endpoint.url) as talk:
            async with aclosing(talk.agent.stream(talk.thread_id, "count them", user=marketer)) as parts:
                async for part in parts:
                    if isinstance(part, ToolStarted):
                        break
            said = await talk.say("are you there?")
    assert text_of(said).strip() == "Hello again."
    assert endpoint.complaints == []


def test_a_call_without_an_answer_is_answered_where_it_stands() -> None:
    call = {"name": "measure", "args": {}, "id": "a"}
    late = ToolMessage("late", tool_call_id="unknown")
    again = [AIMessage("", tool_calls=[call]), ToolMessage("fine", tool_call_id="a")]
    whole = without_gaps([HumanMessage("x"), AIMessage("", tool_calls=[call]), HumanMessage("y"), late, *again])
    assert [message.type for message in whole] == ["human", "ai", "tool", "human", "ai", "tool"]
    assert "interrupted" in str(whole[2].content)
    assert whole[5].content == "fine"


async def test_a_model_that_never_stops_calling_tools_is_stopped(database: str, marketer: Person) -> None:
    again = calls(("list_segments", {}))
    with wire(*[again] * 40) as endpoint:
        async with talking(database, marketer, endpoint.url) as talk:
            said = await talk.say("loop")
            assert "too many steps" in notices(said)[-1]
            assert len(endpoint.requests) <= 8
            endpoint.script[:] = [says("Fine.")]
            assert text_of(await talk.say("better?")).strip() == "Fine."
    assert endpoint.complaints == []


async def test_nobody_reads_or_resumes_the_conversation_of_another(talk: Talk) -> None:
    (card,) = cards(await talk.say("high ltv, lapsed"))
    with transaction(talk.url) as session:
        other = users.add(session, "otto", PASSWORD, "admin", actor="test")
    stranger = Talk(talk.agent, talk.url, other, talk.thread_id)
    for attempt in (stranger.say("help"), stranger.go_on(), stranger.waiting()):
        with pytest.raises(Forbidden):
            await attempt
    with pytest.raises(Forbidden):
        await talk.agent.forget(talk.thread_id, user=other)
    assert await talk.waiting() == [card]


async def test_what_the_agent_remembers_can_be_erased(talk: Talk) -> None:
    await talk.say("high ltv, lapsed")
    await talk.agent.forget(talk.thread_id, user=talk.person)
    assert "Describe the customers" in text_of(await talk.say("help"))


async def test_a_long_conversation_keeps_only_its_latest_state(talk: Talk) -> None:
    await talk.say("high ltv, lapsed")
    for _ in range(3):
        await talk.say("help")
    (card,) = await talk.waiting()
    with transaction(talk.url) as session:
        kept = session.scalars(text("select count(*) from lg.checkpoints")).one()
    assert kept <= 2
    talk.decide(card)
    assert "approved by mara" in text_of(await talk.go_on())


async def test_two_runs_of_one_conversation_wait_for_each_other(talk: Talk) -> None:
    first, second = await asyncio.gather(talk.say("high ltv, lapsed"), talk.say("high ltv, lapsed"))
    assert len(cards(first) + cards(second)) == 2
    assert len(await talk.waiting()) == 2


async def test_a_conversation_that_stays_busy_is_refused_in_time(database: str) -> None:
    async with pool(database, size=2) as locks, alone(locks, "one", wait_seconds=1):
        with pytest.raises(Conflict) as refused:
            async with alone(locks, "one", wait_seconds=0.1):
                pass
        assert refused.value.code == "conversation_busy"


@pytest.mark.parametrize(("said", "code"), [("  \n ", "message_empty"), ("x" * 2_001, "message_too_long")])
async def test_a_message_without_words_or_with_too_many_is_refused(talk: Talk, said: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        await talk.say(said)
    assert refused.value.code == code


async def test_a_viewer_may_ask_but_not_propose(database: str, marketer: Person) -> None:
    with transaction(database) as session:
        viewer = users.add(session, "vito", PASSWORD, "viewer", actor="test")
    async with talking(database, viewer) as talk:
        said = await talk.say("high ltv, lapsed")
    assert cards(said) == []
    assert "may look but not propose" in text_of(said)
