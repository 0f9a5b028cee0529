"""Can the chat name stored templates, and does a flow that uses one say so on its card?"""

from agent import cards
from db import store
from db.session import transaction
from domain.templates import Content
from services import approvals, templates
from services.users import Person
from tests.agent.talk import cards as cards_of
from tests.agent.talk import finished, lapsed, talking
from tests.agent.wire import calls, says, wire


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
