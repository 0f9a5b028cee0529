"""What do each customer's orders and refunds come to? Kept up to date by triggers of the database, whoever writes.

``settled_at`` is the latest time there is in what a row was counted from, dated ahead or not: the row is true of every
instant after it. As of an earlier one, the orders and refunds themselves are counted. Lists and profiles show the row
as it is, what is dated ahead included.
"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class OrderFigures(Row):
    """One customer's orders that were not cancelled; empty but for ``settled_at`` where all of them were."""

    __tablename__ = "order_figures"
    __table_args__ = (Index("ix_order_figures_settled_at", "settled_at"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    orders: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[Decimal | None]
    largest: Mapped[Decimal | None]
    smallest: Mapped[Decimal | None]
    first_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    settled_at: Mapped[datetime]


class RefundFigures(Row):
    """One customer's refunds on orders that were not cancelled, or on none that is known."""

    __tablename__ = "refund_figures"
    __table_args__ = (Index("ix_refund_figures_settled_at", "settled_at"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    refunds: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal | None]
    settled_at: Mapped[datetime]
