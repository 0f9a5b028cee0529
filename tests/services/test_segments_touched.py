"""Is asking only those of whom something was written as good as asking everybody, whatever was written?"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from db import store
from db.consent import Consent
from db.customers import Address, Customer
from db.orders import Order, OrderItem
from db.products import Product
from db.segments_members import Membership
from db.segments_touched import KEYS, SHARED, Touched
from db.session import transaction
from domain.segments import parse
from domain.segments_touched import rests_on_own_rows
from services import segments, segments_refresh, segments_versions
from tests.planted import NOW, Planted

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TEXAS = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}
RICH = {"type": "metric", "name": "ltv", "op": "gte", "value": 100}
NEVER = {"type": "activity", "name": "order", "op": "none"}
MAIL = {"type": "consent", "channel": "email"}
VIP = {"type": "tag", "name": "vip"}
MUGS = {"type": "activity", "name": "item", "op": "any", "where": [{"name": "category", "op": "eq", "value": "mugs"}]}
WHERE: dict[str, Any] = {
    "type": "any",
    "of": [
        {"type": "all", "of": [TEXAS, RICH]},
        {"type": "all", "of": [NEVER, MAIL]},
        {"type": "all", "of": [VIP, {"type": "not", "of": {"type": "reachable", "channel": "email"}}]},
        MUGS,
    ],
}


@pytest.fixture
def shop(session: Session) -> Planted:
    """Ada is rich in Texas, Ben poor there, Cleo subscribed and never ordered, Dan nothing of all that."""
    planted = Planted.store(session)
    for name, region, total in (("Ada", "Texas", 150), ("Ben", "Texas", 20), ("Cleo", "Ohio", 0), ("Dan", "Ohio", 10)):
        planted.person(name, region=region)
        if total:
            planted.order(name, total, 20 * DAY, items={"Tea pot": "pots"})
    planted.consent("Cleo", "subscribed", 100 * DAY)
    session.flush()
    return planted


def _moves_to_texas(shop: Planted) -> None:
    home = Address.customer_id == shop.ids["Dan"]
    shop.session.execute(update(Address).where(home).values(region="Texas"))
    shop.order("Dan", 200, DAY)


def _joins(shop: Planted) -> None:
    shop.person("Eve")
    shop.consent("Eve", "subscribed", DAY)


def _hands_an_order_over(shop: Planted) -> None:
    shop.session.execute(delete(OrderItem))
    whose = update(Order).where(Order.customer_id == shop.ids["Ada"])
    shop.session.execute(whose.values(customer_id=shop.ids["Cleo"]))


CHANGES: dict[str, Callable[[Planted], object]] = {
    "an order": lambda shop: shop.order("Ben", 100, DAY),
    "an order long ago, entered late": lambda shop: shop.order("Cleo", 1, 300 * DAY),
    "a cancellation": lambda shop: shop.session.execute(
        update(Order).where(Order.customer_id == shop.ids["Ada"]).values(cancelled_at=NOW - DAY)
    ),
    "a refund": lambda shop: shop.order("Ada", 10, DAY, refund=100),
    "a new home": _moves_to_texas,
    "a lost address": lambda shop: shop.session.execute(delete(Address).where(Address.customer_id == shop.ids["Ada"])),
    "a tag": lambda shop: shop.tag("Dan", "vip", DAY),
    "consent": lambda shop: shop.session.execute(
        update(Consent).where(Consent.customer_id == shop.ids["Cleo"]).values(until_at=NOW - DAY)
    ),
    "somebody new": _joins,
    "an erasure": lambda shop: shop.session.execute(delete(Customer).where(Customer.id == shop.ids["Ada"])),
    "an order handed to somebody else": _hands_an_order_over,
    "a product's category": lambda shop: shop.session.execute(update(Product).values(category="mugs")),
}


def refreshed(shop: Planted, segment: int, now: Any) -> segments_refresh.Refreshed:
    """A refresh whose result is what asking everybody gives."""
    done = segments_refresh.refresh(shop.session, segment, now=now)
    inside = select(Membership.customer_id).where(Membership.segment_id == segment, Membership.left_at.is_(None))
    found = sorted(shop.session.scalars(inside))
    assert found == segments.member_ids(shop.session, parse({"where": WHERE}), now=now)
    assert done.size == len(found)
    return done


@pytest.mark.parametrize("change", CHANGES)
def test_asking_those_who_were_touched_gives_what_asking_everybody_gives(shop: Planted, change: str) -> None:
    segment = segments.save(shop.session, name="Some", definition=parse({"where": WHERE}), by="mia", now=NOW).id
    assert refreshed(shop, segment, NOW).whole
    CHANGES[change](shop)
    shop.session.flush()
    done = refreshed(shop, segment, NOW + MINUTE)
    assert done.whole == (change == "a product's category")
    assert refreshed(shop, segment, NOW + 2 * DAY).whole, "everybody is asked once a day all the same"


def test_what_is_dated_ahead_counts_when_its_time_has_come(shop: Planted) -> None:
    ahead = store.business_now(shop.session) + timedelta(hours=1)
    segment = segments.save(shop.session, name="Some", definition=parse({"where": WHERE}), by="mia", now=ahead).id
    assert refreshed(shop, segment, ahead).size == 2
    shop.order("Ben", 200, NOW - ahead - timedelta(hours=2))
    shop.session.flush()
    assert refreshed(shop, segment, ahead + timedelta(hours=1)).size == 2
    shop.session.execute(text("update segment_refreshes set seen_to = 9223372036854775807"))
    done = refreshed(shop, segment, ahead + timedelta(hours=3))
    assert (done.entered, done.size, done.whole) == (1, 3, False)


def test_a_transaction_that_ends_late_is_not_missed(database: str) -> None:
    with transaction(database) as session:
        shop = Planted.store(session)
        for name in ("Ada", "Ben"):
            shop.person(name, region="Ohio")
        where = parse({"where": TEXAS})
        segment = segments.save(session, name="Texans", definition=where, by="mia", now=NOW).id
        segments_refresh.refresh(session, segment, now=NOW)
    with transaction(database) as slow:
        slow.execute(update(Address).where(Address.customer_id == shop.ids["Ada"]).values(region="Texas"))
        with transaction(database) as session:
            session.execute(update(Address).where(Address.customer_id == shop.ids["Ben"]).values(region="Texas"))
        for minutes, size in ((1, 1), (2, 1)):
            with transaction(database) as session:
                done = segments_refresh.refresh(session, segment, now=NOW + minutes * MINUTE)
                assert (done.size, done.whole) == (size, False)
    with transaction(database) as session:
        done = segments_refresh.refresh(session, segment, now=NOW + 3 * MINUTE)
        assert (done.size, done.entered, done.whole) == (2, 1, False)


def test_very_many_changes_at_once_are_noted_for_everybody(session: Session) -> None:
    Planted.store(session)
    session.execute(
        text("insert into customers (first_seen_at) select :seen from generate_series(1, 6000)"), {"seen": NOW - DAY}
    )
    assert session.execute(select(func.count(), func.max(Touched.customer_id))).one() == (1, None)
    ahead = store.business_now(session) + DAY
    session.execute(text("update customers set last_seen_at = :ahead"), {"ahead": ahead})
    dated = select(Touched.at).where(Touched.at == ahead, Touched.customer_id.is_(None))
    assert session.scalars(dated.distinct()).all() == [ahead]


@pytest.mark.parametrize(
    ("where", "lasts"),
    [
        (WHERE, True),
        ({**RICH, "value": {"percentile": 75}}, False),
        ({**RICH, "during": {"last": "30d"}}, False),
        ({**NEVER, "during": {"last": "30d"}}, False),
        ({"type": "rank", "metric": "ltv", "percent": 10}, False),
        ({"type": "metric", "name": "days_since_last_order", "op": "gt", "value": 30}, False),
        ({"type": "attribute", "name": "birthday", "op": "anniversary_in_next", "value": "7d"}, False),
        ({"type": "activity", "name": "order", "measure": "days_since_last", "op": "gt", "value": 30}, False),
        ({"type": "not", "of": {"type": "any", "of": [VIP, {**NEVER, "during": {"last": "1d"}}]}}, False),
    ],
)
def test_only_what_rests_on_a_persons_own_rows_and_not_on_time_is_asked_so(
    shop: Planted, where: dict[str, Any], *, lasts: bool
) -> None:
    scope = segments.scope(shop.session, now=NOW)
    definition = parse({"where": where})
    assert rests_on_own_rows(definition.where, scope.catalog, scope.resolve) == lasts
    other = segments.save(shop.session, name="Other", definition=definition, by="mia", now=NOW)
    through = parse({"where": {"type": "segment", "id": other.id}})
    assert rests_on_own_rows(through.where, scope.catalog, scope.resolve) == lasts


def test_a_new_version_asks_everybody(shop: Planted) -> None:
    segment = segments.save(shop.session, name="Some", definition=parse({"where": TEXAS}), by="mia", now=NOW).id
    segments_refresh.refresh(shop.session, segment, now=NOW)
    changed = parse({"where": WHERE})
    segments_versions.update(shop.session, segment, definition=changed, expected_version=1, by="mia", now=NOW)
    assert refreshed(shop, segment, NOW + MINUTE).whole


def test_a_new_version_of_a_segment_inside_another_moves_the_members_of_the_outer_one(shop: Planted) -> None:
    def saved(name: str, where: dict[str, Any]) -> int:
        return segments.save(shop.session, name=name, definition=parse({"where": where}), by="mia", now=NOW).id

    inner = saved("Inner", TEXAS)
    middle = saved("Middle", {"type": "not", "of": {"type": "segment", "id": inner}})
    outer = saved("Outer", {"type": "all", "of": [{"type": "segment", "id": middle}, RICH]})
    assert segments_refresh.refresh(shop.session, outer, now=NOW).size == 0
    assert not segments_refresh.refresh(shop.session, outer, now=NOW + MINUTE).whole
    changed = parse({"where": NEVER})
    segments_versions.update(shop.session, inner, definition=changed, expected_version=1, by="mia", now=NOW)
    done = segments_refresh.refresh(shop.session, outer, now=NOW + 2 * MINUTE)
    assert (done.size, done.entered, done.whole) == (1, 1, True)


def test_what_rests_on_tables_that_nobody_watches_asks_everybody(shop: Planted) -> None:
    triggers = text(
        "select distinct event_object_table from information_schema.triggers where trigger_name like 'touch%'"
    )
    assert set(shop.session.scalars(triggers)) == KEYS.keys() | SHARED
    known = segments.scope(shop.session, now=NOW).catalog.activities
    unwatched = next(name for name, one in known.items() if one.table not in KEYS)
    where = {"type": "activity", "name": unwatched, "op": "none"}
    segment = segments.save(shop.session, name="Some", definition=parse({"where": where}), by="mia", now=NOW).id
    for now in (NOW, NOW + MINUTE):
        assert segments_refresh.refresh(shop.session, segment, now=now).whole
