"""What becomes of a line: is it taken, or set aside, and why?

Every line of the file goes into exactly one bucket, so lines, pieces and amounts of the buckets add up to the file.
The first of these that is true decides: said before, unreadable, nobody's, no product, priced below zero, free, in a
currency without a rate, given back, sold.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from domain.ingest import codes, values
from domain.ingest.codes import NotAProduct
from domain.ingest.values import Instants, Numbers

Row = Sequence[Any]
"""A line as it comes from the file: its number, whether it repeats an earlier one, then the text of each column."""

FIRST_COLUMN = 2
MOST_PIECES = 2**31 - 1
LARGEST_AMOUNT = Decimal(10) ** 12
REMEMBERED = 200_000
EXAMPLES = 5
ZERO = Decimal(0)

UNREAD = ("no order number", "neither code nor name of a product", "no date", "no quantity", "no price")
"""What a line lacks that was not there or could not be read, in the order of ``Reader.trouble``."""


class Bucket(StrEnum):
    """Where a line can end up."""

    ITEM = "order_items"
    MERGED = "merged"
    REFUND = "refunds"
    DUPLICATE = "duplicates"
    UNREADABLE = "unreadable"
    NO_CUSTOMER = "no_customer"
    NO_CUSTOMER_REFUND = "no_customer_refund"
    NOT_A_PRODUCT = "not_a_product"
    NEGATIVE_PRICE = "negative_price"
    FREE = "free"
    NO_RATE = "no_rate"


MEANING: Mapping[Bucket, str] = {
    Bucket.ITEM: "lines of orders",
    Bucket.MERGED: "added to a line of the same order, product and price",
    Bucket.REFUND: "refunds to the customer (negative quantity)",
    Bucket.DUPLICATE: "the same as an earlier line in every column",
    Bucket.UNREADABLE: "unreadable",
    Bucket.NO_CUSTOMER: "nobody knows who bought it",
    Bucket.NO_CUSTOMER_REFUND: "returns and stock corrections without a customer",
    Bucket.NOT_A_PRODUCT: "postage, fees, discounts, vouchers",
    Bucket.NEGATIVE_PRICE: "priced below zero: a correction in the books",
    Bucket.FREE: "free of charge: given away, not bought",
    Bucket.NO_RATE: "in a currency without a rate",
}

TAKEN = frozenset({Bucket.ITEM, Bucket.MERGED, Bucket.REFUND})


@dataclass(slots=True)
class Tally:
    """What a bucket holds; ``amount`` is quantity x price as the file writes them, unrounded."""

    lines: int = 0
    quantity: int = 0
    amount: Decimal = ZERO


@dataclass(slots=True)
class Line:
    """A line that was read.

    ``product`` is the key of its code, ``amount`` quantity x price, or zero where one is missing.
    """

    number: int
    repeated: bool
    order: str | None
    at: datetime | None
    customer: str | None
    code: str | None
    title: str | None
    quantity: Decimal | None
    price: Decimal | None
    amount: Decimal
    product: str
    row: Row

    @property
    def pieces(self) -> int:
        """The quantity as a whole number."""
        return int(self.quantity or 0)


@dataclass
class Ledger:
    """The buckets, and why lines could not be read."""

    tallies: dict[Bucket, Tally] = field(default_factory=lambda: {bucket: Tally() for bucket in Bucket})
    troubles: Counter[str] = field(default_factory=Counter)
    examples: list[int] = field(default_factory=list)

    def put(self, bucket: Bucket, line: Line, trouble: str | None = None) -> None:
        """Count a line."""
        tally = self.tallies[bucket]
        tally.lines += 1
        if line.quantity is not None and line.quantity == line.quantity.to_integral_value():
            tally.quantity += int(line.quantity)
        tally.amount += line.amount
        if trouble:
            self.troubles[trouble] += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(line.number)

    def put_broken(self, number: int) -> None:
        """Count a line that has more or fewer columns than the heading."""
        self.tallies[Bucket.UNREADABLE].lines += 1
        self.troubles["not as many columns as the heading"] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(number)


@dataclass(frozen=True)
class Rules:
    """How the lines of one file are to be read.

    ``fields`` are the columns in the order of the rows; ``currency`` is that of amounts whose line names none;
    ``rates`` say what one unit of another currency is worth in the store's.
    """

    fields: tuple[str, ...]
    numbers: Mapping[str, Numbers]
    instants: Instants
    set_aside: Mapping[str, NotAProduct]
    store_currency: str
    currency: str
    rates: Mapping[str, Decimal]
    now: datetime


class Reader:
    """Reads rows by the rules; values that come again, and nearly all do, are read once."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._position = {name: number for number, name in enumerate(rules.fields, start=FIRST_COLUMN)}
        self._keys = _Memory(lambda code: codes.key(code or ""))
        self._texts = _Memory(values.text)
        self._identifiers = _Memory(values.identifier)
        self._emails = _Memory(values.email)
        self._instants = _Memory(rules.instants.read)
        self._numbers = {name: _Memory(style.read) for name, style in rules.numbers.items()}

    def line(self, row: Row) -> Line:
        """The line of a row."""
        title = self.text(row, "title")
        code = self.identifier(row, "product") or title
        quantity, price = self.number(row, "quantity"), self.number(row, "price")
        return Line(
            number=row[0],
            repeated=row[1],
            order=self.identifier(row, "order"),
            at=self.instant(row, "date"),
            customer=self.identifier(row, "customer") or self.email(row),
            code=code,
            title=title,
            quantity=quantity,
            price=price,
            amount=ZERO if quantity is None or price is None else quantity * price,
            product=self._keys[code],
            row=row,
        )

    def text(self, row: Row, name: str) -> str | None:
        """A column's text, cleaned."""
        position = self._position.get(name)
        found: str | None = None if position is None else self._texts[row[position]]
        return found

    def identifier(self, row: Row, name: str) -> str | None:
        """A column's key."""
        position = self._position.get(name)
        found: str | None = None if position is None else self._identifiers[row[position]]
        return found

    def email(self, row: Row) -> str | None:
        """The row's email address."""
        position = self._position.get("email")
        found: str | None = None if position is None else self._emails[row[position]]
        return found

    def instant(self, row: Row, name: str) -> datetime | None:
        """A column's instant."""
        position = self._position.get(name)
        found: datetime | None = None if position is None else self._instants[row[position]]
        return found

    def number(self, row: Row, name: str) -> Decimal | None:
        """A column's number."""
        position = self._position.get(name)
        found: Decimal | None = None if position is None else self._numbers[name][row[position]]
        return found

    def trouble(self, line: Line) -> str | None:
        """Why a line cannot be used, if so."""
        needed = (line.order, line.code, line.at, line.quantity, line.price)
        if None in needed:
            return UNREAD[needed.index(None)]
        if line.at and line.at > self._rules.now:
            return "dated in the future"
        quantity = line.quantity or ZERO
        if quantity != quantity.to_integral_value():
            return "no whole quantity"
        return "too large to be true" if abs(quantity) > MOST_PIECES or abs(line.amount) >= LARGEST_AMOUNT else None

    def bucket(self, line: Line) -> Bucket | None:
        """Where a readable line goes that is set aside; None for one that is taken."""
        quantity, price = line.quantity or ZERO, line.price or ZERO
        if line.customer is None:
            return Bucket.NO_CUSTOMER_REFUND if quantity < 0 else Bucket.NO_CUSTOMER
        if self.is_set_aside(line):
            return Bucket.NOT_A_PRODUCT
        if price < 0:
            return Bucket.NEGATIVE_PRICE
        return Bucket.FREE if not quantity or not price else None

    def is_set_aside(self, line: Line) -> bool:
        """Whether the line's code stands for something that is no product."""
        return line.product in self._rules.set_aside


class _Memory(dict[str | None, Any]):
    """Answers of a function, kept until there are too many."""

    def __init__(self, read: Callable[[str | None], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, value: str | None) -> Any:
        if len(self) >= REMEMBERED:
            self.clear()
        answer = self[value] = self._read(value)
        return answer
