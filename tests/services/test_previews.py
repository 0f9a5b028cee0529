"""Does looking at a flow first tell how many, when, in which words, and what is missing?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from domain import flows
from services import previews
from tests.planted import NOW, Planted
from tests.services.test_flows import FIRST, TEN_DAYS, spec


@pytest.fixture
def shop(session: Session) -> Planted:
    """Four subscribers, one of them without a name, one in Tokyo."""
    shop = Planted.store(session, "America/New_York")
    for name, values in {"Ann": {}, "Ben": {"time_zone": "Asia/Tokyo"}, "Cora": {}, "Nobody": {}}.items():
        shop.person(name, **values)
        shop.consent(name, "subscribed", timedelta(days=100))
    session.connection().exec_driver_sql("update customers set first_name = ' ' where first_name = 'Nobody'")
    return shop


def look(session: Session, **changes: Any) -> previews.FlowPreview:
    """Look at a flow."""
    return previews.preview(session, flows.parse(spec(**changes)), now=NOW)


def test_it_shows_real_members_their_messages(session: Session, shop: Planted) -> None:
    seen = look(session)
    assert (seen.audience_size, seen.recipients) == (4, 4)
    first = seen.messages[0]
    assert [one.subject for one in first.samples] == ["Hello Ann", "Hello Ben", "Hello Cora"]
    assert "1 Example Street" in first.samples[0].text
    assert "Unsubscribe" in first.samples[0].html


def test_a_missing_fallback_is_named_with_how_many_need_it(session: Session, shop: Planted) -> None:
    seen = look(session)
    assert [one.message for one in seen.problems] == [
        "1 of 4 recipients have no first name: a fallback is needed in step 1."
    ]
    assert seen.ready
    with_default = {**FIRST, "subject": 'Hello {{ customer.first_name | default: "you" }}'}
    assert look(session, steps=[with_default]).problems == ()


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ("{% if customer.city %}In {{ customer.city }}{% endif %}", False),
        ("In {{ customer.city }}", True),
        ("{{ customer.last_product }}", True),
        ("{{ customer.custom.size }}", True),
        ("{{ customer.email }}", False),
    ],
)
def test_only_what_is_printed_bare_and_is_unknown_of_somebody_needs_a_fallback(
    session: Session, shop: Planted, body: str, *, missing: bool
) -> None:
    shop.person("Custom", custom={"size": "L"})
    message = {"type": "send", "subject": "Hello", "body": body}
    assert bool(look(session, steps=[message]).problems) == missing


def test_the_times_are_those_of_the_stores_zone_and_of_all_zones(session: Session, shop: Planted) -> None:
    seen = look(session, start={"mode": "local", "date": "2026-06-16", "time": "09:00"})
    assert seen.starts == (datetime(2026, 6, 16, 0, tzinfo=UTC), datetime(2026, 6, 16, 13, tzinfo=UTC))
    assert [one.at for one in seen.messages] == [
        datetime(2026, 6, 16, 13, tzinfo=UTC),
        datetime(2026, 6, 26, 13, tzinfo=UTC),
    ]


def test_who_cannot_be_reached_is_counted_beforehand(session: Session, shop: Planted) -> None:
    shop.suppress("Ben", timedelta(days=1))
    assert "1 of 4 people cannot be reached on email and will be left out." in [
        one.message for one in look(session).problems
    ]


def test_a_broken_flow_is_shown_with_all_that_is_wrong(session: Session, shop: Planted) -> None:
    seen = look(session, steps=[{"type": "send", "subject": "", "body": "{{ nonsense }}"}, TEN_DAYS])
    assert not seen.ready
    assert {one.path for one in seen.problems} == {"steps.0.subject", "steps.0.body", "steps.1"}
    assert seen.messages[0].samples == ()


def test_the_held_out_are_not_counted_as_recipients(session: Session, shop: Planted) -> None:
    assert look(session, guardrails={"holdout_percent": 50}).recipients == 2
