"""Does anything happen without a person's word, twice on one word, or on a word about something else?"""

import threading
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.audit import AuditEntry
from db.enrollments import Enrollment
from db.flows import Flow
from db.segments import Segment
from db.session import transaction
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.segments import parse
from services import approvals, enrollments, flows, segments
from services.approvals import Approval
from services.users import Person
from tests.planted import NOW, Planted

MARKETER = Person(1, "mara", "marketer")
VIEWER = Person(2, "vito", "viewer")
SUBSCRIBED = {"version": 1, "dataset": "store", "where": {"type": "consent", "channel": "email"}}
SEGMENT = {"name": "Subscribers", "definition": SUBSCRIBED}
STEPS = [{"type": "send", "subject": "Hello", "body": "We have news."}]
FLOW = {"spec": {"name": "News", "audience": {"definition": SUBSCRIBED}, "steps": STEPS}}


def plant(session: Session, people: int) -> Planted:
    """A store with so many subscribers."""
    shop = Planted.store(session)
    subscribe(shop, range(people))
    return shop


def subscribe(shop: Planted, numbers: range) -> None:
    """So many more subscribers."""
    for number in numbers:
        shop.person(f"P{number}")
        shop.consent(f"P{number}", "subscribed", timedelta(days=1))
    shop.session.flush()


def propose(session: Session, kind: str, proposal: dict[str, Any], **extra: Any) -> Approval:
    """Put it before a person."""
    return approvals.propose(session, kind, proposal, by="planner", now=NOW, trace_id="t", **extra)


def approve(session: Session, asked: Approval, by: Person = MARKETER, now: datetime = NOW) -> approvals.Outcome:
    """Say yes to what was shown."""
    return approvals.decide(session, asked.id, asked.digest, "approve", by=by, now=now)


def test_an_approved_segment_is_saved_with_who_approved_it(session: Session) -> None:
    plant(session, 3)
    asked = propose(session, "segment", SEGMENT)
    assert asked.proposal["audience"] == {"size": 3, "at_least": 0, "at_most": 28}
    assert session.scalar(select(func.count()).select_from(Segment)) == 0
    done = approve(session, asked)
    assert done.approval.result is not None
    saved = segments.get(session, done.approval.result["segment_id"])
    assert (saved.name, saved.audience_size, saved.created_by) == ("Subscribers", 3, "mara")


def test_a_new_version_of_a_segment_is_proposed_against_the_version_seen(session: Session) -> None:
    plant(session, 3)
    first = approve(session, propose(session, "segment", SEGMENT)).approval.result
    assert first is not None
    again = SEGMENT | {"segment_id": first["segment_id"], "expected_version": 1}
    assert approve(session, propose(session, "segment", again)).approval.result == {**first, "version": 2}
    with pytest.raises(Conflict) as late:
        approve(session, propose(session, "segment", again))
    assert late.value.code == "segment_changed"


def test_nothing_is_saved_when_it_is_rejected(session: Session) -> None:
    plant(session, 3)
    asked = propose(session, "flow", FLOW)
    done = approvals.decide(session, asked.id, asked.digest, "reject", by=MARKETER, now=NOW, note="Not this week")
    assert (done.approval.status, done.approval.note) == ("rejected", "Not this week")
    assert session.scalar(select(func.count()).select_from(Flow)) == 0
    with pytest.raises(Conflict):
        approve(session, asked)


def test_pressing_approve_twice_launches_once_and_says_who_was_first(session: Session) -> None:
    plant(session, 3)
    asked = propose(session, "flow", FLOW)
    approve(session, asked)
    with pytest.raises(Conflict) as second:
        approve(session, asked)
    assert second.value.code == "already_decided"
    assert "mara" in second.value.message
    assert session.scalar(select(func.count()).select_from(Flow)) == 1


