"""What does a shop of a million customers look like, and how is it made in minutes?

Set by set in DuckDB and then by COPY, with the demo shop's assortment, places and names. Every figure is drawn from a
hash of the seed, the row's own number and what is drawn, so the same seed and size give the same rows. What people do
is as uneven as in life: three in ten never buy, most buy a few times, some hundreds of times; half have left. Nobody in
it exists, and no telephone network has the country code of the numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import text
from sqlalchemy.orm import Session

from db import copy
from db.duck_workshop import Workshop, workshop
from db.embedded import servers
from db.migrations import upgrade
from db.session import engine, reading, transaction
from db.store import Store
from domain.demo import names, places, products
from domain.demo.clock import Span
from services import store as export

SEED = 7
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
"""The instant everything is asked as of; nothing in the store is later."""

MEMORY = "2GB"
SPOTS = 2_000
"""Places and products stand in a row of so many spots, popular ones on several."""

TABLES = ("products", "customers", "addresses", "tags", "consents", "orders", "order_items", "refunds", "events")

DRAWING = """
    create macro roll(i, about) as (hash(i, about, $seed) >> 11) / 9007199254740992.0;
    create macro normal(i, about) as sqrt(-2 * ln(1 - roll(i, about))) * cos(2 * pi() * roll(i, about || ' turn'));
    create macro spot(i, about) as (roll(i, about) * 2000)::int;
    create macro chosen(list, i, about) as list[1 + (roll(i, about) * len(list))::int % len(list)];
    create macro instant(seconds) as make_timestamptz(((seconds)::double * 1000000)::bigint);
