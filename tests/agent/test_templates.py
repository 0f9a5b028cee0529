"""Can the chat name stored templates, and does a flow that uses one say so on its card?"""

import pytest

from agent import cards
from agent.knowledge import planner
from agent.offline import kept
from db import store
from db.session import transaction
from domain.templates import Content
from services import approvals, templates
from services.users import Person
from tests.agent.talk import cards as cards_of
from tests.agent.talk import finished, lapsed, talking, text_of
from tests.agent.wire import calls, says, wire


async def test_a_sentence_that_names_a_template_proposes_its_words(database: str, marketer: Person) -> None:
    with transaction(database) as session:
        words = Content(subject="Come back", body="We have news.")
        now = store.business_now(session)
        templates.save(session, name="Win back", channel="email", content=words, by="mara", now=now)
    async with talking(database, marketer, planner=planner) as talk:
        assert "**Win back** (email, version 1): Come back" in text_of(await talk.say("list my templates"))
        said = await talk.say("send the template Win back to customers with LTV over 150")
        card = talk.approval(cards_of(said)[-1])
    assert card.proposal["spec"]["name"] == "Win back"
    (step,) = card.proposal["spec"]["steps"]
    assert (step["subject"], step["template"]["version"]) == ("Come back", 1)
    assert card.proposal["audience"]["size"] == 3


@pytest.mark.parametrize(
    ("text", "said", "name"),
    [
        ("send the template Come back to Texans", "send the campaign           to Texans", "Come back"),
        ("send template 'come back' to Texans", "send campaign             to Texans", "Come back"),
        ("send the template Come backs to Texans", "send the template Come backs to Texans", None),
        ("come back to Texans", "come back to Texans", None),
    ],
)
def test_only_a_known_template_is_one(text: str, said: str, name: str | None) -> None:
    assert kept.named(text, ["News", "Come back"]) == (said, name)


async def test_a_flow_can_use_a_stored_template_by_its_name(database: str, marketer: Person) -> None:
    with transaction(database) as session:
        words = Content(subject="Come back", body="We have news.")
        now = store.business_now(session)
        templates.save(session, name="Win back", channel="email", content=words, by="mara", now=now)
    one = {"definition": lapsed(60).as_json(), "messages": [{"template": "win back"}]}
    missing = {**one, "messages": [{"template": "Welcome"}]}
    tools = calls(("list_templates", {}), ("propose_flow", missing), ("propose_flow", one))
    with wire(tools, says("Look at the card.")) as endpoint:
        async with talking(database, marketer, endpoint.url) as talk:
            said = await talk.say("Send the template Win back to those who lapsed.")
            (card,) = cards_of(said)
    assert ("list_templates", True) in finished(said)
    assert ("propose_flow", False) in finished(said)
    with transaction(database) as session:
        shown = cards.card_of(session, approvals.get(session, card), now=store.business_now(session))
    assert shown["steps"][0]["template"] == "Win back, version 1"
    assert shown["steps"][0]["wordings"][0]["subject"] == "Come back"
