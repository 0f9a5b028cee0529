"""Is each planned message sent once, under the rules of the moment, and is every end of a call put to its place?"""

import itertools
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import claims, limits, store
from db.claims import Claims
from db.consent import Proof
from db.session import transaction
from domain.consent import SUBSCRIBED
from domain.messages import Cap, Guarantee, Letter, Outcome, PlannedMessage, Policy, Result
from services import aftermath, consent, delivery, enrollments, messages, outbox, topics
from tests.couriers import Recorder, accept, courier, message, send, states, store_with
from tests.planted import Planted
from tests.services.test_flows import FIRST, start


def test_a_planned_message_is_sent_once_and_everything_is_written_down(database: str) -> None:
    cohort, provider = store_with(database), Recorder()
    send(database, provider)
    send(database, provider)
    [letter] = provider.letters
    assert letter.id == uuid.UUID(cohort.keys[cohort.customers[0]])
    with transaction(database) as session:
        row = message(session, cohort)
        assert (row["state"], row["attempt"], row["provider_id"]) == ("accepted", 1, f"p-{letter.id}")
        assert session.execute(text("select verdict, reason from decisions")).all() == [("send", "allowed")]
        assert session.execute(text("select number, outcome from send_attempts")).all() == [(1, "accepted")]
        kept = session.execute(text("select subject, body_text, recipient from message_contents")).one()
    assert kept == (letter.subject, letter.text, "person1@example.com")


def test_planning_the_same_decision_twice_changes_nothing(database: str) -> None:
    cohort = store_with(database)
    at = datetime.now(UTC)
    again = PlannedMessage("rig:person", cohort.customers[0], "email", at, at + timedelta(days=1), "trace")
    with transaction(database) as session:
        assert messages.plan(session, [again, again]) == 0
        other = PlannedMessage("rig:other", cohort.customers[0], "email", at, at + timedelta(days=1), "trace")
        assert messages.plan(session, [other]) == 1


def test_a_forbidden_move_is_refused_by_the_database_of_a_test(database: str) -> None:
    cohort = store_with(database)
    send(database, Recorder())
    with pytest.raises(DBAPIError, match="may not move from accepted to queued"), transaction(database) as session:
        session.execute(
            text("update messages set state = 'queued' where id = :id"), {"id": message(session, cohort)["id"]}
        )


def test_who_never_subscribed_is_left_out_with_the_reason(database: str) -> None:
    store_with(database, 10, unsubscribed_share=0.5)
    provider = Recorder()
    send(database, provider)
    assert len(provider.letters) == 5
    with transaction(database) as session:
        assert messages.left_out(session, [1]) == {"not_subscribed": 5}


def test_a_message_on_a_topic_reaches_only_who_chose_it(database: str) -> None:
    cohort = store_with(database, 4)
    ada, ben, *_ = cohort.customers
    with transaction(database) as session:
        topics.add(session, "coffee")
        session.execute(text("update messages set topic = 'coffee'"))
        for person in (ada, ben):
            topics.subscribe(session, person, "coffee", Proof("form"), datetime.now(UTC))
        topics.unsubscribe(session, ben, "coffee", Proof("form"), datetime.now(UTC))
    provider = Recorder()
    send(database, provider)
    assert [letter.id for letter in provider.letters] == [uuid.UUID(cohort.keys[ada])]
    with transaction(database) as session:
        assert messages.left_out(session, [1]) == {"not_on_topic": 3}


def test_marketing_mail_carries_the_one_click_header_and_the_postal_address(database: str) -> None:
    store_with(database)
    provider = Recorder()
    send(database, provider)
    [letter] = provider.letters
    link = letter.headers["List-Unsubscribe"].strip("<>")
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in letter.html
    assert "1 Example Street" in letter.text
    assert consent.read_link(link.rpartition("/")[2]).message_id == letter.id


