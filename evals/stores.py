"""Which small shops are the cases run on, so that a wrong comparison always changes who is found?

Each seed gives another population. All of them have people planted exactly on the borders that cases speak of, one
second on either side of them, and next to them: cancelled orders, unknown values, machine opens, two currencies.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from db.base import Row
from db.consent import Consent, Suppression
from db.customers import Address, Customer, Tag
from db.embedded import servers
from db.events import Event
from db.migrations import upgrade
from db.orders import Order, OrderItem, Refund
from db.products import Product
from db.session import engine, reading, transaction
from db.store import Store
from domain.demo.products import ARTICLES

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SEEDS = (11, 12, 13)
RANDOM_PEOPLE = 160

PLACES = tuple(
    tuple(line.split("|"))
    for line in (
        "US|Texas|Austin",
        "US|Texas|Houston",
        "US|California|San Francisco",
        "US|California|Los Angeles",
        "US|New York|New York",
        "US|New York|Buffalo",
        "US|Florida|Miami",
        "US|Georgia|Atlanta",
        "US|Oregon|Portland",
        "GB|England|London",
        "GB|Scotland|Edinburgh",
        "DE|Berlin|Berlin",
        "DE|Bavaria|Munich",
        "FR|Ile-de-France|Paris",
        "CA|Ontario|Toronto",
        "IE|Leinster|Dublin",
    )
)
SOURCES = ("instagram", "google ads", "organic search", "referral", None)
LANGUAGES = ("en", "en", "de", "fr", "es", None)
TAGS = ("vip", "wholesale", "loyalty-club", "gift-buyer")
BOXES = ("gmail.com", "gmail.com", "hotmail.com", "yahoo.com", "example.com", "shop.example.org")
FIRST = ("Anna", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Hugo", "Ines", "Jonas", "Sofia", "Samuel")
LAST = ("Miller", "Smith", "Schmidt", "Sanchez", "Dubois", "Brown", "Silva", "Weber")
ROASTS = ("dark", "medium", "light", None)

BORDER_DAYS = (3, 7, 14, 30, 45, 60, 90, 120, 180, 365, 730)
BORDER_DATES = tuple(
    date.fromisoformat(day)
    for day in (
        *("2025-01-01", "2025-12-01", "2025-12-25", "2026-01-01", "2026-03-01", "2026-04-01", "2026-05-01"),
        *("2026-06-01", "2026-06-08", "2026-06-14", "2026-06-15"),
    )
)
BORDER_TOTALS = ("20", "30", "50", "80", "99.99", "100", "100.01", "150", "200", "250", "300", "500", "500.01", "1000")
BORDER_COUNTS = (0, 1, 2, 3, 4, 5, 6, 10)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Shop:
    """One seeded shop: where its database is."""

    seed: int
    url: str

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that sees one state and cannot change it."""
        with reading(self.url) as session:
            yield session


@contextmanager
def shops(seeds: tuple[int, ...] = SEEDS) -> Iterator[tuple[Shop, ...]]:
    """The shops, on an embedded PostgreSQL that lives as long as the block."""
    with ExitStack() as stack:
        home = Path(mkdtemp(prefix="parley-evals-"))
        stack.callback(_removed, home)
        home.chmod(0o711)  # as root the servers run as another user, whose data lies below
        found = stack.enter_context(servers(home, durable=False))
        yield tuple(_shop(found.postgres_url, seed) for seed in seeds)


def _shop(server: str, seed: int) -> Shop:
    name = f"evals_{seed}"
    admin = engine(server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"create database {name}"))
    url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    with transaction(url) as session:
        Planter(session, random.Random(seed)).plant()  # noqa: S311 - reproducible, not secret
    return Shop(seed, url)


def _removed(home: Path) -> None:
    import shutil  # noqa: PLC0415 - only when the shops close

    shutil.rmtree(home, ignore_errors=True)


