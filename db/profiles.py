"""Which customers are there, and what is known of one of them?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, SQLColumnExpression, String, cast, func, or_, select, text
from sqlalchemy.orm import Session

from db.consent import Consent
from db.customers import Address, Customer, Tag
from db.figures import OrderFigures, RefundFigures

Sort = Literal["seen", "name", "revenue", "orders", "last_order"]


_REVENUE = func.coalesce(OrderFigures.total, 0) - func.coalesce(RefundFigures.amount, 0)

_KEYS: dict[Sort, SQLColumnExpression[Any]] = {
    "seen": Customer.first_seen_at,
    "name": func.lower(func.concat_ws(" ", Customer.last_name, Customer.first_name)),
    "revenue": _REVENUE,
    "orders": func.coalesce(OrderFigures.orders, 0),
    "last_order": OrderFigures.last_at,
}


def page(
    session: Session, *, search: str, sort: Sort, rising: bool, first: int, skip: int
) -> tuple[int, Sequence[RowMapping]]:
    """How many customers match, and some of them with their figures.

    Who they are is found first, with the figures that they are sorted by; everything else is looked up for these few.
    """
    matching = _matching(search)
    total = session.scalar(select(func.count()).select_from(Customer).where(*matching)) or 0
    key = _KEYS[sort].asc() if rising else _KEYS[sort].desc()
    chosen = select(Customer.id).where(*matching).order_by(key.nulls_last(), Customer.id).limit(first).offset(skip)
    if sort in {"revenue", "orders", "last_order"}:
        chosen = chosen.outerjoin(OrderFigures, OrderFigures.customer_id == Customer.id)
    if sort == "revenue":
        chosen = chosen.outerjoin(RefundFigures, RefundFigures.customer_id == Customer.id)
    ids = session.scalars(chosen).all()
    found = {row["id"]: row for row in _rows(session, ids)}
    return total, [found[number] for number in ids]


def _rows(session: Session, ids: Sequence[int]) -> Sequence[RowMapping]:
    state = (Consent.customer_id == Customer.id) & (Consent.channel == "email") & Consent.until_at.is_(None)
    home = (Address.customer_id == Customer.id) & (Address.kind == "shipping") & Address.is_default
    wanted = (
        select(
            Customer.id,
            Customer.external_id,
            Customer.first_name,
            Customer.last_name,
            Customer.email,
            Customer.first_seen_at,
            Address.city,
            Address.region,
            Address.country,
            Consent.state.label("consent"),
            func.coalesce(OrderFigures.orders, 0).label("orders"),
            _REVENUE.label("revenue"),
            OrderFigures.last_at.label("last_order_at"),
        )
        .outerjoin(Address, home)
        .outerjoin(Consent, state)
        .outerjoin(OrderFigures, OrderFigures.customer_id == Customer.id)
        .outerjoin(RefundFigures, RefundFigures.customer_id == Customer.id)
        .where(Customer.id.in_(ids))
    )
    return session.execute(wanted).mappings().all()


def _matching(search: str) -> list[ColumnElement[bool]]:
    """Every word must be in the name, the address, the number or the id."""
    full = func.concat_ws(
        " ", Customer.first_name, Customer.last_name, Customer.email, Customer.phone, Customer.external_id
    )
    return [
        or_(full.icontains(word, autoescape=True), cast(Customer.id, String) == word) for word in search.split()[:8]
    ]


def addresses(session: Session, customer_id: int) -> Sequence[Address]:
    """Where they live, default addresses first."""
    wanted = select(Address).where(Address.customer_id == customer_id)
    return session.scalars(wanted.order_by(Address.is_default.desc(), Address.kind, Address.id)).all()


def tags(session: Session, customer_id: int) -> Sequence[str]:
    """The words on them now."""
    wanted = select(Tag.name).where(Tag.customer_id == customer_id, Tag.until_at.is_(None))
    return session.scalars(wanted.order_by(Tag.name)).all()


def consents(session: Session, customer_id: int) -> Sequence[Consent]:
    """What they agreed to and took back, latest first."""
    wanted = select(Consent).where(Consent.customer_id == customer_id)
    return session.scalars(wanted.order_by(Consent.since_at.desc(), Consent.id.desc())).all()


_TIMELINE = text("""
    select * from (
        (select 'order' as kind, o.ordered_at as at, o.external_id as title, o.total as amount,
                (select string_agg(i.quantity || ' \N{MULTIPLICATION SIGN} ' || p.title, ', ' order by i.line)
                 from order_items i join products p on p.id = i.product_id
                 where i.customer_id = o.customer_id and i.order_id = o.id) as detail,
                case when o.cancelled_at is not null then 'cancelled' end as state, null::uuid as message_id
         from orders o where o.customer_id = :id and o.ordered_at <= :now order by o.ordered_at desc limit :limit)
        union all
        (select 'refund', r.refunded_at, r.external_id, r.amount, r.reason, null, null
         from refunds r where r.customer_id = :id and r.refunded_at <= :now order by r.refunded_at desc limit :limit)
        union all
        (select 'event', e.at, e.name, null,
                coalesce((select p.title from products p where p.id = e.product_id), e.properties ->> 'subject'),
                case when (e.properties ->> 'machine')::boolean then 'machine' end, null
         from events e where e.customer_id = :id and e.at <= :now order by e.at desc limit :limit)
        union all
        (select 'message', coalesce(m.accepted_at, m.due_at), coalesce(c.subject, ''), null, m.channel,
                coalesce(m.delivery, m.state), case when c.message_id is not null then m.id end
         from messages m left join message_contents c on c.customer_id = m.customer_id and c.message_id = m.id
         where m.customer_id = :id order by m.due_at desc limit :limit)
    ) as everything order by at desc limit :limit
""")


def timeline(session: Session, customer_id: int, now: datetime, limit: int) -> Sequence[RowMapping]:
    """Orders, refunds, events and messages, latest first."""
    return session.execute(_TIMELINE, {"id": customer_id, "now": now, "limit": limit}).mappings().all()


def revenue(session: Session, customer_id: int) -> RowMapping:
    """Orders, revenue net of refunds, first and last order of one customer."""
    wanted = (
        select(
            func.coalesce(OrderFigures.orders, 0).label("orders"),
            _REVENUE.label("revenue"),
            OrderFigures.first_at.label("first_order_at"),
            OrderFigures.last_at.label("last_order_at"),
        )
        .select_from(Customer)
        .outerjoin(OrderFigures, OrderFigures.customer_id == Customer.id)
        .outerjoin(RefundFigures, RefundFigures.customer_id == Customer.id)
        .where(Customer.id == customer_id)
    )
    return session.execute(wanted).mappings().one()
