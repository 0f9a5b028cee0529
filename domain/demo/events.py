"""What do the demo shop's customers look at, put in the cart, open and click, and when?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from domain.demo.chance import happens, one_of
from domain.demo.clock import DAY, HOUR, Span, black_friday, day_of, instant, on_day
from domain.demo.consent import Agreements
from domain.demo.orders import Purchase, Purchases, pick
from domain.demo.people import BUSINESS, VISITOR, Person, first_day
from domain.demo.products import Article, Use
from domain.demo.rows import Batch, NewEvent, Numbers

ENGAGEMENT_DAYS = 420
"""How far back the shop keeps what happened to its newsletters."""

TRACKED = 0.35
"""The share of orders whose visit was seen; the rest came through blockers, by phone or from another device."""

DECEMBER = 12

_PHONE, _DESKTOP = {"device": "mobile"}, {"device": "desktop"}
_BROWSED: tuple[Use, ...] = ("bean",) * 4 + ("durable",) * 4 + ("extra",) * 3 + ("gift", "supply")


@dataclass(frozen=True, slots=True)
class Newsletter:
    """One mailing, and the properties its events carry when a person and when a machine caused them."""

    day: int
    sent: int
    by_person: dict[str, Any]
    by_machine: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Happening:
    """One event in the making."""

    name: str
    at: int
    article: Article | None
    properties: dict[str, Any]


def newsletters(span: Span) -> list[Newsletter]:
    """The shop's mailings: one a month, and a few before the big days, oldest first."""
    planned: list[tuple[int, str]] = []
    first, last = day_of(span.end - ENGAGEMENT_DAYS * DAY), day_of(span.end)
    for year in range(first.year, last.year + 1):
        for month in range(1, 13):
            tuesday = first_day(year, month, 1) // DAY + (4 - first_day(year, month, 1) // DAY + 1) % 7
            planned.append((tuesday, f"{year}-{month:02} newsletter"))
        planned.append((black_friday(year), f"Black Friday {year}"))
        planned.append((first_day(year, 12, 8) // DAY, f"Holiday gifts {year}"))
        planned.append((first_day(year, 6, 20) // DAY, f"Cold brew season {year}"))
    return [
        Newsletter(day, day * DAY + 14 * HOUR, {"campaign": name}, {"campaign": name, "machine": True})
        for day, name in sorted(planned)
        if span.end - ENGAGEMENT_DAYS * DAY <= day * DAY + 14 * HOUR < span.end
    ]


def draw(
    person: Person,
    purchases: Purchases,
    agreed: Agreements,
    mailings: Sequence[Newsletter],
    random: Random,
    span: Span,
) -> list[Happening]:
    """Everything one person did before the end of ``span``, oldest first; orders are not events."""
    found = list(_mail(person, purchases, agreed, mailings, random))
    for order in purchases.orders:
        if order.source != "phone" and happens(TRACKED, random):
            found += _ordering(order, person, random)
        if happens(0.035, random):
            at = order.at + int((6 + random.random() * 20) * DAY)
            rating = 5 - int(random.random() ** 2.2 * 5)
            found.append(Happening("product_reviewed", at, order.lines[0][0], {"rating": rating}))
    found += _visits(person, purchases, random, span)
    return sorted((event for event in found if person.joined <= event.at < span.end), key=lambda event: event.at)


def write(person: Person, happened: Sequence[Happening], batch: Batch, ids: Numbers) -> None:
    """Add the rows of one person's events to a batch."""
    for event in happened:
        ids.event += 1
        product_id = event.article.id if event.article else None
        batch.events.append(
            NewEvent(person.number, ids.event, event.name, instant(event.at), product_id, event.properties)
        )


def _ordering(order: Purchase, person: Person, random: Random) -> Iterator[Happening]:
    device = _PHONE if person.mobile else _DESKTOP
    at = order.at - 60 - int(random.random() * 180)
    yield Happening("checkout_started", at, None, {"value": order.cents / 100, "items": len(order.lines)})
    for article, quantity, _ in order.lines[:3]:
        at -= 20 + int(random.random() * 240)
        yield Happening("added_to_cart", at, article, {"quantity": quantity})
        if happens(0.75, random):
            at -= 15 + int(random.random() * 300)
            yield Happening("product_viewed", at, article, device)


def _visits(person: Person, purchases: Purchases, random: Random, span: Span) -> Iterator[Happening]:
    """Visits without an order. Everybody looks around once; whoever left comes by now and then."""
    months = (max(purchases.active_until, person.joined + 20 * DAY) - person.joined) / (30 * DAY)
    count = int(random.expovariate(1 / max(0.1, person.kind.visits * months))) + happens(0.5, random)
    device = _PHONE if person.mobile else _DESKTOP
    for number in range(min(count, 40)):
        if number == 0:
            at = person.joined
        else:
            day = (person.joined + int(random.random() * min(months * 30 * DAY, span.end - person.joined))) // DAY
            at = max(person.joined, on_day(day, person.place.zone, person.rhythm, random))
        month = day_of(at).month
        viewed: list[Article] = []
        for _ in range(1 + int(random.random() ** 2 * 5)):
            use = "bulk" if person.kind is BUSINESS else one_of(_BROWSED, random)
            viewed.append(pick("gift" if month == DECEMBER and happens(0.3, random) else use, month, random))
            yield Happening("product_viewed", at, viewed[-1], device)
            at += 20 + int(random.random() * 200)
        if happens(0.3, random):
            chosen = one_of(viewed, random)
            yield Happening("added_to_cart", at, chosen, {"quantity": 1})
            if happens(0.35, random):
                yield Happening("checkout_started", at + 45, None, {"value": chosen.cents / 100, "items": 1})


def _mail(
    person: Person, purchases: Purchases, agreed: Agreements, mailings: Sequence[Newsletter], random: Random
) -> Iterator[Happening]:
    subscribed = agreed.mail()
    if subscribed is None:
        return
    since, until = subscribed
    zone = person.place.zone
    for mailing in mailings:
        if not since < mailing.sent < (until or mailing.sent + 1):
            continue
        sent = mailing.sent + int(random.random() * 1_200)
        yield Happening("email_sent", sent, None, mailing.by_person)
        if person.prefetched:
            yield Happening("email_opened", sent + 30 + int(random.random() * 1_800), None, mailing.by_machine)
        if person.kind is BUSINESS and happens(0.7, random):  # a scanner tries every link before the mail is let in
            yield Happening("email_opened", sent + 2, None, mailing.by_machine)
            yield Happening("email_clicked", sent + 3, None, mailing.by_machine)
        drifted = mailing.sent > purchases.active_until + 120 * DAY and person.kind is not VISITOR
        if happens(person.reads * (0.45 if drifted else 1.0), random):
            opened = on_day(mailing.day, zone, person.rhythm, random)
            while opened < sent + 60:
                opened = on_day((opened + 12 * HOUR) // DAY + 1, zone, person.rhythm, random)
            if not person.prefetched:
                yield Happening("email_opened", opened, None, mailing.by_person)
            if happens(0.13, random):
                yield Happening("email_clicked", opened + 8 + int(random.random() * 90), None, mailing.by_person)
