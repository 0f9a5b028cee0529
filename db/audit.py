"""Who did what, when, and from where?"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class AuditEntry(Row):
    """One act. Written in the transaction of the act itself, never changed."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_subject", "subject", "id"), Index("ix_audit_log_trace", "trace_id"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    trace_id: Mapped[str | None]


def record(
    session: Session, *, actor: str, action: str, subject: str, detail: dict[str, Any], trace_id: str | None = None
) -> None:
    """Write one act, e.g. ``action="segment.saved"``, ``subject="segment:12"``."""
    session.add(AuditEntry(actor=actor, action=action, subject=subject, detail=detail, trace_id=trace_id))