def test_a_stop_before_the_send_withdraws_the_message(database: str) -> None:
    cohort, provider = store_with(database), Recorder()
    with transaction(database) as session:
        done = consent.stop(session, cohort.customers[0], "email", "test", store.business_now(session))
        assert (done.withdrawn, list(done.under_way)) == (1, [])
    send(database, provider)
    assert not provider.letters
    with transaction(database) as session:
        assert (message(session, cohort)["state"], message(session, cohort)["reason"]) == ("suppressed", "unsubscribe")


def test_a_stop_waits_for_the_call_under_way_and_nothing_starts_after_it(database: str) -> None:
    cohort = store_with(database)
    calling, go_on, ended = threading.Event(), threading.Event(), []

    def slow(letter: Letter) -> Outcome:
        calling.set()
        go_on.wait(10)
        ended.append(time.monotonic())
        return Outcome(Result.TRANSIENT)

    def stop() -> float:
        with transaction(database) as session:
            consent.stop(session, cohort.customers[0], "email", "test", store.business_now(session))
        return time.monotonic()

    with ThreadPoolExecutor(2) as pool:
        sending = pool.submit(send, database, Recorder(slow))
        assert calling.wait(10)
        stopping = pool.submit(stop)
        with transaction(database) as session:
            waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
            assert _eventually(lambda: session.scalar(waiting) == 1)
        go_on.set()
        assert stopping.result(10) > ended[0]
        sending.result(10)
    provider = Recorder()
    with transaction(database) as session:
        session.execute(text("update messages set due_at = business_now() where state = 'queued'"))
    send(database, provider)
    assert not provider.letters
    assert states(database) == {"suppressed": 1}


def test_an_open_end_that_meets_a_stop_is_shown_as_unknown(database: str) -> None:
    cohort = store_with(database)
    send(database, Recorder(lambda _: Outcome(Result.UNKNOWN)))
    with transaction(database) as session:
        assert message(session, cohort)["unresolved"]
        consent.stop(session, cohort.customers[0], "email", "test", store.business_now(session))
    assert states(database) == {"outcome_unknown": 1}


def test_a_repeated_call_is_the_same_to_the_byte_although_the_person_changed(database: str) -> None:
    store_with(database)
    answers = itertools.chain([Outcome(Result.UNKNOWN)], itertools.repeat(Outcome(Result.ACCEPTED, provider_id="x")))
    provider = Recorder(lambda _: next(answers))
    send(database, provider)
    with transaction(database) as session:
        session.execute(text("update customers set first_name = 'Renamed', email = 'new@example.com'"))
        session.execute(text("update messages set due_at = business_now()"))
    send(database, provider)
    first, second = provider.letters
    assert (first.attempt, second.attempt) == (1, 2)
    assert (first.text, first.html, first.recipient, first.headers) == (
        second.text,
        second.html,
        second.recipient,
        second.headers,
    )
    assert states(database) == {"accepted": 1}


def test_a_transient_failure_waits_and_a_refusal_is_final(database: str) -> None:
    store_with(database, 2)
    answers = iter([Outcome(Result.TRANSIENT, retry_after=timedelta(hours=1)), Outcome(Result.REJECTED, code="550")])
    send(database, Recorder(lambda _: next(answers)))
    assert states(database) == {"queued": 1, "failed": 1}
    with transaction(database) as session:
        assert messages.due(session) == 0
        assert session.scalars(text("select error_code from messages where state = 'failed'")).one() == "550"


def test_an_address_that_does_not_exist_is_left_alone_from_then_on(database: str) -> None:
    cohort = store_with(database)
    send(database, Recorder(lambda _: Outcome(Result.REJECTED, code="5.1.1", suppress="hard_bounce")))
    with transaction(database) as session:
        promise = outbox.take(session)
        assert promise is not None
        assert outbox.keep(session, promise, store.business_now(session))
        assert outbox.take(session) is None
        listed = session.execute(text("select customer_id, reason from suppressions")).all()
        assert listed == [(cohort.customers[0], "hard_bounce")]
        assert session.scalars(text("select state from consents where until_at is null")).one() == SUBSCRIBED


