"""What was ordered, for how much, and what was given back?"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Order(Row):
    """One order. ``total`` is in the store's currency; ``original_*`` keep what was charged and the rate used."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("customer_id", "external_id"),
        Index(
            "ix_orders_customer_at",
            "customer_id",
            "ordered_at",
            postgresql_include=["total", "cancelled_at"],
        ),
        Index("ix_orders_at", "ordered_at", postgresql_include=["customer_id", "total", "cancelled_at"]),
        Index(
            "ix_orders_cancelled",
            "customer_id",
            "id",
            postgresql_include=["cancelled_at"],
            postgresql_where=text("cancelled_at is not null"),
        ),
        CheckConstraint("total >= 0", name="total"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str]
    ordered_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    total: Mapped[Decimal]
    original_currency: Mapped[str | None]
    original_total: Mapped[Decimal | None]
    conversion_rate: Mapped[Decimal | None]
    coupon: Mapped[str | None]
    source: Mapped[str | None]


class OrderItem(Row):
    """One line of an order; ``total`` = quantity x unit price, in the store's currency."""

    __tablename__ = "order_items"
    __table_args__ = (
        UniqueConstraint("customer_id", "order_id", "line"),
        ForeignKeyConstraint(["customer_id", "order_id"], ["orders.customer_id", "orders.id"], ondelete="CASCADE"),
        Index("ix_order_items_customer", "customer_id", "ordered_at"),
        Index(
            "ix_order_items_product",
            "product_id",
            "customer_id",
            postgresql_include=["order_id", "ordered_at", "total"],
        ),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int]
    line: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]
    total: Mapped[Decimal]
    ordered_at: Mapped[datetime]


class Refund(Row):
    """Money given back. ``order_id`` is empty where the source does not say which order it belongs to."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("customer_id", "external_id"),
        ForeignKeyConstraint(["customer_id", "order_id"], ["orders.customer_id", "orders.id"], ondelete="CASCADE"),
        Index("ix_refunds_customer_at", "customer_id", "refunded_at", postgresql_include=["amount", "order_id"]),
        CheckConstraint("amount >= 0", name="amount"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int | None]
    external_id: Mapped[str]
    refunded_at: Mapped[datetime]
    amount: Mapped[Decimal]
    reason: Mapped[str | None]
