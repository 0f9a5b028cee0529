"""What does the file come to: which customers, products, orders and refunds?

Field names are the columns of the staging tables.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class FoundCustomer(NamedTuple):
    """A customer of the file; ``key`` is what its lines name: the shop's number, or the address where there is none."""

    key: str
    external_id: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    agreed: bool | None
    first_seen_at: datetime
    last_seen_at: datetime


class FoundAddress(NamedTuple):
    """An address a customer had something sent to; ``is_latest`` of several marks the one used last."""

    key: str
    is_latest: bool
    line1: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None


class FoundProduct(NamedTuple):
    """A product of the file; ``price`` is that of the line at ``priced_at``, the latest, in the store's currency."""

    key: str
    sku: str
    title: str
    category: str | None
    price: Decimal
    priced_at: datetime


class FoundOrder(NamedTuple):
    """An order; amounts as in ``orders``."""

    key: str
    external_id: str
    ordered_at: datetime
    cancelled_at: datetime | None
    total: Decimal
    original_currency: str | None
    original_total: Decimal | None
    conversion_rate: Decimal | None
    coupon: str | None


class FoundItem(NamedTuple):
    """A line of an order."""

    key: str
    order_external_id: str
    line: int
    product_key: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    ordered_at: datetime


class FoundRefund(NamedTuple):
    """Money given back; ``order_external_id`` only where the file says which order it was for."""

    key: str
    external_id: str
    order_external_id: str | None
    refunded_at: datetime
    amount: Decimal
