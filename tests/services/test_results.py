"""Can one see, per message and per person, what a flow did and whom it left out, and why?"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.messages import Message
from db.orders import Order
from services import enrollments, results
from tests.planted import NOW, Planted
from tests.services.test_flows import start


@pytest.fixture
def shop(session: Session) -> Planted:
    """Six subscribers."""
    shop = Planted.store(session)
    for name in ("Ann", "Ben", "Cora", "Dan", "Eve", "Fay"):
        shop.person(name)
        shop.consent(name, "subscribed", timedelta(days=100))
    return shop


def mark(session: Session, shop: Planted, name: str, **values: object) -> None:
    """Set where the first message of a person stands."""
    session.execute(update(Message).where(Message.customer_id == shop.ids[name]).values(**values))


def test_each_message_says_how_many_were_sent_failed_or_left_out_and_why(session: Session, shop: Planted) -> None:
    flow = start(session)
    enrollments.advance(session, NOW)
    accepted = {"state": "accepted", "accepted_at": NOW}
    mark(session, shop, "Ann", **accepted, delivery="delivered", delivery_rank=60)
    mark(session, shop, "Ben", **accepted, delivery="clicked", delivery_rank=75)
    mark(session, shop, "Cora", **accepted, delivery="bounced", delivery_rank=60)
    mark(session, shop, "Dan", state="suppressed", reason="not_subscribed")
    mark(session, shop, "Eve", state="outcome_unknown")
    shop.suppress("Fay", timedelta(0))
    session.add(Order(customer_id=shop.ids["Ann"], external_id="x", ordered_at=NOW + timedelta(days=1), total=9))
    session.flush()
    enrollments.advance(session, NOW + timedelta(days=10))
    first, second = results.results(session, flow.id).steps
    assert first.counts == results.Counts(
        planned=6, waiting=1, sent=3, delivered=2, opened=1, clicked=1, failed=1, unknown=1
    )
    assert first.left_out == {"not_subscribed": 1}
    assert second.left_out == {"ordered": 1, "bounced": 1}
    assert (second.counts.planned, second.counts.waiting) == (4, 4)


def test_a_flow_tells_of_each_person_what_became_of_them(session: Session, shop: Planted) -> None:
    flow = start(session)
    enrollments.advance(session, NOW)
    enrollments.leave(session, shop.ids["Ben"], reason="unsubscribe", now=NOW)
    ann, ben, *_ = results.recipients(session, flow.id)
    assert (ann.name, ann.state, ann.next_at) == ("Ann", "waiting", NOW + timedelta(days=10))
    assert [(one.step, one.standing) for one in ann.messages] == [(0, "waiting")]
    assert (ben.state, ben.words, ben.next_at) == ("exited", "Unsubscribed", None)


def test_people_come_in_pages(session: Session, shop: Planted) -> None:
    flow = start(session)
    names = []
    after = 0
    while page := results.recipients(session, flow.id, limit=4, after=after):
        names += [one.name for one in page]
        after = page[-1].customer_id
    assert names == ["Ann", "Ben", "Cora", "Dan", "Eve", "Fay"]


def test_wordings_are_counted_apart(session: Session, shop: Planted) -> None:
    message = {"type": "send", "subject": "One", "body": "Text", "variants": [{"subject": "Two"}]}
    flow = start(session, steps=[message])
    enrollments.advance(session, NOW)
    (step,) = results.results(session, flow.id).steps
    assert sum(counts.planned for counts in step.variants.values()) == 6
    drawn = session.execute(select(Message.customer_id, Message.variant))
    assert {variant for _, variant in drawn} <= {"A", "B"}
