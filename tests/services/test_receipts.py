"""Does every message end where the truth is, however its receipts come?"""

import random
import uuid

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from channels.gateway import receipt
from db import store
from db.session import transaction
from domain.messages import DELIVERY_RANK, Outcome, Receipt, Result
from services import outbox, receipts
from tests.couriers import Recorder, message, send, states, store_with


def _told(message_id: uuid.UUID | str, status: str, *, code: str | None = None, theirs: str | None = None) -> Receipt:
    said = {
        "communicationLogId": str(message_id),
        "vendorMessageId": theirs or f"p-{message_id}",
        "status": status,
        "timestamp": "2026-07-01T12:00:00Z",
    }
    return receipt(said | ({"code": code} if code else {}))


def _apply(session: Session, *told: Receipt) -> dict[str, int]:
    receipts.keep(session, told)
    return dict(receipts.apply(session))


def test_the_furthest_word_stands_in_any_order_and_number(database: str) -> None:
    cohort = store_with(database, 60)
    send(database, Recorder())
    dice = random.Random(7)  # noqa: S311 - dice
    fates = {key: dice.choice([["SENT", "DELIVERED"], ["SENT", "DELIVERED", "OPENED"], ["SENT", "FAILED"]]) for key in
             cohort.keys.values()}  # fmt: skip
    told = [_told(key, status) for key, fate in fates.items() for status in fate]
    told += dice.choices(told, k=len(told) // 5)
    dice.shuffle(told)
    for first in range(0, len(told), 25):
        with transaction(database) as session:
            _apply(session, *told[first : first + 25])
    with transaction(database) as session:
        found = {str(row.id): row.delivery for row in session.execute(text("select id, delivery from messages"))}
        assert found == {key: fate[-1].lower() for key, fate in fates.items()}
        timed = text("select id, opened_at is not null as opened, failed_at is not null as failed from messages")
        times = {str(row.id): (row.opened, row.failed) for row in session.execute(timed)}
        assert times == {key: ("OPENED" in fate, "FAILED" in fate) for key, fate in fates.items()}
        assert not receipts.apply(session)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["QUEUED", "SENT", "DELIVERED", "OPENED", "READ"]), min_size=1, max_size=8))
def test_a_rank_never_falls(session: Session, words: list[str]) -> None:
    with session.begin_nested() as undone:
        _one_accepted(session)
        rank = 0
        for word in words:
            _apply(session, _told(ONE, word, theirs=f"p-{ONE}"))
            rank = max(rank, DELIVERY_RANK[word.lower()])
            assert session.scalars(text("select delivery_rank from messages")).one() == rank
        undone.rollback()


def test_of_two_final_words_the_first_stands_and_the_other_is_a_conflict(database: str) -> None:
    cohort = store_with(database)
    send(database, Recorder())
    key = cohort.keys[cohort.customers[0]]
    with transaction(database) as session:
        assert _apply(session, _told(key, "FAILED", code="550")) == {"applied": 1}
        assert _apply(session, _told(key, "DELIVERED")) == {"conflict": 1}
        assert (message(session, cohort)["delivery"], message(session, cohort)["error_code"]) == ("failed", "550")


def test_a_receipt_proves_that_an_unanswered_call_was_accepted(database: str) -> None:
    cohort, provider = store_with(database), Recorder(lambda _: Outcome(Result.UNKNOWN))
    send(database, provider)
    assert states(database) == {"queued": 1}
    with transaction(database) as session:
        assert _apply(session, _told(cohort.keys[cohort.customers[0]], "SENT", theirs="x-1")) == {"applied": 1}
        row = message(session, cohort)
        assert (row["state"], row["provider_id"], row["unresolved"]) == ("accepted", "x-1", False)
        session.execute(text("update messages set due_at = business_now()"))
    send(database, provider)
    assert len(provider.letters) == 1


