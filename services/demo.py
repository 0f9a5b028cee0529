"""How does a database without anything in it become a shop worth trying things on?"""

from collections import Counter
from dataclasses import fields
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db import copy, store
from db.customers import Customer
from db.orders import Order
from db.products import Product
from db.store import Store
from domain.demo import generate, products
from domain.demo.clock import Span
from domain.demo.rows import Batch, NewProduct
from domain.errors import Conflict

SEED = 7

NAME = "Kestrel Coffee & Kitchen"
TABLES = tuple(table.name for table in fields(Batch))


def is_wanted(session: Session) -> bool:
    """Whether nobody has set this database up yet: it has neither a store nor anything of one."""
    return store.current(session) is None and not _taken(session)


def load(session: Session, *, seed: int = SEED, now: datetime, customers: int) -> dict[str, int]:
    """Fill an empty database with the demo shop; the same ``seed`` and ``now`` give the same rows.

    Returns the number of rows by table. Raises Conflict (``store_not_empty``) where there is a shop already.
    """
    if _taken(session):
        raise Conflict(
            "store_not_empty",
            "This store has customers or products already; the demo store needs an empty one.",
            "Set PARLEY_HOME to another folder to run a demo store beside it.",
        )
    session.merge(
        Store(
            id=1,
            name=NAME,
            currency="USD",
            time_zone="America/Chicago",
            postal_address=f"{NAME}, 100 Example Street, Austin, TX 78701, USA",
            sender_name=NAME,
            sender_email="hello@kestrel.example.com",
            demo=True,
            seed=seed,
            created_at=now,
        )
    )
    session.flush()
    loaded = Counter({"products": copy.rows(session, "products", NewProduct._fields, products.rows(Span.until(now)))})
    for batch in generate(seed=seed, now=now, count=customers):
        for table in TABLES:
            rows = getattr(batch, table)
            if rows:
                loaded[table] += copy.rows(session, table, type(rows[0])._fields, rows)
    copy.continue_ids(session, *loaded)
    for table in loaded:
        session.execute(text(f"analyze {table}"))
    return dict(loaded)


def _taken(session: Session) -> bool:
    return any(session.scalar(select(table.id).limit(1)) is not None for table in (Customer, Product, Order))
