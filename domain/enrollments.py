"""Where does one person stand in a flow, and what happens next?

``decide`` is the whole engine: no clock, no database, no chance of its own. It is given where somebody stands and what
happened, and answers where they stand then and what has to be done. Every effect has a number (``seq``) that is unique
within the run, so doing an effect twice can be recognised; an ended run has no further effects.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from domain.flows import Exit, FlowSpec, Send, Wait, wait_until

Status = Literal["waiting", "done", "exited", "held_out"]
WAITING: Status = "waiting"
DONE: Status = "done"
EXITED: Status = "exited"
HELD_OUT: Status = "held_out"

LATE = timedelta(hours=1)
"""Up to here a step that ran behind its time counts as on time, so that waits do not drift."""

EXPIRES = timedelta(hours=24)
"""How long after its time a message may still leave."""

Draw = Callable[[str], float]
"""A number in [0, 1) for a named choice; the same name gives the same number for the same person and flow."""


@dataclass(frozen=True, slots=True)
class Run:
    """One person's way through a flow. ``cursor`` is the next step, ``seq`` the number of the next effect."""

    entered_at: datetime
    zone: str
    due_at: datetime
    cursor: int = 0
    seq: int = 0
    status: Status = WAITING
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """The time of the next step has come."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something happened that ends the run: ``ordered``, ``unsubscribed``, ``stop``, ``canceled`` ..."""

    reason: str


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to do: plan a message, note a wait, note an end.

    ``at`` is when the message is meant for, when the wait is over, or when the run ended; ``begun_at`` when it was
    decided.
    """

    seq: int
    kind: Literal["send", "wait", "end"]
    step: int
    at: datetime
    begun_at: datetime
    variant: str | None = None
    expires_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a plan: what happens for a recipient, and when."""

    step: int
    kind: Literal["send", "wait", "exit"]
    at: datetime


def decide(spec: FlowSpec, run: Run, event: Due | Left, now: datetime, draw: Draw) -> tuple[Run, list[Effect]]:
    """The next state and the effects of an event.

    A step runs no earlier than its time. The first messages of a flow lapse a day after the time they were meant for;
    those after a wait get their day from when they are planned, as the wait was theirs alone.
    """
    if run.status != WAITING:
        return run, []
    if isinstance(event, Left):
        if event.reason == "ordered" and "order" not in spec.exit_on:
            return run, []
        return _ended(run, EXITED, event.reason, now, [])
    if now < run.due_at:
        return run, []
    if run.seq == 0 and draw("holdout") * 100 < spec.guardrails.holdout_percent:
        return _ended(run, HELD_OUT, "held_out", now, [])
    return _walk(spec, run, now, draw)


def timeline(spec: FlowSpec, start: datetime, zone: str = "UTC") -> list[Moment]:
    """What happens when for a recipient in ``zone`` whose first step is due at ``start``; nothing runs late."""
    moments, at = [], start
    for place, step in enumerate(spec.steps):
        moments.append(Moment(place, step.type, at))
        if isinstance(step, Wait):
            at = wait_until(at, step.duration, zone)
        if isinstance(step, Exit):
            break
    return moments


def sticky(flow_id: int, customer_id: int) -> Draw:
    """The draws of one person in one flow: the same in every process and at every time."""

    def draw(name: str) -> float:
        drawn = hashlib.blake2b(f"{flow_id}:{customer_id}:{name}".encode(), digest_size=7).digest()
        return int.from_bytes(drawn) / 2**56

    return draw


def decision_key(enrollment_id: int, seq: int) -> str:
    """The key of the one decision that an effect stands for."""
    return f"f:{enrollment_id}:{seq}"


def _walk(spec: FlowSpec, run: Run, now: datetime, draw: Draw) -> tuple[Run, list[Effect]]:
    on_time = now - run.due_at < LATE
    at = run.due_at if on_time else now
    first = not any(isinstance(step, Wait) for step in spec.steps[: run.cursor])
    expires_at = (run.due_at if first else at) + EXPIRES
    effects: list[Effect] = []
    for place in range(run.cursor, len(spec.steps)):
        seq = run.seq + len(effects)
        match spec.steps[place]:
            case Send() as send:
                variant = _variant(send, place, draw)
                effects.append(Effect(seq, "send", place, at, now, variant=variant, expires_at=expires_at))
            case Wait(duration=duration):
                until = wait_until(at, duration, run.zone)
                effects.append(Effect(seq, "wait", place, until, now))
                return replace(run, cursor=place + 1, seq=seq + 1, due_at=until), effects
            case Exit():
                break
    return _ended(replace(run, cursor=len(spec.steps), seq=run.seq + len(effects)), DONE, None, now, effects)


def _variant(send: Send, place: int, draw: Draw) -> str:
    if not send.variants:
        return "A"
    return chr(ord("A") + int(draw(f"variant:{place}") * (len(send.variants) + 1)))


def _ended(
    run: Run, status: Status, reason: str | None, now: datetime, effects: list[Effect]
) -> tuple[Run, list[Effect]]:
    end = Effect(run.seq, "end", run.cursor, now, now, reason=reason)
    return replace(run, status=status, reason=reason, seq=run.seq + 1), [*effects, end]
