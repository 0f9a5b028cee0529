"""What did we decide to send, what became of it, and why?

``messages`` holds one row per decision; its neighbours hold each provider call (``send_attempts``), each verdict at
sending time with the facts behind it (``decisions``) and what was set apart (``dead_letters``). Everything a person
gets is keyed by that person first.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    CursorResult,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    case,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from domain.messages import CHANNELS, TRANSITIONS, PlannedMessage, State

QUEUE_STORAGE = {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_cost_delay": 0}
"""Rows that change several times within seconds need room beside them and a vacuum that keeps up."""


def _one_of(column: str, values: Sequence[str]) -> str:
    return f"{column} in ({', '.join(repr(str(value)) for value in values)})"


class Message(Row):
    """One decision about one customer, and where it stands.

    ``due_at`` and ``expires_at`` are business time, ``lease_until`` is the database's own clock. ``unresolved`` says
    that a call may have been accepted although nobody heard so; ``deaths`` counts workers that died holding it.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("customer_id", "decision_key"),
        CheckConstraint(_one_of("state", list(State)), name="state"),
        CheckConstraint(_one_of("channel", CHANNELS), name="channel"),
        CheckConstraint("message_class in ('marketing', 'transactional')", name="message_class"),
        CheckConstraint("(state = 'sending') = (lease_until is not null)", name="lease"),
        Index("ix_messages_id", "id"),
        Index("ix_messages_due", "channel", "due_at", postgresql_where=text("state = 'queued'")),
        Index("ix_messages_leases", "lease_until", postgresql_where=text("state = 'sending'")),
        Index("ix_messages_unknown", "due_at", postgresql_where=text("state = 'unknown'")),
        Index("ix_messages_provider", "provider_id", postgresql_where=text("provider_id is not null")),
        Index("ix_messages_flow", "flow_version_id", "step", "state"),
        {"postgresql_with": QUEUE_STORAGE},
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    decision_key: Mapped[str]
    channel: Mapped[str]
    message_class: Mapped[str]
    topic: Mapped[str | None]
    flow_version_id: Mapped[int | None] = mapped_column(BigInteger)
    enrollment_id: Mapped[int | None] = mapped_column(BigInteger)
    step: Mapped[int] = mapped_column(SmallInteger)
    variant: Mapped[str | None]
    policy: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    trace_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    reason: Mapped[str | None]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    deaths: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    unresolved: Mapped[bool] = mapped_column(server_default=text("false"))
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    delivery: Mapped[str | None]
    delivery_rank: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    error_code: Mapped[str | None]
    complained: Mapped[bool] = mapped_column(server_default=text("false"))
    unsubscribed: Mapped[bool] = mapped_column(server_default=text("false"))
    resend_of: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.business_now())
    first_sent_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    clicked_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]


class SendAttempt(Row):
    """One provider call: written before it, ended after it. Without an end, nobody knows how it ended."""

    __tablename__ = "send_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "message_id"], ["messages.customer_id", "messages.id"], ondelete="CASCADE"
        ),
    )

    customer_id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    token: Mapped[uuid.UUID]
    provider: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    http_status: Mapped[int | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]


class Decision(Row):
    """One verdict about a message at sending time, with its reason and the facts it rests on. Never changed."""

    __tablename__ = "decisions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "message_id"], ["messages.customer_id", "messages.id"], ondelete="CASCADE"
        ),
        CheckConstraint("verdict in ('send', 'defer', 'leave_out')", name="verdict"),
        Index("ix_decisions_message", "message_id", "id"),
    )

    customer_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[uuid.UUID]
    at: Mapped[datetime] = mapped_column(server_default=func.business_now())
    verdict: Mapped[str]
    reason: Mapped[str]
    until_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class DeadLetter(Row):
    """A message that was set apart for a person to look at, and to replay."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "message_id"], ["messages.customer_id", "messages.id"], ondelete="CASCADE"
        ),
    )

    customer_id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    error: Mapped[str | None]
    first_at: Mapped[datetime] = mapped_column(server_default=func.business_now())
    times: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    replayed_at: Mapped[datetime | None]


def columns(rows: Sequence[tuple[Any, ...]], *names: str) -> dict[str, list[Any]]:
    """The rows turned into one list per name, as ``unnest`` takes them."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


_PLAN = text("""
    insert into messages (customer_id, id, decision_key, channel, message_class, topic, flow_version_id, enrollment_id,
                          step, variant, policy, trace_id, due_at, expires_at, created_at)
    select p.*, (select business_now()) from unnest(
        cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:decision_key as text[]), cast(:channel as text[]),
        cast(:message_class as text[]), cast(:topic as text[]), cast(:flow_version_id as bigint[]),
        cast(:enrollment_id as bigint[]), cast(:step as smallint[]), cast(:variant as text[]), cast(:policy as jsonb[]),
        cast(:trace_id as text[]), cast(:due_at as timestamptz[]), cast(:expires_at as timestamptz[])) as p
    on conflict do nothing
""")


