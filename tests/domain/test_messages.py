"""Do the states form a graph that ends, and do ids and policies keep what they say?"""

from datetime import UTC, datetime, time

from hypothesis import given
from hypothesis import strategies as st

from domain.messages import (
    DELIVERY_RANK,
    FINAL_RANK,
    NOT_DELIVERED,
    OPEN,
    REASONS,
    TRANSITIONS,
    Cap,
    PlannedMessage,
    Policy,
    State,
    Window,
    in_words,
)
from settings import ROOT


def test_every_state_has_its_moves_and_every_open_one_leads_to_an_end() -> None:
    assert set(TRANSITIONS) == set(State)
    ends = {state for state in State if state not in OPEN}
    for state in OPEN:
        assert TRANSITIONS[state] & ends


def test_what_was_decided_against_stays_so() -> None:
    for state in (State.SUPPRESSED, State.CAPPED, State.EXPIRED, State.CANCELED, State.FAILED, State.ACCEPTED):
        assert not TRANSITIONS[state]


def test_a_receipt_can_prove_acceptance_wherever_a_call_may_have_been_made() -> None:
    proven = {state for state, moves in TRANSITIONS.items() if State.ACCEPTED in moves}
    assert proven == {State.QUEUED, State.SENDING, State.UNKNOWN, State.OUTCOME_UNKNOWN, State.DEAD}


def test_final_words_share_a_rank_below_engagement() -> None:
    assert {DELIVERY_RANK[word] for word in NOT_DELIVERED | {"delivered"}} == {FINAL_RANK}
    assert all(DELIVERY_RANK[word] > FINAL_RANK for word in ("opened", "clicked", "read"))


@given(st.integers(1, 2**62), st.text(max_size=80))
def test_the_same_decision_has_the_same_id(customer_id: int, key: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    one, again = (PlannedMessage(key, customer_id, "email", at, at, "trace") for _ in range(2))
    assert one.id == again.id
    assert one.id != PlannedMessage(key, customer_id + 1, "email", at, at, "trace").id


def test_a_policy_survives_storage() -> None:
    policy = Policy(window=Window(time(8, 30), time(21)), caps=(Cap("marketing", 2, 168),))
    assert Policy.from_dict(policy.as_dict()) == policy
    assert Policy.from_dict(None) == Policy()


def test_reasons_are_sentences_and_unknown_ones_are_shown() -> None:
    assert all(text[0].isupper() and not text.endswith(".") for text in REASONS.values())
    assert in_words("quiet_hours") == REASONS["quiet_hours"]
    assert in_words("brand_new") == "brand new"
    assert in_words(None) == ""


def test_the_guide_explains_every_state_and_every_reason() -> None:
    guide = (ROOT / "docs" / "delivery.md").read_text()
    assert [str(state) for state in State if f"| `{state}` |" not in guide] == []
    assert [reason for reason in REASONS if f"`{reason}`" not in guide] == []
