"""Who agreed to be written to, and who must never be?"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

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
