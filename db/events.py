"""What else did customers do, and when?"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Event(Row):
    """One thing a customer did. ``dedup_key`` makes re-sending the same event harmless.

    Engagement is events too: ``email_opened``, ``email_clicked`` with the property ``machine`` true where a scanner or
    a mail proxy did it.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("customer_id", "dedup_key"),
        Index("ix_events_customer_name_at", "customer_id", "name", "at"),
        Index("ix_events_name_at", "name", "at", postgresql_include=["customer_id"]),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    at: Mapped[datetime]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    properties: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    dedup_key: Mapped[str | None]
