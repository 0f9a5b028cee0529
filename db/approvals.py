"""What waits for a person's decision, and what was decided?"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class Approval(Row):
    """A proposal, exactly as it was shown: ``digest`` is over ``proposal``. The row is the truth for every door."""

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("status in ('pending', 'approved', 'rejected', 'void', 'expired')", name="status"),
        CheckConstraint("kind in ('segment', 'flow', 'activation', 'customer', 'clock', 'order')", name="kind"),
        Index("ix_approvals_status", "status", "created_at"),
        Index("ix_approvals_thread", "thread_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity())
    kind: Mapped[str]
    status: Mapped[str]
    proposal: Mapped[dict[str, Any]]
    digest: Mapped[str]
    result: Mapped[dict[str, Any] | None]
    thread_id: Mapped[str | None]
    trace_id: Mapped[str]
    proposed_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]


def locked(session: Session, approval_id: uuid.UUID) -> Approval | None:
    """The approval, held until the transaction ends; whoever else decides waits and then sees what was decided."""
    return session.get(Approval, approval_id, with_for_update=True, populate_existing=True)


def settle(
    session: Session,
    approval_id: uuid.UUID,
    status: str,
    *,
    by: str,
    at: datetime,
    note: str | None,
    result: dict[str, Any] | None = None,
) -> Approval | None:
    """Move a pending approval to its last status; None when it was not pending any more."""
    settled = update(Approval).where(Approval.id == approval_id, Approval.status == "pending")
    settled = settled.values(status=status, decided_by=by, decided_at=at, note=note, result=result)
    return session.scalars(settled.returning(Approval), execution_options={"populate_existing": True}).one_or_none()


def pending(session: Session, limit: int) -> list[Approval]:
    """What waits for a decision, latest first."""
    waiting = select(Approval).where(Approval.status == "pending").order_by(Approval.number.desc()).limit(limit)
    return list(session.scalars(waiting))


def count_pending(session: Session) -> int:
    """How many wait for a decision."""
    return session.scalar(select(func.count()).select_from(Approval).where(Approval.status == "pending")) or 0


def decided_of_thread(session: Session, thread_id: str) -> list[uuid.UUID]:
    """The proposals of a conversation that do not wait any more."""
    wanted = select(Approval.id).where(Approval.thread_id == thread_id, Approval.status != "pending")
    return list(session.scalars(wanted))


def of_thread(session: Session, thread_id: str) -> list[Approval]:
    """Everything proposed in a conversation, in that order."""
    return list(session.scalars(select(Approval).where(Approval.thread_id == thread_id).order_by(Approval.number)))