def insert_planned(session: Session, planned: Sequence[PlannedMessage], policies: Sequence[str | None]) -> int:
    """Queue the messages that are not there yet (same customer, same decision key); answer how many those were.

    ``policies`` are the messages' policies as JSON text, None for the default one.
    """
    rows = [
        (
            one.customer_id,
            one.id,
            one.decision_key,
            one.channel,
            one.message_class,
            one.topic,
            one.flow_version_id,
            one.enrollment_id,
            one.step,
            one.variant,
            policy,
            one.trace_id,
            one.due_at,
            one.expires_at,
        )
        for one, policy in zip(planned, policies, strict=True)
    ]
    found = session.execute(
        _PLAN,
        columns(
            rows,
            "customer_id",
            "id",
            "decision_key",
            "channel",
            "message_class",
            "topic",
            "flow_version_id",
            "enrollment_id",
            "step",
            "variant",
            "policy",
            "trace_id",
            "due_at",
            "expires_at",
        ),
    )
    return cast("CursorResult[Any]", found).rowcount


_CANCEL = text("""
    with moved as (
        update messages set state = case when unresolved then 'outcome_unknown' else 'canceled' end, reason = 'canceled'
        where flow_version_id = any(:versions) and state = 'queued' returning customer_id, id
    )
    insert into decisions (customer_id, message_id, verdict, reason)
    select customer_id, id, 'leave_out', 'canceled' from moved returning id
""")


def cancel(session: Session, flow_version_ids: Collection[int]) -> int:
    """Call off every message of these flow versions that no worker holds; answer how many."""
    return len(session.execute(_CANCEL, {"versions": list(flow_version_ids)}).all())


def replay(session: Session, customer_id: int, message_id: uuid.UUID, now: datetime) -> bool:
    """Put a dead letter back into the queue; False when it is none."""
    values = {"state": State.QUEUED, "reason": None, "due_at": now, "deaths": 0}
    mine = (Message.customer_id == customer_id, Message.id == message_id, Message.state == State.DEAD)
    if session.execute(update(Message).where(*mine).values(values).returning(Message.id)).first() is None:
        return False
    letter = (DeadLetter.customer_id == customer_id, DeadLetter.message_id == message_id)
    session.execute(update(DeadLetter).where(*letter).values(replayed_at=now))
    return True


def due(session: Session, at_most: int = 1_000) -> int:
    """How many messages a worker could take now; counting stops at ``at_most``."""
    found = text("""
        select count(*) from (select 1 from messages where state = 'queued' and channel = any(:channels)
                              and due_at <= (select business_now()) limit :limit) as found
    """)
    counted: int = session.scalars(found, {"limit": at_most, "channels": list(CHANNELS)}).one()
    return counted


def first_due(session: Session) -> uuid.UUID | None:
    """The message that has been due for longest and that nobody holds."""
    found = text("""
        select id from messages where state = 'queued' and channel = any(:channels)
          and due_at <= (select business_now()) order by due_at limit 1
    """)
    return session.scalars(found, {"channels": list(CHANNELS)}).first()


def counts(session: Session, flow_version_ids: Collection[int]) -> dict[str, int]:
    """How many messages there are by the provider's last word, or by our state where there is none."""
    word = func.coalesce(case((Message.state == State.ACCEPTED, Message.delivery)), Message.state)
    grouped = select(word, func.count()).where(Message.flow_version_id.in_(flow_version_ids)).group_by(word)
    return {name: number for name, number in session.execute(grouped)}  # noqa: C416 - rows are no pairs


def left_out(session: Session, flow_version_ids: Collection[int]) -> dict[str, int]:
    """How many messages were not sent, by reason."""
    silent = (State.SUPPRESSED, State.CAPPED, State.EXPIRED, State.CANCELED)
    grouped = (
        select(Message.reason, func.count())
        .where(Message.flow_version_id.in_(flow_version_ids), Message.state.in_(silent))
        .group_by(Message.reason)
    )
    return {reason or "": number for reason, number in session.execute(grouped)}


def transition_guard() -> str:
    """SQL of a trigger that refuses every move that is not in the table of transitions; for tests and rehearsals."""
    allowed = ", ".join(f"('{before}', '{after}')" for before, moves in TRANSITIONS.items() for after in sorted(moves))
    return f"""
        create or replace function forbid_move() returns trigger language plpgsql as $$
        begin
            if (old.state, new.state) not in ({allowed}) then
                raise exception 'message % may not move from % to %', old.id, old.state, new.state;
            end if;
            return new;
        end $$;
        create or replace trigger forbid_move before update of state on messages
            for each row when (old.state is distinct from new.state) execute function forbid_move();
    """
