"""How long does a segment take on the demo store of 20,000 customers, beside SQL written by hand?"""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.table import Measured, show, times
from db.embedded import servers
from db.migrations import upgrade
from db.session import engine, reading, transaction
from db.store import business_now
from domain.segments import parse
from services import demo, segments

RUNS = 15

BY_HAND = {
    "high LTV, subscribed, no order in 60 days": (
        {
            "type": "all",
            "of": [
                {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75}},
                {"type": "consent", "channel": "email"},
                {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}},
            ],
        },
        """
        with spent as (
          select c.id, coalesce(o.total, 0) - coalesce(r.amount, 0) as ltv, o.last_at from customers c
          left join (select customer_id, sum(total) as total, max(ordered_at) as last_at from orders
                     where ordered_at < :now and (cancelled_at is null or cancelled_at > :now) group by 1) o
            on o.customer_id = c.id
          left join (select customer_id, sum(amount) as amount from refunds where refunded_at < :now group by 1) r
            on r.customer_id = c.id)
        select count(*) from spent s join consents k on k.customer_id = s.id
        where k.channel = 'email' and k.state = 'subscribed' and k.since_at <= :now
          and (k.until_at is null or k.until_at > :now)
          and s.ltv > (select percentile_cont(0.75) within group (order by ltv::float8) from spent)
          and (s.last_at is null or s.last_at < :now - interval '60 days')
        """,
    ),
    "shipping address in Texas": (
        {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"},
        "select count(*) from addresses where kind = 'shipping' and is_default and lower(region) = 'texas'",
    ),
    "gmail and an order over $100 in 6 months": (
        {
            "type": "all",
            "of": [
                {"type": "attribute", "name": "email", "op": "ends_with", "value": "gmail.com"},
                {
                    "type": "activity",
                    "name": "order",
                    "where": [{"name": "total", "op": "gt", "value": 100}],
                    "during": {"last": "6mo"},
                },
            ],
        },
        """
        select count(*) from customers c where email like '%gmail.com' and exists (
          select 1 from orders o where o.customer_id = c.id and ordered_at >= :now - interval '6 months'
          and ordered_at < :now and total > 100 and (cancelled_at is null or cancelled_at > :now))
        """,
    ),
    "cart in 30 days, no order within 7 days of it": (
        {
            "type": "sequence",
            "steps": [{"name": "added_to_cart"}, {"name": "order", "op": "none", "within": "7d"}],
            "during": {"last": "30d"},
        },
        """
        select count(distinct e.customer_id) from events e where e.name = 'added_to_cart'
          and e.at >= :now - interval '30 days' and e.at < :now and e.at + interval '7 days' <= :now
          and not exists (select 1 from orders o where o.customer_id = e.customer_id and o.ordered_at > e.at
            and o.ordered_at <= e.at + interval '7 days' and o.ordered_at < :now
            and (o.cancelled_at is null or o.cancelled_at > :now))
        """,
    ),
    "top 10 % by LTV of each country": (
        {"type": "rank", "metric": "ltv", "percent": 10, "per": "country"},
        """
        with spent as (
          select c.id, a.country, coalesce(o.total, 0) - coalesce(r.amount, 0) as ltv from customers c
          join addresses a on a.customer_id = c.id and a.kind = 'shipping' and a.is_default
          left join (select customer_id, sum(total) as total from orders
                     where ordered_at < :now and (cancelled_at is null or cancelled_at > :now) group by 1) o
            on o.customer_id = c.id
          left join (select customer_id, sum(amount) as amount from refunds where refunded_at < :now group by 1) r
            on r.customer_id = c.id),
        ranked as (select *, rank() over (partition by country order by ltv desc) as place,
                          count(*) over (partition by country) as n from spent where country is not null)
        select count(*) from ranked where place <= ceil(n * 0.1)
        """,
    ),
}


def run() -> None:
    """Load the demo store into a folder of its own and measure previews and sizes there."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with servers(home) as found:
            upgrade(found.postgres_url)
            with transaction(found.postgres_url) as session:
                demo.load(session, now=business_now(session), customers=20_000)
            with reading(found.postgres_url) as session:
                show("Segments on 20,000 customers", _measure(session, business_now(session)))
            engine(found.postgres_url).dispose()


def _measure(session: Session, now: datetime) -> list[Measured]:
    rows = []
    for name, (where, by_hand) in BY_HAND.items():
        definition = parse({"where": where})
        statement, values = text(by_hand), {"now": now}
        ours, theirs = segments.size(session, definition, now=now), session.scalar(statement, values)
        if ours != theirs:
            raise SystemExit(f"{name}: {ours} people by the compiler, {theirs} by hand")
        hand = Measured("", times(_asked(session, statement, values), runs=RUNS)).median
        size = times(lambda d=definition: segments.size(session, d, now=now), runs=RUNS)  # type: ignore[misc]
        preview = times(lambda d=definition: segments.preview(session, d, now=now), runs=RUNS)  # type: ignore[misc]
        rows += [
            Measured(f"{name}: {ours:,}", size, "by hand", hand),
            Measured("  with waterfall, reachable, sample", preview, "by hand", hand),
        ]
    return rows


def _asked(session: Session, statement: Any, values: dict[str, Any]) -> Any:
    return lambda: session.execute(statement, values).one()
