"""Do a segment and its campaign stay about the same people while both wait, and only then?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid
from domain.segments import parse
from services import approvals, plans
from services.approvals import Approval
from services.plans import Wishes
from services.users import Person
from tests.planted import NOW, Planted

MARKETER = Person(1, "mara", "marketer")
DAY = timedelta(days=1)


def lapsed(days: int) -> dict[str, Any]:
    return parse(
        {"where": {"type": "activity", "name": "order", "op": "none", "during": {"last": f"{days}d"}}}
    ).as_json()


@pytest.fixture
def plan(session: Session) -> dict[str, Approval]:
    """Both cards of one plan, over three people who ordered 30, 70 and 100 days ago."""
    shop = Planted.store(session)
    for name, ago in (("Ann", 30), ("Bob", 70), ("Cid", 100)):
        shop.person(name)
        shop.order(name, 50, ago * DAY, items={f"Kettle of {name}": "Kitchen"})
    session.flush()
    definition = lapsed(60)
    flow = plans.campaign(session, parse(definition), Wishes(objective="win them back"), now=NOW)
    made = {"segment": {"name": "Lapsed", "definition": definition}, "flow": flow}
    return {
        kind: approvals.propose(
            session, kind, {**proposal, "plan_id": "p"}, by="mara", now=NOW, trace_id="t", thread_id="th"
        )
        for kind, proposal in made.items()
    }


def revised(session: Session, plan: dict[str, Approval], **changes: Any) -> list[Approval]:
    return plans.revise(session, plan["segment"].id, changes, by=MARKETER, now=NOW)


def test_another_definition_reaches_the_waiting_flow_with_new_evidence(
    session: Session, plan: dict[str, Approval]
) -> None:
    segment, flow = revised(session, plan, definition=lapsed(90))
    assert segment.proposal["audience"]["size"] == 1
    assert flow.proposal["spec"]["audience"]["definition"] == lapsed(90)
    assert flow.proposal["audience"]["size"] == 1
    assert flow.proposal["evidence"]["audience_size"] == 1
    assert [product["title"] for product in flow.proposal["evidence"]["products"]] == ["Kettle of Cid"]
    assert "90 days" in flow.proposal["spec"]["name"]
    assert plans.latest(session, plan["flow"].id).id == flow.id
    assert plans.latest(session, plan["segment"].id).id == segment.id


def test_words_that_a_person_wrote_stay(session: Session, plan: dict[str, Approval]) -> None:
    spec = plan["flow"].proposal["spec"]
    steps = [{**spec["steps"][0], "subject": "My own subject"}, *spec["steps"][1:]]
    approvals.edit(
        session,
        plan["flow"].id,
        {**plan["flow"].proposal, "spec": {**spec, "steps": steps}},
        by=MARKETER,
        now=NOW,
    )
    _, flow = revised(session, plan, definition=lapsed(90))
    assert flow.proposal["spec"]["steps"][0]["subject"] == "My own subject"
    assert flow.proposal["spec"]["audience"]["definition"] == lapsed(90)
    assert flow.proposal["evidence"]["audience_size"] == 1


def test_another_start_stays_while_the_words_are_drafted_anew(session: Session, plan: dict[str, Approval]) -> None:
    proposal = plan["flow"].proposal
    now = {**proposal, "spec": {**proposal["spec"], "start": {"mode": "now"}}}
    approvals.edit(session, plan["flow"].id, now, by=MARKETER, now=NOW)
    _, flow = revised(session, plan, definition=lapsed(90))
    assert flow.proposal["spec"]["start"] == {"mode": "now"}
    assert "90 days" in flow.proposal["spec"]["name"]


def test_assumptions_move_with_their_numbers_and_go_with_their_conditions(
    session: Session, plan: dict[str, Approval]
) -> None:
    noted = [
        {"word": "recently", "text": "recently = in the last 60 days", "path": "where.during.last", "value": 60},
        {"word": "email", "text": "only people subscribed to email", "path": None, "value": None},
    ]
    approvals.decide(session, plan["flow"].id, plan["flow"].digest, "reject", by=MARKETER, now=NOW)
    (first,) = revised(session, plan, assumptions=noted)
    both = {"type": "all", "of": [{"type": "tag", "name": "vip"}, lapsed(90)["where"]]}
    second, *_ = plans.revise(session, first.id, {"definition": {"where": both}}, by=MARKETER, now=NOW)
    assert second.proposal["assumptions"] == [
        {"word": "recently", "text": "recently = in the last 90 days", "path": "where.of.1.during.last", "value": 90},
        noted[1],
    ]
    tag = {"where": {"type": "tag", "name": "vip"}}
    said = {"word": "vip", "text": "VIP = tagged vip", "path": None, "value": None}
    third, *_ = plans.revise(session, second.id, {"definition": tag, "assumptions": [said]}, by=MARKETER, now=NOW)
    assert third.proposal["assumptions"] == [noted[1], said]


def test_another_name_leaves_the_flow_alone(session: Session, plan: dict[str, Approval]) -> None:
    (segment,) = revised(session, plan, name="Sleepers")
    assert segment.proposal["name"] == "Sleepers"
    assert approvals.get(session, plan["flow"].id).status == "pending"


def test_a_flow_that_was_decided_is_not_touched(session: Session, plan: dict[str, Approval]) -> None:
    approvals.decide(session, plan["flow"].id, plan["flow"].digest, "reject", by=MARKETER, now=NOW)
    assert len(revised(session, plan, definition=lapsed(90))) == 1


def test_a_definition_that_means_nobody_changes_nothing(session: Session, plan: dict[str, Approval]) -> None:
    with pytest.raises(Invalid) as refused, session.begin_nested():
        revised(session, plan, definition=lapsed(365))
    assert refused.value.code == "audience_empty"
    assert approvals.get(session, plan["segment"].id).status == "pending"


def test_one_number_of_a_definition_can_be_changed_in_place() -> None:
    assert plans.amended(lapsed(60), "where.during.last", "90d") == lapsed(90)


@pytest.mark.parametrize("path", ["where.during.first", "where.of.0.value", "nothing", "where.name.x"])
def test_a_place_that_is_not_there_is_refused(path: str) -> None:
    with pytest.raises(Invalid) as refused:
        plans.amended(lapsed(60), path, "90d")
    assert refused.value.code == "unknown_place"


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        plans.amended(lapsed(60), "where.during.last", "ninety")
    assert refused.value.code == "segment_invalid"
