"""What does each customer of the demo shop buy, when, and what do they send back?

A routine buyer runs out of things: each staple has a day on which it is needed again, the next order is placed around
the first of these days and takes along what is nearly due. Presents, sales days and things bought once come on top.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from domain.demo.chance import happens, one_of
from domain.demo.clock import DAY, HOUR, Span, at_hour, black_friday, day_of, instant
from domain.demo.people import BUSINESS, ENTHUSIAST, ONCE, VISITOR, Person, first_day
from domain.demo.products import BY_SKU, PRICE_RISE, SHELVES, Article, Use, money
from domain.demo.rows import Batch, NewItem, NewOrder, NewRefund, Numbers

WELCOME, COME_BACK, BLACK_FRIDAY, FRIENDS = "WELCOME10", "COMEBACK15", "BLACKFRIDAY20", "FRIENDS10"
PERCENT_OFF = {WELCOME: 10, COME_BACK: 15, BLACK_FRIDAY: 20, FRIENDS: 10}

NEARLY_DUE = 9 * DAY
CANCELLED, REFUNDED, REFUNDED_DURABLE = 0.012, 0.022, 0.06
_TRIED: tuple[Use, ...] = ("gift",) + ("durable",) * 3 + ("bean",) * 9 + ("extra",) * 4
"""What is bought by who orders once, outside the season of presents."""

MACHINES = tuple(BY_SKU[sku] for sku in ("EM-ONE-01", "EM-CAP-01", "EM-LEV-01", "EM-AUT-01", "EM-DUO-01"))
REASONS = ("changed mind", "damaged in transit", "wrong item", "arrived late", "not as described", "defective")


@dataclass(slots=True)
class Purchase:
    """One order in the making: ``lines`` are article, quantity and price in cents; money is in cents."""

    at: int
    lines: list[tuple[Article, int, int]]
    coupon: str | None = None
    source: str = "web"
    cancelled: int | None = None
    refund: tuple[int, int, str] | None = None

    @property
    def cents(self) -> int:
        """What is paid: the lines less the coupon."""
        whole = sum(quantity * cents for _, quantity, cents in self.lines)
        return whole - round(whole * PERCENT_OFF[self.coupon] / 100) if self.coupon else whole


@dataclass(slots=True)
class Purchases:
    """All orders of one person, oldest first; ``active_until`` is when their routine ended."""

    orders: list[Purchase] = field(default_factory=list)
    active_until: int = 0
    favourite: Article | None = None

    @property
    def cents(self) -> int:
        """What the person is worth: paid, less what was given back; cancelled orders count nothing."""
        return sum(
            order.cents - (order.refund[1] if order.refund else 0) for order in self.orders if order.cancelled is None
        )


def simulate(person: Person, random: Random, span: Span) -> Purchases:
    """The orders of one person before the end of ``span``."""
    made = Purchases(active_until=person.joined)
    if person.kind is VISITOR:
        made.active_until = min(span.end, person.joined + int(random.expovariate(1 / (90 * DAY))))
        return made
    owned: set[int] = set()
    made.orders = list(_routine(person, made, owned, random, span))
    if made.orders:
        made.orders += _on_occasions(person, made, owned, random, span)
        made.orders.sort(key=lambda order: order.at)
        first = made.orders[0]
        if person.from_popup and first.coupon is None and happens(0.6, random):
            first.coupon = WELCOME
        for order in made.orders:
            _afterwards(person, order, random, span)
    return made


def _routine(person: Person, made: Purchases, owned: set[int], random: Random, span: Span) -> Iterator[Purchase]:
    kind = person.kind
    wait = random.expovariate(1 / (7 * DAY)) if happens(0.5, random) else random.random() * 2 * HOUR
    at = person.joined + int(wait)
    staples = _staples(person, random, day_of(at).month)
    made.favourite = staples[0] if staples and staples[0].use == "bean" else None
    due = dict.fromkeys(staples, at)
    coupon = None
    first = True
    while at < span.end:
        month = day_of(at).month
        lines = []
        for article, needed in due.items():
            if needed <= at + NEARLY_DUE:
                quantity = person.bags if article.use != "supply" else 1
                lines.append((article, quantity, price(article, at, span)))
                lasts = article.lasts * quantity / max(1, person.bags) * person.pace * (0.75 + random.random() * 0.6)
                due[article] = at + int(max(5.0, lasts) * DAY)
        lines += _besides(person, owned, random, at, span, first=first or not lines)
        yield Purchase(at, lines, coupon)
        made.active_until = at
        coupon, first = None, False
        if happens(kind.churn, random):
            if kind is ONCE or not happens(0.12, random):
                return
            at += int((110 + random.random() * 190) * DAY)
            coupon = COME_BACK if happens(0.6, random) else None
            due = dict.fromkeys(due, at)
        elif happens(0.1, random):  # travel, holidays, a cupboard that is full
            due = {article: needed + int((15 + random.random() * 30) * DAY) for article, needed in due.items()}
        if not due:
            return
        slow = 1.25 if month in {7, 8} else 1.0
        next_need = min(due.values())
        at = at_hour(max(at + 3 * DAY, at + int((next_need - at) * slow)), person.place.zone, person.rhythm, random)
    made.active_until = span.end


def _on_occasions(person: Person, made: Purchases, owned: set[int], random: Random, span: Span) -> Iterator[Purchase]:
    kind, zone = person.kind, person.place.zone
    start = made.orders[0].at + 5 * DAY
    for year in range(day_of(span.start).year, day_of(span.end).year + 1):
        days = (
            (first_day(year, 11, 20) + int(random.random() * 28 * DAY), kind.gifts, "gift", None),
            (black_friday(year) * DAY + int(random.random() * 4 * DAY), kind.gifts * 0.6, "durable", BLACK_FRIDAY),
            (first_day(year, 5, 1) + int(random.random() * 9 * DAY), kind.gifts * 0.15, "gift", None),
        )
        for day, chance, use, coupon in days:
            stays = 1.0 if day <= made.active_until + 60 * DAY else 0.35
            if day > start and happens(chance * stays, random):
                at = at_hour(day, zone, person.rhythm, random)
                if at < span.end:
                    lines = _presents(use, owned, random, at, span)  # type: ignore[arg-type]
                    yield Purchase(at, lines, coupon if happens(0.85, random) else None)


def _presents(use: Use, owned: set[int], random: Random, at: int, span: Span) -> list[tuple[Article, int, int]]:
    month = day_of(at).month
    chosen = {pick(use, month, random) for _ in range(1 + int(random.random() * random.random() * 4))}
    if happens(0.3, random):
        chosen.add(pick("extra", month, random))
    fresh = sorted((article for article in chosen if article.id not in owned), key=lambda article: article.id)
    owned.update(article.id for article in fresh if article.use == "durable")
    fresh = fresh or [pick("gift", month, random)]
    return [
        (article, 2 if use == "gift" and happens(0.12, random) else 1, price(article, at, span)) for article in fresh
    ]


def _staples(person: Person, random: Random, month: int) -> list[Article]:
    low, high = person.kind.staples
    if high == 0:
        return []
    count = low + int(random.random() * (high - low + 1))
    if person.kind is BUSINESS:
        return list(dict.fromkeys(pick("bulk", month, random) for _ in range(count)))
    chosen = [pick("bean", month, random)]
    while len(chosen) < count:
        chosen.append(pick("bean" if happens(0.35, random) else "supply", month, random))
    return list(dict.fromkeys(chosen))


def _besides(
    person: Person, owned: set[int], random: Random, at: int, span: Span, *, first: bool
) -> list[tuple[Article, int, int]]:
    kind, month = person.kind, day_of(at).month
    chosen: list[Article] = []
    if kind is ONCE:
        presents = month in {11, 12} and happens(0.6, random)
        chosen.append(pick("gift" if presents else one_of(_TRIED, random), month, random))
    elif first and happens(kind.machine, random):
        chosen.append(MACHINES[int(random.random() ** (1 if kind is ENTHUSIAST else 2) * len(MACHINES))])
    elif happens(0.6 if first else kind.extras * 0.18, random):
        chosen.append(pick("durable", month, random))
    if happens(kind.extras, random):
        chosen.append(pick("extra", month, random))
    if not chosen and first and not kind.staples[1]:
        chosen.append(pick("extra", month, random))
    lines = [(article, 1, price(article, at, span)) for article in dict.fromkeys(chosen) if article.id not in owned]
    owned.update(article.id for article, _, _ in lines if article.use == "durable")
    return lines


def _afterwards(person: Person, order: Purchase, random: Random, span: Span) -> None:
    order.source = "phone" if person.kind is BUSINESS and happens(0.3, random) else "app" if person.mobile else "web"
    if order.coupon is None and happens(0.015, random):
        order.coupon = FRIENDS
    drawn = random.random()
    if drawn < CANCELLED:
        cancelled = order.at + int((0.2 + random.random() * 20) * HOUR)
        order.cancelled = cancelled if cancelled < span.end else None
        return
    durable = [line for line in order.lines if line[0].use == "durable"]
    if drawn < CANCELLED + (REFUNDED_DURABLE if durable else REFUNDED):
        at = order.at + int((3 + random.random() * 20) * DAY)
        article, quantity, cents = (durable or order.lines)[0]
        whole = happens(0.3, random)
        paid = order.cents if whole else quantity * cents * (100 - PERCENT_OFF.get(order.coupon or "", 0)) // 100
        if at < span.end:
            usual = article.use != "durable"
            order.refund = (at, paid, one_of(REASONS[:4] if usual else REASONS, random))


def pick(use: Use, month: int, random: Random) -> Article:
    """An article of a kind that is in season, popular ones more often."""
    articles, sums = SHELVES[use, month]
    return articles[bisect(sums, random.random() * sums[-1])]


def price(article: Article, at: int, span: Span) -> int:
    """What an article cost at a time, in cents."""
    return article.cents if at >= span.end - PRICE_RISE * DAY else article.cents_before


def write(person: Person, purchases: Purchases, batch: Batch, ids: Numbers) -> None:
    """Add the rows of one person's orders to a batch."""
    for order in purchases.orders:
        ids.order += 1
        ordered_at = instant(order.at)
        external_id = f"KC-{ordered_at:%y%m%d}-{ids.order}"
        batch.orders.append(
            NewOrder(
                person.number,
                ids.order,
                external_id,
                ordered_at,
                instant(order.cancelled) if order.cancelled else None,
                money(order.cents),
                order.coupon,
                order.source,
            )
        )
        for line, (article, quantity, cents) in enumerate(order.lines, start=1):
            ids.item += 1
            batch.order_items.append(
                NewItem(
                    person.number,
                    ids.item,
                    ids.order,
                    line,
                    article.id,
                    quantity,
                    money(cents),
                    money(quantity * cents),
                    ordered_at,
                )
            )
        if order.refund:
            ids.refund += 1
            at, cents, reason = order.refund
            batch.refunds.append(
                NewRefund(person.number, ids.refund, ids.order, f"{external_id}-R", instant(at), money(cents), reason)
            )
