"""Is an order to a flow given by approval, only when it fits, and void when the flow has moved on?"""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from domain.errors import Conflict, Invalid
from services import approvals, flows
from services.users import Person
from tests.planted import NOW, Planted
from tests.services.test_flows import start

MARKETER = Person(1, "mara", "marketer")


@pytest.fixture
def flow(session: Session) -> flows.Saved:
    """A running flow with one person in it."""
    shop = Planted.store(session)
    shop.person("Ann")
    shop.consent("Ann", "subscribed", timedelta(days=100))
    return start(session)


def ask(session: Session, flow: flows.Saved, order: str) -> approvals.Approval:
    """Propose it."""
    proposal = {"flow_id": flow.id, "order": order}
    return approvals.propose(session, "order", proposal, by="planner", now=NOW, trace_id="t")


def give(session: Session, asked: approvals.Approval) -> approvals.Approval:
    """Approve it."""
    return approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=NOW).approval


def test_each_order_moves_the_flow_when_it_is_approved(session: Session, flow: flows.Saved) -> None:
    for order, status in (("pause", "paused"), ("resume", "active"), ("stop", "archived")):
        asked = ask(session, flow, order)
        assert flows.get(session, flow.id).status != status
        assert give(session, asked).result == {"flow_id": flow.id, "status": status}
    assert flows.get(session, flow.id).people == {"exited": 1}


def test_an_order_that_does_not_fit_is_refused(session: Session, flow: flows.Saved) -> None:
    with pytest.raises(Conflict, match="is active") as refused:
        ask(session, flow, "delete")
    assert refused.value.code == "order_impossible"
    with pytest.raises(Invalid, match="order"):
        ask(session, flow, "explode")


def test_an_order_is_void_when_the_flow_moved_since_it_was_shown(session: Session, flow: flows.Saved) -> None:
    asked = ask(session, flow, "pause")
    flows.pause(session, flow.id, by="mara", now=NOW)
    done = give(session, asked)
    assert (done.status, done.note) == ("void", "Win back is paused by now. Propose it again.")
