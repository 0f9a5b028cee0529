"""Does a person's word hold, on the channel it was said for, and can only that person take it back?"""

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from db import store
from db.consent import Proof
from db.session import transaction
from domain.errors import Conflict, Invalid, NotFound
from domain.messages import PlannedMessage
from services import consent, messages
from tests.couriers import Recorder, send, states, store_with


def _states(session: Session) -> dict[str, str]:
    found = session.execute(text("select channel, state from consents where until_at is null"))
    return {row.channel: row.state for row in found}


def _listed(session: Session) -> dict[str, str]:
    return {row.channel: row.reason for row in session.execute(text("select channel, reason from suppressions"))}


def test_a_stop_keeps_its_proof_and_closes_what_was_open(database: str) -> None:
    cohort = store_with(database)
    with transaction(database) as session:
        consent.stop(session, cohort.customers[0], "email", "console", store.business_now(session))
        consent.stop(session, cohort.customers[0], "email", "console", store.business_now(session))
        rows = session.execute(text("select state, method, source, until_at is null from consents order by id")).all()
        assert rows == [("subscribed", "rig", None, False), ("unsubscribed", "stop", "console", True)]
        assert _listed(session) == {"email": "unsubscribe"}
        assert session.scalars(text("select count(*) from audit_log where action = 'consent.stopped'")).one() == 2


def test_a_stop_on_one_channel_leaves_the_others_and_a_stop_on_all_ends_all(database: str) -> None:
    cohort = store_with(database)
    person = cohort.customers[0]
    with transaction(database) as session:
        session.execute(text("update customers set phone = '+12025550101'"))
        now = store.business_now(session)
        consent.set_state(session, person, "sms", "subscribed", Proof("form"), now)
        consent.stop(session, person, "sms", "STOP", now)
        assert _states(session) == {"email": "subscribed", "sms": "unsubscribed"}
        consent.stop(session, person, "*", "letter", now)
        assert set(_states(session).values()) == {"unsubscribed"}
        assert _listed(session) == {"email": "unsubscribe", "sms": "stop", "whatsapp": "stop"}


def test_start_takes_back_a_stop_and_nothing_else(database: str) -> None:
    cohort = store_with(database)
    person = cohort.customers[0]
    with transaction(database) as session:
        now = store.business_now(session)
        consent.stop(session, person, "email", "link", now)
        consent.start(session, person, "email", "form", now)
        assert (_states(session), _listed(session)) == ({"email": "subscribed"}, {})
        consent.suppress(session, person, "email", "complaint", "provider", now)
        consent.stop(session, person, "email", "link", now)
        assert _listed(session) == {"email": "complaint"}, "a weaker reason replaces no stronger one"
        with pytest.raises(Conflict, match="complaint"):
            consent.start(session, person, "email", "form", now)


def test_an_unsubscribed_person_still_gets_what_must_be_sent(database: str) -> None:
    cohort = store_with(database)
    person = cohort.customers[0]
    with transaction(database) as session:
        now = store.business_now(session)
        must = PlannedMessage("receipt", person, "email", now, now.replace(year=now.year + 1), "t", "transactional", 1)
        messages.plan(session, [must])
        assert consent.stop(session, person, "email", "link", now).withdrawn == 1
    provider = Recorder()
    send(database, provider)
    assert [letter.id for letter in provider.letters] == [must.id]
    assert not provider.letters[0].headers
    assert states(database) == {"accepted": 1, "suppressed": 1}


def test_the_address_on_the_list_is_not_readable(database: str) -> None:
    cohort = store_with(database)
    with transaction(database) as session:
        consent.stop(session, cohort.customers[0], "email", "link", store.business_now(session))
        [address] = session.scalars(text("select address_hash from suppressions")).all()
    assert address == consent.address_hash("PERSON1@example.com ")
    assert "person1" not in address
    assert len(address) == 64


def test_who_is_erased_and_comes_back_is_still_left_alone(database: str) -> None:
    cohort = store_with(database)
    with transaction(database) as session:
        now = store.business_now(session)
        consent.stop(session, cohort.customers[0], "email", "link", now)
        session.execute(text("delete from customers"))
        back = session.scalars(
            text("insert into customers (email, first_seen_at) values ('person1@example.com', now()) returning id")
        ).one()
        consent.set_state(session, back, "email", "subscribed", Proof("import"), now)
        planned = PlannedMessage("again", back, "email", now, now.replace(year=now.year + 1), "t", flow_version_id=1)
        messages.plan(session, [planned])
    provider = Recorder()
    send(database, provider)
    assert not provider.letters
    assert states(database) == {"suppressed": 1}


def test_the_link_of_a_message_unsubscribes_its_recipient_and_notes_the_message(database: str) -> None:
    cohort, provider = store_with(database), Recorder()
    send(database, provider)
    link = provider.letters[0].headers["List-Unsubscribe"].strip("<>")
    with transaction(database) as session:
        token = link.rpartition("/")[2]
        consent.unsubscribe(session, token, Proof("link"), store.business_now(session))
        assert _states(session) == {"email": "unsubscribed"}
        assert session.scalars(text("select unsubscribed from messages")).one()
    assert cohort.customers


def test_wrong_words_are_refused(session: Session) -> None:
    with pytest.raises(Invalid, match="no channel fax"):
        consent.stop(session, 1, "fax", "test", store.business_now(session))
    with pytest.raises(NotFound):
        consent.stop(session, 999, "email", "test", store.business_now(session))
    with pytest.raises(Invalid, match="link"):
        consent.unsubscribe(session, str(uuid.uuid4()), Proof("link"), store.business_now(session))
