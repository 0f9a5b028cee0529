"""How does what a file came to get into the store's tables, once and no more than once?

Everything is copied into staging tables of this transaction first and then merged by its natural key: a customer by
the shop's own number, else by email address; a product by its code; an order or refund by customer and number. What is
there stays: only gaps are filled, so the same file again changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from db import copy
from domain.ingest.rows import FoundAddress, FoundCustomer, FoundItem, FoundOrder, FoundProduct, FoundRefund

LOCK = 7_215_002
"""Advisory lock of imports: two at once could each create the same customer."""

_STAGING = """
create temporary table staged_customers (
    key text, external_id text, email text, first_name text, last_name text, agreed boolean,
    first_seen_at timestamptz, last_seen_at timestamptz, id bigint
) on commit drop;
create temporary table staged_addresses (
    key text, is_latest boolean, line1 text, city text, region text, postal_code text, country text
) on commit drop;
create temporary table staged_products (
    key text, sku text, title text, category text, price numeric, priced_at timestamptz, id bigint
) on commit drop;
create temporary table staged_orders (
    key text, external_id text, ordered_at timestamptz, cancelled_at timestamptz, total numeric, original_currency text,
    original_total numeric, conversion_rate numeric, coupon text
) on commit drop;
create temporary table staged_items (
    key text, order_external_id text, line integer, product_key text, quantity integer, unit_price numeric,
    total numeric, ordered_at timestamptz
) on commit drop;
create temporary table staged_refunds (
    key text, external_id text, order_external_id text, refunded_at timestamptz, amount numeric
) on commit drop;
create temporary table added_orders (customer_id bigint, external_id text, id bigint) on commit drop;
"""

Found = FoundCustomer | FoundAddress | FoundProduct | FoundOrder | FoundItem | FoundRefund

_STAGES: dict[type[Any], str] = {
    FoundCustomer: "staged_customers",
    FoundAddress: "staged_addresses",
    FoundProduct: "staged_products",
    FoundOrder: "staged_orders",
    FoundItem: "staged_items",
    FoundRefund: "staged_refunds",
}

# Of two numbers with one email address the first keeps it.
_ONE_EMAIL_EACH = text("""
    update staged_customers s set email = null
    where external_id is not null and exists (
        select from staged_customers o where o.email = s.email and o.external_id is not null and o.key < s.key
    )
""")

_FIND_CUSTOMERS = """
update staged_customers s set id = c.id from customers c where s.id is null and c.external_id = s.external_id;
update staged_customers s set id = c.id from customers c where s.id is null and c.email = s.email;
"""

_FILL_CUSTOMERS = text("""
    update customers c
    set external_id = coalesce(c.external_id, s.external_id),
        email = coalesce(c.email, s.email),
        first_name = coalesce(c.first_name, s.first_name),
        last_name = coalesce(c.last_name, s.last_name),
        first_seen_at = least(c.first_seen_at, s.first_seen_at),
        last_seen_at = greatest(c.last_seen_at, s.last_seen_at),
        updated_at = :now
    from (
        select distinct on (s.id) s.id, s.first_name, s.last_name, s.first_seen_at, s.last_seen_at,
            case when not exists (select from customers o where o.email = s.email) then s.email end as email,
            case when not exists (select from customers o where o.external_id = s.external_id)
                then s.external_id end as external_id
        from staged_customers s where s.id is not null order by s.id, s.key
    ) s
    where c.id = s.id and (
        (c.external_id is null and s.external_id is not null) or (c.email is null and s.email is not null)
        or (c.first_name is null and s.first_name is not null) or (c.last_name is null and s.last_name is not null)
        or s.first_seen_at < c.first_seen_at or c.last_seen_at is null or s.last_seen_at > c.last_seen_at
    )