"""
"""``roll`` is uniform in [0, 1), ``normal`` standard normal; times are seconds since 1970 until they become rows."""

MADE = {
    "people": """
        with drawn as (
            select i as id, $end - 735 * 86400 * pow(1 - roll(i, 'joined'), 0.9) as joined, roll(i, 'kind') as kind
            from range(1, $customers + 1) r(i))
        select id, joined, kind, (spot(id, 'place') % 2000) as spot,
               case when kind < 0.3 then 0 else least(250, 1 + floor(exp(1.075 + 1.3 * normal(id, 'orders')))) end::int
                   as orders,
               least(300, floor(exp(2.42 + 0.9 * normal(id, 'visits'))))::int as visits,
               case when roll(id, 'left') < 0.5 then joined + ($end - joined) * roll(id, 'when left') else $end end
                   as active_until,
               case when roll(id, 'agrees') < 0.68 then joined + 60 + 86400 * roll(id, 'confirmed') end as subscribed,
               case when roll(id, 'unsubscribes') < 0.13 then roll(id, 'when unsubscribed') end as stays
        from drawn
    """,
    "lines": """
        with bought as (
            select id as customer_id, id * 1000 + k as number,
                   joined + (active_until - joined) * case when k = 0 then 0.02 else roll(id * 1000 + k, 'ordered') end
                       as moment
            from people, unnest(range(orders)) n(k)),
        line as (
            select *, unnest(range(1, 2 + floor(5 * pow(roll(number, 'lines'), 2.5))::int)) as line from bought)
        select line.*, p.id as product_id, p.price, 1 + (roll(number * 10 + line, 'two') < 0.18)::int as quantity
        from line join shelf p on p.spot = spot(number * 10 + line, 'product') % 2000
    """,
    "sold": """
        select customer_id, number, row_number() over (order by moment, number) as id, moment,
               sum(price * quantity) as whole, roll(number, 'coupon') < 0.12 as coupon, roll(number, 'fate') as fate
        from (select distinct on (number, line) * from lines) group by customer_id, number, moment
    """,
    "customers": """
        select id, 'KC' || lpad(id::text, 7, '0') as external_id,
               case when roll(id, 'email') < 0.985 then lower(first || '.' || last || id || '@' ||
                    case when roll(id, 'box') < 0.5 then 'gmail.com'
                         else chosen(['example.com', 'example.org', 'example.net', 'mail.example.com'], id, 'own') end)
               end as email,
               case when roll(id, 'phone') < 0.6 then '+999' || lpad(id::text, 9, '0') end as phone,
               case when roll(id, 'named') < 0.94 then first end as first_name,
               case when roll(id, 'surnamed') < 0.92 then last end as last_name,
               case when roll(id, 'told birthday') < 0.42
                    then (instant($end)::date - (365.25 * (19 + 55 * roll(id, 'age')))::int)::date end as birthday,
               case when roll(id, 'told zone') < 0.9 then zone end as time_zone,
               chosen(['organic search', 'instagram', 'google ads', 'referral', 'podcast'], id, 'source')
                   as acquisition_source,
               case when orders > 1 and roll(id, 'club') < 0.75
                    then '{"loyalty_points": ' || (orders * 40 * roll(id, 'points'))::int || '}'
                    else '{}' end as custom,
               true as demo, instant(joined) as first_seen_at, instant(active_until) as last_seen_at,
               instant(joined) as created_at, instant(active_until) as updated_at
        from (select people.*, zone, chosen($first_names, id, 'first') as first, chosen($last_names, id, 'last') as last
              from people join spots using (spot))
    """,
    "addresses": """
        select id as customer_id, row_number() over (order by id, kind) as id, kind, true as is_default, city, region,
               country
        from (select people.id, city, region, country, unnest(
                  case when orders = 0 and roll(id, 'address') < 0.5 then []
                       when roll(id, 'billing') < 0.3 then ['billing', 'shipping'] else ['shipping'] end) as kind
              from people join spots using (spot))
    """,
    "tags": """
        select id as customer_id, row_number() over (order by id) as id, tag as name, instant(joined) as since_at,
               case when roll(id, 'untagged') < 0.1 then instant(active_until) end as until_at
        from (select *, unnest(case when orders > 20 then ['vip', 'loyalty-club'] when orders > 5 then ['loyalty-club']
                                    when kind > 0.97 then ['wholesale'] else [] end) as tag from people)
    """,
    "agreed": """
        select *, subscribed + ($end - subscribed) * stays as unsubscribed
        from people where subscribed < $end
    """,
    "consents": """
        select customer_id, row_number() over (order by since, customer_id, channel, state) as id, channel, state,
               'popup form' as method, instant(since) as since_at, instant(till) as until_at
        from (select id as customer_id, 'email' as channel, 'pending' as state, joined + 30 as since, subscribed as till
              from agreed
              union all select id, 'email', 'subscribed', subscribed, unsubscribed from agreed
              union all select id, 'email', 'unsubscribed', unsubscribed, null from agreed where stays is not null
              union all select id, 'email', 'pending', joined + 30, null from people
                        where subscribed is null and roll(id, 'unconfirmed') < 0.2
              union all select id, 'sms', 'subscribed', joined + 90, null from people where roll(id, 'texts') < 0.25)
        where since < $end
    """,
    "orders": """
        select customer_id, id, 'KC-' || id as external_id, instant(moment) as ordered_at,
               case when fate < 0.012 then instant(least($end - 1, moment + 3600 * (1 + 1000 * fate))) end
                   as cancelled_at,
               round(case when coupon then whole * 0.9 else whole end, 2) as total,
               case when coupon then chosen(['WELCOME10', 'FRIENDS10'], id, 'which coupon') end as coupon,
               case when roll(customer_id, 'app') < 0.4 then 'app' else 'web' end as source
        from sold
    """,
    "order_items": """
        select lines.customer_id, row_number() over (order by sold.id, line) as id, sold.id as order_id, line,
               product_id, quantity, price as unit_price, price * quantity as total, instant(lines.moment) as ordered_at
        from lines join sold using (number)
    """,
    "refunds": """
        select customer_id, row_number() over (order by moment, id) as id, id as order_id,
               'KC-' || id || '-R' as external_id,
               instant(least($end - 1, moment + 86400 * (3 + 20 * roll(number, 'returned')))) as refunded_at,
               round(whole * (0.2 + 0.7 * roll(number, 'given back')), 2) as amount, 'changed mind' as reason
        from sold where fate > 0.965
    """,
    "happened": """
        select id as customer_id, joined + (active_until - joined) * roll(id * 1000 + k, 'visited') as moment,
               case when roll(id * 1000 + k, 'does') < 0.8 then 'product_viewed'
                    when roll(id * 1000 + k, 'does') < 0.96 then 'added_to_cart' else 'checkout_started' end as name,
               spot(id * 1000 + k, 'sees') % 2000 as spot, null as campaign, false as machine
        from people, unnest(range(visits)) n(k)
        union all
        select customer_id, moment - 30 * nth - 60 * roll(number * 10 + nth, 'before'),
               ['checkout_started', 'added_to_cart', 'product_viewed'][nth],
               spot(number * 10 + 1, 'product') % 2000, null, false
        from sold, unnest([1, 2, 3]) n(nth) where roll(number, 'tracked') < 0.35
        union all
        select id, mailing + seconds, what, null, mailing, what = 'email_opened' and roll(id, 'prefetched') < 0.4
        from (select agreed.id, mailing, unnest([
                  struct_pack(what := 'email_sent', seconds := 600 * roll(id * 1000 + k, 'sent')),
                  struct_pack(what := 'email_opened', seconds := 700 + 90000 * roll(id * 1000 + k, 'when opened')),
                  struct_pack(what := 'email_clicked', seconds := 90700 + 60 * roll(id * 1000 + k, 'when clicked'))],
                  recursive := true),
                  roll(id * 1000 + k, 'reads') / (0.3 + roll(id, 'keen')) as unwilling
              from agreed, (select k, $end - 86400 * (4 + 30 * k) as mailing from range(14) r(k))
              where mailing between subscribed and coalesce(unsubscribed, $end))
        where what = 'email_sent' or (what = 'email_opened' and unwilling < 0.4)
           or (what = 'email_clicked' and unwilling < 0.05)
    """,
    "events": """
        select customer_id, row_number() over (order by moment, customer_id, name) as id, name, instant(moment) as "at",
               shelf.id as product_id,
               case when machine then '{"machine": true}'
                    when campaign is not null then '{"campaign": "letter ' || (campaign / 86400)::int || '"}'
                    when name = 'added_to_cart' then '{"quantity": 1}' else '{}' end as properties
        from happened left join shelf using (spot) where moment < $end
    """,
}
"""Each set and how it is made of those before it; those named as the store's tables become them."""


