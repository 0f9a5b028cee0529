"""Does a flow run only when approved, step by step, and let go of those who bought or said stop?"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.audit import AuditEntry
from db.campaigns import Campaign
from db.customers import Customer
from db.enrollments import Enrollment, FlowStep
from db.messages import Message
from db.orders import Order
from db.session import transaction
from domain import flows as flow_values
from domain.errors import Conflict, Forbidden, Invalid
from services import approvals, enrollments, flows
from services.users import Person
from tests.planted import NOW, Planted

MARKETER = Person(1, "mara", "marketer")
SUBSCRIBED = {"version": 1, "dataset": "store", "where": {"type": "consent", "channel": "email"}}
FIRST = {"type": "send", "subject": "Hello {{ customer.first_name }}", "body": "We have news."}
SECOND = {"type": "send", "subject": "Once more", "body": "Still here."}
TEN_DAYS = {"type": "wait", "duration": "P10D"}


def spec(**changes: Any) -> dict[str, Any]:
    """A flow of two messages with ten days between."""
    whole = {"name": "Win back", "audience": {"definition": SUBSCRIBED}, "steps": [FIRST, TEN_DAYS, SECOND]}
    return {**whole, **changes}


@pytest.fixture
def shop(session: Session) -> Planted:
    """Three subscribers, one of them in Tokyo."""
    shop = Planted.store(session, "America/New_York")
    for name, zone in {"Ann": None, "Ben": "Asia/Tokyo", "Cora": "America/New_York"}.items():
        shop.person(name, time_zone=zone)
        shop.consent(name, "subscribed", timedelta(days=100))
    return shop


def start(session: Session, now: datetime = NOW, **changes: Any) -> flows.Saved:
    """Propose a flow and approve it."""
    asked = approvals.propose(session, "flow", {"spec": spec(**changes)}, by="planner", now=now, trace_id="t1")
    done = approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=now)
    assert done.approval.status == "approved", done.message
    assert done.approval.result is not None
    return flows.get(session, done.approval.result["flow_id"])


def planned(session: Session) -> list[tuple[str, int]]:
    """Who was planned which step, in order of name."""
    pairs = select(Customer.first_name, Message.step).join(Customer, Customer.id == Message.customer_id)
    return sorted((name or "", step) for name, step in session.execute(pairs))


def sent(session: Session) -> None:
    """Let everything that waits in the queue have gone."""
    session.execute(update(Message).where(Message.state == "queued").values(state="accepted"))


def test_an_approved_flow_plans_each_step_for_everybody_in_its_time(session: Session, shop: Planted) -> None:
    flow = start(session)
    assert flow.status == "active"
    assert flow.people == {"waiting": 3}
    assert enrollments.advance(session, NOW) == 3
    assert planned(session) == [("Ann", 0), ("Ben", 0), ("Cora", 0)]
    assert enrollments.advance(session, NOW + timedelta(days=9)) == 0
    assert enrollments.advance(session, NOW + timedelta(days=10)) == 3
    assert planned(session) == [("Ann", 0), ("Ann", 2), ("Ben", 0), ("Ben", 2), ("Cora", 0), ("Cora", 2)]
    assert flows.get(session, flow.id).people == {"done": 3}
    sent(session)
    enrollments.advance(session, NOW + timedelta(days=10))
    assert flows.get(session, flow.id).status == "done"


def test_a_message_carries_its_version_step_trace_and_limits(session: Session, shop: Planted) -> None:
    flow = start(
        session, guardrails={"cap": {"messages": 2, "days": 7}, "quiet_hours": {"from": "21:00", "to": "08:00"}}
    )
    enrollments.advance(session, NOW)
    message = session.scalars(select(Message).where(Message.customer_id == shop.ids["Ann"])).one()
    assert (message.flow_version_id, message.step, message.variant) == (flow.version_id, 0, "A")
    assert message.trace_id == "t1"
    assert message.decision_key == f"f:{message.enrollment_id}:0"
    assert message.policy == {"window": ["08:00:00", "21:00:00"], "caps": [["marketing", 2, 168]]}
    assert message.expires_at == NOW + timedelta(hours=24)


def test_who_bought_in_between_has_left_the_flow(session: Session, shop: Planted) -> None:
    start(session)
    enrollments.advance(session, NOW)
    bought_at = NOW + timedelta(days=3)
    session.add(Order(customer_id=shop.ids["Ann"], external_id="x", ordered_at=bought_at, total=10))
    session.flush()
    enrollments.advance(session, NOW + timedelta(days=10))
    assert planned(session) == [("Ann", 0), ("Ben", 0), ("Ben", 2), ("Cora", 0), ("Cora", 2)]
    run = session.scalars(select(Enrollment).where(Enrollment.customer_id == shop.ids["Ann"])).one()
    assert (run.state, run.reason) == ("exited", "ordered")


def test_an_order_from_before_the_flow_or_a_cancelled_one_changes_nothing(session: Session, shop: Planted) -> None:
    shop.order("Ann", 10, timedelta(days=1))
    start(session)
    enrollments.advance(session, NOW)
    at = NOW + timedelta(days=1)
    session.add(Order(customer_id=shop.ids["Ben"], external_id="x", ordered_at=at, cancelled_at=at, total=10))
    session.flush()
    enrollments.advance(session, NOW + timedelta(days=10))
    assert len(planned(session)) == 6


def test_a_flow_can_go_on_after_a_purchase(session: Session, shop: Planted) -> None:
    start(session, exit_on=[])
    enrollments.advance(session, NOW)
    session.add(Order(customer_id=shop.ids["Ann"], external_id="x", ordered_at=NOW + timedelta(days=3), total=10))
    session.flush()
    enrollments.advance(session, NOW + timedelta(days=10))
    assert len(planned(session)) == 6


def test_a_stop_during_the_wait_leaves_the_person_out(session: Session, shop: Planted) -> None:
    start(session)
    enrollments.advance(session, NOW)
    shop.suppress("Ben", timedelta(0))
    session.flush()
    enrollments.advance(session, NOW + timedelta(days=10))
    assert ("Ben", 2) not in planned(session)
    assert ("Ann", 2) in planned(session)


def test_whoever_leaves_is_out_at_once_and_only_of_the_channel_they_left(session: Session, shop: Planted) -> None:
    start(session)
    ann = shop.ids["Ann"]
    assert enrollments.leave(session, ann, reason="stop", now=NOW, channel="sms") == 0
    assert enrollments.leave(session, ann, reason="unsubscribed", now=NOW, channel="email") == 1
    assert enrollments.leave(session, ann, reason="unsubscribed", now=NOW) == 0
    enrollments.advance(session, NOW)
    assert planned(session) == [("Ben", 0), ("Cora", 0)]


def test_a_local_start_comes_by_each_recipients_own_clock(session: Session, shop: Planted) -> None:
    start(session, start={"mode": "local", "date": "2026-06-16", "time": "09:00"})
    due = {
        name: at.astimezone(UTC)
        for name, at in session.execute(
            select(Customer.first_name, Enrollment.due_at).join(Customer, Customer.id == Enrollment.customer_id)
        )
    }
    assert due == {
        "Ann": datetime(2026, 6, 16, 13, tzinfo=UTC),
        "Ben": datetime(2026, 6, 16, 0, tzinfo=UTC),
        "Cora": datetime(2026, 6, 16, 13, tzinfo=UTC),
    }
    assert enrollments.advance(session, NOW) == 0
    assert enrollments.advance(session, datetime(2026, 6, 16, 1, tzinfo=UTC)) == 1


def test_nothing_starts_without_the_approval_of_exactly_this_content(session: Session, shop: Planted) -> None:
    saved = flows.draft(session, flow_values.parse(spec()), by="mara", now=NOW)
    other = start(session, name="Another")
    assert other.status == "active"
    theirs = session.scalars(select(AuditEntry).where(AuditEntry.action == "approval.approved")).one()
    approval_id = approvals.get(session, uuid.UUID(theirs.subject.removeprefix("approval:"))).id
    with pytest.raises(Forbidden) as refused:
        flows.activate(session, saved.id, approval_id, now=NOW)
    assert refused.value.code == "not_approved"
    assert flows.get(session, saved.id).status == "draft"


def test_a_saved_draft_is_activated_through_its_own_approval(session: Session, shop: Planted) -> None:
    saved = flows.draft(session, flow_values.parse(spec()), by="mara", now=NOW)
    assert enrollments.advance(session, NOW) == 0
    asked = approvals.propose(session, "activation", {"flow_id": saved.id}, by="mara", now=NOW, trace_id="t")
    approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=NOW)
    assert flows.get(session, saved.id).status == "active"


def test_a_draft_changed_after_it_was_shown_is_not_activated(session: Session, shop: Planted) -> None:
    saved = flows.draft(session, flow_values.parse(spec()), by="mara", now=NOW)
    asked = approvals.propose(session, "activation", {"flow_id": saved.id}, by="mara", now=NOW, trace_id="t")
    changed = flow_values.parse(spec(name="Changed"))
    flows.update(session, saved.id, changed, expected_version=1, by="mara", now=NOW)
    done = approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=NOW)
    assert done.approval.status == "void"
    assert "Version 2" in done.message
    assert flows.get(session, saved.id).status == "draft"


def test_an_approval_starts_one_flow_once(session: Session, shop: Planted) -> None:
    approved = approvals.propose(session, "flow", {"spec": spec()}, by="planner", now=NOW, trace_id="t1")
    approvals.decide(session, approved.id, approved.digest, "approve", by=MARKETER, now=NOW)
    twin = flows.draft(session, flow_values.parse(spec()), by="mara", now=NOW)
    with pytest.raises(Forbidden):
        flows.activate(session, twin.id, approved.id, now=NOW)
    asked = approvals.propose(session, "activation", {"flow_id": twin.id}, by="mara", now=NOW, trace_id="t2")
    approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=NOW)
    other = flows.draft(session, flow_values.parse(spec()), by="mara", now=NOW)
    with pytest.raises(Forbidden):
        flows.activate(session, other.id, asked.id, now=NOW)


def test_who_took_a_step_while_their_flow_was_ended_leaves_it_afterwards(database: str) -> None:
    with transaction(database) as session:
        planted = Planted.store(session)
        for name in ("Ann", "Ben"):
            planted.person(name)
            planted.consent(name, "subscribed", timedelta(days=100))
        flow = start(session)
    with transaction(database) as stepping:
        mine = select(Enrollment.id).where(Enrollment.customer_id == planted.ids["Ann"])
        stepping.execute(mine.with_for_update())
        with transaction(database) as session:
            assert flows.cancel(session, flow.id, by="mara", now=NOW).people == {"exited": 1, "waiting": 1}
    with transaction(database) as session:
        enrollments.advance(session, NOW)
        assert flows.get(session, flow.id).people == {"exited": 2}


def test_a_paused_flow_takes_no_step_until_it_is_resumed(session: Session, shop: Planted) -> None:
    flow = start(session)
    flows.pause(session, flow.id, by="mara", now=NOW)
    assert enrollments.advance(session, NOW) == 0
    with pytest.raises(Conflict):
        flows.pause(session, flow.id, by="mara", now=NOW)
    flows.resume(session, flow.id, by="mara", now=NOW)
    assert enrollments.advance(session, NOW) == 3


def test_a_cancelled_flow_lets_everybody_go(session: Session, shop: Planted) -> None:
    flow = start(session)
    enrollments.advance(session, NOW)
    assert flows.cancel(session, flow.id, by="mara", now=NOW).people == {"exited": 3}
    assert enrollments.advance(session, NOW + timedelta(days=10)) == 0


def test_the_held_out_get_nothing_and_are_counted(session: Session) -> None:
    shop = Planted.store(session)
    for number in range(200):
        shop.person(f"P{number}")
        shop.consent(f"P{number}", "subscribed", timedelta(days=1))
    flow = start(session, guardrails={"holdout_percent": 30})
    enrollments.advance(session, NOW)
    people = flows.get(session, flow.id).people
    assert 30 <= people["held_out"] <= 90
    assert len(planned(session)) == people["waiting"] == 200 - people["held_out"]


def test_advancing_in_small_pieces_plans_everybody_once(session: Session, shop: Planted) -> None:
    start(session)
    assert [enrollments.advance(session, NOW, limit=2) for _ in range(3)] == [2, 1, 0]
    assert len(planned(session)) == 3
    log = session.execute(select(FlowStep.kind, FlowStep.seq)).all()
    assert sorted(tuple(row) for row in log) == [("send", 0)] * 3 + [("wait", 1)] * 3


def test_one_message_to_one_audience_is_a_campaign(session: Session, shop: Planted) -> None:
    flow = start(session, steps=[FIRST])
    assert session.scalars(select(Campaign.flow_id)).all() == [flow.id]
    enrollments.advance(session, NOW)
    sent(session)
    enrollments.advance(session, NOW)
    assert flows.get(session, flow.id).status == "done"


def test_a_campaign_whose_messages_are_still_to_go_can_be_paused_and_ended(session: Session, shop: Planted) -> None:
    flow = start(session, steps=[FIRST])
    for _ in range(2):
        enrollments.advance(session, NOW)
    assert flows.get(session, flow.id).status == "active"
    flows.pause(session, flow.id, by="mara", now=NOW)
    flows.cancel(session, flow.id, by="mara", now=NOW)
    assert set(session.scalars(select(Message.state))) == {"canceled"}


def test_a_flow_that_its_last_person_left_is_done(session: Session, shop: Planted) -> None:
    flow = start(session)
    for customer_id in shop.ids.values():
        enrollments.leave(session, customer_id, reason="stop", now=NOW)
    enrollments.advance(session, NOW)
    assert flows.get(session, flow.id).status == "done"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"steps": [{**FIRST, "subject": " "}]}, "steps.0.subject"),
        ({"topic": "newsletter"}, "topic"),
        ({"steps": [FIRST, TEN_DAYS]}, "steps.1"),
        ({"steps": [{**FIRST, "body": "Hi {{ customer.nickname }}"}]}, "steps.0.body"),
        ({"steps": [{**FIRST, "body": "{% if customer.city %}"}]}, "steps.0.body"),
        ({"steps": [{**FIRST, "variants": [{"subject": "{{ x }}"}]}]}, "steps.0.variants.0.subject"),
        ({"steps": [TEN_DAYS, {"type": "exit"}]}, "steps"),
        ({"start": {"mode": "at", "at": "2026-06-15T11:59:00Z"}}, "start.at"),
        ({"start": {"mode": "local", "date": "2026-06-01", "time": "09:00"}}, "start.date"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(
    session: Session, shop: Planted, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        approvals.propose(session, "flow", {"spec": spec(**changes)}, by="x", now=NOW, trace_id="t")
    assert refused.value.path == path
    assert refused.value.fix