def test_a_receipt_that_comes_before_the_message_is_known_waits_for_it(database: str) -> None:
    cohort = store_with(database)
    key = cohort.keys[cohort.customers[0]]
    with transaction(database) as session:
        assert _apply(session, _told(key, "DELIVERED")) == {"orphan": 1}
        assert not receipts.apply(session)
    send(database, Recorder())
    with transaction(database) as session:
        session.execute(text("update receipts_waiting set retry_at = now()"))
        assert dict(receipts.apply(session)) == {"applied": 1}
        assert message(session, cohort)["delivery"] == "delivered"


def test_after_seven_days_nobody_waits_for_it_any_more(session: Session) -> None:
    receipts.keep(session, [_told(uuid.uuid4(), "SENT")])
    session.execute(text("update receipts_waiting set received_at = now() - interval '8 days'"))
    assert dict(receipts.apply(session)) == {"abandoned": 1}


def test_a_receipt_with_a_strange_provider_id_changes_nothing(database: str) -> None:
    cohort = store_with(database)
    send(database, Recorder())
    with transaction(database) as session:
        assert _apply(session, _told(cohort.keys[cohort.customers[0]], "FAILED", theirs="forged")) == {"mismatch": 1}
        assert message(session, cohort)["delivery"] == "accepted"


def test_a_word_nobody_knows_is_kept_and_changes_nothing(database: str) -> None:
    cohort = store_with(database)
    send(database, Recorder())
    with transaction(database) as session:
        assert _apply(session, _told(cohort.keys[cohort.customers[0]], "TELEPORTED")) == {"unknown_status": 1}
        assert session.scalars(text("select raw ->> 'status' from inbox")).one() == "TELEPORTED"


def test_the_same_receipt_is_kept_once(session: Session) -> None:
    told = _told(uuid.uuid4(), "SENT")
    assert receipts.keep(session, [told, told]) == 1
    assert receipts.keep(session, [told]) == 0


def test_a_complaint_and_a_hard_bounce_leave_the_person_alone_and_a_full_mailbox_does_not(database: str) -> None:
    cohort = store_with(database, 3)
    send(database, Recorder())
    complained, gone, full = (cohort.keys[customer] for customer in cohort.customers)
    with transaction(database) as session:
        _apply(
            session,
            _told(complained, "COMPLAINED"),
            _told(gone, "BOUNCED", code="5.1.1"),
            _told(full, "BOUNCED", code="5.2.2"),
        )
    with transaction(database) as session:
        while promise := outbox.take(session):
            outbox.keep(session, promise, store.business_now(session))
        listed = session.execute(text("select customer_id, reason from suppressions order by 1")).all()
        assert listed == [(cohort.customers[0], "complaint"), (cohort.customers[1], "hard_bounce")]
        assert session.scalars(text("select complained from messages order by customer_id")).all() == [
            True,
            False,
            False,
        ]


def test_a_full_mailbox_stays_one_when_something_else_is_heard_later(database: str) -> None:
    cohort = store_with(database)
    send(database, Recorder())
    key = cohort.keys[cohort.customers[0]]
    with transaction(database) as session:
        _apply(session, _told(key, "BOUNCED", code="5.2.2"))
    with transaction(database) as session:
        _apply(session, _told(key, "COMPLAINED"))
        assert session.scalars(text("select payload ->> 'reason' from outbox")).all() == ["complaint"]


ONE = uuid.UUID("11111111-1111-5111-8111-111111111111")


def _one_accepted(session: Session) -> None:
    session.execute(text("insert into customers (email, first_seen_at) values ('one@example.com', now())"))
    session.execute(
        text("""
            insert into messages (customer_id, id, decision_key, channel, message_class, step, trace_id, state, due_at,
                                  expires_at, attempt, provider_id)
            select id, :id, 'k', 'email', 'marketing', 0, 't', 'accepted', now(), now(), 1, :theirs from customers
        """),
        {"id": ONE, "theirs": f"p-{ONE}"},
    )
