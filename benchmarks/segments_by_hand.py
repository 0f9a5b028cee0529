"""Which segments are measured, and how would somebody who knows SQL and the tables well write each by hand?

Every statement says all that its segment says, also what was known by the instant asked about: people who came later,
orders cancelled later, consent as it was. Where engines prefer different words there is a statement for each way; the
fastest of them on an engine is the one to compare with. ``:now`` is the instant, the only value given.
"""

from dataclasses import dataclass
from typing import Any

Where = dict[str, Any]

VALID = "ordered_at < :now and (cancelled_at is null or cancelled_at > :now)"
OPEN = "since_at <= :now and (until_at is null or until_at > :now)"
KNOWN = "c.first_seen_at <= :now"
NOT_CANCELLED = """
    not exists (select 1 from orders o where o.customer_id = i.customer_id and o.id = i.order_id
                and o.cancelled_at <= :now)
"""
SUBSCRIBED = f"""
    exists (select 1 from consents k where k.customer_id = c.id and k.channel = 'email' and k.state = 'subscribed'
            and {OPEN})
"""
SPENT = f"""
    spent as (
        select c.id, coalesce(o.total, 0) - coalesce(r.amount, 0) as ltv, o.last_at
        from customers c
        left join (select customer_id, sum(total) as total, max(ordered_at) as last_at from orders
                   where {VALID} group by 1) o on o.customer_id = c.id
        left join (select customer_id, sum(amount) as amount from refunds f where refunded_at < :now and not exists (
                       select 1 from orders o
                       where o.customer_id = f.customer_id and o.id = f.order_id and o.cancelled_at <= :now)
                   group by 1) r
            on r.customer_id = c.id
        where {KNOWN})
"""


@dataclass(frozen=True)
class Case:
    """A segment and the ways to write it by hand; some are for DuckDB alone."""

    name: str
    where: Where
    by_hand: tuple[str, ...]
    for_duckdb: tuple[str, ...] = ()


def all_of(*conditions: Where) -> Where:
    """Everything holds."""
    return {"type": "all", "of": list(conditions)}


def did(name: str, op: str = "any", **more: Any) -> Where:
    """An activity happened, or did not, or a measure of it."""
    return {"type": "activity", "name": name, "op": op, **more}


def last(length: str) -> Where:
    """A window up to the instant asked about."""
    return {"last": length}


def where(name: str, value: Any, op: str = "eq") -> list[Where]:
    """One filter on an activity's rows."""
    return [{"name": name, "op": op, "value": value}]


MAIN = all_of(
    {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75}},
    {"type": "consent", "channel": "email"},
    did("order", "none", during=last("60d")),
)