def test_twenty_people_pressing_approve_at_once_launch_once(database: str) -> None:
    with transaction(database) as session:
        plant(session, 5)
        asked = propose(session, "flow", FLOW)
    outcomes: list[str] = []
    ready = threading.Barrier(20)

    def press(number: int) -> None:
        ready.wait()
        try:
            with transaction(database) as session:
                done = approve(session, asked, by=Person(number, f"person{number}", "marketer"))
            outcomes.append(done.approval.status)
        except Conflict as refused:
            outcomes.append(refused.code)

    people = [threading.Thread(target=press, args=(number,)) for number in range(20)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(outcomes) == ["already_decided"] * 19 + ["approved"]
    with transaction(database) as session:
        assert session.scalar(select(func.count()).select_from(Flow)) == 1
        assert session.scalar(select(func.count()).select_from(Enrollment)) == 5


def test_an_edit_voids_what_was_shown_and_shows_something_new(session: Session) -> None:
    plant(session, 3)
    asked = propose(session, "flow", FLOW, thread_id="th")
    changed = {"spec": {**FLOW["spec"], "name": "Other news"}}
    made = approvals.edit(session, asked.id, changed, by=MARKETER, now=NOW)
    assert (made.status, made.thread_id, made.digest != asked.digest) == ("pending", "th", True)
    old = approvals.get(session, asked.id)
    assert (old.status, old.result) == ("void", {"replaced_by": str(made.id)})
    with pytest.raises(Conflict):
        approve(session, asked)
    assert approve(session, made).approval.status == "approved"
    assert [one.id for one in approvals.of_thread(session, "th")] == [asked.id, made.id]


def test_the_digest_of_something_else_decides_nothing(session: Session) -> None:
    plant(session, 3)
    asked = propose(session, "flow", FLOW)
    with pytest.raises(Conflict) as refused:
        approvals.decide(session, asked.id, "0" * 64, "approve", by=MARKETER, now=NOW)
    assert refused.value.code == "proposal_changed"
    assert approvals.get(session, asked.id).status == "pending"


def test_evidence_shown_with_a_proposal_is_bound_by_the_digest(session: Session) -> None:
    plant(session, 3)
    one, other = (propose(session, "flow", FLOW | {"evidence": {"hour": hour}}) for hour in (9, 10))
    assert one.proposal["evidence"] == {"hour": 9}
    assert one.digest != other.digest


def test_an_audience_that_moved_past_its_bounds_voids_the_approval(session: Session) -> None:
    shop = plant(session, 10)
    asked = propose(session, "flow", FLOW)
    subscribe(shop, range(10, 40))
    done = approve(session, asked)
    assert done.approval.status == "void"
    assert "from 10 to 40 people" in done.message
    assert session.scalar(select(func.count()).select_from(Flow)) == 0


def test_a_void_approval_stays_void_after_the_transaction(database: str) -> None:
    with transaction(database) as session:
        shop = plant(session, 1)
        asked = propose(session, "flow", FLOW)
        subscribe(shop, range(1, 50))
    with transaction(database) as session:
        approve(session, asked)
    with transaction(database) as session:
        assert approvals.get(session, asked.id).status == "void"


def test_a_few_people_more_or_less_are_within_the_bounds(session: Session) -> None:
    shop = plant(session, 10)
    asked = propose(session, "flow", FLOW)
    subscribe(shop, range(10, 20))
    done = approve(session, asked)
    assert done.approval.result is not None
    assert done.approval.result["audience_size"] == 20


def test_the_audience_never_passes_the_limit_of_the_flow(session: Session) -> None:
    shop = plant(session, 3)
    limited = {"spec": {**FLOW["spec"], "guardrails": {"max_audience": 3}}}
    asked = propose(session, "flow", limited)
    subscribe(shop, range(3, 4))
    assert approve(session, asked).approval.status == "void"
    with pytest.raises(Invalid) as refused:
        propose(session, "flow", limited)
    assert refused.value.code == "audience_too_large"


@pytest.mark.parametrize(
    ("size", "least", "most"), [(0, 0, 25), (10, 0, 35), (100, 75, 125), (1000, 900, 1100), (8930, 8037, 9823)]
)
def test_an_audience_may_move_by_a_tenth_or_25_people(size: int, least: int, most: int) -> None:
    assert approvals.bounds(size) == {"size": size, "at_least": least, "at_most": most}


def test_a_flow_for_nobody_is_not_proposed(session: Session) -> None:
    plant(session, 0)
    with pytest.raises(Invalid) as refused:
        propose(session, "flow", FLOW)
    assert refused.value.code == "audience_empty"


def test_a_proposal_that_waited_a_week_has_expired(session: Session) -> None:
    plant(session, 3)
    asked = propose(session, "flow", FLOW)
    done = approve(session, asked, now=NOW + timedelta(days=7))
    assert done.approval.status == "expired"
    assert session.scalar(select(func.count()).select_from(Flow)) == 0


def test_viewers_may_not_decide_or_edit(session: Session) -> None:
    plant(session, 3)
    asked = propose(session, "flow", FLOW)
    with pytest.raises(Forbidden):
        approve(session, asked, by=VIEWER)
    with pytest.raises(Forbidden):
        approvals.edit(session, asked.id, FLOW, by=VIEWER, now=NOW)
    assert approvals.get(session, asked.id).status == "pending"


def test_an_unknown_approval_or_kind_is_an_error(session: Session) -> None:
    with pytest.raises(NotFound):
        approvals.decide(session, uuid.uuid4(), "x", "approve", by=MARKETER, now=NOW)
    with pytest.raises(Invalid):
        propose(session, "party", {})


def test_the_same_key_proposes_once(session: Session) -> None:
    plant(session, 3)
    one, again = (propose(session, "segment", SEGMENT, key="call-1") for _ in range(2))
    assert one.id == again.id
    with pytest.raises(Conflict) as refused:
        propose(session, "segment", SEGMENT | {"name": "Else"}, key="call-1")
    assert refused.value.code == "key_reused"


def test_an_effect_that_fails_leaves_the_proposal_pending(database: str) -> None:
    with transaction(database) as session:
        plant(session, 3)
        asked = propose(session, "segment", SEGMENT)
        segments.save(session, name="Subscribers", definition=parse(SUBSCRIBED), by="x", now=NOW)
    with pytest.raises(Conflict), transaction(database) as session:
        approve(session, asked)
    with transaction(database) as session:
        assert approvals.get(session, asked.id).status == "pending"


def test_each_act_is_in_the_audit_log_with_its_trace(session: Session) -> None:
    plant(session, 3)
    approve(session, propose(session, "flow", FLOW))
    acts = select(AuditEntry.action, AuditEntry.actor).where(AuditEntry.trace_id == "t").order_by(AuditEntry.id)
    assert [tuple(act) for act in session.execute(acts)] == [
        ("approval.proposed", "planner"),
        ("approval.approved", "mara"),
        ("flow.saved", "mara"),
        ("flow.activated", "mara"),
    ]


def test_a_change_to_a_running_flow_is_a_new_version_for_those_not_in_it_yet(session: Session) -> None:
    shop = plant(session, 2)
    spec = {**FLOW["spec"], "steps": [*STEPS, {"type": "wait", "duration": "P10D"}, *STEPS]}
    first = approve(session, propose(session, "flow", {"spec": spec})).approval.result
    assert first is not None
    enrollments.advance(session, NOW)
    subscribe(shop, range(2, 4))
    changed = {"flow_id": first["flow_id"], "spec": {**spec, "name": "Better news"}}
    second = approve(session, propose(session, "flow", changed)).approval.result
    assert second is not None
    assert (second["flow_id"], second["version"]) == (first["flow_id"], 2)
    versions = session.execute(select(Enrollment.flow_version_id, func.count()).group_by(Enrollment.flow_version_id))
    assert {row[0]: row[1] for row in versions} == {first["flow_version_id"]: 2, second["flow_version_id"]: 2}
    assert flows.get(session, first["flow_id"]).name == "Better news"