def test_a_call_whose_provider_is_gone_is_unknown_and_never_made_to_another(database: str) -> None:
    store_with(database)
    send(database, Recorder(lambda _: Outcome(Result.UNKNOWN)))
    with transaction(database) as session:
        session.execute(text("update messages set provider = 'gone', due_at = business_now()"))
    provider = Recorder()
    send(database, provider)
    assert not provider.letters
    with transaction(database) as session:
        assert session.execute(text("select state, reason from messages")).one() == ("outcome_unknown", "provider_gone")


def test_who_buys_while_a_message_waits_for_its_hours_does_not_get_it(database: str) -> None:
    with transaction(database) as session:
        shop, now = Planted.store(session), store.business_now(session)
        for name in ("Ann", "Ben"):
            shop.person(name)
            shop.consent(name, "subscribed", timedelta(days=400))
        start(session, now, steps=[FIRST])
        enrollments.advance(session, now)
        order = {"customer": shop.ids["Ann"]}
        session.execute(
            text("""
                insert into orders (customer_id, external_id, ordered_at, total)
                values (:customer, 'x', business_now(), 9)
            """),
            order,
        )
    provider = Recorder()
    send(database, provider)
    assert [letter.subject for letter in provider.letters] == ["Hello Ben"]
    with transaction(database) as session:
        assert messages.left_out(session, session.scalars(text("select id from flow_versions")).all()) == {"ordered": 1}


def test_a_message_that_cannot_be_rendered_is_set_apart_and_its_neighbours_go(database: str) -> None:
    cohort, provider = store_with(database, 5), Recorder()
    with transaction(database) as session:
        values = {"id": cohort.customers[2]}
        session.execute(text("update messages set variant = 'Z' where customer_id = :id"), values)
    send(database, provider)
    assert len(provider.letters) == 4
    assert states(database) == {"accepted": 4, "dead": 1}
    with transaction(database) as session:
        letter = session.execute(text("select customer_id, message_id, reason from dead_letters")).one()
        assert (letter.customer_id, letter.reason) == (cohort.customers[2], "render_failed")
        session.execute(text("update messages set variant = null"))
        messages.replay(session, letter.customer_id, letter.message_id, store.business_now(session), "test")
    send(database, provider)
    assert states(database) == {"accepted": 5}


def test_a_message_whose_time_is_over_is_not_sent(database: str) -> None:
    store_with(database, 3)
    with transaction(database) as session:
        session.execute(text("update store set clock_offset = interval '25 hours'"))
    provider = Recorder()
    send(database, provider)
    assert not provider.letters
    assert states(database) == {"expired": 3}


def test_quiet_hours_put_a_message_off_and_business_time_brings_it_back(database: str) -> None:
    cohort, provider = store_with(database), Recorder()
    with transaction(database) as session:
        session.execute(text("update customers set phone = '+12025550101', time_zone = 'Not/AZone'"))
        session.execute(text("update store set time_zone = 'UTC'"))
        session.execute(text("update messages set channel = 'sms'"))
        session.execute(text("update consents set channel = 'sms'"))
        session.execute(text("update store set clock_offset = date_trunc('day', now()) + interval '27 hours' - now()"))
        session.execute(text("update messages set expires_at = expires_at + interval '3 days'"))
    send(database, provider, channel="sms")
    assert not provider.letters
    with transaction(database) as session:
        row = message(session, cohort)
        assert (row["state"], row["reason"], row["due_at"].hour) == ("queued", "quiet_hours", 8)
        session.execute(text("update store set clock_offset = clock_offset + interval '6 hours'"))
    send(database, provider, channel="sms")
    assert [letter.html for letter in provider.letters] == [""]


