"""What waits for a person's decision, and what was decided?"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Approval(Row):
    """A proposal, exactly as it was shown: ``digest`` is over ``proposal``. The row is the truth for every door."""

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("status in ('pending', 'approved', 'rejected', 'void', 'expired')", name="status"),
        CheckConstraint("kind in ('segment', 'flow', 'activation', 'customer', 'clock')", name="kind"),
        Index("ix_approvals_status", "status", "created_at"),
        Index("ix_approvals_thread", "thread_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
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
