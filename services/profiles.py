"""Which customers are there, and what is known of one of them: facts, orders, events, messages, consent?"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from db import profiles as rows
from db.customers import Customer
from db.profiles import Sort
from domain.errors import NotFound

__all__ = ["Sort", "listed", "profile"]

PAGE = 50
TIMELINE = 100


class Value(BaseModel):
    """What these functions answer: frozen values that turn into JSON as they are."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Listed(Value):
    """A customer in a list. ``consent`` is the state on email, ``None`` if there never was one."""

    id: int
    external_id: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    first_seen_at: datetime
    city: str | None
    region: str | None
    country: str | None
    consent: str | None
    orders: int
    revenue: Decimal
    last_order_at: datetime | None

    @property
    def name(self) -> str:
        """What to call them."""
        return named(self.first_name, self.last_name, self.external_id, self.id)


class Page(Value):
    """Some of the customers that match, and how many match."""

    total: int
    number: int
    pages: int
    customers: tuple[Listed, ...]


class Happened(Value):
    """One thing in a customer's history. ``message_id`` names a message whose words are kept."""

    kind: str
    at: datetime
    title: str
    detail: str | None
    amount: Decimal | None
    state: str | None
    message_id: Any


class Agreed(Value):
    """A consent state, from when until when, and how it came about."""

    channel: str
    state: str
    method: str
    source: str | None
    since_at: datetime
    until_at: datetime | None


class Profile(Value):
    """All that is known of one customer."""

    id: int
    name: str
    facts: dict[str, Any]
    addresses: tuple[str, ...]
    tags: tuple[str, ...]
    custom: dict[str, Any]
    orders: int
    revenue: Decimal
    first_order_at: datetime | None
    last_order_at: datetime | None
    consents: tuple[Agreed, ...]
    timeline: tuple[Happened, ...]


def listed(session: Session, *, search: str = "", sort: Sort = "seen", rising: bool = False, number: int = 1) -> Page:
    """The customers whose name, address, number or id holds every word of ``search``, fifty to a page."""
    number = max(1, number)
    total, found = rows.page(session, search=search, sort=sort, rising=rising, first=PAGE, skip=PAGE * (number - 1))
    customers = tuple(Listed.model_validate(dict(row)) for row in found)
    return Page(total=total, number=number, pages=max(1, -(-total // PAGE)), customers=customers)


def profile(session: Session, customer_id: int, *, now: datetime) -> Profile:
    """One customer with the latest hundred things that happened. Raises NotFound (``unknown_customer``)."""
    found = session.get(Customer, customer_id)
    if found is None:
        raise NotFound("unknown_customer", f"There is no customer {customer_id}.", "Search the list.", "customer_id")
    sums = rows.revenue(session, customer_id)
    facts = {
        "Email": found.email,
        "Phone": found.phone,
        "Company": found.company,
        "Birthday": found.birthday,
        "Gender": found.gender,
        "Language": found.language,
        "Time zone": found.time_zone,
        "Source": found.acquisition_source,
        "Campaign": found.acquisition_campaign,
        "Id in the shop": found.external_id,
    }
    return Profile(
        id=found.id,
        name=named(found.first_name, found.last_name, found.external_id, found.id),
        facts={label: value for label, value in facts.items() if value is not None},
        addresses=tuple(_postal(row) for row in rows.addresses(session, customer_id)),
        tags=tuple(rows.tags(session, customer_id)),
        custom=found.custom,
        **sums,
        consents=tuple(Agreed.model_validate(row) for row in rows.consents(session, customer_id)),
        timeline=tuple(
            Happened.model_validate(dict(row)) for row in rows.timeline(session, customer_id, now, TIMELINE)
        ),
    )


def named(first: str | None, last: str | None, external_id: str | None, id_: int) -> str:
    return " ".join(part for part in (first, last) if part) or f"Customer {external_id or id_}"


def _postal(row: Any) -> str:
    place = " ".join(part for part in (row.region, row.postal_code) if part)
    parts = (row.line1, row.line2, row.city, place, row.country)
    return f"{row.kind.capitalize()}: " + ", ".join(part for part in parts if part)
