"""What would a coffee and kitchen shop's database look like after two years of trading?

Everything follows from the seed and the instant asked about: the same two give the same rows on every machine. People
are made one after the other, each from a random stream of its own, so a store of 100 begins a store of 20,000.
Nobody in it exists: street addresses are left out, phone numbers come from the ranges that regulators keep for fiction.
"""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from domain.demo import consent, customers, events, orders, people
from domain.demo.clock import Span
from domain.demo.rows import Batch

BATCH = 2_000


def generate(*, seed: int, now: datetime, count: int) -> Iterator[Batch]:
    """Rows of ``count`` customers in batches that can be written one after the other; ids start at 1.

    Nothing in them is later than ``now``, which must carry a time zone.
    """
    span = Span.until(now)
    registry = customers.Registry()
    mailings = events.newsletters(span)
    batch = Batch()
    for number in range(1, count + 1):
        random = Random((seed << 32) + number)  # noqa: S311 - a believable shop, not a secret
        person = people.draw(number, random, span)
        phone = registry.phone(person, random)
        purchases = orders.simulate(person, random, span)
        agreed = consent.draw(person, purchases, random, span, phone=phone)
        happened = events.draw(person, purchases, agreed, mailings, random, span)
        orders.write(person, purchases, batch, registry)
        events.write(person, happened, batch, registry)
        consent.write(person, agreed, batch, registry)
        life = customers.Life(person, phone, purchases, agreed, happened)
        customers.write(life, batch, registry, random, span)
        if number % BATCH == 0:
            yield batch
            batch = Batch()
    if batch.customers:
        yield batch
