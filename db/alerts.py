"""Which addresses was business development told about, when, and how did each call end?

The ledger of buying-intent alerts. Whoever looks at an address in order to alert it holds the address's lock until its
transaction ends, so what was read still holds when the row is written.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    Index,
    Integer,
    RowMapping,
    UniqueConstraint,
    func,
    insert,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from domain.alerts import State

ALERT_LOCKS = 7_215_004
"""Seed of the advisory locks of addresses."""


class AlertRow(Row):
    """One alert about one address in one episode of its company, claimed before its target is called.

    ``id`` is also the idempotency key: it and ``payload`` change together, and only after a call that was not taken.
    ``attempt`` is the fence: who comes back from a call writes the end of its own attempt only.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("email", "episode_on"),
        CheckConstraint("state in ('sending', 'sent', 'failed', 'outcome_unknown')", name="state"),
        Index("ix_alerts_email_sending", "email", unique=True, postgresql_where=text("state = 'sending'")),
        Index("ix_alerts_alerted", "alerted_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    company: Mapped[str]
    episode_on: Mapped[date] = mapped_column(Date)
    alerted_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str]
    target: Mapped[str]
    payload: Mapped[dict[str, Any]]
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    first_called_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    lease_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    code: Mapped[str | None]
    detail: Mapped[str | None]


_HISTORY = text("""
    select id, email, state, episode_on, alerted_on, payload, attempt, target, first_called_at,
           state = 'sending' and lease_until > clock_timestamp() as held,
           clock_timestamp() - first_called_at as age
    from alerts where email = any(:emails) order by alerted_on, id
""")


def history(session: Session, emails: Sequence[str]) -> Sequence[RowMapping]:
    """What the ledger holds about addresses, the oldest day first; ``held`` says that a run may still be at it."""
    return session.execute(_HISTORY, {"emails": list(emails)}).mappings().all()


def lock(session: Session, email: str) -> None:
    """Hold an address until the transaction ends; whoever else wants it waits."""
    statement = text("select pg_advisory_xact_lock(hashtextextended(:email, :seed))")
    session.execute(statement, {"email": email, "seed": ALERT_LOCKS})


def expire(session: Session, email: str) -> None:
    """Note that nobody knows how the calls ended whose runs died over them."""
    dead = update(AlertRow).where(AlertRow.email == email, AlertRow.state == State.SENDING)
    dead = dead.where(AlertRow.lease_until <= func.clock_timestamp())
    session.execute(dead.values(state=State.OUTCOME_UNKNOWN, code="lease_expired", settled_at=func.clock_timestamp()))


def claim(session: Session, row: AlertRow, lease: timedelta, instead_of: uuid.UUID | None) -> int:
    """Write an alert down as being sent, for as long as ``lease``, in place of a failed one if there is one.

    Returns the number of the attempt. The address's lock must be held.
    """
    values = {
        "id": row.id,
        "email": row.email,
        "company": row.company,
        "episode_on": row.episode_on,
        "alerted_on": row.alerted_on,
        "target": row.target,
        "payload": row.payload,
        "state": State.SENDING,
        "lease_until": func.clock_timestamp() + lease,
        "first_called_at": func.clock_timestamp(),
        "settled_at": None,
        "code": None,
        "detail": None,
    }
    if instead_of is None:
        return session.scalars(insert(AlertRow).values(values).returning(AlertRow.attempt)).one()
    again = update(AlertRow).where(AlertRow.id == instead_of, AlertRow.state == State.FAILED)
    return session.scalars(again.values(values | {"attempt": AlertRow.attempt + 1}).returning(AlertRow.attempt)).one()


def claim_again(session: Session, alert_id: uuid.UUID, lease: timedelta) -> int:
    """Take up an alert whose outcome is unknown, to repeat its call with the same key and the same words."""
    again = update(AlertRow).where(AlertRow.id == alert_id, AlertRow.state == State.OUTCOME_UNKNOWN)
    until = func.clock_timestamp() + lease
    again = again.values(state=State.SENDING, attempt=AlertRow.attempt + 1, lease_until=until, settled_at=None)
    return session.scalars(again.returning(AlertRow.attempt)).one()


def settle(
    session: Session, alert_id: uuid.UUID, attempt: int, state: State, code: str | None, detail: str | None
) -> bool:
    """Write down how an attempt ended; False when somebody else has taken the alert over since."""
    open_states = (State.SENDING, State.OUTCOME_UNKNOWN)
    mine = update(AlertRow).where(AlertRow.id == alert_id, AlertRow.attempt == attempt, AlertRow.state.in_(open_states))
    ended = mine.values(state=state, code=code, detail=detail, lease_until=None, settled_at=func.clock_timestamp())
    return session.scalars(ended.returning(AlertRow.id)).one_or_none() is not None