""")

_ADD_CUSTOMERS = text("""
    insert into customers
        (external_id, email, first_name, last_name, first_seen_at, last_seen_at, created_at, updated_at)
    select external_id, email, first_name, last_name, first_seen_at, last_seen_at, :now, :now
    from staged_customers where id is null and (external_id is not null) = :numbered order by key
""")

_ADD_ADDRESSES = text("""
    with fresh as (
        select distinct on (s.id, a.line1, a.city, a.region, a.postal_code, a.country) s.id, a.*
        from staged_addresses a join staged_customers s using (key)
        where not exists (
            select from addresses o
            where o.customer_id = s.id and o.kind = 'shipping'
                and (o.line1, o.city, o.region, o.postal_code, o.country)
                    is not distinct from (a.line1, a.city, a.region, a.postal_code, a.country)
        )
        order by s.id, a.line1, a.city, a.region, a.postal_code, a.country, a.is_latest desc
    )
    insert into addresses (customer_id, kind, is_default, line1, city, region, postal_code, country)
    select id, 'shipping',
        is_latest
            and row_number() over (partition by id order by is_latest desc, key) = 1
            and not exists (
                select from addresses o where o.customer_id = fresh.id and o.kind = 'shipping' and o.is_default
            ),
        line1, city, region, postal_code, country
    from fresh order by id, is_latest desc, country, region, city, postal_code, line1
""")

# A price of the file counts only if nothing was sold later: an older file may come after a newer one.
_FILL_PRODUCTS = text("""
    update products p set price = s.price, category = coalesce(p.category, s.category)
    from staged_products s
    where s.id = p.id
        and (p.price is distinct from s.price or (p.category is null and s.category is not null))
        and s.priced_at > coalesce((select max(i.ordered_at) from order_items i where i.product_id = p.id), '-infinity')
""")

_ADD_PRODUCTS = text("""
    insert into products (sku, title, category, price, created_at)
    select sku, title, category, price, :now from staged_products where id is null order by key
""")

_FIND_PRODUCTS = text(
    "update staged_products s set id = p.id from products p where s.id is null and lower(p.sku) = s.key"
)

_CHANGED_ORDERS = text("""
    select count(*) from staged_orders o
    join staged_customers s using (key)
    join orders known on known.customer_id = s.id and known.external_id = o.external_id
    where known.total <> o.total
""")

_ADD_ORDERS = text("""
    with added as (
        insert into orders (customer_id, external_id, ordered_at, cancelled_at, total, original_currency,
            original_total, conversion_rate, coupon, source)
        select s.id, o.external_id, o.ordered_at, o.cancelled_at, o.total, o.original_currency, o.original_total,
            o.conversion_rate, o.coupon, 'import'
        from staged_orders o join staged_customers s using (key)
        order by o.ordered_at, o.external_id
        on conflict (customer_id, external_id) do nothing
        returning customer_id, external_id, id
    )
    insert into added_orders select customer_id, external_id, id from added
""")

_ADD_ITEMS = text("""
    insert into order_items (customer_id, order_id, line, product_id, quantity, unit_price, total, ordered_at)
    select a.customer_id, a.id, i.line, p.id, i.quantity, i.unit_price, i.total, i.ordered_at
    from staged_items i
    join staged_customers s using (key)
    join added_orders a on a.customer_id = s.id and a.external_id = i.order_external_id
    join staged_products p on p.key = i.product_key
    order by a.id, i.line
""")

_ADD_REFUNDS = text("""
    insert into refunds (customer_id, order_id, external_id, refunded_at, amount)
    select s.id, o.id, r.external_id, r.refunded_at, r.amount
    from staged_refunds r
    join staged_customers s using (key)
    left join orders o on o.customer_id = s.id and o.external_id = r.order_external_id
    order by r.refunded_at, r.external_id
    on conflict (customer_id, external_id) do nothing
    returning amount
""")

_REVENUE = text("""
    select coalesce(sum(o.total), 0) from orders o join added_orders a on a.customer_id = o.customer_id and a.id = o.id
    where o.cancelled_at is null