@dataclass(frozen=True)
class Shop:
    """A store to measure on: its folder, its PostgreSQL, its DuckDB export, and how many rows it has by table."""

    home: Path
    url: str
    file: Path
    rows: dict[str, int]


@contextmanager
def stocked(customers: int, home: Path | None) -> Iterator[Shop]:
    """A store of so many customers in a folder that is kept, or in one that is forgotten where none is given."""
    with TemporaryDirectory(prefix="parley-bench-") as forgotten:
        folder = home or Path(forgotten)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        with servers(folder, durable=False) as found:
            upgrade(found.postgres_url)
            file = folder / export.FILE
            if not file.exists():
                _stock(found.postgres_url, folder, customers)
            with reading(found.postgres_url) as session:
                count = "select count(*) from {}"
                rows = {name: session.scalar(text(count.format(name))) or 0 for name in TABLES}
            if rows["customers"] != customers:
                raise SystemExit(f"{folder} has {rows['customers']:,} customers, not {customers:,}")
            yield Shop(folder, found.postgres_url, file, rows)
            engine(found.postgres_url).dispose()


def _stock(url: str, folder: Path, customers: int) -> None:
    with transaction(url) as session:
        if not session.scalar(text("select exists (select from customers)")):
            with _told("filled"):
                fill(session, folder, customers=customers)
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection, _told("vacuumed"):
        connection.execute(text("vacuum (freeze, analyze)"))
    with reading(url) as session, _told("exported"):
        export.export(session, folder / export.FILE)


@contextmanager
def _told(what: str) -> Iterator[None]:
    start = perf_counter()
    yield
    print(f"{what} in {perf_counter() - start:.0f} s", flush=True)


