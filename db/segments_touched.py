"""Of whom was something written since a segment was last counted?

Triggers of the database note it, whoever writes. A statement that changes very many rows is noted as one entry that
stands for everybody, once more for each instant ahead.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Identity, Index, func
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql import visitors

from db.base import Row

KEYS = {
    "customers": "id",
    "addresses": "customer_id",
    "orders": "customer_id",
    "order_items": "customer_id",
    "refunds": "customer_id",
    "events": "customer_id",
    "consents": "customer_id",
    "tags": "customer_id",
    "suppressions": "customer_id",
}
"""Tables whose changes are noted, and the column that says of whom they are."""

FOLLOW = {"order_figures": "customer_id", "refund_figures": "customer_id"}
"""Tables that triggers keep in step with those, and the column that says of whom they are."""

SHARED = frozenset({"products"})
"""Tables that belong to nobody; a change there is noted for everybody."""

MOST = 20_000
"""Customers up to whom asking them alone is worth it."""


class Touched(Row):
    """Something was written about a customer, or about everybody (``None``).

    It counts from ``at`` on, on the store's clock: later than when it was written for what is dated ahead.
    ``written_in`` is the number of the transaction.
    """

    __tablename__ = "touched_customers"
    __table_args__ = (Index("ix_touched_customers_written_in", "written_in"), Index("ix_touched_customers_at", "at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime]
    written_in: Mapped[int] = mapped_column(BigInteger)
    written_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


@dataclass(frozen=True)
class Since:
    """From which transaction on, and from which instant until which, something is new to a count."""

    transaction: int
    after: datetime
    until: datetime

    @property
    def tests(self) -> sa.ColumnElement[bool]:
        """What is new: not seen by the count before, or dated ahead and come true by now."""
        return (Touched.written_in >= self.transaction) | Touched.at.between(self.after, self.until)

    def customers(self) -> sa.ColumnElement[Any]:
        """The customers, as an array."""
        return func.array(sa.select(Touched.customer_id).where(self.tests).distinct().scalar_subquery())


def horizon(session: Session) -> int:
    """The number from which on transactions may not have been seen yet. Ask before counting, not after."""
    return int(session.scalars(sa.text("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")).one())


def note_everybody(session: Session) -> None:
    """Note a change that may concern anybody, such as a new meaning of a segment that others rest on."""
    writer = sa.cast(sa.cast(func.pg_current_xact_id(), sa.Text), BigInteger)
    session.execute(sa.insert(Touched).values(at=func.business_now(), written_in=writer))


def few(session: Session, since: Since) -> bool:
    """Whether so few customers are concerned that asking them alone is worth it."""
    some = sa.select(Touched.customer_id).where(since.tests).distinct().limit(MOST + 1).subquery()
    number, everybody = session.execute(
        sa.select(func.count(), func.count().filter(some.c.customer_id.is_(None))).select_from(some)
    ).one()
    return int(number) <= MOST and not everybody


def narrowed(members: sa.Select[Any], since: Since) -> sa.Select[Any] | None:
    """The statement asked of touched customers alone; ``None`` where it rests on tables whose changes nobody notes.

    Each table is stood in for by its rows of these customers, under its own name.
    """
    named = {one.name for one in visitors.iterate(members) if isinstance(one, sa.TableClause)}
    keys = KEYS | FOLLOW
    if not named <= keys.keys() | SHARED:
        return None
    for name in sorted(named & keys.keys()):
        key: sa.ColumnElement[int] = sa.column(keys[name], BigInteger)
        rows: sa.Select[Any] = (
            sa.select(sa.literal_column("*")).select_from(sa.table(name)).where(key == func.any(since.customers()))
        )
        members = members.add_cte(rows.cte(name))
    return members


def forget(session: Session) -> None:
    """Drop what every count has seen, or will not need because it begins from the whole."""
    old = sa.text("interval '2 days'")
    session.execute(
        sa.delete(Touched).where(
            Touched.written_at < func.clock_timestamp() - old, Touched.at < func.business_now() - old
        )
    )
