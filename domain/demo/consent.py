"""Which of the demo shop's customers agreed to be written to, how, and who changed their mind?"""

from dataclasses import dataclass, field
from random import Random

from domain.demo.chance import happens
from domain.demo.clock import DAY, HOUR, Span, instant
from domain.demo.orders import Purchases
from domain.demo.people import VISITOR, Person
from domain.demo.rows import Batch, NewConsent, Numbers

WORDING = {
    "popup": "Yes, send me brewing tips, new coffees and offers. I can unsubscribe at any time.",
    "checkout": "Keep me posted about new coffees and offers by email.",
    "text": "Text me offers and order news. Message rates may apply. Reply STOP to end.",
    "whatsapp": "Send me offers and order news on WhatsApp.",
}
UNCONFIRMED, LEAVES = 0.06, 0.13


@dataclass(slots=True)
class Agreement:
    """A state on a channel from one instant until another (or until today)."""

    channel: str
    state: str
    method: str
    wording: str | None
    since: int
    until: int | None = None


@dataclass(slots=True)
class Agreements:
    """All consent of one person, each channel in order of time."""

    given: list[Agreement] = field(default_factory=list)

    def mail(self) -> tuple[int, int | None] | None:
        """Since when, and until when, newsletters reach the person."""
        for agreement in self.given:
            if agreement.channel == "email" and agreement.state == "subscribed":
                return agreement.since, agreement.until
        return None


def draw(person: Person, purchases: Purchases, random: Random, span: Span, *, phone: str | None) -> Agreements:
    """The person's consent on all channels, before the end of ``span``."""
    agreed = Agreements()
    ordered = purchases.orders[0].at if purchases.orders else None
    if person.has_email and happens(person.kind.agrees, random):
        popup = person.from_popup or ordered is None
        asked = person.joined + 60 + int(random.random() * 20 * 60) if popup or ordered is None else ordered + 30
        _mail(agreed, person, asked, random, span, popup=popup)
    if phone and ordered is not None:
        if phone.startswith("+1"):
            if happens(0.42, random):
                _text(agreed, "sms", "text", ordered + 45, random, span)
        elif happens(0.4, random):
            _text(agreed, "whatsapp", "whatsapp", ordered + 45, random, span)
            if happens(0.3, random):
                _text(agreed, "sms", "text", ordered + 50, random, span)
    return agreed


def write(person: Person, agreed: Agreements, batch: Batch, ids: Numbers) -> None:
    """Add the rows of one person's consent to a batch."""
    for agreement in agreed.given:
        ids.consent += 1
        batch.consents.append(
            NewConsent(
                person.number,
                ids.consent,
                agreement.channel,
                agreement.state,
                agreement.method,
                "demo store",
                WORDING[agreement.wording] if agreement.wording else None,
                f"203.0.113.{1 + person.number % 254}" if agreement.wording else None,  # RFC 5737: for documentation
                instant(agreement.since),
                instant(agreement.until) if agreement.until else None,
            )
        )


def _mail(agreed: Agreements, person: Person, asked: int, random: Random, span: Span, *, popup: bool) -> None:
    """Joining by the popup needs a click in a confirmation mail; a tick at the checkout counts at once."""
    if asked >= span.end:
        return
    since = asked
    if popup:
        confirmed = asked + 60 + int(random.expovariate(1 / (5 * HOUR)))
        if happens(UNCONFIRMED * (2.2 if person.kind is VISITOR else 1.0), random) or confirmed >= span.end:
            agreed.given.append(Agreement("email", "pending", "popup form", "popup", asked))
            return
        agreed.given.append(Agreement("email", "pending", "popup form", "popup", asked, confirmed))
        since = confirmed
    how, wording = ("confirmation link", "popup") if popup else ("checkout", "checkout")
    _subscribe(agreed, Agreement("email", "subscribed", how, wording, since), "unsubscribe link", LEAVES, random, span)


def _text(agreed: Agreements, channel: str, wording: str, since: int, random: Random, span: Span) -> None:
    if since < span.end:
        _subscribe(agreed, Agreement(channel, "subscribed", "checkout", wording, since), "STOP", 0.11, random, span)


def _subscribe(
    agreed: Agreements, agreement: Agreement, way_out: str, leaves: float, random: Random, span: Span
) -> None:
    agreed.given.append(agreement)
    left = agreement.since + DAY + int(random.random() ** 1.5 * (span.end - agreement.since))
    if happens(leaves, random) and left < span.end:
        agreement.until = left
        agreed.given.append(Agreement(agreement.channel, "unsubscribed", way_out, None, left))
