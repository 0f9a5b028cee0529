"""Which orders, refunds, customers and products do the lines come to?

An order is all lines with its number and the same customer; where several lines share an order, values that only one of
them carries (the customer, the coupon) hold for all. Its total is the sum of its products: postage, fees and whatever
else is no product are not revenue. Where the file states on an order's first line alone what its products cost together
(after a discount, say), that is the total.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from domain import countries
from domain.ingest import codes, values
from domain.ingest.lines import ZERO, Bucket, Ledger, Line, Reader, Row, Rules
from domain.ingest.rows import FoundAddress, FoundCustomer, FoundItem, FoundOrder, FoundProduct, FoundRefund

CENT = Decimal("0.01")
PLACE = ("street", "city", "region", "postal_code", "country")
ODD_TIMES = 20
"""A price this many times the product's median is pointed out; it is taken all the same."""


T = TypeVar("T")


@dataclass
class Found:
    """What some lines come to."""

    orders: list[FoundOrder] = field(default_factory=list)
    items: list[FoundItem] = field(default_factory=list)
    refunds: list[FoundRefund] = field(default_factory=list)


@dataclass(slots=True)
class _Person:
    external_id: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    agreed: bool | None = None
    orders: tuple[datetime, datetime] | None = None
    lines: tuple[datetime, datetime] | None = None
    places: dict[tuple[str | None, ...], datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Article:
    spellings: Counter[str] = field(default_factory=Counter)
    titles: Counter[str] = field(default_factory=Counter)
    prices: Counter[Decimal] = field(default_factory=Counter)
    category: str | None = None
    latest: tuple[datetime, int, Decimal] | None = None


class Assembler:
    """Takes the file order by order; what is about more than one order adds up here."""

    def __init__(self, rules: Rules, email_template: str | None) -> None:
        self.ledger = Ledger()
        self.unknown_countries: Counter[str] = Counter()
        self._rules = rules
        self._reader = Reader(rules)
        self._email_template = email_template
        self._people: dict[str, _Person] = {}
        self._articles: dict[str, _Article] = {}

    def take(self, rows: Iterable[Row], found: Found) -> None:
        """Add what all lines of one order number come to."""
        reader, ledger = self._reader, self.ledger
        lines = list(self._new(rows))
        _share(lines)
        currency, rate = self._money(lines)
        named: dict[str, list[Line]] = {}
        taken: dict[str, list[Line]] = {}
        for line in lines:
            trouble = reader.trouble(line)
            if trouble:
                ledger.put(Bucket.UNREADABLE, line, trouble)
                continue
            bucket = reader.bucket(line) or (Bucket.NO_RATE if rate is None else None)
            if bucket:
                ledger.put(bucket, line)
            if line.customer is not None:
                named.setdefault(line.customer, []).append(line)
                if bucket is None:
                    taken.setdefault(line.customer, []).append(line)
            if rate is not None:
                self._stock(line, rate)
        for customer, theirs in named.items():
            self._meet(customer, theirs)
            if rate is not None and customer in taken:
                self._order(taken[customer], lines, (currency, rate), found)

    def customers(self) -> Iterable[FoundCustomer]:
        """Everybody a readable line names, in the order of their keys."""
        for key, person in sorted(self._people.items()):
            span = person.orders or person.lines
            if span:
                email = person.email
                if email is None and self._email_template and person.external_id:
                    email = values.email(self._email_template.replace("{id}", person.external_id))
                yield FoundCustomer(
                    key, person.external_id, email, person.first_name, person.last_name, person.agreed, *span
                )

    def addresses(self) -> Iterable[FoundAddress]:
        """Where people had things sent."""
        for key, person in sorted(self._people.items()):
            latest = max(person.places, key=lambda place: person.places[place], default=None)
            for place in person.places:
                yield FoundAddress(key, place == latest, *place)

    def products(self) -> Iterable[FoundProduct]:
        """Everything that was ever sold at a price."""
        for key, article in sorted(self._articles.items()):
            if article.latest:
                at, _, price = article.latest
                sku = codes.most_frequent(article.spellings)
                title = codes.most_frequent(article.titles) if article.titles else sku
                yield FoundProduct(key, sku, title, article.category, price, at)

    def odd_prices(self) -> list[tuple[str, Decimal, Decimal]]:
        """Product, price and usual price, where a product was sold for many times what it usually costs."""
        odd = []
        for article in self._articles.values():
            usual = _median(article.prices)
            odd += [
                (codes.most_frequent(article.spellings), price, usual)
                for price in article.prices
                if price > ODD_TIMES * usual
            ]
        return sorted(odd, key=lambda one: one[1], reverse=True)

    def _new(self, rows: Iterable[Row]) -> Iterator[Line]:
        for row in rows:
            line = self._reader.line(row)
            if line.repeated:
                self.ledger.put(Bucket.DUPLICATE, line)
            else:
                yield line

    def _money(self, lines: Sequence[Line]) -> tuple[str, Decimal | None]:
        """The order's currency, and what one unit is worth in the store's."""
        currency = (self._told(lines, "currency") or self._rules.currency).upper()
        return currency, Decimal(1) if currency == self._rules.store_currency else self._rules.rates.get(currency)

    def _order(self, taken: Sequence[Line], whole: Sequence[Line], money: tuple[str, Decimal], found: Found) -> None:
        sold = [line for line in taken if line.pieces > 0]
        returned = [line for line in taken if line.pieces < 0]
        ordered_at = min(_at(line) for line in sold) if sold else None
        customer, number = taken[0].customer or "", taken[0].order or ""
        if ordered_at:
            self._sale(ordered_at, sold, whole, money, found)
        if returned:
            for line in returned:
                self.ledger.put(Bucket.REFUND, line)
            amount = _cents(sum((-line.amount for line in returned), ZERO) * money[1])
            at = min(_at(line) for line in returned)
            found.refunds.append(FoundRefund(customer, number, number if ordered_at else None, at, amount))

    def _sale(
        self,
        ordered_at: datetime,
        sold: Sequence[Line],
        whole: Sequence[Line],
        money: tuple[str, Decimal],
        found: Found,
    ) -> None:
        customer, number, (currency, rate) = sold[0].customer or "", sold[0].order or "", money
        items: dict[tuple[str, Decimal], int] = {}
        for line in sold:
            same = line.product, line.price or ZERO
            self.ledger.put(Bucket.MERGED if same in items else Bucket.ITEM, line)
            items[same] = items.get(same, 0) + line.pieces
        original = sum((_cents(quantity * price) for (_, price), quantity in items.items()), ZERO)
        stated = self._told_once(whole, "order_total")
        if stated is not None and stated >= 0:
            original = _cents(stated)
        converted = currency != self._rules.store_currency
        person = self._people[customer]
        person.orders = _wider(person.orders, ordered_at)
        cancelled_at = self._first(self._reader.instant, whole, "cancelled")
        found.orders.append(
            FoundOrder(
                key=customer,
                external_id=number,
                ordered_at=ordered_at,
                cancelled_at=cancelled_at,
                total=_cents(original * rate),
                original_currency=currency if converted else None,
                original_total=original if converted else None,
                conversion_rate=rate if converted else None,
                coupon=self._told(whole, "coupon"),
            )
        )
        found.items += [
            FoundItem(
                key=customer,
                order_external_id=number,
                line=position,
                product_key=product,
                quantity=quantity,
                unit_price=_cents(price * rate),
                total=_cents(quantity * price * rate),
                ordered_at=ordered_at,
            )
            for position, ((product, price), quantity) in enumerate(items.items(), start=1)
        ]
        refunded = self._told_once(whole, "refunded")
        if refunded and refunded > 0 and cancelled_at is None:  # a cancelled order counts nothing as it is
            amount = _cents(refunded * rate)
            found.refunds.append(FoundRefund(customer, f"{number} refund", number, ordered_at, amount))

    def _told_once(self, lines: Sequence[Line], name: str) -> Decimal | None:
        """A number that one line carries for the whole order; on each line it would be about that line."""
        if name not in self._rules.fields:
            return None
        told = [number for line in lines if (number := self._reader.number(line.row, name)) is not None]
        return told[0] if len(told) == 1 else None

    def _meet(self, key: str, lines: Sequence[Line]) -> None:
        """What an order tells about who placed it."""
        person = self._people.get(key)
        if person is None:
            person = self._people[key] = _Person()
        at = _at(lines[0])
        for line in lines:
            at = max(at, _at(line))
            person.lines = _wider(person.lines, _at(line))
        person.external_id = person.external_id or self._first(self._reader.identifier, lines, "customer")
        person.email = next((email for line in lines if (email := self._reader.email(line.row))), person.email)
        first, last, whole = (self._told(lines, name) for name in ("first_name", "last_name", "full_name"))
        if whole and not first and not last:
            first, _, last = whole.rpartition(" ") if " " in whole else (whole, "", "")
        person.first_name, person.last_name = first or person.first_name, last or person.last_name
        if person.agreed is None:
            person.agreed = values.yes(self._told(lines, "agreed"))
        place = self._place(lines)
        if any(place):
            person.places[place] = max(at, person.places.get(place, at))

    def _place(self, lines: Sequence[Line]) -> tuple[str | None, ...]:
        street, city, region, postal_code, told = (self._told(lines, name) for name in PLACE)
        country = countries.code(told) if told else None
        if told and country is None:
            self.unknown_countries[told] += 1
        if region and country == "US":
            region = countries.state(region)
        return street, city, region, postal_code, country

    def _told(self, lines: Sequence[Line], name: str) -> str | None:
        """The first text any of the lines has in a column."""
        return self._first(self._reader.text, lines, name)

    def _first(self, read: Callable[[Row, str], T | None], lines: Sequence[Line], name: str) -> T | None:
        if name not in self._rules.fields:
            return None
        return next((found for line in lines if (found := read(line.row, name)) is not None), None)

    def _stock(self, line: Line, rate: Decimal) -> None:
        price = line.price or ZERO
        if line.pieces <= 0 or price <= 0 or self._reader.is_set_aside(line):
            return
        article = self._articles.get(line.product)
        if article is None:
            article = self._articles[line.product] = _Article()
        article.spellings[line.code or ""] += 1
        article.prices[price] += 1
        if line.title:
            article.titles[line.title] += 1
        article.category = self._reader.text(line.row, "category") or article.category
        if article.latest is None or (_at(line), line.number) >= article.latest[:2]:
            article.latest = _at(line), line.number, _cents(price * rate)


def _share(lines: Sequence[Line]) -> None:
    """Give every line of an order the customer and the date that only some of them carry."""
    customers = {line.customer for line in lines if line.customer is not None}
    dates = [line.at for line in lines if line.at is not None]
    for line in lines:
        if line.customer is None and len(customers) == 1 and line.order is not None:
            line.customer = next(iter(customers))
        if line.at is None and dates and line.order is not None:
            line.at = min(dates)


def _median(prices: Counter[Decimal]) -> Decimal:
    """The price in the middle of all lines, the lower of two."""
    left = (prices.total() + 1) // 2
    for price in sorted(prices):
        left -= prices[price]
        if left <= 0:
            return price
    return ZERO


def _wider(span: tuple[datetime, datetime] | None, at: datetime) -> tuple[datetime, datetime]:
    return (min(span[0], at), max(span[1], at)) if span else (at, at)


def _at(line: Line) -> datetime:
    if line.at is None:
        raise ValueError(line.number)
    return line.at


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