def fill(session: Session, folder: Path, *, customers: int, seed: int = SEED) -> dict[str, int]:
    """Fill an empty store with customers; returns the rows by table. Files on the way lie in ``folder``.

    About five orders and thirty events fall on each customer.
    """
    name = "Kestrel Coffee & Kitchen"
    session.merge(
        Store(id=1, name=name, currency="USD", time_zone="America/Chicago", postal_address="100 Example Street",
              sender_name=name, sender_email="hello@kestrel.example.com", demo=True, seed=seed, created_at=NOW)
    )  # fmt: skip
    session.flush()
    written: dict[str, int] = {}
    with workshop(folder, memory=MEMORY) as made, _bare(session):
        _lay_out(made, seed)
        written["products"] = _copied(session, made, "products")
        for table, query in MADE.items():
            made.run(f"create table {table} as {query}", _values(query, customers))
            if table in TABLES:
                written[table] = _copied(session, made, table)
    copy.continue_ids(session, *TABLES)
    return written


def _copied(session: Session, made: Workshop, table: str) -> int:
    path, columns = made.csv(table)
    rows = copy.file(session, table, path, columns)
    path.unlink()
    return rows


def _values(query: str, customers: int) -> dict[str, object]:
    known = {
        "end": int(NOW.timestamp()),
        "customers": customers,
        "first_names": [*names.WOMEN["en"], *names.MEN["en"]],
        "last_names": names.LAST["en"],
    }
    return {key: value for key, value in known.items() if f"${key}" in query}


def _lay_out(made: Workshop, seed: int) -> None:
    """The macros, the assortment, and the places and products of each spot."""
    for macro in DRAWING.strip().split(";\n"):
        made.run(macro.replace("$seed", str(seed)))
    chance = Random(seed)  # noqa: S311 - a believable shop, not a secret
    _table(made, "products", [row._asdict() for row in products.rows(Span.until(NOW))])
    weights = [article.weight for article in products.ARTICLES]
    articles = chance.choices(products.ARTICLES, weights, k=SPOTS)
    _table(
        made, "shelf", [{"spot": i, "id": one.id, "price": products.money(one.cents)} for i, one in enumerate(articles)]
    )
    homes = [places.draw(chance) for _ in range(SPOTS)]
    wanted = ("country", "region", "city", "zone")
    _table(made, "spots", [{"spot": i} | {key: getattr(one, key) for key in wanted} for i, one in enumerate(homes)])


def _table(made: Workshop, name: str, rows: list[dict[str, object]]) -> None:
    columns = ", ".join(f"unnest(${key}) as {key}" for key in rows[0])
    made.run(f"create table {name} as select {columns}", {key: [row[key] for row in rows] for key in rows[0]})


@contextmanager
def _bare(session: Session) -> Iterator[None]:
    """Take the tables' keys and indexes away for the time of the block: made once at the end, they are much cheaper."""
    named = {"names": list(TABLES)}
    keys = session.execute(text(_KEYS), named).all()
    indexes = session.execute(text(_INDEXES), named).all()
    for key in reversed(keys):
        session.execute(text(f"alter table {key.of} drop constraint {key.name}"))
    for index in indexes:
        session.execute(text(f"drop index {index.name}"))
    yield
    for key in keys:
        session.execute(text(f"alter table {key.of} add constraint {key.name} {key.said}"))
    for index in indexes:
        session.execute(text(index.said))


_KEYS = """
    select conrelid::regclass::text as of, conname as name, pg_get_constraintdef(oid) as said from pg_constraint
    where contype in ('p', 'u', 'f')
      and (conrelid = any(cast(:names as regclass[])) or confrelid = any(cast(:names as regclass[])))
    order by array_position(array['p', 'u', 'f'], contype::text), 1, 2
"""
_INDEXES = """
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as said from pg_index
    where indrelid = any(cast(:names as regclass[]))
      and not exists (select 1 from pg_constraint where conindid = indexrelid)
"""
