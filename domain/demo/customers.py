"""What does the demo shop know about each customer? Less than there is: people leave fields empty."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any
from unicodedata import normalize

from domain.demo import people, places
from domain.demo.chance import happens, one_of
from domain.demo.clock import DAY, Span, day_of, instant
from domain.demo.consent import Agreements
from domain.demo.events import Happening
from domain.demo.orders import Purchases
from domain.demo.people import BUSINESS, ENTHUSIAST, ONCE, VISITOR, Person
from domain.demo.rows import Batch, NewAddress, NewCustomer, NewTag, Numbers

HAS_PHONE = 0.62
VIP_CENTS = 150_000
CLUB_AFTER = 2
"""Orders after which one may join the loyalty club."""

_MAILBOXES = {
    "en": ("gmail.com",) * 52
    + ("yahoo.com",) * 12
    + ("outlook.com",) * 11
    + ("hotmail.com",) * 6
    + ("icloud.com",) * 10,
    "de": ("gmail.com",) * 30 + ("gmx.de",) * 22 + ("web.de",) * 20 + ("outlook.de",) * 8 + ("t-online.de",) * 8,
    "fr": ("gmail.com",) * 45 + ("orange.fr",) * 18 + ("hotmail.fr",) * 12 + ("free.fr",) * 10,
}
_OWN_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")
_SOURCES: tuple[str, ...] = ("organic search",) * 28 + ("instagram",) * 20 + ("google ads",) * 18 + ("referral",) * 12
_SOURCES += ("podcast",) * 7 + ("facebook",) * 7 + ("marketplace",) * 4 + ("newsletter swap",) * 4
_PAID = {
    "instagram": ("Latte art reels", "Home barista", "Gift guide"),
    "google ads": ("Brand", "Espresso machines", "Fresh beans"),
    "facebook": ("Home barista", "Gift guide"),
    "podcast": ("Morning hour", "Slow kitchen"),
}
_ROASTS = ("light", "medium", "medium", "medium", "dark", "dark")
_GRINDS = ("whole bean", "whole bean", "whole bean", "espresso", "filter", "french press", "moka")


@dataclass
class Registry(Numbers):
    """What must not be given twice: row numbers, mail addresses, phone numbers."""

    emails: set[str] = field(default_factory=set)
    phones: Counter[str] = field(default_factory=Counter)

    def phone(self, person: Person, random: Random) -> str | None:
        """A phone number kept for fiction, or None: not told, no such range, or the range is used up."""
        told = happens(HAS_PHONE, random)
        ranges = person.place.dialling
        if not told or not ranges:
            return None
        beginning, digits = one_of(ranges, random)
        given = self.phones[beginning]
        if given >= 10**digits:
            return None
        self.phones[beginning] += 1
        return f"{beginning}{given:0{digits}}"

    def email(self, person: Person, random: Random) -> str | None:
        """An address like people's own, never given twice."""
        if not person.has_email:
            return None
        first, last = _plain(person.first_name), _plain(person.last_name)
        if person.company:
            domain = f"{_plain(person.company)}.example"
            local = one_of(("hello", "orders", first, f"{first}.{last}"), random)
        else:
            boxes = _MAILBOXES.get(person.language, _MAILBOXES["en"])
            domain = one_of(_OWN_DOMAINS if happens(0.06, random) else boxes, random)
            shapes = (f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{first}_{last}", f"{last}.{first}")
            local = shapes[int(random.random() ** 1.5 * len(shapes))]
            if happens(0.7, random):
                local += str(int(random.random() * 1_000))
        address = f"{local}@{domain}"
        while address in self.emails:
            address = f"{local}{int(random.random() * 100_000)}@{domain}"
        self.emails.add(address)
        return address


@dataclass(frozen=True, slots=True)
class Life:
    """One person with everything they did."""

    person: Person
    phone: str | None
    purchases: Purchases
    agreed: Agreements
    happened: Sequence[Happening]


def write(life: Life, batch: Batch, registry: Registry, random: Random, span: Span) -> None:
    """Add the customer's own row, addresses and tags to a batch, with gaps where people tell nothing."""
    person, purchases = life.person, life.purchases
    told = not happens(people.MISSING_NAME, random)
    source = one_of(_SOURCES, random)
    last_seen = max(
        [person.joined]
        + [order.at for order in purchases.orders[-1:]]
        + [event.at for event in life.happened if event.name != "email_sent" and "machine" not in event.properties][-1:]
    )
    batch.customers.append(
        NewCustomer(
            id=person.number,
            external_id=f"KC{person.number:06}",
            email=registry.email(person, random),
            phone=life.phone,
            first_name=person.first_name if told else None,
            last_name=person.last_name if told and not happens(people.MISSING_LAST_NAME, random) else None,
            birthday=_birthday(person, random, span),
            gender=("female" if person.woman else "male") if happens(0.55, random) else None,
            language=person.language if happens(0.93, random) else None,
            time_zone=person.place.zone if not happens(people.MISSING_ZONE, random) else None,
            company=person.company,
            acquisition_source=source if happens(0.93, random) else None,
            acquisition_campaign=_campaign(person, source, random),
            custom=_custom(person, purchases, random),
            demo=True,
            first_seen_at=instant(person.joined),
            last_seen_at=instant(last_seen),
            created_at=instant(person.joined),
            updated_at=instant(last_seen),
        )
    )
    _addresses(person, purchases, batch, registry, random)
    _tags(life, batch, registry, random, span)


def _addresses(person: Person, purchases: Purchases, batch: Batch, ids: Numbers, random: Random) -> None:
    if not purchases.orders and happens(0.55, random):
        return
    place = person.place
    whole = bool(purchases.orders) or happens(0.5, random)
    city, postal = (place.city, places.postal_code(place, random)) if whole else (None, None)
    kinds = ("shipping", "billing") if purchases.orders and happens(0.35, random) else ("shipping",)
    for kind in kinds:
        ids.address += 1
        batch.addresses.append(
            NewAddress(person.number, ids.address, kind, True, city, place.region, postal, place.country)  # noqa: FBT003 - is_default
        )


def _tags(life: Life, batch: Batch, ids: Numbers, random: Random, span: Span) -> None:
    person, purchases, agreed = life.person, life.purchases, life.agreed
    orders = purchases.orders
    tags: list[tuple[str, int, int | None]] = []
    if any(agreement.method == "popup form" for agreement in agreed.given):
        tags.append(("newsletter-popup", agreed.given[0].since, None))
    if person.kind is BUSINESS:
        tags.append(("wholesale", person.joined, None))
    if len(orders) > CLUB_AFTER and happens(0.6, random):
        tags.append(("loyalty-club", orders[CLUB_AFTER].at, None))
    if orders and purchases.cents >= VIP_CENTS:
        tags.append(("vip", orders[-1].at, None))
    if any(line[0].use == "gift" for order in orders for line in order.lines):
        tags.append(("gift-buyer", orders[-1].at, None))
    complaints = [order.refund[0] for order in orders if order.refund]
    if complaints and happens(0.5, random):
        solved = complaints[0] + int((1 + random.random() * 12) * DAY)
        tags.append(("open-complaint", complaints[0], solved if solved < span.end else None))
    for name, since, until in tags:
        ids.tag += 1
        batch.tags.append(NewTag(person.number, ids.tag, name, instant(since), instant(until) if until else None))


def _custom(person: Person, purchases: Purchases, random: Random) -> dict[str, Any]:
    custom: dict[str, Any] = {}
    orders = purchases.orders
    if orders[1:] and happens(0.75, random):
        custom["loyalty_points"] = purchases.cents // 100 - int(random.random() * purchases.cents / 200)
    if purchases.favourite and happens(0.6, random):
        custom["favourite_roast"] = "dark" if "ESP" in purchases.favourite.sku else one_of(_ROASTS, random)
        custom["grind"] = one_of(_GRINDS, random)
    machine = any(line[0].category == "Espresso Machines" for order in orders for line in order.lines)
    if machine or (orders and happens(0.3, random)):
        custom["owns_machine"] = machine or happens(0.7 if person.kind in {ENTHUSIAST, BUSINESS} else 0.35, random)
    if person.kind not in {VISITOR, ONCE} and happens(0.35, random):
        custom["cups_per_day"] = (1 if person.kind is not BUSINESS else 40) + int(random.random() * 4 / person.pace)
    return custom


def _birthday(person: Person, random: Random, span: Span) -> date | None:
    told, day = happens(0.42, random), int((19 + random.betavariate(1.8, 3.0) * 60) * 365.25)
    return day_of(span.end - day * DAY) if told and person.company is None else None


def _campaign(person: Person, source: str, random: Random) -> str | None:
    known = _PAID.get(source)
    return f"{one_of(known, random)} {day_of(person.joined).year}" if known and happens(0.85, random) else None


def _plain(name: str) -> str:
    """A name as mail addresses spell it: lower-case ASCII letters."""
    spelled = name.lower().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss", ord("ø"): "o"})
    return "".join(sign for sign in normalize("NFKD", spelled) if sign.isascii() and sign.isalnum())
