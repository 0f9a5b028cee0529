"""What does an import tell about itself: what was taken, merged and set aside, and why?"""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.ingest.lines import MEANING, TAKEN, Ledger


class Value(BaseModel):
    """Reports are frozen and turn into JSON as they are."""

    model_config = ConfigDict(frozen=True)


class BucketReport(Value):
    """A bucket: lines, pieces and quantity x price as the file writes them."""

    name: str
    taken: bool
    meaning: str
    lines: int
    quantity: int
    amount: Decimal


class CodeReport(Value):
    """A code that was taken for no product."""

    code: str
    title: str
    lines: int
    reason: str


class OddPrice(Value):
    """A price far above what the product usually costs; taken all the same."""

    code: str
    price: Decimal
    usual: Decimal


class Report(Value):
    """One import. Lines, pieces and amounts of the buckets add up to those of the file.

    ``revenue`` is what the added orders are worth, ``refunded`` what the added refunds are, in the store's currency.
    """

    file: str
    format: str
    store: str
    currency: str
    time_zone: str
    columns: dict[str, str]
    unused_columns: list[str]
    lines: int
    quantity: int
    amount: Decimal
    buckets: list[BucketReport]
    revenue: Decimal
    refunded: Decimal
    added: dict[str, int]
    changed: dict[str, int]
    codes_set_aside: list[CodeReport]
    odd_prices: list[OddPrice]
    unreadable: dict[str, int]
    unreadable_lines: list[int]
    notes: list[str]


def buckets(ledger: Ledger) -> list[BucketReport]:
    """The ledger's buckets, the taken ones first; those without a line are left out."""
    return [
        BucketReport(
            name=bucket.value,
            taken=bucket in TAKEN,
            meaning=MEANING[bucket],
            lines=tally.lines,
            quantity=tally.quantity,
            amount=tally.amount,
        )
        for bucket, tally in ledger.tallies.items()
        if tally.lines
    ]
