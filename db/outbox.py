"""What must happen after the commit?"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class OutboxEntry(Row):
    """A promise made in a transaction and kept after it by the sweeper."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_open", "kind", "id", postgresql_where=text("done_at is null")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    done_at: Mapped[datetime | None]
