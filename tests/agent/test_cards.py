"""What does a card show, now and after the decision, and what can be changed on it?"""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from agent import cards, edits
from agent.edits import Change
from db import store
from domain.errors import Conflict, Invalid, NotFound
from services import approvals, plans
from services.approvals import Approval
from services.users import Person
from tests.planted import NOW, Planted

ANA = Person(1, "ana", "marketer")
DEFINITION = {
    "version": 1,
    "dataset": "store",
    "where": {
        "type": "all",
        "of": [
            {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 50, "among": "everyone"}},
            {"type": "consent", "channel": "email", "state": "subscribed"},
            {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}},
        ],
    },
}
RECENTLY = {
    "word": "recently",
    "text": "in the last 60 days",
    "path": "where.of.2.during.last",
    "value": 60.0,
    "unit": "days",
}
WORD = {"word": "customers", "text": "subscribed to email", "path": None, "value": None, "unit": ""}
FLOW = {
    "name": "Win back",
    "audience": {"definition": DEFINITION},
    "start": {"mode": "local", "date": "2026-06-22", "time": "10:00"},
    "guardrails": {"cap": {"messages": 3, "days": 7}, "holdout_percent": 10},
    "steps": [
        {
            "type": "send",
            "subject": 'Hello {{ customer.first_name | default: "you" }}',
            "body": "It has been a while.",
            "variants": [{"subject": "Another one"}],
        },
        {"type": "wait", "duration": "P10D"},
        {"type": "send", "subject": "Once more", "body": "The last note."},
    ],
}


@pytest.fixture
def shop(session: Session) -> Session:
    """Four people; Ann and Bob spent much, Bob ordered 80 days ago, Ann 100 days ago."""
    planted = Planted.store(session, time_zone="America/Chicago")
    for name, total, days in (("Ann", 900, 100), ("Bob", 800, 80), ("Cid", 20, 10), ("Dee", 0, 0)):
        planted.person(name)
        planted.consent(name, "subscribed", timedelta(days=300))
        if total:
            planted.order(name, total, timedelta(days=days))
    return session


def propose(session: Session, kind: str, **proposal: Any) -> Approval:
    return approvals.propose(session, kind, proposal, by="ana", now=NOW, trace_id="t", thread_id=str(uuid.UUID(int=1)))


@pytest.fixture
def segment(shop: Session) -> Approval:
    given = {"name": "Spent much, 60 days quiet", "definition": DEFINITION, "assumptions": [RECENTLY, WORD]}
    return propose(shop, "segment", **given)


@pytest.fixture
def flow(shop: Session) -> Approval:
    return propose(shop, "flow", spec=FLOW)


def test_a_segment_card_says_who_how_many_and_what_each_condition_leaves(shop: Session, segment: Approval) -> None:
    card = cards.draw(shop, segment.id, now=NOW)
    assert (card["kind"], card["status"], card["digest"]) == ("segment", "pending", segment.digest)
    assert (card["size"], card["everyone"]) == (2, 4)
    assert [line["left"] for line in card["lines"]] == [2, 2, 2]
    assert {one["channel"]: one["people"] for one in card["reachable"]}["email"] == 2
    assert card["assumptions"] == [RECENTLY, WORD]
    assert {person["email"] for person in card["sample"]} == {"a•••@example.com", "b•••@example.com"}
    assert card["trouble"] == ""


def test_the_spread_marks_where_the_line_is_drawn(shop: Session, segment: Approval) -> None:
    spread = cards.draw(shop, segment.id, now=NOW)["distribution"]
    assert spread["threshold"] == pytest.approx(410)  # halfway between 20 and 800
    assert (spread["percentile"], spread["above"], spread["money"]) == (50, True, True)
    assert sum(bin_["people"] for bin_ in spread["bins"]) == 4


def test_after_the_decision_a_card_shows_what_was_decided_about(shop: Session, segment: Approval) -> None:
    approvals.decide(shop, segment.id, segment.digest, "approve", by=ANA, now=NOW)
    later = cards.draw(shop, segment.id, now=NOW + timedelta(days=300))
    assert later["status"] == "approved"
    assert later["size"] == 2
    assert later["decided"]["by"] == "ana"
    assert later["decided"]["at"] == "15 Jun 2026, 07:00"  # noon UTC on the store's clock
    assert later["result"]["segment_id"]


def test_a_proposal_that_waited_too_long_says_so(shop: Session, segment: Approval) -> None:
    assert cards.draw(shop, segment.id, now=NOW + approvals.LASTS)["status"] == "expired"


def test_a_flow_card_shows_messages_as_a_recipient_gets_them(shop: Session, flow: Approval) -> None:
    card = cards.draw(shop, flow.id, now=NOW)
    first, wait, last = card["steps"]
    assert [one["name"] for one in first["wordings"]] == ["A", "B"]
    assert "Hello Ann" in {one["subject"] for one in first["seen"]} or "Hello Bob" in {
        one["subject"] for one in first["seen"]
    }
    assert (wait["text"], last["wordings"][0]["subject"]) == ("10 days", "Once more")
    assert card["start"]["text"] == "Monday, 22 June at 10:00, each recipient's own time"
    assert "10 % held out to measure lift" in card["guardrails"]
    assert "Leaves on a purchase" in card["guardrails"]


