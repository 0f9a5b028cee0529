"""Is the demo shop the same every time, free of contradictions, and believable?"""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import store
from db.consent import Consent
from db.customers import Customer
from db.events import Event
from db.orders import Order, OrderItem
from db.products import Product
from domain.demo import generate
from domain.demo.orders import PERCENT_OFF
from domain.demo.products import ARTICLES
from domain.demo.rows import Batch
from domain.errors import Conflict
from services import demo

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
PEOPLE = 800
FICTION = re.compile(
    r"\+1\d{3}55501\d\d|\+447700900\d{3}|\+4930 ?23125\d{3}|\+498999998\d{3}|\+494066969\d{3}|\+496990009\d{3}"
    r"|\+492214710\d{3}|\+3363998\d{4}|\+3532091\d{5}"
)


@cache
def shop() -> Batch:
    """All rows of a small demo shop in one batch."""
    whole = Batch()
    for batch in generate(seed=7, now=NOW, count=PEOPLE):
        for table in vars(whole):
            getattr(whole, table).extend(getattr(batch, table))
    return whole


def test_the_same_seed_gives_the_same_rows_in_every_process() -> None:
    program = (
        "import sys, hashlib; from datetime import datetime, UTC; from domain.demo import generate;"
        f"rows = repr(list(generate(seed=7, now=datetime({NOW.year}, 3, 4, 15, 30, tzinfo=UTC), count=60)));"
        "print(hashlib.sha256(rows.encode()).hexdigest())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    here = hashlib.sha256(repr(list(generate(seed=7, now=NOW, count=60))).encode()).hexdigest()
    assert printed == {here}


def test_another_seed_gives_other_people() -> None:
    first, second = (next(generate(seed=seed, now=NOW, count=5)).customers for seed in (7, 8))
    assert [person.email for person in first] != [person.email for person in second]


def test_a_small_shop_is_the_beginning_of_a_large_one() -> None:
    assert (
        next(generate(seed=7, now=NOW, count=40)).orders
        == shop().orders[: len(next(generate(seed=7, now=NOW, count=40)).orders)]
    )


def test_nothing_is_later_than_now() -> None:
    latest = max(
        instant for table in vars(shop()).values() for row in table for instant in row if isinstance(instant, datetime)
    )
    assert NOW - timedelta(days=1) < latest < NOW


def test_nobody_does_anything_before_they_were_first_seen() -> None:
    joined = {person.id: person.first_seen_at for person in shop().customers}
    acts = (
        [(order.customer_id, order.ordered_at) for order in shop().orders]
        + [(event.customer_id, event.at) for event in shop().events]
        + [(agreement.customer_id, agreement.since_at) for agreement in shop().consents]
        + [(tag.customer_id, tag.since_at) for tag in shop().tags]
    )
    assert not [who for who, at in acts if at < joined[who]]


def test_an_order_is_its_lines_less_its_coupon() -> None:
    lines: dict[int, Decimal] = defaultdict(Decimal)
    for item in shop().order_items:
        assert item.total == item.quantity * item.unit_price
        lines[item.order_id] += item.total
    for order in shop().orders:
        share = Decimal(PERCENT_OFF[order.coupon] if order.coupon else 0) / 100
        assert lines[order.id] > 0
        assert abs(lines[order.id] * (1 - share) - order.total) <= Decimal("0.01")


def test_refunds_follow_their_order_and_give_back_no_more_than_was_paid() -> None:
    orders = {order.id: order for order in shop().orders}
    assert shop().refunds
    for refund in shop().refunds:
        order = orders[refund.order_id]
        assert order.cancelled_at is None
        assert order.customer_id == refund.customer_id
        assert refund.refunded_at > order.ordered_at
        assert 0 < refund.amount <= order.total


def test_everyone_is_marked_as_demo_and_phones_come_from_the_ranges_kept_for_fiction() -> None:
    people = shop().customers
    assert all(person.demo for person in people)
    phones = [person.phone for person in people if person.phone]
    assert phones
    assert [phone for phone in phones if not FICTION.fullmatch(phone)] == []
    assert len(set(phones)) == len(phones)
    emails = [person.email for person in people if person.email]
    assert len(set(emails)) == len(emails)
    assert all(re.fullmatch(r"[a-z0-9._]+@[a-z0-9.-]+\.[a-z]+", email) for email in emails)


def test_consent_on_a_channel_is_one_unbroken_history() -> None:
    histories = defaultdict(list)
    for agreement in shop().consents:
        histories[agreement.customer_id, agreement.channel].append(agreement)
    for history in histories.values():
        assert history[-1].until_at is None
        assert all(before.until_at == after.since_at for before, after in pairwise(history))
    with_phone = {person.id for person in shop().customers if person.phone}
    assert {who for who, channel in histories if channel != "email"} <= with_phone


def test_newsletters_reach_nobody_who_had_not_agreed() -> None:
    agreed = defaultdict(list)
    for agreement in shop().consents:
        if agreement.channel == "email" and agreement.state == "subscribed":
            agreed[agreement.customer_id].append(agreement)
    for event in shop().events:
        if event.name == "email_sent":
            assert any(given.since_at < event.at for given in agreed[event.customer_id])


def test_beans_are_bought_again_and_machines_once() -> None:
    use = {article.id: article.use for article in ARTICLES}
    bought = Counter(
        (item.customer_id, item.product_id)
        for item in shop().order_items
        if use[item.product_id] in {"bean", "durable"}
    )
    again = Counter(use[product] for (_, product), times in bought.items() if times > 1)
    assert again["durable"] == 0
    assert again["bean"] > PEOPLE / 10


def test_presents_are_bought_before_the_holidays() -> None:
    gifts = {article.id for article in ARTICLES if article.use == "gift"}
    months = Counter(item.ordered_at.month for item in shop().order_items if item.product_id in gifts)
    assert months[11] + months[12] > sum(months.values()) / 2


def test_there_is_somebody_for_every_kind_of_question() -> None:
    people, events = shop().customers, shop().events
    regions = Counter(address.region for address in shop().addresses if address.kind == "shipping")
    assert regions["Texas"] > PEOPLE / 20
    assert regions["California"] > PEOPLE / 20
    assert sum((person.email or "").endswith("@gmail.com") for person in people) > PEOPLE / 4
    buyers = {order.customer_id for order in shop().orders}
    assert PEOPLE * 0.7 < len(buyers) < PEOPLE * 0.9
    for field in ("email", "phone", "first_name", "birthday", "time_zone", "gender"):
        assert 0 < sum(getattr(person, field) is None for person in people) < PEOPLE, field
    names = Counter(event.name for event in events)
    assert {
        "product_viewed",
        "added_to_cart",
        "checkout_started",
        "email_sent",
        "email_opened",
        "email_clicked",
    } <= set(names)
    machine_opens = sum(event.name == "email_opened" and "machine" in event.properties for event in events)
    assert 0.3 < machine_opens / names["email_opened"] < 0.9
    states = Counter(given.state for given in shop().consents if given.channel == "email" and given.until_at is None)
    assert 0.55 < states["subscribed"] / PEOPLE < 0.7
    assert states["pending"]
    assert states["unsubscribed"]


def test_loading_fills_every_table_and_later_rows_get_fresh_ids(session: Session) -> None:
    assert demo.is_wanted(session)
    loaded = demo.load(session, seed=7, now=NOW, customers=50)
    assert not demo.is_wanted(session)
    for table in (Customer, Product, Order, OrderItem, Event, Consent):
        assert session.scalar(select(func.count()).select_from(table)) == loaded[table.__tablename__] > 0
    found = store.current(session)
    assert found is not None
    assert (found.demo, found.seed, found.currency) == (True, 7, "USD")
    session.add(Customer(email="new@example.com", first_seen_at=NOW))
    session.flush()


def test_a_store_with_customers_is_not_overwritten(session: Session) -> None:
    session.add(Customer(email="ada@example.com", first_seen_at=NOW))
    session.flush()
    with pytest.raises(Conflict) as refusal:
        demo.load(session, seed=7, now=NOW, customers=5)
    assert refusal.value.code == "store_not_empty"
    assert session.scalar(select(func.count()).select_from(Order)) == 0
