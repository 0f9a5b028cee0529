"""Is everybody alerted once, whatever runs at the same time, dies, or does not answer?"""

import contextlib
import functools
import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from channels.alerts import Target
from channels.patience import Patience
from db.consent import Suppression
from db.session import reading, transaction
from domain.alert_messages import Alert, Reasons
from domain.alerts import Day, Facts
from domain.intent import Boundary, Contact
from domain.messages import Guarantee, Outcome, Result
from domain.prospects import Prospect
from domain.verdicts import Status, Verdict
from services import alerts, consent
from services.alert_claims import Sending
from services.alerts import Decision
from tests.planted import Planted

NOW = datetime(2026, 7, 1, tzinfo=UTC)
AS_OF = date(2024, 4, 30)
SENDER = "intent@example.org"
QUICK = Patience(first=0.001, longest=0.01, attempts=3, chance=lambda: 1.0)


class Died(BaseException):
    """What a killed process leaves: nothing more is done."""


class Recorder(Target):
    """A target that keeps what it took, each idempotency key once if it honours them."""

    name = "recorder"

    def __init__(
        self,
        answer: Callable[[int], Result | type[Died]] = lambda _: Result.ACCEPTED,
        guarantee: Guarantee = Guarantee.NEITHER,
    ) -> None:
        self.guarantee = guarantee
        self.taken: list[str] = []
        self.calls: list[tuple[uuid.UUID, Alert]] = []
        self._answer = answer
        self._lock = threading.Lock()

    def call(self, alert_id: uuid.UUID, alert: Alert) -> Outcome:
        with self._lock:
            seen = alert_id in [known for known, _ in self.calls]
            self.calls.append((alert_id, alert))
            ends = self._answer(len(self.calls))
            takes = ends is not Result.TRANSIENT and ends is not Result.REJECTED
            if takes and not (seen and self.guarantee is Guarantee.KEY):
                self.taken.append(alert.to)
        if isinstance(ends, type):
            raise ends
        return Outcome(ends, code=None if ends is Result.ACCEPTED else "because")

    def close(self) -> None:
        """Nothing is kept."""


def always(result: Result) -> Callable[[int], Result]:
    return lambda _: result


def day(ahead: int = 0) -> Day:
    return Day(AS_OF + timedelta(days=ahead), Boundary.STRICT, NOW, timedelta(days=30))


def people(count: int, *, since: int = 2) -> list[Prospect]:
    """So many contacts of companies that have had high intent for so many days."""
    found = []
    for number in range(count):
        email = f"p{number}@acme.example"
        contact = Contact(number, number, "P", str(number), email, None)
        verdict = Verdict(email, Status.VALID, "accepted_email", NOW, "kickbox")
        facts = Facts("HIGH", verdict, None, AS_OF - timedelta(days=since))
        found.append(Prospect(contact, "acme.example", facts, Reasons("acme.example", [(AS_OF, 1)], [], None)))
    return found


def sending(target: Target, lease: float = 30) -> Sending:
    return Sending(target, SENDER, timedelta(seconds=lease), timedelta(seconds=1), QUICK)


@pytest.fixture
def run(database: str) -> Callable[..., list[Decision]]:
    """One run over prospects as of a day; the decisions."""

    def once(target: Target, prospects: Sequence[Prospect], ahead: int = 0) -> list[Decision]:
        brought = sending(target)
        with reading(database) as session:
            planned = alerts.plan(session, prospects, day(ahead), brought)
        return alerts.send(functools.partial(transaction, database), planned, day(ahead), brought)

    return once


def said(decisions: Sequence[Decision]) -> list[tuple[str, str]]:
    return [(decision.outcome, decision.reason) for decision in decisions]


def died_long_ago(database: str) -> None:
    """Let every lease be over, as if time had passed."""
    with transaction(database) as session:
        session.execute(text("update alerts set lease_until = clock_timestamp() - interval '1 second'"))


Run = Callable[..., list[Decision]]


def test_a_run_alerts_and_the_next_ones_do_not(run: Run) -> None:
    target = Recorder()
    assert said(run(target, people(3))) == [("alerted", "")] * 3
    assert said(run(target, people(3))) == [("left_out", "already_alerted")] * 3
    assert said(run(target, people(3), ahead=5)) == [("left_out", "already_alerted")] * 3
    assert sorted(target.taken) == ["p0@acme.example", "p1@acme.example", "p2@acme.example"]


def test_a_new_episode_is_alerted_two_weeks_later_and_not_before(run: Run) -> None:
    target = Recorder()
    run(target, people(1))
    assert said(run(target, people(1, since=-11), ahead=13)) == [("left_out", "alerted_recently")]
    assert said(run(target, people(1, since=-11), ahead=14)) == [("alerted", "")]
    assert len(target.taken) == 2


def test_news_that_arrives_late_does_not_begin_another_episode(run: Run) -> None:
    target = Recorder()
    run(target, people(1, since=2))
    assert said(run(target, people(1, since=30), ahead=20)) == [("left_out", "already_alerted")]


def test_planning_writes_nothing_and_calls_nobody(database: str) -> None:
    target = Recorder()
    with reading(database) as session:
        planned = alerts.plan(session, people(2), day(), sending(target))
    assert [decision.outcome for decision in planned] == ["would_alert"] * 2
    assert set(planned[0].as_dict()["alert"]) == {"from", "to", "message", "subject"}
    with reading(database) as session:
        assert session.scalar(text("select count(*) from alerts")) == 0
    assert target.calls == []


def test_an_address_is_told_once_for_several_contacts(run: Run) -> None:
    one, other = people(2)
    twin = replace(other, contact=replace(other.contact, email=one.contact.email))
    assert said(run(Recorder(), [one, twin])) == [("alerted", ""), ("left_out", "same_address")]


