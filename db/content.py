"""What do these people buy, buy again and look at, and when do they read and shop?"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.orm import Session

STILL_SOLD = timedelta(days=120)
"""A product nobody has bought for longer than this is not offered."""

_BOUGHT = text("""
    with sold as (
        select distinct product_id from order_items where ordered_at >= :sold_since and ordered_at < :now
    ), per as (
        select i.customer_id, i.product_id, count(distinct i.order_id) as orders
        from order_items i
        join orders o on o.customer_id = i.customer_id and o.id = i.order_id
        where i.customer_id = any(cast(:ids as bigint[])) and i.ordered_at < :now
          and (o.cancelled_at is null or o.cancelled_at > :now) and i.unit_price > 0
        group by i.customer_id, i.product_id
    )
    select p.id, p.title, p.category, p.price, p.url, count(*) as people,
           count(*) filter (where per.orders > 1) as again, sum(per.orders)::int as orders
    from per
    join products p on p.id = per.product_id
    where btrim(p.title) <> '' and p.id in (select product_id from sold)
    group by p.id
    order by people desc, orders desc, p.id
    limit :limit
""")

_SEEN = text("""
    select p.id, p.title, p.category, p.price, p.url, count(distinct e.customer_id) as people, 0 as again,
           count(*) as orders
    from events e
    join products p on p.id = e.product_id
    where e.customer_id = any(cast(:ids as bigint[])) and e.name = any(cast(:names as text[]))
      and e.at >= :since and e.at < :now and btrim(p.title) <> ''
    group by p.id
    order by people desc, orders desc, p.id
    limit :limit
""")

_NAMED = text("""
    select p.id, p.title, p.category, p.price, p.url,
           count(distinct i.customer_id) as people, 0 as again, count(distinct i.order_id) as orders
    from products p
    left join order_items i on i.product_id = p.id and i.ordered_at >= :since and i.ordered_at < :now
    where btrim(p.title) <> ''
      and (p.title ilike any(cast(:patterns as text[])) or p.category ilike any(cast(:patterns as text[])))
    group by p.id
    order by people desc, p.id
    limit :limit
""")

_BEST = text("""
    select p.id, p.title, p.category, p.price, p.url,
           count(distinct i.customer_id) as people, 0 as again, count(distinct i.order_id) as orders
    from products p
    join order_items i on i.product_id = p.id
    join orders o on o.customer_id = i.customer_id and o.id = i.order_id
    where i.ordered_at >= :since and i.ordered_at < :now and (o.cancelled_at is null or o.cancelled_at > :now)
      and i.unit_price > 0 and btrim(p.title) <> ''
    group by p.id
    order by people desc, orders desc, p.id
    limit :limit
""")

_HABITS = text("""
    with mine as (
        select customer_id, ordered_at, coupon,
               extract(epoch from ordered_at - lag(ordered_at) over each) / 86400 as gap
        from orders
        where customer_id = any(cast(:ids as bigint[])) and ordered_at < :now
          and (cancelled_at is null or cancelled_at > :now)
        window each as (partition by customer_id order by ordered_at)
    )
    select count(*) as orders, count(distinct customer_id) as buyers,
           percentile_cont(0.5) within group (order by gap) filter (where gap >= 1) as median_gap,
           count(*) filter (where gap >= 1) as gaps,
           count(coupon) filter (where coupon <> '') as with_coupon,
           mode() within group (order by coupon) filter (where coupon <> '') as coupon
    from mine
""")

_READING = """
    select extract(isodow from local)::int as weekday, extract(hour from local)::int as hour, count(*) as number,
           count(distinct customer_id) as people
    from (
        select e.customer_id, e.at at time zone z.name as local
        from {table} e
        join customers c on c.id = e.customer_id
        join unnest(cast(:zones as text[]), cast(:names as text[])) as z (stored, name)
          on z.stored = coalesce(c.time_zone, '')
        where {which} and (cast(:ids as bigint[]) is null or e.customer_id = any(cast(:ids as bigint[])))
    ) as read
    group by grouping sets ((weekday, hour), ())