CASES = (
    Case(
        "LTV above the 75th percentile of everyone, subscribed, no order in 60 days",
        MAIN,
        (
            f"""
            with {SPENT}
            select count(*) from spent c
            where ltv > (select percentile_cont(0.75) within group (order by cast(ltv as double precision)) from spent)
              and (last_at is null or last_at < :now - interval '60 days') and {SUBSCRIBED}
            """,
        ),
    ),
    Case(
        "shipping address in Texas",
        {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"},
        (
            f"""
            select count(*) from customers c join addresses a on a.customer_id = c.id
            where a.kind = 'shipping' and a.is_default and lower(a.region) = 'texas' and {KNOWN}
            """,
        ),
    ),
    Case(
        "gmail and an order above $100 in 6 months",
        all_of(
            {"type": "attribute", "name": "email", "op": "ends_with", "value": "gmail.com"},
            did("order", during=last("6mo"), where=where("total", 100, "gt")),
        ),
        (
            f"""
            select count(*) from customers c where email like '%gmail.com' and {KNOWN} and exists (
                select 1 from orders o where o.customer_id = c.id and ordered_at >= :now - interval '6 months'
                and total > 100 and {VALID})
            """,
            f"""
            select count(*) from customers c where email like '%gmail.com' and {KNOWN} and id in (
                select distinct customer_id from orders where ordered_at >= :now - interval '6 months'
                and total > 100 and {VALID})
            """,
        ),
    ),
    Case(
        "cart in 7 days and no order in 7 days",
        all_of(did("added_to_cart", during=last("7d")), did("order", "none", during=last("7d"))),
        (
            f"""
            select count(*) from customers c where {KNOWN}
              and exists (select 1 from events e where e.customer_id = c.id and e.name = 'added_to_cart'
                          and e.at >= :now - interval '7 days' and e.at < :now)
              and not exists (select 1 from orders o where o.customer_id = c.id
                              and ordered_at >= :now - interval '7 days' and {VALID})
            """,
        ),
    ),
    Case(
        "cart in 30 days, no order within 7 days of it",
        {
            "type": "sequence",
            "steps": [{"name": "added_to_cart"}, {"name": "order", "op": "none", "within": "7d"}],
            "during": last("30d"),
        },
        (
            f"""
            select count(distinct e.customer_id) from events e join customers c on c.id = e.customer_id
            where e.name = 'added_to_cart' and {KNOWN}
              and e.at >= :now - interval '30 days' and e.at < :now and e.at + interval '7 days' <= :now
              and not exists (select 1 from orders o where o.customer_id = e.customer_id and o.ordered_at > e.at
                              and o.ordered_at <= e.at + interval '7 days' and {VALID})
            """,
            f"""
            select count(*) from customers c where {KNOWN} and id in (
                select e.customer_id from events e where e.name = 'added_to_cart'
                  and e.at >= :now - interval '30 days' and e.at < :now and e.at + interval '7 days' <= :now
                  and not exists (select 1 from orders o where o.customer_id = e.customer_id and o.ordered_at > e.at
                                  and o.ordered_at <= e.at + interval '7 days' and {VALID}))
            """,
        ),
    ),
    Case(
        "3 or more product views in 90 days",
        did("product_viewed", "gte", value=3, during=last("90d")),
        (
            f"""
            select count(*) from customers c join (
                select customer_id from events e where name = 'product_viewed' and e.at >= :now - interval '90 days'
                  and e.at < :now group by 1 having count(*) >= 3) v on v.customer_id = c.id where {KNOWN}
            """,
        ),
    ),
    Case(
        "viewed, put in the cart within a day, ordered within 7 days, in 90 days",
        {
            "type": "sequence",
            "steps": [
                {"name": "product_viewed"},
                {"name": "added_to_cart", "within": "1d"},
                {"name": "order", "within": "7d"},
            ],
            "during": last("90d"),
        },
        (
            f"""
            select count(*) from customers c where {KNOWN} and id in (
                select v.customer_id from events v
                join events a on a.customer_id = v.customer_id and a.name = 'added_to_cart' and a.at > v.at
                  and a.at <= v.at + interval '1 day' and a.at < :now
                join orders o on o.customer_id = v.customer_id and o.ordered_at > a.at
                  and o.ordered_at <= a.at + interval '7 days' and {VALID}
                where v.name = 'product_viewed' and v.at >= :now - interval '90 days' and v.at < :now)
            """,
            f"""
            with carts as (
                select customer_id, a.at from events a where name = 'added_to_cart' and a.at < :now
                  and a.at >= :now - interval '90 days'
                  and exists (select 1 from orders o where o.customer_id = a.customer_id and o.ordered_at > a.at
                              and o.ordered_at <= a.at + interval '7 days' and {VALID}))
            select count(*) from customers c where {KNOWN} and id in (
                select v.customer_id from events v join carts a on a.customer_id = v.customer_id and a.at > v.at
                  and a.at <= v.at + interval '1 day'
                where v.name = 'product_viewed' and v.at >= :now - interval '90 days' and v.at < :now)
            """,
        ),
        (
            f"""
            with bought as (
                select customer_id, ordered_at from orders where ordered_at > :now - interval '90 days' and {VALID}),
            carts as (
                select a.customer_id, a.at from (
                    select customer_id, "at" from events where name = 'added_to_cart' and "at" < :now
                      and "at" > :now - interval '90 days') a
                asof join bought o on o.customer_id = a.customer_id and a.at < o.ordered_at
                where o.ordered_at <= a.at + interval '7 days')
            select count(*) from customers c where {KNOWN} and id in (
                select v.customer_id from (
                    select customer_id, "at" from events where name = 'product_viewed' and "at" < :now
                      and "at" >= :now - interval '90 days') v
                asof join carts a on a.customer_id = v.customer_id and v.at < a.at
                where a.at <= v.at + interval '1 day')
            """,
        ),
    ),
    Case(
        "top 10 % by LTV of each country",
        {"type": "rank", "metric": "ltv", "percent": 10, "per": "country"},
        (
            f"""
            with {SPENT},
            ranked as (select rank() over (partition by country order by ltv desc) as place,
                              count(*) over (partition by country) as n
                       from spent s join addresses a on a.customer_id = s.id and a.kind = 'shipping' and a.is_default
                       where country is not null)
            select count(*) from ranked where place <= ceil(n * 0.1)
            """,
        ),
    ),
    Case(
        "at least 2 of 5: ordered, opened, put in the cart lately, in the club, LTV of 500",
        {
            "type": "at_least",
            "n": 2,
            "of": [
                did("order", during=last("30d")),
                did("email_opened", during=last("30d")),
                did("added_to_cart", during=last("14d")),
                {"type": "tag", "name": "loyalty-club"},
                {"type": "metric", "name": "ltv", "op": "gte", "value": 500},
            ],
        },
        (
            f"""
            with {SPENT}
            select count(*) from spent s
            left join (select distinct customer_id from orders
                       where ordered_at >= :now - interval '30 days' and {VALID}) o on o.customer_id = s.id
            left join (select distinct customer_id from events e where name = 'email_opened'
                       and e.at >= :now - interval '30 days' and e.at < :now
                       and properties ->> 'machine' is distinct from 'true') e on e.customer_id = s.id
            left join (select distinct customer_id from events e where name = 'added_to_cart'
                       and e.at >= :now - interval '14 days' and e.at < :now) a on a.customer_id = s.id
            left join (select distinct customer_id from tags where name = 'loyalty-club' and {OPEN}) t
                on t.customer_id = s.id
            where case when o.customer_id is null then 0 else 1 end + case when e.customer_id is null then 0 else 1 end
                + case when a.customer_id is null then 0 else 1 end + case when t.customer_id is null then 0 else 1 end
                + case when s.ltv >= 500 then 1 else 0 end >= 2
            """,
        ),
    ),
    Case(
        "birthday in the next 14 days",
        {"type": "attribute", "name": "birthday", "op": "anniversary_in_next", "value": "14d"},
        (
            f"""
            select count(*) from customers c where {KNOWN}
              and extract(month from birthday) * 100 + extract(day from birthday) between 615 and 628
            """,
        ),
    ),
    Case(
        "bought an espresso machine, never a grinder",
        all_of(
            did("item", where=where("category", "Espresso Machines")),
            did("item", "none", where=where("category", "Grinders")),
        ),
        (
            f"""
            with bought as (
                select i.customer_id, lower(p.category) as category from order_items i
                join products p on p.id = i.product_id
                join orders o on o.customer_id = i.customer_id and o.id = i.order_id
                where lower(p.category) in ('espresso machines', 'grinders') and i.ordered_at < :now
                  and (o.cancelled_at is null or o.cancelled_at > :now))
            select count(*) from customers c where {KNOWN}
              and id in (select customer_id from bought where category = 'espresso machines')
              and id not in (select customer_id from bought where category = 'grinders')
            """,
            f"""
            select count(*) from customers c join (
                select i.customer_id from order_items i
                join products p on p.id = i.product_id
                where lower(p.category) in ('espresso machines', 'grinders') and i.ordered_at < :now and {NOT_CANCELLED}
                group by 1 having max(lower(p.category)) = 'espresso machines') b on b.customer_id = c.id
            where {KNOWN}
            """,
        ),
    ),
    Case(
        "average order above the 90th percentile of buyers",
        {"type": "metric", "name": "aov", "op": "gt", "value": {"percentile": 90, "among": "buyers"}},
        (
            f"""
            with bought as (
                select c.id, cast(o.aov as double precision) as aov from customers c
                join (select customer_id, avg(total) as aov from orders where {VALID} group by 1) o
                    on o.customer_id = c.id where {KNOWN})
            select count(*) from bought
            where aov > (select percentile_cont(0.9) within group (order by aov) from bought)
            """,
        ),
    ),
    Case(
        "3 orders or more, of at least 150 on average",
        all_of(
            {"type": "metric", "name": "order_count", "op": "gte", "value": 3},
            {"type": "metric", "name": "aov", "op": "gte", "value": 150},
        ),
        (
            f"""
            select count(*) from customers c join (
                select customer_id from orders where {VALID} group by 1 having count(*) >= 3 and avg(total) >= 150) o
                on o.customer_id = c.id where {KNOWN}
            """,
        ),
    ),
    Case(
        "subscribed and in the loyalty club",
        all_of({"type": "consent", "channel": "email"}, {"type": "tag", "name": "loyalty-club"}),
        (
            f"""
            select count(*) from customers c where {KNOWN} and {SUBSCRIBED}
              and exists (select 1 from tags t where t.customer_id = c.id and t.name = 'loyalty-club' and {OPEN})
            """,
        ),
    ),
    Case(
        "subscribed, but neither ordered in 180 days nor opened a mail in 90",
        all_of(
            {"type": "consent", "channel": "email"},
            {
                "type": "not",
                "of": {
                    "type": "any",
                    "of": [did("order", during=last("180d")), did("email_opened", during=last("90d"))],
                },
            },
        ),
        (
            f"""
            select count(*) from customers c where {KNOWN} and {SUBSCRIBED}
              and not exists (select 1 from orders o where o.customer_id = c.id
                              and ordered_at >= :now - interval '180 days' and {VALID})
              and not exists (select 1 from events e where e.customer_id = c.id and e.name = 'email_opened'
                              and e.at >= :now - interval '90 days' and e.at < :now
                              and properties ->> 'machine' is distinct from 'true')
            """,
        ),
    ),
    Case(
        "last order 60 to 90 days ago",
        {"type": "metric", "name": "days_since_last_order", "op": "between", "value": [60, 90]},
        (
            f"""
            select count(*) from customers c join (
                select customer_id from orders where {VALID} group by 1
                having max(ordered_at) between :now - interval '90 days' and :now - interval '60 days') o
                on o.customer_id = c.id where {KNOWN}
            """,
            f"""
            select count(*) from customers c where {KNOWN}
              and exists (select 1 from orders o where o.customer_id = c.id and {VALID}
                          and ordered_at between :now - interval '90 days' and :now - interval '60 days')
              and not exists (select 1 from orders o where o.customer_id = c.id and {VALID}
                              and ordered_at > :now - interval '60 days')
            """,
        ),
    ),
    Case(
        "more than 200 spent on coffee beans in a year",
        did(
            "item",
            "gt",
            measure="sum",
            of="total",
            value=200,
            where=where("category", "Coffee Beans"),
            during=last("1y"),
        ),
        (
            f"""
            select count(*) from customers c join (
                select i.customer_id from order_items i
                join products p on p.id = i.product_id
                join orders o on o.customer_id = i.customer_id and o.id = i.order_id
                where lower(p.category) = 'coffee beans' and i.ordered_at < :now
                  and i.ordered_at >= :now - interval '1 year' and (o.cancelled_at is null or o.cancelled_at > :now)
                group by 1 having sum(i.total) > 200) b on b.customer_id = c.id where {KNOWN}
            """,
            f"""
            select count(*) from customers c join (
                select i.customer_id from order_items i
                join products p on p.id = i.product_id
                where lower(p.category) = 'coffee beans' and i.ordered_at < :now
                  and i.ordered_at >= :now - interval '1 year' and {NOT_CANCELLED}
                group by 1 having sum(i.total) > 200) b on b.customer_id = c.id where {KNOWN}
            """,
        ),
    ),
    Case(
        "more than 300 loyalty points",
        {"type": "attribute", "name": "loyalty_points", "op": "gt", "value": 300},
        (
            f"""
            select count(*) from customers c where {KNOWN}
              and cast(custom ->> 'loyalty_points' as double precision) > 300
            """,
        ),
    ),
    Case(
        "opened a mail in 90 days, clicked none",
        all_of(did("email_opened", during=last("90d")), did("email_clicked", "none", during=last("90d"))),
        (
            f"""
            select count(*) from customers c where {KNOWN}
              and exists (select 1 from events e where e.customer_id = c.id and e.name = 'email_opened'
                          and e.at >= :now - interval '90 days' and e.at < :now
                          and properties ->> 'machine' is distinct from 'true')
              and not exists (select 1 from events e where e.customer_id = c.id and e.name = 'email_clicked'
                              and e.at >= :now - interval '90 days' and e.at < :now
                              and properties ->> 'machine' is distinct from 'true')
            """,
        ),
    ),
    Case(
        "in the 95th percentile of views, reachable by email",
        all_of(
            {"type": "metric", "name": "views", "op": "gt", "value": {"percentile": 95}, "during": last("1y")},
            {"type": "reachable", "channel": "email"},
        ),
        (
            f"""
            with seen as (
                select c.id, c.email, cast(coalesce(v.n, 0) as double precision) as n from customers c
                left join (select customer_id, count(*) as n from events e where name = 'product_viewed'
                           and e.at >= :now - interval '1 year' and e.at < :now group by 1) v on v.customer_id = c.id
                where {KNOWN})
            select count(*) from seen c where email is not null and {SUBSCRIBED}
              and n > (select percentile_cont(0.95) within group (order by n) from seen)
              and not exists (select 1 from suppressions s where s.customer_id = c.id and s.channel in ('email', '*')
                              and s.since_at <= :now)
            """,
        ),
    ),
)
