"""Can flows be paused and customers erased by a sentence, and only when a person has approved the card?"""

import uuid

from sqlalchemy import select

from agent import cards
from agent.knowledge import planner
from db import store
from db.customers import Customer
from db.session import transaction
from domain.customers import parse
from domain.flows import parse as parse_flow
from services import customers, flows
from services.users import Person
from tests.agent.talk import Talk, talking, text_of
from tests.agent.talk import cards as cards_of
from tests.services.test_flows import FIRST, spec


async def test_a_draft_is_deleted_and_a_customer_erased_through_cards(database: str, marketer: Person) -> None:
    with transaction(database) as session:
        now = store.business_now(session)
        draft = flows.draft(session, parse_flow(spec(steps=[FIRST])), by="mara", now=now)
        customers.create(session, parse({"email": "gone@example.com"}), by="mara", now=now)
    async with talking(database, marketer, planner=planner) as talk:
        (order,) = cards_of(await talk.say("delete the flow Win back"))
        _approve(talk, order)
        assert "is archived now" in text_of(await talk.go_on())
        (erasing,) = cards_of(await talk.say("delete customer gone@example.com"))
        _approve(talk, erasing)
        assert "The customer was erased" in text_of(await talk.go_on())
        assert "There is no single flow Spring" in text_of(await talk.say("pause the flow Spring"))
    with transaction(database) as session:
        assert flows.get(session, draft.id).status == "archived"
        assert session.scalars(select(Customer.id).where(Customer.email == "gone@example.com")).all() == []


def _approve(talk: Talk, card: uuid.UUID) -> None:
    with transaction(talk.url) as session:
        drawn = cards.draw(session, card, now=store.business_now(session))
    assert drawn["trouble"] == ""
    assert talk.decide(card).status == "approved"
