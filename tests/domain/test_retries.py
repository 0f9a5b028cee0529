"""Where does a message go after each kind of end of a call, for each kind of provider?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.messages import Guarantee, Outcome, Result, State
from domain.retries import (
    LONGEST_PAUSE,
    MAX_ATTEMPTS,
    POISON_DEATHS,
    Attempt,
    after_call,
    after_death,
    after_lookup,
    pause,
)

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
FIRST = Attempt(1, NOW, Guarantee.KEY, "marketing")


@pytest.mark.parametrize(
    ("result", "guarantee", "message_class", "state", "unresolved"),
    [
        (Result.ACCEPTED, Guarantee.KEY, "marketing", State.ACCEPTED, False),
        (Result.REJECTED, Guarantee.KEY, "marketing", State.FAILED, False),
        (Result.TRANSIENT, Guarantee.KEY, "marketing", State.QUEUED, False),
        (Result.TRANSIENT, Guarantee.NEITHER, "marketing", State.QUEUED, False),
        (Result.UNSENT, Guarantee.NEITHER, "marketing", State.QUEUED, False),
        (Result.UNKNOWN, Guarantee.KEY, "marketing", State.QUEUED, True),
        (Result.UNKNOWN, Guarantee.LOOKUP, "marketing", State.UNKNOWN, True),
        (Result.UNKNOWN, Guarantee.NEITHER, "marketing", State.OUTCOME_UNKNOWN, True),
        (Result.UNKNOWN, Guarantee.NEITHER, "transactional", State.QUEUED, True),
    ],
)
def test_each_end_of_a_call_leads_somewhere(
    result: Result, guarantee: Guarantee, message_class: str, state: State, *, unresolved: bool
) -> None:
    attempt = replace(FIRST, guarantee=guarantee, message_class=message_class)
    move = after_call(Outcome(result), attempt, NOW, 0.5)
    assert (move.state, move.unresolved) == (state, unresolved)


@pytest.mark.parametrize("result", [Result.TRANSIENT, Result.UNSENT])
def test_a_later_failure_does_not_settle_an_earlier_open_end(result: Result) -> None:
    assert after_call(Outcome(result), replace(FIRST, number=2, unresolved=True), NOW, 0.5).unresolved


def test_a_refusal_after_an_open_end_stays_open() -> None:
    move = after_call(Outcome(Result.REJECTED), replace(FIRST, number=2, unresolved=True), NOW, 0.5)
    assert move.state is State.OUTCOME_UNKNOWN


def test_a_receipt_of_an_order_is_repeated_once_only() -> None:
    second = replace(FIRST, number=2, guarantee=Guarantee.NEITHER, message_class="transactional")
    assert after_call(Outcome(Result.UNKNOWN), second, NOW, 0.5).state is State.OUTCOME_UNKNOWN


def test_a_key_that_may_have_lapsed_is_not_used_again() -> None:
    old = replace(FIRST, number=2, first_at=NOW - timedelta(hours=21))
    move = after_call(Outcome(Result.UNKNOWN), old, NOW, 0.5)
    assert (move.state, move.reason) == (State.OUTCOME_UNKNOWN, "key_too_old")


def test_attempts_are_bounded() -> None:
    last = replace(FIRST, number=MAX_ATTEMPTS)
    assert after_call(Outcome(Result.TRANSIENT), last, NOW, 0.5).state is State.DEAD
    assert after_call(Outcome(Result.UNKNOWN), last, NOW, 0.5).state is State.OUTCOME_UNKNOWN


def test_the_provider_says_how_long_to_wait() -> None:
    busy = Outcome(Result.TRANSIENT, retry_after=timedelta(minutes=30))
    assert after_call(busy, FIRST, NOW, 0.0).due_at == NOW + timedelta(minutes=30)


def test_a_message_at_whose_side_workers_die_is_set_apart() -> None:
    for deaths in range(1, POISON_DEATHS):
        assert after_death(replace(FIRST, deaths=deaths), NOW).state is State.QUEUED
    assert after_death(replace(FIRST, deaths=POISON_DEATHS), NOW).state is State.DEAD


def test_a_dead_workers_mail_is_not_sent_again_where_nobody_can_tell() -> None:
    assert after_death(replace(FIRST, guarantee=Guarantee.NEITHER, deaths=1), NOW).state is State.OUTCOME_UNKNOWN


def test_a_look_up_settles_the_matter() -> None:
    asked = replace(FIRST, guarantee=Guarantee.LOOKUP, unresolved=True)
    assert after_lookup(found=True, attempt=asked, now=NOW).state is State.ACCEPTED
    again = after_lookup(found=False, attempt=asked, now=NOW)
    assert (again.state, again.unresolved) == (State.QUEUED, False)


@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_within_bounds(attempt: int, chance: float) -> None:
    assert timedelta(0) <= pause(attempt, chance) <= LONGEST_PAUSE
    assert pause(attempt, chance) <= pause(attempt + 1, chance)
