"""Who are the customers, where do they live, and what is left when one is erased?"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Select,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import Row as RowLike
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from db.orders import Order, Refund


class Customer(Row):
    """One person. ``email`` is stored trimmed and lower-case, ``phone`` as E.164, ``time_zone`` as an IANA name.

    ``phone_country`` is the country that the first digits of the phone belong to, as ISO 3166-1 alpha-2.
    """

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{1,14}$'", name="phone_e164"),
        CheckConstraint("jsonb_typeof(custom) = 'object'", name="custom_object"),
        Index("ix_customers_known", "id", postgresql_include=["first_seen_at"]),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    phone: Mapped[str | None] = mapped_column(unique=True)
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    birthday: Mapped[date | None]
    gender: Mapped[str | None]
    language: Mapped[str | None]
    time_zone: Mapped[str | None]
    phone_country: Mapped[str | None] = mapped_column(Computed("phone_country(phone)", persisted=True))
    company: Mapped[str | None]
    acquisition_source: Mapped[str | None]
    acquisition_campaign: Mapped[str | None]
    custom: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Address(Row):
    """A postal address; a customer has at most one default of each kind (``shipping``, ``billing``)."""

    __tablename__ = "addresses"
    __table_args__ = (
        CheckConstraint("kind in ('shipping', 'billing')", name="kind"),
        Index("ix_addresses_default", "customer_id", "kind", unique=True, postgresql_where=text("is_default")),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=text("true"))
    line1: Mapped[str | None]
    line2: Mapped[str | None]
    city: Mapped[str | None]
    region: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str | None]


class Tag(Row):
    """A word on a customer from ``since_at`` until ``until_at``; the open interval is the current one."""

    __tablename__ = "tags"
    __table_args__ = (
        UniqueConstraint("customer_id", "name", "since_at"),
        Index("ix_tags_current", "customer_id", "name", unique=True, postgresql_where=text("until_at is null")),
        Index("ix_tags_name", "name", "customer_id"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


DETAILS = (
    *("external_id", "email", "phone", "first_name", "last_name", "birthday", "gender", "language", "time_zone"),
    *("company", "acquisition_source", "acquisition_campaign", "custom"),
)
PLACE = ("line1", "line2", "city", "region", "postal_code", "country")


def details(session: Session, row: Customer) -> dict[str, Any]:
    """What is written down of a customer, with the default shipping address and the tags of now."""
    home = session.scalars(_home(row.id)).one_or_none()
    tags = select(Tag.name).where(Tag.customer_id == row.id, Tag.until_at.is_(None)).order_by(Tag.name)
    return {
        **{name: getattr(row, name) for name in DETAILS},
        "address": {name: getattr(home, name) for name in PLACE} if home else None,
        "tags": session.scalars(tags).all(),
    }


def settle(session: Session, customer_id: int, place: Mapping[str, Any] | None) -> None:
    """Write the default shipping address, or take it away."""
    home = session.scalars(_home(customer_id)).one_or_none()
    if place is None:
        if home:
            session.delete(home)
        return
    if home is None:
        home = Address(customer_id=customer_id, kind="shipping", is_default=True)
        session.add(home)
    for name, value in place.items():
        setattr(home, name, value)
    session.flush()


def tag(session: Session, customer_id: int, names: Collection[str], now: datetime) -> None:
    """Let exactly these words be on a customer from now on; what was before stays in the history."""
    mine = (Tag.customer_id == customer_id, Tag.until_at.is_(None))
    before = set(session.scalars(select(Tag.name).where(*mine)))
    session.execute(update(Tag).where(*mine, Tag.name.in_(before - set(names))).values(until_at=now))
    session.add_all(Tag(customer_id=customer_id, name=name, since_at=now) for name in set(names) - before)
    session.flush()


_PROPOSALS = text("""
    update approvals set proposal = jsonb_build_object('name', 'Erased', 'erased', true)
    where kind = 'customer' and (proposal ->> 'customer_id' = :id or result ->> 'customer_id' = :id)
""")


def erase(session: Session, customer_id: int) -> None:
    """Delete a customer with everything that belongs to them, and what proposals about them said.

    Runs are locked first: who takes a step holds one and then needs the customer.
    """
    session.execute(text("select 1 from enrollments where customer_id = :id for update"), {"id": customer_id})
    session.execute(_PROPOSALS, {"id": str(customer_id)})
    session.execute(delete(Customer).where(Customer.id == customer_id))
    session.expire_all()


def _home(customer_id: int) -> Select[Address]:
    return select(Address).where(Address.customer_id == customer_id, Address.kind == "shipping", Address.is_default)


def named(session: Session, email: str) -> int | None:
    """The id of the customer with this email address, however it is written."""
    return session.scalars(select(Customer.id).where(Customer.email == email.strip().lower())).one_or_none()


def cards(session: Session, ids: Sequence[int], as_of: datetime) -> Sequence[RowLike[*tuple[Any, ...]]]:
    """Name, address, revenue net of refunds and last order of a few customers, in no order."""
    valid = (
        Order.customer_id == Customer.id,
        Order.ordered_at < as_of,
        or_(Order.cancelled_at.is_(None), Order.cancelled_at > as_of),
    )
    spent = select(func.coalesce(func.sum(Order.total), 0)).where(*valid).scalar_subquery()
    its_order = (Order.customer_id == Refund.customer_id) & (Order.id == Refund.order_id)
    stands = or_(Order.cancelled_at.is_(None), Order.cancelled_at > as_of)
    refunds = select(func.coalesce(func.sum(Refund.amount), 0)).select_from(Refund).outerjoin(Order, its_order)
    given_back = refunds.where(Refund.customer_id == Customer.id, Refund.refunded_at < as_of, stands)
    home = (Address.customer_id == Customer.id) & (Address.kind == "shipping") & Address.is_default
    wanted = select(
        Customer.id,
        Customer.external_id,
        Customer.first_name,
        Customer.last_name,
        Customer.email,
        Address.city,
        Address.region,
        Address.country,
        (spent - given_back.scalar_subquery()).label("ltv"),
        select(func.max(Order.ordered_at)).where(*valid).scalar_subquery().label("last_order_at"),
    )
    return session.execute(wanted.outerjoin(Address, home).where(Customer.id.in_(ids))).all()
