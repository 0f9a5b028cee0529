"""Who agreed to be written to, and who must never be?"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, delete, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class Consent(Row):
    """A consent state on a channel from ``since_at`` until ``until_at``, with its proof.

    Append-only but for closing the open interval: the rows are both the ledger and the state at any instant.
    """

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("channel in ('email', 'sms', 'whatsapp')", name="channel"),
        CheckConstraint("state in ('subscribed', 'pending', 'unsubscribed')", name="state"),
        Index(
            "ix_consents_current",
            "customer_id",
            "channel",
            unique=True,
            postgresql_include=["state"],
            postgresql_where=text("until_at is null"),
        ),
        Index("ix_consents_history", "customer_id", "channel", "since_at"),
        Index("ix_consents_state", "channel", "state", "customer_id", postgresql_include=["since_at", "until_at"]),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    channel: Mapped[str]
    state: Mapped[str]
    method: Mapped[str]
    source: Mapped[str | None]
    wording: Mapped[str | None]
    ip: Mapped[str | None]
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class Suppression(Row):
    """An address nothing may be sent to on a channel (``*`` = any), known by its keyed hash only.

    It outlives the customer's row, so an erased person stays left alone; ``customer_id`` is there for as long as a
    customer has that address.
    """

    __tablename__ = "suppressions"
    __table_args__ = (Index("ix_suppressions_customer", "customer_id", "channel"),)

    channel: Mapped[str] = mapped_column(primary_key=True)
    address_hash: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"))
    reason: Mapped[str]
    source: Mapped[str | None]
    since_at: Mapped[datetime]


_CLOSE = text("""
    update consents set until_at = :now
    where customer_id = :customer and channel = any(:channels) and until_at is null and state <> :state
""")

_OPEN = text("""
    insert into consents (customer_id, channel, state, method, source, wording, ip, since_at)
    select :customer, channel, :state, :method, :source, :wording, :ip, :now
    from unnest(cast(:channels as text[])) as channel
    where not exists (select 1 from consents c
                      where c.customer_id = :customer and c.channel = channel.channel and c.until_at is null)
    returning channel
""")


@dataclass(frozen=True, slots=True)
class Proof:
    """How we know what somebody wants: the way it was said, where, in which words, from which address."""

    method: str
    source: str | None = None
    wording: str | None = None
    ip: str | None = None


def put(
    session: Session, customer_id: int, channels: Sequence[str], state: str, proof: Proof, now: datetime
) -> Sequence[str]:
    """Set the state on channels from ``now`` on; answer those on which it was another one before."""
    values = {"customer": customer_id, "channels": list(channels), "state": state, "now": now}
    session.execute(_CLOSE, values)
    said = {"method": proof.method, "source": proof.source, "wording": proof.wording, "ip": proof.ip}
    return session.scalars(_OPEN, values | said).all()


_SUPPRESS = text("""
    insert into suppressions as s (channel, address_hash, customer_id, reason, source, since_at)
    values (:channel, :hash, :customer, :reason, :source, :now)
    on conflict (channel, address_hash) do update
        set customer_id = excluded.customer_id, reason = excluded.reason, source = excluded.source,
            since_at = excluded.since_at
        where s.reason = any(:weaker)
""")


def suppress(session: Session, row: Suppression, weaker: Sequence[str]) -> None:
    """Put an address on the list; if it is there already, only a reason among ``weaker`` is replaced."""
    values = {
        "channel": row.channel,
        "hash": row.address_hash,
        "customer": row.customer_id,
        "reason": row.reason,
        "source": row.source,
        "now": row.since_at,
    }
    session.execute(_SUPPRESS, values | {"weaker": list(weaker)})


def follow(session: Session, customer_id: int, hashes: Sequence[str]) -> None:
    """Let the entries of these addresses, and no other ones, belong to a customer."""
    theirs = Suppression.address_hash.in_(hashes)
    session.execute(update(Suppression).where(Suppression.customer_id == customer_id, ~theirs).values(customer_id=None))
    session.execute(update(Suppression).where(theirs).values(customer_id=customer_id))


def lift(session: Session, channel: str, address_hash: str, reasons: Sequence[str]) -> None:
    """Take an address off the list of a channel if it is there for one of the reasons."""
    session.execute(
        delete(Suppression).where(
            Suppression.channel == channel,
            Suppression.address_hash == address_hash,
            Suppression.reason.in_(reasons),
        )
    )


_WITHDRAW = text("""
    with held as (
        select customer_id, id from messages
        where customer_id = :customer and channel = any(:channels) and state = 'queued'
          and message_class = any(:classes)
        for update skip locked
    ), moved as (
        update messages m
        set state = case when m.unresolved then 'outcome_unknown' else 'suppressed' end, reason = :reason
        from held where m.customer_id = held.customer_id and m.id = held.id
        returning m.customer_id, m.id
    )
    insert into decisions (customer_id, message_id, verdict, reason)
    select customer_id, id, 'leave_out', :reason from moved returning message_id
""")


def withdraw(session: Session, customer_id: int, channels: Sequence[str], classes: Sequence[str], reason: str) -> int:
    """Take back the messages that wait for this person, and answer how many.

    What a worker holds is passed over and not waited for: the worker sees the suppression before it sends.
    """
    values = {"customer": customer_id, "channels": list(channels), "classes": list(classes), "reason": reason}
    return len(session.execute(_WITHDRAW, values).all())


def under_way(session: Session, customer_id: int, channels: Sequence[str]) -> Sequence[uuid.UUID]:
    """The messages to this person that a worker is handing to a provider now."""
    wanted = text("""
        select id from messages where customer_id = :customer and channel = any(:channels) and state = 'sending'
    """)
    return session.scalars(wanted, {"customer": customer_id, "channels": list(channels)}).all()


def mark_unsubscribed(session: Session, customer_id: int, message_id: uuid.UUID) -> None:
    """Note on a message that it made its recipient unsubscribe, unless a worker holds it."""
    session.execute(
        text("""
            update messages set unsubscribed = true where (customer_id, id) in (
                select customer_id, id from messages where customer_id = :customer and id = :id for update skip locked)
        """),
        {"customer": customer_id, "id": message_id},
    )
