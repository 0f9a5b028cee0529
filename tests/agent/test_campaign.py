"""Do a segment and its campaign come as two cards, stay about the same people, and wait for a person?"""

from datetime import timedelta

from agent.parts import Card
from db import store
from db.session import transaction
from services import flows
from tests.agent.talk import Talk, cards, lapsed, text_of


def flows_saved(url: str) -> list[flows.Saved]:
    with transaction(url) as session:
        return flows.listed(session)


async def test_asking_for_revenue_opens_a_segment_card_and_a_flow_card(talk: Talk) -> None:
    said = await talk.say("improve revenue")
    assert sorted(part.kind for part in said if isinstance(part, Card)) == ["flow", "segment"]
    assert "The segment and the campaign wait for your decision" in text_of(said)
    assert flows_saved(talk.url) == []
    for card in cards(said):
        talk.decide(card)
    after = await talk.go_on()
    assert len(cards(after)) == 2
    assert "approved by mara" in text_of(after)
    (flow,) = flows_saved(talk.url)
    assert flow.status == "active"
    assert flow.audience_size == 1


async def test_changing_the_segment_changes_whom_the_waiting_flow_is_for(talk: Talk) -> None:
    first = await talk.say("improve revenue")
    changed = cards(await talk.say("make it 90 days"))
    assert len(changed) == 2
    assert {talk.approval(card).status for card in cards(first)} == {"void"}
    by_kind = {talk.approval(card).kind: talk.approval(card).proposal for card in changed}
    assert by_kind["segment"]["definition"] == lapsed(90).as_json()
    assert by_kind["flow"]["spec"]["audience"]["definition"] == lapsed(90).as_json()
    assert sorted(await talk.waiting()) == sorted(changed)


async def test_the_flow_can_be_approved_though_the_segment_is_rejected(talk: Talk) -> None:
    opened = {part.kind: part.approval_id for part in await talk.say("improve revenue") if isinstance(part, Card)}
    talk.decide(opened["segment"], "reject")
    talk.decide(opened["flow"])
    said = text_of(await talk.go_on())
    assert "The segment was rejected by mara" in said
    assert (
        "The campaign **Win back after 60 days** was approved by mara and is active for 1 customer; the first message"
        in said
    )
    assert len(flows_saved(talk.url)) == 1


async def test_a_start_that_was_named_stands_on_the_card(talk: Talk) -> None:
    said = await talk.say("write to them tomorrow at 9")
    flow = next(part.approval_id for part in said if isinstance(part, Card) and part.kind == "flow")
    with transaction(talk.url) as session:
        tomorrow = store.business_now(session).date() + timedelta(days=1)
    expected = {"mode": "local", "date": tomorrow.isoformat(), "time": "09:00:00"}
    assert talk.approval(flow).proposal["spec"]["start"] == expected


async def test_a_start_that_cannot_be_read_is_named_and_proposed_from_data(talk: Talk) -> None:
    said = await talk.say("write to them at full moon")
    assert "Not used: “at full moon”." in text_of(said)
    assert len(cards(said)) == 2