def test_a_dead_workers_messages_are_taken_over_after_the_lease(database: str) -> None:
    cohort, provider = store_with(database, 3), Recorder()
    _die_holding(database, lease=0.05)
    assert states(database) == {"sending": 3}
    _take_over(database, 3)
    with transaction(database) as session:
        row = message(session, cohort)
        assert (row["state"], row["unresolved"], row["deaths"]) == ("queued", True, 1)
    send(database, provider)
    assert [letter.attempt for letter in provider.letters] == [2, 2, 2]
    assert states(database) == {"accepted": 3}


def test_a_zombies_result_changes_nothing(database: str) -> None:
    cohort = store_with(database)

    def late(letter: Letter) -> Outcome:
        assert _eventually(lambda: _lease_is_over(database))
        _take_over(database, 1)
        return Outcome(Result.REJECTED)

    with Claims.opened(database) as work:
        work_done = delivery.send_batch(work, "email", courier(Recorder(late), lease=0.05))
    assert work_done.taken == 1
    with transaction(database) as session:
        row = message(session, cohort)
        assert (row["state"], row["attempt"], row["error_code"]) == ("queued", 1, None)


def test_a_message_at_whose_side_workers_die_is_handled_alone(database: str) -> None:
    cohort = store_with(database, 3)
    with transaction(database) as session:
        session.execute(text("update messages set deaths = 2 where customer_id = :id"), {"id": cohort.customers[0]})
    with Claims.opened(database) as work, work.transaction() as session:
        found = claims.due(session, "email", 10)
        assert {row["customer_id"] for row in found} == set(cohort.customers[1:])
        [row] = claims.due(session, "email", 1)
        assert row["customer_id"] == cohort.customers[0]


def test_poison_becomes_a_dead_letter(database: str) -> None:
    store_with(database)
    for _ in range(4):
        _die_holding(database, lease=0.01)
        _take_over(database, 1)
    assert states(database) == {"dead": 1}
    with transaction(database) as session:
        assert session.scalars(text("select reason from dead_letters")).one() == "crashed"


def test_mail_by_a_relay_is_not_repeated_after_a_death(database: str) -> None:
    store_with(database, 2)
    relay = Recorder(guarantee=Guarantee.NEITHER)
    _die_holding(database, lease=0.01)
    _take_over(database, 2, relay)
    assert states(database) == {"outcome_unknown": 2}


def test_a_look_up_settles_what_was_not_answered(database: str) -> None:
    cohort = store_with(database, 3)
    asked = Recorder(lambda _: Outcome(Result.UNKNOWN), guarantee=Guarantee.LOOKUP)
    send(database, asked)
    assert states(database) == {"unknown": 3}
    first = uuid.UUID(cohort.keys[cohort.customers[0]])
    asked.known[first] = "theirs"
    with transaction(database) as session:
        session.execute(text("update messages set due_at = business_now() - interval '1 second'"))
    asked.grace = timedelta(hours=1)
    assert _look_up(database, asked) == 1
    assert states(database) == {"accepted": 1, "unknown": 2}
    asked.grace = timedelta(0)
    assert _look_up(database, asked) == 2
    with transaction(database) as session:
        row = message(session, cohort)
        assert (row["provider_id"], row["unresolved"], row["delivery"]) == ("theirs", False, "accepted")
    asked.answer = accept
    send(database, asked)
    assert states(database) == {"accepted": 3}
    assert len(asked.letters) == 5


def test_caps_hold_when_eight_workers_write_to_the_same_people(database: str) -> None:
    policy = Policy(caps=(Cap("marketing", 2),))
    cohort = store_with(database, 50, policy=policy)
    with transaction(database) as session:
        now = store.business_now(session)
        planned = [
            PlannedMessage(
                f"more:{number}", customer, "email", now, now + timedelta(days=1), "t", flow_version_id=1, policy=policy
            )
            for customer in cohort.customers
            for number in range(5)
        ]
        messages.plan(session, planned)
    provider = Recorder(concurrency=16)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: send(database, provider), range(8)))
    send(database, provider)
    per_person: dict[int, int] = {}
    for letter in provider.letters:
        per_person[letter.customer_id] = per_person.get(letter.customer_id, 0) + 1
    assert per_person == dict.fromkeys(cohort.customers, 2)
    assert states(database) == {"accepted": 100, "capped": 200}