def test_who_must_be_left_alone_is(run: Run, database: str) -> None:
    with transaction(database) as session:
        hashed = consent.address_hash("P0@acme.example")
        session.add(Suppression(channel="*", address_hash=hashed, reason="complaint", since_at=NOW))
    assert said(run(Recorder(), people(2))) == [("left_out", "suppressed:complaint"), ("alerted", "")]


def test_a_stop_between_planning_and_sending_holds(database: str) -> None:
    target = Recorder()
    with reading(database) as session:
        planned = alerts.plan(session, people(2), day(), sending(target))
    with transaction(database) as session:
        hashed = consent.address_hash("p0@acme.example")
        session.add(Suppression(channel="email", address_hash=hashed, reason="stop", since_at=NOW))
    ends = alerts.send(functools.partial(transaction, database), planned, day(), sending(target))
    assert said(ends) == [("left_out", "suppressed:stop"), ("alerted", "")]


def test_nobody_is_told_while_all_sending_is_stopped(run: Run, database: str) -> None:
    with transaction(database) as session:
        Planted.store(session)
        session.execute(text("update store set sends_stopped_at = now()"))
    assert said(run(Recorder(), people(1))) == [("left_out", "sends_stopped")]


@pytest.mark.parametrize("result", [Result.TRANSIENT, Result.REJECTED])
def test_what_was_not_taken_is_tried_again_by_the_next_run_under_a_new_key(run: Run, result: Result) -> None:
    target = Recorder(always(result))
    assert said(run(target, people(1))) == [("failed", "because")]
    assert len(target.calls) == (3 if result is Result.TRANSIENT else 1)
    well = Recorder()
    assert said(run(well, people(1), ahead=1)) == [("alerted", "")]
    assert well.calls[0][0] != target.calls[0][0]


def test_a_call_without_an_answer_is_never_repeated_where_there_are_no_keys(run: Run) -> None:
    target = Recorder(always(Result.UNKNOWN))
    assert said(run(target, people(1))) == [("outcome_unknown", "because")]
    assert said(run(Recorder(), people(1))) == [("left_out", "outcome_unknown")]
    assert len(target.calls) == 1


def test_with_keys_it_is_repeated_with_the_same_key_and_the_same_words(run: Run) -> None:
    lost = Recorder(always(Result.UNKNOWN), Guarantee.KEY)
    assert said(run(lost, people(1))) == [("outcome_unknown", "because")]
    well = Recorder(guarantee=Guarantee.KEY)
    assert said(run(well, people(1), ahead=1)) == [("alerted", "")]
    assert set(lost.calls) == set(well.calls)


def test_another_target_is_no_repetition(run: Run) -> None:
    run(Recorder(always(Result.UNKNOWN), Guarantee.KEY), people(1))
    elsewhere = Recorder(guarantee=Guarantee.KEY)
    elsewhere.name = "elsewhere"
    assert said(run(elsewhere, people(1))) == [("left_out", "outcome_unknown")]


def test_a_target_that_takes_nothing_is_left_alone_after_a_while(run: Run) -> None:
    target = Recorder(always(Result.REJECTED))
    ends = said(run(target, people(30)))
    assert {end for end, _ in ends} == {"failed"}
    assert ("failed", "target_away") in ends
    assert len(target.calls) < 15
    assert said(run(Recorder(), people(30))) == [("alerted", "")] * 30


def test_a_call_whose_run_died_is_in_progress_then_unknown_and_repeated_only_with_a_key(
    run: Run, database: str
) -> None:
    for guarantee, end in ((Guarantee.NEITHER, ("left_out", "outcome_unknown")), (Guarantee.KEY, ("alerted", ""))):
        with transaction(database) as session:
            session.execute(text("delete from alerts"))
        dying = Recorder(lambda _: Died, guarantee)
        with pytest.raises(Died):
            run(dying, people(1))
        assert said(run(Recorder(guarantee=guarantee), people(1))) == [("left_out", "in_progress")]
        died_long_ago(database)
        well = Recorder(guarantee=guarantee)
        assert said(run(well, people(1))) == [end]
        assert dict(well.calls).keys() <= dict(dying.calls).keys()


def test_who_lost_its_lease_still_writes_down_what_it_saw_unless_somebody_took_over(run: Run, database: str) -> None:
    class Slow(Recorder):
        def call(self, alert_id: uuid.UUID, alert: Alert) -> Outcome:
            died_long_ago(database)
            assert said(run(Recorder(), people(1))) == [("left_out", "outcome_unknown")]
            return super().call(alert_id, alert)

    assert said(run(Slow(), people(1))) == [("alerted", "")]
    assert said(run(Recorder(), people(1))) == [("left_out", "already_alerted")]


@pytest.mark.parametrize("guarantee", [Guarantee.KEY, Guarantee.NEITHER])
def test_twenty_runs_at_once_some_of_which_die_alert_nobody_twice(
    run: Run, database: str, guarantee: Guarantee
) -> None:
    chance = random.Random(7)  # noqa: S311 - dice
    target = Recorder(lambda _: Died if chance.random() < 0.2 else Result.ACCEPTED, guarantee)

    def one(_number: int) -> None:
        with contextlib.suppress(Died):
            run(target, people(25))

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(one, range(20)))
    died_long_ago(database)
    target._answer = always(Result.ACCEPTED)
    last = Counter(run(target, people(25))[number].outcome for number in range(25))
    told = Counter(target.taken)
    assert set(told.values()) == {1}
    assert set(told) == {f"p{number}@acme.example" for number in range(25)}, "each call of a run that died was taken"
    assert last.total() == 25
