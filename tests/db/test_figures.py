"""Are a customer's figures always what their orders and refunds come to, whatever is written, and by how many?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from db.customers import Customer
from db.orders import Order, Refund
from db.session import transaction
from tests.planted import NOW, Planted

DAY = timedelta(days=1)

TRUTH = {
    "order_figures": """
        select o.customer_id, count(v.id), sum(v.total), max(v.total), min(v.total), min(v.ordered_at),
               max(v.ordered_at), greatest(max(o.ordered_at), max(o.cancelled_at))
        from orders o left join orders v on v.customer_id = o.customer_id and v.id = o.id and v.cancelled_at is null
        group by 1 order by 1
    """,
    "refund_figures": """
        select r.customer_id, count(*) filter (where o.cancelled_at is null),
               sum(amount) filter (where o.cancelled_at is null), greatest(max(refunded_at), max(cancelled_at))
        from refunds r left join orders o on o.customer_id = r.customer_id and o.id = r.order_id group by 1 order by 1
    """,
}


def agree(session: Session) -> None:
    for table, truth in TRUTH.items():
        kept = session.execute(text(f"select * from {table} order by 1")).all()
        assert kept == session.execute(text(truth)).all(), table


@pytest.fixture
def shop(session: Session) -> Planted:
    shop = Planted.store(session)
    for name in ("Ada", "Ben", "Cleo"):
        shop.person(name)
    return shop


def test_orders_and_refunds_are_counted_as_they_are_written(shop: Planted) -> None:
    shop.order("Ada", 100, 30 * DAY, refund=10)
    shop.order("Ada", 50, 10 * DAY, cancelled_ago=5 * DAY, refund=5, refund_ago=4 * DAY)
    shop.order("Ben", 20, -3 * DAY)
    agree(shop.session)
    (ada,) = shop.session.execute(text("select * from order_figures where customer_id = :id"), {"id": shop.ids["Ada"]})
    assert (ada.orders, ada.total, ada.settled_at) == (1, Decimal(100), NOW - 5 * DAY)


STEPS: tuple[Callable[[Planted, Random], Any], ...] = (
    lambda shop, chance: shop.order(_who(shop, chance), chance.randint(1, 500), chance.randint(-5, 90) * DAY),
    lambda shop, chance: shop.order(_who(shop, chance), 30, 9 * DAY, cancelled_ago=chance.randint(-9, 9) * DAY),
    lambda shop, chance: shop.order(_who(shop, chance), 80, 9 * DAY, refund=5, refund_ago=chance.randint(-9, 9) * DAY),
    lambda shop, chance: shop.session.execute(_of_one(shop, chance, update(Order).values(cancelled_at=NOW))),
    lambda shop, chance: shop.session.execute(_of_one(shop, chance, update(Order).values(cancelled_at=None))),
    lambda shop, chance: shop.session.execute(_of_one(shop, chance, update(Order).values(total=Order.total + 1))),
    lambda shop, chance: shop.session.execute(delete(Refund).where(Refund.customer_id == _id(shop, chance))),
    lambda shop, chance: shop.session.execute(_of_one(shop, chance, delete(Order))),
)


def _who(shop: Planted, chance: Random) -> str:
    return chance.choice(sorted(shop.ids))


def _id(shop: Planted, chance: Random) -> int:
    return shop.ids[_who(shop, chance)]


def _of_one(shop: Planted, chance: Random, statement: Any) -> Any:
    ids = shop.session.scalars(select(Order.id).order_by(Order.id)).all()
    return statement.where(Order.id == (chance.choice(ids) if ids else 0))


@pytest.mark.parametrize("seed", range(5))
def test_they_stay_right_through_any_changes(shop: Planted, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - changes to try
    for _ in range(30):
        chance.choice(STEPS)(shop, chance)
        agree(shop.session)


def test_an_order_that_moves_to_another_customer_is_taken_from_the_first(shop: Planted) -> None:
    shop.order("Ada", 100, 30 * DAY)
    shop.session.execute(update(Order).values(customer_id=shop.ids["Ben"]))
    agree(shop.session)


def test_who_is_erased_leaves_no_figures(shop: Planted) -> None:
    shop.order("Ada", 100, 30 * DAY, refund=10)
    shop.order("Ben", 100, 30 * DAY)
    shop.session.execute(delete(Customer).where(Customer.id == shop.ids["Ada"]))
    agree(shop.session)


def test_who_writes_about_one_customer_at_once_is_counted_whole(database: str) -> None:
    with transaction(database) as session:
        shop = Planted.store(session)
        ids = [shop.person(f"P{i}") for i in range(40)]
    together = Barrier(5)

    def order(turn: int) -> None:
        for customer in ids:
            together.wait()
            with transaction(database) as session:
                session.add(_order(customer, turn, NOW - turn * DAY))

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(order, range(5)))
    with transaction(database) as session:
        agree(session)
        assert session.scalar(text("select sum(orders) from order_figures")) == 40 * 5


def test_an_order_cancelled_while_its_refund_is_written_takes_the_refund_along(database: str) -> None:
    with transaction(database) as session:
        shop = Planted.store(session)
        ada = shop.person("Ada")
        order = shop.order("Ada", 100, 30 * DAY)
    cancelled = Event()

    def refund() -> None:
        cancelled.wait()
        with transaction(database) as session:
            session.add(Refund(customer_id=ada, order_id=order, external_id="R1", refunded_at=NOW, amount=Decimal(30)))

    with ThreadPoolExecutor(1) as pool, transaction(database) as session:
        session.execute(update(Order).values(cancelled_at=NOW))
        done = pool.submit(refund)
        cancelled.set()
        wait([done], timeout=0.5)
        session.commit()
        done.result()
    with transaction(database) as session:
        agree(session)


def test_an_emptied_table_leaves_no_figures(shop: Planted) -> None:
    shop.order("Ada", 100, 30 * DAY, refund=10)
    shop.session.execute(text("truncate orders cascade"))
    agree(shop.session)


def _order(customer_id: int, number: int, at: datetime) -> Order:
    return Order(customer_id=customer_id, external_id=f"#{number}", ordered_at=at, total=Decimal(10))
