"""What happens to a message once a provider call has ended, or its worker has died?

A call that certainly failed is made again after a growing, random pause. A call whose end nobody saw is repeated only
where the provider's idempotency key makes that harmless, looked up where the provider can be asked, and shown as
unknown where neither is possible. A message at whose side workers keep dying is set apart.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.messages import MARKETING, Guarantee, Outcome, Result, State

BASE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
MAX_ATTEMPTS = 12

KEY_LIFETIME = timedelta(hours=20)
"""Providers keep idempotency keys for 24 hours; a repetition must arrive well before that."""

SUSPECT_DEATHS = 2
"""From this many dead workers on, a message is handled alone, so that its neighbours do not suffer with it."""

POISON_DEATHS = 4
"""At this many, two of them while it was handled alone, it is set apart for a person to look at."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known about the call that ended: ``number`` counts from 1, ``first_at`` is when number 1 was made.

    ``unresolved`` says that an earlier call may have been accepted, which no later failure takes back.
    """

    number: int
    first_at: datetime
    guarantee: Guarantee
    message_class: str
    deaths: int = 0
    unresolved: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """The message's next state. ``unresolved`` says that an earlier call may have been accepted."""

    state: State
    reason: str | None = None
    due_at: datetime | None = None
    unresolved: bool = False


def pause(attempt: int, chance: float) -> timedelta:
    """How long to wait after attempt number ``attempt``: full jitter, ``chance`` being random in [0, 1)."""
    longest: timedelta = min(LONGEST_PAUSE, BASE * (1 << min(attempt, 20)))
    return longest * chance


def after_call(outcome: Outcome, attempt: Attempt, now: datetime, chance: float) -> Move:
    """Where a message goes after a call that ended with ``outcome``."""
    match outcome.result:
        case Result.ACCEPTED:
            return Move(State.ACCEPTED)
        case Result.REJECTED:
            return Move(
                State.OUTCOME_UNKNOWN if attempt.unresolved else State.FAILED, "rejected", unresolved=attempt.unresolved
            )
        case Result.UNSENT:
            return Move(State.QUEUED, due_at=now, unresolved=attempt.unresolved)
        case Result.UNKNOWN:
            return _unanswered(attempt, now, now + pause(attempt.number, chance), "no_answer")
        case Result.TRANSIENT:
            wait = max(pause(attempt.number, chance), outcome.retry_after or timedelta(0))
            return _again(attempt, now + wait, unresolved=attempt.unresolved)


def after_death(attempt: Attempt, now: datetime) -> Move:
    """Where a message goes whose lease ended with nothing heard of its worker; ``attempt.deaths`` counts this one."""
    if attempt.deaths >= POISON_DEATHS:
        return Move(State.DEAD, "crashed", unresolved=True)
    return _unanswered(attempt, now, now, "lease_expired")


def after_lookup(*, found: bool, attempt: Attempt, now: datetime) -> Move:
    """Where a message goes after its provider was asked for it, its grace being over if it was not found."""
    return Move(State.ACCEPTED) if found else _again(attempt, now, unresolved=False)


def _unanswered(attempt: Attempt, now: datetime, due_at: datetime, reason: str) -> Move:
    if attempt.guarantee is Guarantee.KEY:
        if now - attempt.first_at > KEY_LIFETIME:
            return Move(State.OUTCOME_UNKNOWN, "key_too_old", unresolved=True)
        return _again(attempt, due_at, unresolved=True)
    if attempt.guarantee is Guarantee.LOOKUP:
        return Move(State.UNKNOWN, reason, due_at=due_at, unresolved=True)
    if attempt.message_class != MARKETING and attempt.number == 1:
        return Move(State.QUEUED, reason, due_at=due_at, unresolved=True)  # twice is better than never for a receipt
    return Move(State.OUTCOME_UNKNOWN, reason, unresolved=True)


def _again(attempt: Attempt, due_at: datetime, *, unresolved: bool) -> Move:
    if attempt.number < MAX_ATTEMPTS:
        return Move(State.QUEUED, due_at=due_at, unresolved=unresolved)
    if unresolved:
        return Move(State.OUTCOME_UNKNOWN, "no_answer", unresolved=True)
    return Move(State.DEAD, "attempts_exhausted")
