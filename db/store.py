"""Which store does this deployment serve, and what time is it there?"""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class Store(Row):
    """The one store of this deployment."""

    __tablename__ = "store"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str]
    currency: Mapped[str]
    time_zone: Mapped[str]
    postal_address: Mapped[str]
    sender_name: Mapped[str]
    sender_email: Mapped[str]
    seed: Mapped[int | None]
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    clock_offset: Mapped[timedelta] = mapped_column(server_default=text("interval '0'"))
    sends_stopped_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def current(session: Session) -> Store | None:
    """The store, or ``None`` in a database nobody has set up yet."""
    return session.get(Store, 1)


def business_now(session: Session) -> datetime:
    """The store's clock: the database's, plus the offset that only a demo store may have."""
    now: datetime = session.scalars(select(func.business_now())).one()
    return now
