"""What goes into a campaign for these people: which products, which words, which day and hour, and why?

Everything rests on the store's own data, and the evidence is handed on with the draft: how many bought what, how many
opens lie behind an hour. Where there is too little to go by, the evidence says so.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from db import content as rows
from db import store
from domain import content
from domain import segments as seg
from domain.content import Facts, Objective, Product
from domain.errors import Invalid
from domain.flows import Audience, FlowSpec, Guardrails, Local, MessageCap, Now, QuietHours, Send, Wait
from domain.segments_english import SYMBOLS
from services import enrollments, segments
from services.flows import Value

SAMPLED = 50_000
YEAR = timedelta(days=365)
LATELY = timedelta(days=60)
ENOUGH = 100
"""Fewer opens (or orders) than this say nothing about a good hour."""

FEW = 20
"""What fewer people looked at is no interest of the group."""

LISTED = 8
NIGHT = QuietHours.model_validate({"from": "21:00", "to": "08:00"})
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EARLIEST, LATEST = 6, 21
DEFAULT_WEEKDAY, DEFAULT_HOUR = 2, 10
AGAIN_SHARE = 0.25
"""From this share of buyers who bought it again on, a product counts as one that runs out."""

Basis = Literal["opens", "opens_of_everyone", "orders", "none"]


class SendTime(Value):
    """When these people read: opens and clicks by people, on their own clocks, 24 hours and 7 weekdays from Monday.

    ``basis`` says whose and which figures these are; ``text`` says it in a sentence.
    """

    basis: Basis
    weekday: str
    hour: int
    opens: int
    people: int
    by_hour: tuple[int, ...]
    by_weekday: tuple[int, ...]
    text: str


class ProductFigure(Value):
    """A product, and how many of these people it is about; ``again`` of them bought it in more than one order."""

    title: str
    category: str | None
    price: float | None
    url: str | None
    people: int
    again: int


class Evidence(Value):
    """What a draft rests on. ``considered`` of ``audience_size`` people were looked at, as of ``as_of``."""

    objective: Objective
    aim: str
    audience_size: int
    considered: int
    as_of: datetime
    send_time: SendTime
    products: tuple[ProductFigure, ...]
    seen: tuple[ProductFigure, ...]
    chosen: str


class Campaign(Value):
    """A flow drafted from data, with the evidence for it and ideas for its words."""

    spec: FlowSpec
    evidence: Evidence
    ideas: tuple[str, ...]

    def as_proposal(self) -> dict[str, Any]:
        """What ``approvals.propose`` takes for a flow."""
        return {
            "spec": self.spec.as_json(),
            "evidence": self.evidence.model_dump(mode="json"),
            "ideas": list(self.ideas),
        }


def propose_flow(
    session: Session,
    definition: seg.Definition,
    objective: str | None = None,
    *,
    now: datetime,
    as_of: datetime | None = None,
    channel: Literal["email", "sms", "whatsapp"] = "email",
    waits: Sequence[str] | None = None,
    about: str = "",
    name: str | None = None,
) -> Campaign:
    """Draft a campaign for whoever a definition means; nothing is saved.

    ``objective`` are the marketer's words for the aim, ``about`` for the products to name. ``waits`` are the pauses
    between the messages (``("P10D",)`` makes two messages, ``()`` one). With ``as_of`` people and data are those of
    then; the first message goes out after ``now`` all the same. Raises Invalid (``audience_empty``).
    """
    then = as_of or now
    ids = segments.member_ids(session, definition, now=then)
    if not ids:
        raise Invalid("audience_empty", "Nobody is in this audience.", "Widen the segment.", "definition")
    some = ids[:: -(-len(ids) // SAMPLED)]
    aim = content.objective_of(definition, objective)
    theirs = rows.bought(session, some, then, 60)
    seen = _enough(rows.seen(session, some, ["product_viewed"], then - LATELY, then, LISTED))
    chosen, basis = _chosen(session, aim, some, theirs, seen, about, then)
    facts = Facts(
        products=tuple(_product(session, row) for row in chosen),
        seen=tuple(_product(session, row) for row in seen),
        basis=basis,
        again=basis == "theirs" and _runs_out(chosen[:1]),
    )
    pauses = tuple(waits) if waits is not None else (content.FOLLOW_UP.get(aim, "P10D"),)
    at = send_time(session, some, now=then)
    spec = FlowSpec(
        name=name or _name(aim, definition),
        audience=Audience(definition=definition, as_of=as_of),
        start=_start(session, at, aim, now),
        exit_on=("order",),
        guardrails=guardrails(channel),
        steps=_steps(content.drafts(aim, facts, messages=len(pauses) + 1, channel=channel), pauses, channel),
    )
    evidence = Evidence(
        objective=aim,
        aim=content.OBJECTIVES[aim],
        audience_size=len(ids),
        considered=len(some),
        as_of=then,
        send_time=at,
        products=tuple(_figure(row) for row in theirs[:LISTED]),
        seen=tuple(_figure(row) for row in seen),
        chosen=_CHOSEN[basis],
    )
    return Campaign(spec=spec, evidence=evidence, ideas=tuple(_ideas(session, some, chosen, seen, facts, then)))


def guardrails(channel: str) -> Guardrails:
    """The limits a campaign gets unless somebody says otherwise."""
    quiet = None if channel == "email" else NIGHT
    return Guardrails(cap=MessageCap(messages=3, days=7), quiet_hours=quiet)


def send_time(session: Session, ids: Sequence[int], *, now: datetime) -> SendTime:
    """The weekday and hour at which these people read most, from a year of opens and clicks that no machine made.

    Too few of them: everybody's; still too few: when these people order; else a plain guess that says so.
    """
    zones = _zones(session)
    tried: tuple[tuple[Basis, Sequence[RowMapping]], ...]
    tried = (("opens", rows.opens(session, ids, zones, now - YEAR, now)),)
    if _total(tried[-1][1]) < ENOUGH:
        tried = (*tried, ("opens_of_everyone", rows.opens(session, None, zones, now - YEAR, now)))
    if _total(tried[-1][1]) < ENOUGH:
        tried = (*tried, ("orders", rows.orders(session, ids, zones, now - YEAR, now)))
    basis, found = tried[-1]
    if _total(found) < ENOUGH:
        return _guessed(_total(tried[0][1]))
    return _read_off(basis, found)


_CHOSEN = {
    "theirs": "what these people bought, those first that they bought again",
    "cart": "what these people put in the cart in the last 60 days",
    "seen": "what these people looked at in the last 60 days",
    "store": "what sells best in the store: these people bought too little to go by",
    "named": "what the request names",
}


def _chosen(
    session: Session,
    aim: Objective,
    ids: Sequence[int],
    theirs: Sequence[RowMapping],
    seen: Sequence[RowMapping],
    about: str,
    now: datetime,
) -> tuple[Sequence[RowMapping], Literal["theirs", "cart", "seen", "store", "named"]]:
    """The products to name, best first, and how they were chosen."""
    words = [word for word in re.findall(r"\w+", about) if len(word) > 2]  # noqa: PLR2004 - "of", "in"
    if words and (named := rows.named(session, words, now, LISTED)):
        return named, "named"
    carts = ["added_to_cart", "checkout_started"]
    if aim == "cart" and (waiting := rows.seen(session, ids, carts, now - LATELY, now, LISTED)):
        return waiting, "cart"
    if aim == "browse" and seen:
        return seen, "seen"
    if theirs and aim != "first_order":
        return sorted(theirs, key=lambda row: (row["again"], row["people"]), reverse=True)[:LISTED], "theirs"
    return rows.best(session, now, LISTED), "store"


def _enough(found: Sequence[RowMapping]) -> Sequence[RowMapping]:
    """Those that at least so many people are behind that it means something."""
    return [row for row in found if row["people"] >= FEW]


def _runs_out(chosen: Sequence[RowMapping]) -> bool:
    return any(row["again"] >= AGAIN_SHARE * row["people"] for row in chosen)


def _steps(
    drafts: Sequence[content.Draft], waits: Sequence[str], channel: Literal["email", "sms", "whatsapp"]
) -> tuple[Send | Wait, ...]:
    steps: list[Send | Wait] = []
    for place, draft in enumerate(drafts):
        if place:
            steps.append(Wait(duration=waits[place - 1]))
        words = draft.content
        steps.append(
            Send(
                channel=channel,
                subject=words.subject,
                preview_text=words.preview_text,
                body=words.body,
                variants=draft.variants,
            )
        )
    return tuple(steps)


def _start(session: Session, at: SendTime, aim: Objective, now: datetime) -> Now | Local:
    """The next such weekday at that hour, a day ahead at least, as clocks differ by that much; for carts at once."""
    if aim == "cart":
        return Now()
    tomorrow = now.astimezone(segments.zone(session)).date() + timedelta(days=1)
    days = (WEEKDAYS.index(at.weekday) - tomorrow.weekday()) % 7
    return Local(date=tomorrow + timedelta(days=days), time=time(at.hour))


def _name(aim: Objective, definition: seg.Definition) -> str:
    lapse = content.lapse_of(definition)
    return {
        "win_back": f"Win back after {lapse}" if lapse else "Win back",
        "replenish": "Reorder reminder",
        "cart": "Cart reminder",
        "browse": "Browse reminder",
        "vip": "Thanks to our best customers",
        "second_order": "Second order",
        "first_order": "First order",
        "announce": "A few things that may suit you",
    }[aim]


def _ideas(
    session: Session,
    ids: Sequence[int],
    chosen: Sequence[RowMapping],
    seen: Sequence[RowMapping],
    facts: Facts,
    now: datetime,
) -> list[str]:
    """What else could be said, each with the figure that speaks for it."""
    ideas = []
    if facts.basis == "theirs":
        for row in chosen[:2]:
            again = f", {row['again'] / row['people']:.0%} of them more than once" if row["again"] else ""
            lead = f"Lead with {content.harmless(row['title'])}"
            ideas.append(f"{lead}: {row['people']:,} of these {len(ids):,} people bought it{again}.")
    if seen:
        row = seen[0]
        ideas.append(
            f"Show {content.harmless(row['title'])}: {row['people']:,} of them looked at it in the last 60 days."
        )
    habits = rows.habits(session, ids, now)
    if habits["gaps"] >= ENOUGH and habits["median_gap"]:
        ideas.append(
            f"Half of their repeat orders came within {habits['median_gap']:.0f} days: name what runs out in that time."
        )
    if habits["with_coupon"]:
        share = habits["with_coupon"] / habits["orders"]
        code = content.harmless(habits["coupon"])
        ideas.append(f"{share:.0%} of their orders used a coupon, most often {code}. This draft offers no discount.")
    elif habits["orders"] >= ENOUGH:
        ideas.append("Their orders came without coupons: leave discounts out.")
    return ideas


def _product(session: Session, row: RowMapping) -> Product:
    price = row["price"]
    shop = store.current(session)
    currency = shop.currency if shop else "USD"
    said = f"{SYMBOLS.get(currency, f'{currency} ')}{price:,.2f}" if price else None
    return Product(row["title"], said, row["url"], row["category"])


def _figure(row: RowMapping) -> ProductFigure:
    return ProductFigure(
        title=row["title"],
        category=row["category"],
        price=float(row["price"]) if row["price"] else None,
        url=row["url"],
        people=row["people"],
        again=row["again"],
    )


def _zones(session: Session) -> Mapping[str, str]:
    stored = rows.time_zones(session)
    counting = {name: enrollments.zone_of(session, name) for name in stored}
    known = rows.known_zones(session, list(counting.values()))
    return {name: zone if zone in known else "UTC" for name, zone in counting.items()}


def _total(found: Sequence[RowMapping]) -> int:
    return sum(row["number"] for row in found if row["weekday"] is not None)


def _read_off(basis: Basis, found: Sequence[RowMapping]) -> SendTime:
    by_hour, by_weekday = [0] * 24, [0] * 7
    for row in found:
        if row["weekday"] is not None:
            by_hour[row["hour"]] += row["number"]
            by_weekday[row["weekday"] - 1] += row["number"]
    total = sum(by_hour)
    people = _people(found)
    hour = max(range(EARLIEST, LATEST + 1), key=lambda hour: (_smooth(by_hour, hour), -hour))
    weekday = max(range(7), key=lambda day: (by_weekday[day], -day))
    share = by_hour[hour] / total
    what, whose = {
        "opens": ("opens and clicks", f"{people:,} of these people"),
        "opens_of_everyone": ("opens and clicks", f"{people:,} customers of the store, as these people have too few"),
        "orders": ("orders", f"{people:,} of these people, as there are too few opens"),
    }[basis]
    text = (
        f"{total:,} {what} by {whose} in a year: most on {WEEKDAYS[weekday]}s, and {share:.0%} between {hour}:00 and "
        f"{hour + 1}:00 on their own clocks."
    )
    if basis != "orders":
        text += " Opens and clicks by machines are left out."
    return SendTime(
        basis=basis,
        weekday=WEEKDAYS[weekday],
        hour=hour,
        opens=total,
        people=people,
        by_hour=tuple(by_hour),
        by_weekday=tuple(by_weekday),
        text=text,
    )


def _people(found: Sequence[RowMapping]) -> int:
    return next((row["people"] for row in found if row["weekday"] is None), 0)


def _smooth(by_hour: Sequence[int], hour: int) -> float:
    return by_hour[hour] + (by_hour[hour - 1] + by_hour[(hour + 1) % 24]) / 4


def _guessed(opens: int) -> SendTime:
    weekday = WEEKDAYS[DEFAULT_WEEKDAY - 1]
    text = (
        f"{opens:,} opens are too few to go by, and so are the orders. "
        f"{weekday} at {DEFAULT_HOUR}:00 is a starting point, not a finding."
    )
    return SendTime(
        basis="none",
        weekday=weekday,
        hour=DEFAULT_HOUR,
        opens=opens,
        people=0,
        by_hour=(0,) * 24,
        by_weekday=(0,) * 7,
        text=text,
    )
