"""Can a campaign be made for a segment, listed with what came of it, and read recipient by recipient?"""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid, NotFound
from domain.segments import parse
from domain.templates import Content
from services import approvals, campaigns, enrollments, segments, templates
from services.users import Person
from tests.planted import NOW, Planted
from tests.services.test_flows import FIRST, SECOND, SUBSCRIBED, TEN_DAYS, start
from tests.services.test_results import mark

MARKETER = Person(1, "mara", "marketer")
WORDS = Content(subject="News for {{ customer.first_name }}", body="We have news.")


@pytest.fixture
def shop(session: Session) -> Planted:
    """Four subscribers."""
    shop = Planted.store(session)
    for name in ("Ann", "Ben", "Cora", "Dan"):
        shop.person(name)
        shop.consent(name, "subscribed", timedelta(days=100))
    return shop


def subscribers(session: Session) -> segments.Saved:
    """The segment of all of them."""
    return segments.save(session, name="Subscribers", definition=parse(SUBSCRIBED), by="mara", now=NOW)


def test_a_campaign_for_a_segment_is_sent_only_when_it_is_approved(session: Session, shop: Planted) -> None:
    kept = templates.save(session, name="News", channel="email", content=WORDS, by="mara", now=NOW)
    made = campaigns.spec(session, segment_id=subscribers(session).id, template_id=kept.id)
    asked = campaigns.propose(session, made, by="mara", now=NOW, trace_id="t")
    assert (asked.proposal["spec"]["name"], campaigns.listed(session)) == ("Message to Subscribers", [])
    approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=NOW)
    enrollments.advance(session, NOW)
    accepted = {"state": "accepted", "accepted_at": NOW}
    mark(session, shop, "Ann", **accepted, delivery="delivered", delivery_rank=60)
    mark(session, shop, "Ben", **accepted, delivery="bounced", delivery_rank=60)
    mark(session, shop, "Cora", state="suppressed", reason="not_subscribed")
    (found,) = campaigns.listed(session)
    assert (found.segment, found.audience_size, found.status, found.approved_by) == ("Subscribers", 4, "active", "mara")
    assert (found.counts.sent, found.counts.delivered, found.counts.failed) == (2, 1, 1)
    assert (found.left_out, found.counts.waiting, found.subject) == (1, 1, WORDS.subject)
    lines = campaigns.log(session, found.id)
    assert [(one.name, one.standing) for one in lines] == [
        ("Ann", "delivered"),
        ("Ben", "failed"),
        ("Cora", "left_out"),
        ("Dan", "waiting"),
    ]
    assert lines[2].words
    assert [one.name for one in campaigns.log(session, found.id, after=lines[1].customer_id, limit=1)] == ["Cora"]


def test_the_newest_stands_first_and_flows_of_several_messages_are_none(session: Session, shop: Planted) -> None:
    saved = subscribers(session)
    start(session, steps=[FIRST], name="First")
    start(session, name="A flow", steps=[FIRST, TEN_DAYS, SECOND])
    start(session, steps=[FIRST], name="Second")
    found = campaigns.listed(session)
    assert [one.name for one in found] == ["Second", "First"]
    assert {one.segment_id for one in found} == {saved.id}  # the definition in them is what this segment means
    assert [one.name for one in campaigns.listed(session, before=found[0].id)] == ["First"]


def test_a_campaign_of_nobody_or_to_no_segment_is_refused(session: Session, shop: Planted) -> None:
    with pytest.raises(NotFound, match="segment"):
        campaigns.spec(session, segment_id=10**9, words=WORDS)
    empty = campaigns.spec(session, segment_id=subscribers(session).id, words=Content(subject="x", body=" "))
    with pytest.raises(Invalid, match="The message is empty"):
        campaigns.propose(session, empty, by="mara", now=NOW, trace_id="t")
    with pytest.raises(NotFound, match="no campaign"):
        campaigns.log(session, 10**9)