"""

_OPENS = text(
    _READING.format(
        table="events",
        which="e.name in ('email_opened', 'email_clicked') and e.at >= :since and e.at < :now"
        " and coalesce(e.properties ->> 'machine', 'false') <> 'true'",
    )
)

_ORDERS = text(
    _READING.format(
        table="(select customer_id, ordered_at as at, cancelled_at from orders)",
        which="e.cancelled_at is null and e.at >= :since and e.at < :now",
    )
)

_ZONES = text("select coalesce(time_zone, '') as stored from customers group by 1")

_KNOWN_ZONES = text("select name from pg_timezone_names where name = any(cast(:names as text[]))")


def bought(session: Session, ids: Sequence[int], now: datetime, limit: int) -> Sequence[RowMapping]:
    """What these people bought most before ``now``, of what still sells, with ``people``, ``again`` and ``orders``.

    ``again`` counts those who bought it in more than one order.
    """
    asked = {"ids": list(ids), "now": now, "sold_since": now - STILL_SOLD, "limit": limit}
    return session.execute(_BOUGHT, asked).mappings().all()


def seen(
    session: Session, ids: Sequence[int], names: Sequence[str], since: datetime, now: datetime, limit: int
) -> Sequence[RowMapping]:
    """The products in these people's events of these names, those of most people first; columns as in ``bought``."""
    asked = {"ids": list(ids), "names": list(names), "since": since, "now": now, "limit": limit}
    return session.execute(_SEEN, asked).mappings().all()


def named(session: Session, words: Sequence[str], now: datetime, limit: int) -> Sequence[RowMapping]:
    """Products whose title or category holds one of the words, best sold first; columns as in ``bought``."""
    escaped = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words]
    asked = {"patterns": [f"%{word}%" for word in escaped], "since": now - STILL_SOLD, "now": now, "limit": limit}
    return session.execute(_NAMED, asked).mappings().all()


def best(session: Session, now: datetime, limit: int) -> Sequence[RowMapping]:
    """What sold to most people lately, in the whole store; columns as in ``bought``."""
    return session.execute(_BEST, {"since": now - STILL_SOLD, "now": now, "limit": limit}).mappings().all()


def habits(session: Session, ids: Sequence[int], now: datetime) -> RowMapping:
    """How these people order: ``orders``, ``buyers``, ``median_gap`` in days, ``gaps``, ``with_coupon``, ``coupon``."""
    return session.execute(_HABITS, {"ids": list(ids), "now": now}).mappings().one()


def opens(
    session: Session, ids: Sequence[int] | None, zones: Mapping[str, str], since: datetime, now: datetime
) -> Sequence[RowMapping]:
    """When people opened and clicked mails, on their own clocks: ``number`` per ``weekday`` (1 = Monday) and ``hour``.

    What machines opened is left out. ``ids`` None = everybody; ``zones`` gives for each time zone as stored the one
    that counts. The row without a weekday is the total; its ``people`` says of how many people.
    """
    return _read(session, _OPENS, ids, zones, since, now)


def orders(
    session: Session, ids: Sequence[int] | None, zones: Mapping[str, str], since: datetime, now: datetime
) -> Sequence[RowMapping]:
    """When people ordered, as ``opens`` says when they read."""
    return _read(session, _ORDERS, ids, zones, since, now)


def time_zones(session: Session) -> list[str]:
    """Every time zone as stored with customers; '' = none."""
    return list(session.scalars(_ZONES))


def known_zones(session: Session, names: Sequence[str]) -> set[str]:
    """Which of these zones the database knows as well."""
    return set(session.scalars(_KNOWN_ZONES, {"names": list(names)}))


def _read(
    session: Session,
    statement: TextClause,
    ids: Sequence[int] | None,
    zones: Mapping[str, str],
    since: datetime,
    now: datetime,
) -> Sequence[RowMapping]:
    asked: dict[str, Any] = {
        "ids": None if ids is None else list(ids),
        "zones": list(zones),
        "names": list(zones.values()),
        "since": since,
        "now": now,
    }
    return session.execute(statement, asked).mappings().all()
