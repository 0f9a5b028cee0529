"""What sells, and what does the web say about it?

The store's own catalog and sales always answer; the web answers too when somebody has configured a search. What comes
from the web is cut down to short facts before anything else sees it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from db.orders import Order, OrderItem
from db.products import Product
from domain.errors import Unavailable
from services.segments import Value

PERIOD = timedelta(days=365)
SELLERS = 8
FINDINGS = 5
SHORTEST_WORD = 3
TITLE, TEXT = 120, 200


class Seller(Value):
    """A product of the store and what it sold in the last 365 days."""

    title: str
    category: str | None
    price: Decimal | None
    buyers: int
    orders: int
    revenue: Decimal


class Finding(Value):
    """A fact from the web: plain text, at most 200 characters, and the page it stands on."""

    title: str
    text: str
    url: str


class Research(Value):
    """``source`` says whether the web was asked; ``note`` says why not, in words for people."""

    source: Literal["web", "store"]
    note: str
    sellers: tuple[Seller, ...]
    findings: tuple[Finding, ...] = ()


class Web(Protocol):
    """A web search."""

    def search(self, query: str, *, limit: int) -> Sequence[Finding]:
        """At most ``limit`` findings. Raises Unavailable."""
        ...


def report(found: tuple[Seller, ...], query: str, *, web: Web | None) -> Research:
    """What the store sells and what the web says; no transaction waits for the web here."""
    if web is None:
        note = "From the store's own catalog and sales; no web search is configured."
        return Research(source="store", note=note, sellers=found)
    try:
        findings = tuple(web.search(query, limit=FINDINGS))
    except Unavailable as error:
        note = f"From the store's own catalog and sales; the web search failed: {error.message}"
        return Research(source="store", note=note, sellers=found)
    return Research(source="web", note="From the store's sales and a web search.", sellers=found, findings=findings)


def sellers(session: Session, query: str, *, now: datetime) -> tuple[Seller, ...]:
    """The best sellers whose title or category holds a word of ``query``; of all products, if none does."""
    words = [word for word in query.split() if len(word) >= SHORTEST_WORD]
    named = sa.or_(
        *(column.icontains(word, autoescape=True) for word in words for column in (Product.title, Product.category))
    )
    return (_best(session, named, now=now) if words else ()) or _best(session, sa.true(), now=now)


def fact(title: str, text: str, url: str) -> Finding | None:
    """A finding cut down to one line of plain text; ``None`` where the address is not one of the web."""
    if not url.startswith(("https://", "http://")) or any(sign in url for sign in " \n\t<>\"'()"):
        return None
    return Finding(title=_line(title, TITLE), text=_line(text, TEXT), url=url[:500])


def _best(session: Session, which: sa.ColumnElement[bool], *, now: datetime) -> tuple[Seller, ...]:
    revenue = sa.func.sum(OrderItem.total)
    of_it = (Order.customer_id == OrderItem.customer_id) & (Order.id == OrderItem.order_id)
    wanted = (
        sa.select(
            Product.title,
            Product.category,
            Product.price,
            sa.func.count(sa.distinct(OrderItem.customer_id)),
            sa.func.count(sa.distinct(OrderItem.order_id)),
            revenue,
        )
        .join(OrderItem, OrderItem.product_id == Product.id)
        .join(Order, of_it)
        .where(which, OrderItem.ordered_at >= now - PERIOD, OrderItem.ordered_at < now)
        .where(sa.or_(Order.cancelled_at.is_(None), Order.cancelled_at > now))
        .group_by(Product.id)
        .order_by(revenue.desc(), Product.id)
        .limit(SELLERS)
    )
    return tuple(
        Seller(title=title, category=category, price=price, buyers=buyers, orders=orders, revenue=total)
        for title, category, price, buyers, orders, total in session.execute(wanted)
    )


def _line(text: str, most: int) -> str:
    flat = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"
