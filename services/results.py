"""What came of a flow: how many of each message were sent, delivered, failed or left out, and what of each person?"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from db import results as rows
from domain.flows import FlowSpec, Send
from domain.messages import DELIVERY_RANK, FINAL_RANK, NOT_DELIVERED, OPEN, State, in_words
from services import flows, segments
from services.flows import Value

OPENED, CLICKED = DELIVERY_RANK["opened"], DELIVERY_RANK["clicked"]
LEFT_OUT = frozenset({State.SUPPRESSED, State.CAPPED, State.EXPIRED, State.CANCELED})
LEAVING: Mapping[str, str] = {
    "ordered": "Ordered in the meantime",
    "held_out": "Held out for comparison",
    "unsubscribe": "Unsubscribed",
    "stop": "Answered STOP",
    "canceled": "The flow was ended",
}
"""Why people leave flows, in words; for other reasons see ``domain.messages.REASONS``."""

Standing = Literal["waiting", "sent", "delivered", "failed", "left_out", "unknown"]


class Counts(Value):
    """Where messages stand. ``delivered``, ``opened`` and ``clicked`` are part of ``sent``, clicked of opened."""

    planned: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    failed: int = 0
    unknown: int = 0


class StepResult(Value):
    """One message of a flow. ``left_out`` counts, by reason, messages not sent and people who left before it."""

    step: int
    channel: str
    subject: str
    counts: Counts
    left_out: dict[str, int]
    variants: dict[str, Counts]


class Results(Value):
    """A flow version so far. ``people`` are by state, ``left`` those who left early by reason."""

    flow_id: int
    version: int
    status: str
    audience_size: int | None
    people: dict[str, int]
    left: dict[str, int]
    steps: tuple[StepResult, ...]


class Outcome(Value):
    """One message for one person. ``words`` say the reason, where there is one."""

    step: int
    variant: str | None
    standing: Standing
    state: str
    delivery: str | None
    reason: str | None
    words: str
    at: datetime


class Recipient(Value):
    """One person in a flow: where they stand, and what became of each of their messages."""

    customer_id: int
    name: str
    state: str
    reason: str | None
    words: str
    next_at: datetime | None
    time_zone: str
    messages: tuple[Outcome, ...]


def results(session: Session, flow_id: int) -> Results:
    """What the current version of a flow did so far. Raises NotFound."""
    saved = flows.get(session, flow_id)
    spec = saved.parsed()
    found = rows.messages(session, saved.version_id)
    exits = rows.exits(session, flow_id, saved.version_id)
    left: Counter[str] = Counter()
    for row in exits:
        left[row["reason"]] += row["number"]
    return Results(
        flow_id=flow_id,
        version=saved.version,
        status=saved.status,
        audience_size=saved.audience_size,
        people=saved.people,
        left=dict(left),
        steps=tuple(_step(spec, place, send, found, exits) for place, send in spec.sends),
    )


def recipients(session: Session, flow_id: int, *, limit: int = 100, after: int = 0) -> list[Recipient]:
    """The people of the current version by rising customer id, from beyond ``after``. Raises NotFound."""
    saved = flows.get(session, flow_id)
    people = rows.people(session, flow_id, saved.version_id, after, limit)
    ids = [row["customer_id"] for row in people]
    theirs: dict[int, list[Outcome]] = {customer_id: [] for customer_id in ids}
    for row in rows.messages_of(session, saved.version_id, ids):
        theirs[row["customer_id"]].append(_outcome(row))
    now = saved.activated_at or saved.created_at
    names = {member.id: member.name for member in segments.masked(session, ids, now=now)}
    return [
        Recipient(
            customer_id=row["customer_id"],
            name=names.get(row["customer_id"], ""),
            state=row["state"],
            reason=row["reason"],
            words=reason_in_words(row["reason"]),
            next_at=row["due_at"] if row["state"] == "waiting" else None,
            time_zone=row["time_zone"],
            messages=tuple(theirs[row["customer_id"]]),
        )
        for row in people
    ]


def reason_in_words(reason: str | None) -> str:
    """Why somebody left or was left out, as people say it."""
    return LEAVING.get(reason or "") or in_words(reason)


def _step(
    spec: FlowSpec, place: int, send: Send, found: Iterable[RowMapping], exits: Iterable[RowMapping]
) -> StepResult:
    mine = [row for row in found if row["step"] == place]
    left_out: Counter[str] = Counter()
    for row in mine:
        if row["state"] in LEFT_OUT:
            left_out[row["reason"] or row["state"]] += row["number"]
    for row in exits:
        if _next_send(spec, row["step"]) == place:
            left_out[row["reason"]] += row["number"]
    wordings = sorted({row["variant"] or "A" for row in mine})
    return StepResult(
        step=place,
        channel=send.channel,
        subject=send.subject,
        counts=counts(mine),
        left_out=dict(left_out),
        variants={name: counts(row for row in mine if (row["variant"] or "A") == name) for name in wordings},
    )


def counts(mine: Iterable[RowMapping]) -> Counts:
    """Messages, counted by state and delivery, summed up."""
    numbers: Counter[str] = Counter()
    for row in mine:
        number, where = row["number"], standing(row)
        numbers["planned"] += number
        if row["state"] == State.ACCEPTED:
            numbers["sent"] += number
        if where in {"delivered", "failed", "unknown", "waiting"}:
            numbers[where] += number
        if where == "delivered":
            numbers["opened"] += number * (row["delivery_rank"] >= OPENED)
            numbers["clicked"] += number * (row["delivery_rank"] == CLICKED)
    return Counts(**numbers)


def standing(row: RowMapping) -> Standing:
    """Where a message stands, by its ``state`` and ``delivery``."""
    state, delivery = row["state"], row["delivery"]
    if state in OPEN:
        return "waiting"
    if state in LEFT_OUT:
        return "left_out"
    if state in {State.FAILED, State.DEAD} or delivery in NOT_DELIVERED:
        return "failed"
    if state == State.OUTCOME_UNKNOWN:
        return "unknown"
    return "delivered" if delivery and DELIVERY_RANK.get(delivery, 0) >= FINAL_RANK else "sent"


def _outcome(row: RowMapping) -> Outcome:
    return Outcome(
        step=row["step"],
        variant=row["variant"],
        standing=standing(row),
        state=row["state"],
        delivery=row["delivery"],
        reason=row["reason"],
        words=reason_in_words(row["reason"]),
        at=row["delivered_at"] or row["accepted_at"] or row["due_at"],
    )


def _next_send(spec: FlowSpec, cursor: int) -> int | None:
    return next((place for place, _ in spec.sends if place >= cursor), None)