""")

# Who has any history on the channel keeps it: an import never takes back an unsubscribe.
_ADD_CONSENTS = text("""
    insert into consents (customer_id, channel, state, method, source, since_at)
    select distinct on (c.id) c.id, 'email', cast(:state as text), 'import', cast(:source as text), c.first_seen_at
    from staged_customers s join customers c on c.id = s.id
    where c.email is not null and s.agreed is distinct from false and (cast(:everyone as boolean) or s.agreed)
        and not exists (select from consents k where k.customer_id = c.id and k.channel = 'email')
    order by c.id
""")


@dataclass(frozen=True)
class Merged:
    """Rows added and changed by table, and what the added ones are worth.

    ``differing_orders`` were there with another total; they stay as they are.
    """

    added: dict[str, int]
    changed: dict[str, int]
    revenue: Decimal
    refunded: Decimal
    differing_orders: int


def begin(session: Session) -> None:
    """Wait for other imports and make the staging tables."""
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    _run(session, f"drop table if exists added_orders, {', '.join(_STAGES.values())}")
    _run(session, _STAGING)


def stage(session: Session, rows: Iterable[Found]) -> None:
    """Copy rows of one kind into their staging table."""
    listed = list(rows)
    if listed:
        copy.rows(session, _STAGES[type(listed[0])], listed[0]._fields, listed)


def merge(session: Session, *, consent: str | None, source: str, now: datetime) -> Merged:
    """Bring what was staged into the store.

    ``consent`` is the email consent of everyone whose line says nothing: subscribed, pending, or none for nobody at
    all.
    """
    added: dict[str, int] = {}
    changed: dict[str, int] = {}
    session.execute(_ONE_EMAIL_EACH)
    _run(session, _FIND_CUSTOMERS)
    changed["customers"] = _count(session, _FILL_CUSTOMERS, now=now)
    added["customers"] = 0
    for numbered in (True, False):  # who is known by address alone may be one of the numbered
        _run(session, _FIND_CUSTOMERS)
        added["customers"] += _count(session, _ADD_CUSTOMERS, now=now, numbered=numbered)
    _run(session, _FIND_CUSTOMERS)
    _run(session, "create index on staged_customers (key) include (id); analyze staged_customers;")
    added["addresses"] = _count(session, _ADD_ADDRESSES)
    session.execute(_FIND_PRODUCTS)
    changed["products"] = _count(session, _FILL_PRODUCTS)
    added["products"] = _count(session, _ADD_PRODUCTS, now=now)
    session.execute(_FIND_PRODUCTS)
    _run(session, "analyze staged_orders; analyze staged_items; analyze staged_products;")
    differing = int(session.execute(_CHANGED_ORDERS).scalar_one())
    added["orders"] = _count(session, _ADD_ORDERS)
    _run(session, "create index on added_orders (customer_id, external_id) include (id); analyze added_orders;")
    added["order_items"] = _count(session, _ADD_ITEMS)
    revenue = Decimal(session.execute(_REVENUE).scalar_one())
    refunded = list(session.execute(_ADD_REFUNDS).scalars())
    added["refunds"] = len(refunded)
    added["consents"] = 0
    if consent != "none":
        state = consent or "subscribed"
        added["consents"] = _count(session, _ADD_CONSENTS, state=state, everyone=consent is not None, source=source)
    for table in [table for table, count in added.items() if count]:
        session.execute(text(f"analyze {table}"))
    return Merged(added, changed, revenue, sum(refunded, Decimal(0)), differing)


def _count(session: Session, statement: TextClause, **values: Any) -> int:
    return int(session.execute(statement, values).rowcount)  # type: ignore[attr-defined]


def _run(session: Session, statements: str) -> None:
    for statement in statements.split(";"):
        if statement.strip():
            session.execute(text(statement))