def test_what_keeps_a_card_from_being_drawn_is_said_on_it(shop: Session, segment: Approval) -> None:
    refused = Invalid("gone", "The segment it builds on was deleted.", "Propose it again.")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise refused

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.segments.preview", fail)
        card = cards.draw(shop, segment.id, now=NOW)
    assert card["trouble"] == "The segment it builds on was deleted. Propose it again."
    assert card["name"] == "Spent much, 60 days quiet"


def test_a_proposal_that_does_not_exist_has_no_card(shop: Session) -> None:
    with pytest.raises(NotFound):
        cards.draw(shop, uuid.uuid4(), now=NOW)


def test_an_assumption_is_changed_in_place_and_the_old_card_shows_the_new_proposal(
    shop: Session, segment: Approval
) -> None:
    change = Change(path="where.of.2.during.last", value=90)
    (made,) = edits.edit(shop, segment.id, segment.digest, [change], by=ANA, now=NOW)
    assert made.proposal["definition"]["where"]["of"][2]["during"]["last"] == "90d"
    assert made.proposal["assumptions"][0]["value"] == 90
    card = cards.draw(shop, segment.id, now=NOW)
    assert (card["approval_id"], card["size"]) == (str(made.id), 1)
    assert card["name"] == "Spent much, 90 days quiet"
    assert approvals.get(shop, segment.id).status == "void"


def test_the_flow_for_the_same_people_follows(shop: Session) -> None:
    segment = propose(shop, "segment", name="Quiet", definition=DEFINITION, assumptions=[RECENTLY], plan_id="plan")
    flow = propose(shop, "flow", spec=FLOW, plan_id="plan")
    change = Change(path="where.of.2.during.last", value=90)
    made = edits.edit(shop, segment.id, segment.digest, [change], by=ANA, now=NOW)
    assert [one.kind for one in made] == ["segment", "flow"]
    assert cards.draw(shop, flow.id, now=NOW)["approval_id"] == str(made[1].id)


def test_words_waits_and_the_start_of_a_flow_are_changed(shop: Session, flow: Approval) -> None:
    changes = [
        Change(path="name", value="Come back"),
        Change(path="steps.0.subject", value="We miss you"),
        Change(path="steps.0.variants.0.subject", value="Still there?"),
        Change(path="steps.1.duration", value="P7D"),
        Change(path="start", value={"mode": "now"}),
    ]
    (made,) = edits.edit(shop, flow.id, flow.digest, changes, by=ANA, now=NOW)
    spec = made.proposal["spec"]
    assert spec["name"] == "Come back"
    assert (spec["steps"][0]["subject"], spec["steps"][0]["variants"][0]["subject"]) == ("We miss you", "Still there?")
    assert spec["steps"][1]["duration"] == "P7D"
    card = cards.draw(shop, flow.id, now=NOW)
    assert card["start"]["text"] == "As soon as it is approved"
    assert card["proposed_start"]["date"] == "2026-06-22"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("audience", {"segment_id": "1"}),
        ("guardrails.max_audience", 1),
        ("steps.0.channel", "sms"),
        ("steps.9.subject", "x"),
        ("steps.0.subject.x", "x"),
        ("start", "now"),
        ("__class__", "x"),
    ],
)
def test_what_is_not_on_the_card_cannot_be_changed_through_it(
    shop: Session, flow: Approval, path: str, value: Any
) -> None:
    with pytest.raises(Invalid, match="cannot be changed here"):
        edits.edit(shop, flow.id, flow.digest, [Change(path=path, value=value)], by=ANA, now=NOW)
    assert approvals.get(shop, flow.id).status == "pending"


@pytest.mark.parametrize("path", ["where.of.0.value.percentile", "where.of.1.state", "where"])
def test_only_numbers_that_are_shown_as_assumptions_can_be_changed(shop: Session, segment: Approval, path: str) -> None:
    with pytest.raises(Invalid, match="cannot be changed here"):
        edits.edit(shop, segment.id, segment.digest, [Change(path=path, value=1)], by=ANA, now=NOW)


def test_a_broken_template_is_refused_and_the_proposal_stays(shop: Session, flow: Approval) -> None:
    with pytest.raises(Invalid):
        edits.edit(shop, flow.id, flow.digest, [Change(path="steps.0.body", value="{% if %}")], by=ANA, now=NOW)
    assert approvals.get(shop, flow.id).status == "pending"


def test_a_card_that_was_changed_meanwhile_is_not_changed_again(shop: Session, segment: Approval) -> None:
    with pytest.raises(Conflict, match="not the proposal you were shown"):
        edits.edit(shop, segment.id, "0" * 64, [Change(path="name", value="x")], by=ANA, now=NOW)


def test_edits_of_edits_are_followed_to_the_last(shop: Session, segment: Approval) -> None:
    (second,) = edits.edit(shop, segment.id, segment.digest, [Change(path="name", value="Two")], by=ANA, now=NOW)
    (third,) = edits.edit(shop, second.id, second.digest, [Change(path="name", value="Three")], by=ANA, now=NOW)
    assert plans.latest(shop, segment.id).id == third.id
    assert cards.draw(shop, segment.id, now=store.business_now(shop))["name"] == "Three"