def test_eight_workers_never_send_one_message_twice(database: str) -> None:
    cohort, provider = store_with(database, 400), Recorder(concurrency=16)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: send(database, provider), range(8)))
    assert len(provider.letters) == len({letter.id for letter in provider.letters}) == len(cohort.customers)


def test_a_rate_is_kept_by_all_workers_together(database: str) -> None:
    store_with(database, 300)
    with transaction(database) as session:
        limits.set_rate(session, "vendor", per_second=100, burst=20)
    provider, started = Recorder(concurrency=16), time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        while time.monotonic() - started < 1.0:
            list(pool.map(lambda _: send(database, provider), range(4)))
    took = time.monotonic() - started
    assert 0 < len(provider.letters) <= 100 * took + 20
    assert states(database).get("queued", 0) == 300 - len(provider.letters)


def test_a_provider_that_does_not_answer_is_left_alone_for_a_while(database: str) -> None:
    store_with(database, 100)
    broken = Recorder(lambda _: Outcome(Result.TRANSIENT, retry_after=timedelta(hours=1)), concurrency=10)
    send(database, broken)
    assert len(broken.letters) == limits.OPEN_AFTER_FAILURES
    with transaction(database) as session:
        session.execute(text("update rate_buckets set open_until = now() - interval '1 second'"))
    working = Recorder(concurrency=10)
    send(database, working)
    assert len(working.letters) == 80  # one to see whether it is back, then all the others


def test_a_stopped_store_sends_nothing(database: str) -> None:
    store_with(database, 3)
    with transaction(database) as session:
        consent.stop_all(session, "test", store.business_now(session))
    provider = Recorder()
    send(database, provider)
    assert not provider.letters
    with transaction(database) as session:
        consent.resume_all(session, "test")
    send(database, provider)
    assert len(provider.letters) == 3


def test_a_paused_flows_messages_wait_and_an_ended_ones_are_called_off(database: str) -> None:
    store_with(database, 2)
    provider = Recorder()
    with transaction(database) as session:
        session.execute(text("update flows set status = 'paused'"))
    send(database, provider)
    assert states(database) == {"queued": 2}
    with transaction(database) as session:
        assert messages.cancel(session, [1]) == 2
    assert states(database) == {"canceled": 2}
    assert not provider.letters


def _die_holding(url: str, *, lease: float) -> None:
    """Take a batch and vanish with it, as a killed worker does: its connection closes, its lease runs."""

    class Vanished(BaseException):
        pass

    def die(_: Letter) -> Outcome:
        raise Vanished

    with pytest.raises(Vanished), Claims.opened(url) as work:
        delivery.send_batch(work, "email", courier(Recorder(die), lease=lease))


def _look_up(url: str, provider: Recorder) -> int:
    with Claims.opened(url) as work:
        return aftermath.look_up(work, 100, {"vendor": provider})


def _take_over(url: str, messages_left: int, provider: Recorder | None = None) -> None:
    """Take over what a dead worker left, as soon as its lease is over."""
    taken = 0

    def all_taken() -> bool:
        nonlocal taken
        with transaction(url) as session:
            taken += aftermath.take_over(session, 100, {"vendor": provider or Recorder()})
        return taken == messages_left

    assert _eventually(all_taken)


def _lease_is_over(database: str) -> bool:
    with transaction(database) as session:
        return bool(session.scalar(text("select bool_and(lease_until < clock_timestamp()) from messages")))


def _eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False