@dataclass
class Planter:
    """One shop being filled."""

    session: Session
    chance: random.Random
    people: int = 0
    orders: int = 0
    products: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def plant(self) -> None:
        """Fill an empty, migrated database."""
        self.session.add(
            Store(
                id=1,
                name="Evaluation Coffee",
                currency="USD",
                time_zone="UTC",
                postal_address="1 Example Street, Austin, TX",
                sender_name="Evaluation Coffee",
                sender_email="hello@evaluation.example.com",
                created_at=NOW,
            )
        )
        rows = [
            Product(sku=one.sku, title=one.title, category=one.category, price=Decimal(one.cents) / 100)
            for one in ARTICLES
        ]
        self.session.add_all(rows)
        self.session.flush()
        self.products = {row.title: row.id for row in rows}
        self._borders_of_time()
        self._borders_of_dates()
        self._borders_of_totals()
        self._borders_of_counts()
        for _ in range(RANDOM_PEOPLE):
            self._anybody()
        for table in (Customer, Address, Consent, Suppression, Tag, Order, OrderItem, Refund, Event):
            self.session.add_all(row for row in self.rows if isinstance(row, table))
            self.session.flush()

    def person(self, *, place: tuple[str, str, str] | None = None, **values: Any) -> int:
        """A customer with random traits where none are given."""
        self.people += 1
        first, last = self._one(FIRST), self._one(LAST)
        traits: dict[str, Any] = {
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}.{self.people}@{self._one(BOXES)}".lower(),
            "phone": f"+1202555{self.people:04d}" if self._happens(0.6) else None,
            "gender": self._one(("female", "male", None)),
            "language": self._one(LANGUAGES),
            "birthday": date(self._int(1955, 2006), self._int(1, 12), self._int(1, 28)) if self._happens(0.7) else None,
            "company": self._one((None, None, None, "Cafe Example", "Office Example")),
            "acquisition_source": self._one(SOURCES),
            "first_seen_at": NOW - timedelta(days=self._int(800, 1500)),
            "last_seen_at": NOW - timedelta(days=self._int(0, 400)),
            "custom": self._custom(),
        }
        number = self.people
        self.rows.append(Customer(**{"id": number, **traits, **values}))
        country, region, city = place or self._one(PLACES)
        if self._happens(0.9):
            self.rows.append(Address(customer_id=number, kind="shipping", region=region, country=country, city=city))
        self._permissions(number)
        return number

    def order(self, customer: int, at: datetime, total: Decimal, *titles: str, **values: Any) -> int:
        """An order of some titles, or of one at random, with the total spread over them."""
        self.orders += 1
        number = self.orders
        self.rows.append(
            Order(id=number, customer_id=customer, external_id=f"E{number}", ordered_at=at, total=total, **values)
        )
        bought = titles or (self._one(tuple(self.products)),)
        for line, title in enumerate(bought, 1):
            share = (total / len(bought)).quantize(Decimal("0.01"))
            quantity = self._int(1, 3)
            self.rows.append(
                OrderItem(
                    customer_id=customer,
                    order_id=number,
                    line=line,
                    product_id=self.products[title],
                    quantity=quantity,
                    unit_price=(share / quantity).quantize(Decimal("0.01")),
                    total=share,
                    ordered_at=at,
                )
            )
        return number

    def event(self, customer: int, name: str, at: datetime, title: str | None = None, **properties: Any) -> None:
        """Something a customer did besides ordering."""
        product = self.products[title] if title else None
        self.rows.append(Event(customer_id=customer, name=name, at=at, product_id=product, properties=properties))

    def _borders_of_time(self) -> None:
        """Orders, opens, clicks and views exactly so many days ago, and a second before and after."""
        for days in BORDER_DAYS:
            for shift in (-SECOND, timedelta(0), SECOND):
                at = NOW - timedelta(days=days) + shift
                self.order(self.person(), at, self._total())
                self.event(self.person(), "email_opened", at)
                self.event(self.person(), "email_clicked", at)
                self.event(self.person(), "product_viewed", at, self._one(tuple(self.products)))
                self.event(self.person(), "added_to_cart", at, self._one(tuple(self.products)))
                self.person(first_seen_at=at, last_seen_at=at)

    def _borders_of_dates(self) -> None:
        for day in BORDER_DATES:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            for at in (midnight - SECOND, midnight, midnight + timedelta(days=1) - SECOND):
                if at < NOW:
                    self.order(
                        self.person(),
                        at,
                        self._total(),
                        self._one(("Hand Grinder Steel Burr", "House Blend 250 g", "Tasting Box, 4 Coffees")),
                    )
                    self.person(first_seen_at=at)

    def _borders_of_totals(self) -> None:
        for text in BORDER_TOTALS:
            for days in (10, 100, 200, 400):
                self.order(self.person(), NOW - timedelta(days=days), Decimal(text))
            split = self.person()
            for days in (20, 40):
                self.order(split, NOW - timedelta(days=days), Decimal(text) / 2)
            refunded = self.person()
            number = self.order(refunded, NOW - timedelta(days=50), Decimal(text) + 50)
            self.rows.append(
                Refund(
                    customer_id=refunded,
                    order_id=number,
                    external_id=f"R{number}",
                    refunded_at=NOW - timedelta(days=self._int(1, 45)),
                    amount=Decimal(50),
                )
            )

    def _borders_of_counts(self) -> None:
        for count in BORDER_COUNTS:
            for _ in range(3):
                somebody = self.person()
                for _ in range(count):
                    self.order(somebody, NOW - timedelta(days=self._int(1, 500)), self._total())
                self.order(
                    somebody,
                    NOW - timedelta(days=self._int(1, 50)),
                    self._total(),
                    cancelled_at=NOW - timedelta(hours=1),
                )
                opener = self.person()
                for _ in range(count):
                    self.event(opener, "email_opened", NOW - timedelta(days=self._int(1, 40)))
                    self.event(opener, "email_clicked", NOW - timedelta(days=self._int(1, 40)))
                    self.event(
                        opener, "product_viewed", NOW - timedelta(days=self._int(1, 40)), "Hand Grinder Steel Burr"
                    )

    def _anybody(self) -> None:
        """Somebody with a bit of everything."""
        somebody = self.person(first_seen_at=NOW - timedelta(days=self._int(1, 1000)))
        favourites = [self._one(tuple(self.products)) for _ in range(3)]
        for _ in range(self._one((0, 0, 1, 1, 2, 3, 5, 8, 13))):
            at = NOW - timedelta(days=self._int(0, 700), minutes=self._int(1, 1400))
            coupon = self._one((None, None, "WELCOME10", "COMEBACK15"))
            titles = [self._one(favourites) for _ in range(self._one((1, 1, 2, 3)))]
            number = self.order(
                somebody, at, self._total(), *titles, coupon=coupon, source=self._one(("web", "app", "phone"))
            )
            if self._happens(0.1):
                amount = Decimal(self._int(5, 60))
                self.rows.append(
                    Refund(
                        customer_id=somebody,
                        order_id=number,
                        external_id=f"R{number}",
                        refunded_at=at + timedelta(hours=3),
                        amount=amount,
                    )
                )
        for name in (
            "email_opened",
            "email_opened",
            "email_clicked",
            "product_viewed",
            "product_viewed",
            "added_to_cart",
            "checkout_started",
        ):
            for _ in range(self._one((0, 0, 1, 2, 4))):
                title = self._one(favourites) if name in {"product_viewed", "added_to_cart"} else None
                self.event(somebody, name, NOW - timedelta(days=self._int(0, 200), minutes=self._int(1, 1400)), title)
        if self._happens(0.3):
            self.event(somebody, "email_opened", NOW - timedelta(days=self._int(0, 20), hours=1), machine=True)
        if self._happens(0.25):
            self.event(
                somebody,
                "product_reviewed",
                NOW - timedelta(days=self._int(1, 300)),
                favourites[0],
                rating=self._int(1, 5),
            )

    def _permissions(self, customer: int) -> None:
        for channel, chances in (
            ("email", (0.6, 0.05, 0.15)),
            ("sms", (0.25, 0.05, 0.1)),
            ("whatsapp", (0.15, 0.02, 0.05)),
        ):
            roll = self.chance.random()
            for state, chance in zip(("subscribed", "pending", "unsubscribed"), chances, strict=True):
                if roll < chance:
                    since = NOW - timedelta(days=self._int(1, 700))
                    self.rows.append(
                        Consent(customer_id=customer, channel=channel, state=state, method="form", since_at=since)
                    )
                    break
                roll -= chance
        for tag in TAGS:
            if self._happens(0.12):
                self.rows.append(Tag(customer_id=customer, name=tag, since_at=NOW - timedelta(days=self._int(1, 300))))
        if self._happens(0.05):
            self.rows.append(
                Suppression(
                    channel="email",
                    address_hash=f"hash {customer}",
                    customer_id=customer,
                    reason="bounced",
                    since_at=NOW - timedelta(days=9),
                )
            )

    def _custom(self) -> dict[str, Any]:
        custom: dict[str, Any] = {"loyalty_points": self._int(0, 500)} if self._happens(0.5) else {}
        roast = self._one(ROASTS)
        if roast:
            custom["favourite_roast"] = roast
        if self._happens(0.5):
            custom["owns_machine"] = self._happens(0.5)
        return custom

    def _total(self) -> Decimal:
        return Decimal(self._int(500, 32_000)) / 100

    def _happens(self, chance: float) -> bool:
        return self.chance.random() < chance

    def _one(self, values: Any) -> Any:
        return self.chance.choice(values)

    def _int(self, low: int, high: int) -> int:
        return self.chance.randint(low, high)
