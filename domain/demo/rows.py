"""Which values make up one row of the demo store? Field names are column names."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple


class NewProduct(NamedTuple):
    """A row of ``products``."""

    id: int
    sku: str
    title: str
    category: str
    price: Decimal
    url: str
    created_at: datetime


class NewCustomer(NamedTuple):
    """A row of ``customers``."""

    id: int
    external_id: str
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    birthday: date | None
    gender: str | None
    language: str | None
    time_zone: str | None
    company: str | None
    acquisition_source: str | None
    acquisition_campaign: str | None
    custom: dict[str, Any]
    demo: bool
    first_seen_at: datetime
    last_seen_at: datetime
    created_at: datetime
    updated_at: datetime


class NewAddress(NamedTuple):
    """A row of ``addresses``."""

    customer_id: int
    id: int
    kind: str
    is_default: bool
    city: str | None
    region: str | None
    postal_code: str | None
    country: str


class NewTag(NamedTuple):
    """A row of ``tags``."""

    customer_id: int
    id: int
    name: str
    since_at: datetime
    until_at: datetime | None


class NewConsent(NamedTuple):
    """A row of ``consents``."""

    customer_id: int
    id: int
    channel: str
    state: str
    method: str
    source: str | None
    wording: str | None
    ip: str | None
    since_at: datetime
    until_at: datetime | None


class NewOrder(NamedTuple):
    """A row of ``orders``."""

    customer_id: int
    id: int
    external_id: str
    ordered_at: datetime
    cancelled_at: datetime | None
    total: Decimal
    coupon: str | None
    source: str


class NewItem(NamedTuple):
    """A row of ``order_items``."""

    customer_id: int
    id: int
    order_id: int
    line: int
    product_id: int
    quantity: int
    unit_price: Decimal
    total: Decimal
    ordered_at: datetime


class NewRefund(NamedTuple):
    """A row of ``refunds``."""

    customer_id: int
    id: int
    order_id: int
    external_id: str
    refunded_at: datetime
    amount: Decimal
    reason: str


class NewEvent(NamedTuple):
    """A row of ``events``."""

    customer_id: int
    id: int
    name: str
    at: datetime
    product_id: int | None
    properties: dict[str, Any]


@dataclass
class Batch:
    """Rows of some customers, to be written in this order of tables."""

    customers: list[NewCustomer] = field(default_factory=list)
    addresses: list[NewAddress] = field(default_factory=list)
    tags: list[NewTag] = field(default_factory=list)
    consents: list[NewConsent] = field(default_factory=list)
    orders: list[NewOrder] = field(default_factory=list)
    order_items: list[NewItem] = field(default_factory=list)
    refunds: list[NewRefund] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)


@dataclass
class Numbers:
    """The last id given in each table."""

    address: int = 0
    tag: int = 0
    consent: int = 0
    order: int = 0
    item: int = 0
    refund: int = 0
    event: int = 0
