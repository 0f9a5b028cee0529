"""What does the store sell?"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Identity, func
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Product(Row):
    """One product; ``price`` is in the store's currency."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sku: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    category: Mapped[str | None]
    price: Mapped[Decimal | None]
    url: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
