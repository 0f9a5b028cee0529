"""What does one write to whom? The aim a segment suggests, and calm, true words for it.

Nothing here invents: products, prices and numbers are those handed in, and what may be unknown of a recipient stands in
a condition or has a default. Titles come from the store's data, so they are made harmless before they become part of a
template.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from domain import segments as seg
from domain.flows import Variant
from domain.templates import Content
from domain.windows import spoken

Objective = Literal["win_back", "replenish", "cart", "browse", "vip", "second_order", "first_order", "announce"]

OBJECTIVES: dict[Objective, str] = {
    "win_back": "bring back people who have not ordered for a while",
    "replenish": "be there when what they buy regularly runs out",
    "cart": "help people finish what they put in the cart",
    "browse": "help people decide about what they looked at",
    "vip": "thank the best customers and show them something worth their while",
    "second_order": "turn a first order into a second one",
    "first_order": "help subscribers find their first order",
    "announce": "show people what suits them",
}

WORDS: tuple[tuple[str, Objective], ...] = (
    (r"win.?back|bring .*back|lapsed|re-?activat|re-?engag|come back", "win_back"),
    (r"replenish|re-?stock|refill|re-?order|running (low|out)", "replenish"),
    (r"cart|checkout|basket", "cart"),
    (r"brows|looked at|viewed", "browse"),
    (r"\bvip|loyal|thank|best customers|reward", "vip"),
    (r"second (order|purchase)|repeat (order|purchase)", "second_order"),
    (r"first (order|purchase)|welcome|never (ordered|bought)", "first_order"),
    (r"announc|launch|new(s| arrival)|newsletter", "announce"),
)
"""What a marketer's own words say about the aim; the first that fits counts."""

FOLLOW_UP: dict[Objective, str] = {"cart": "P2D", "browse": "P4D"}
"""How long after the first message the second follows; ten days where nothing is said."""

SUBJECT_LENGTH = 70
TITLE_LENGTH = 60
NAMED = 3
LONGEST_INITIALS = 3
_ACTIVE = re.compile(r"[{}\[\]()*%<>|`\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]+")
_ADDRESS = re.compile(r"\w+://\S*")
_SMALL = frozenset({"a", "an", "and", "at", "for", "in", "of", "on", "or", "the", "to", "with"})


@dataclass(frozen=True, slots=True)
class Product:
    """Something to name in a message. ``price`` is written out, with its currency."""

    title: str
    price: str | None = None
    url: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the words can rest on.

    ``basis`` says how ``products`` were chosen, ``again`` whether the first is one that is bought again and again;
    ``seen`` is what these people looked at lately.
    """

    products: tuple[Product, ...]
    seen: tuple[Product, ...] = ()
    basis: Literal["theirs", "cart", "seen", "store", "named"] = "store"
    again: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """One message and its other wordings."""

    content: Content
    variants: tuple[Variant, ...] = ()


def objective_of(definition: seg.Definition, said: str | None = None) -> Objective:
    """The aim: what the marketer said, else what the conditions that must all hold suggest."""
    for pattern, objective in WORDS:
        if said and re.search(pattern, said, re.IGNORECASE):
            return objective
    nodes = [node for _, node in seg.paths(definition)]
    found = {objective for node in nodes for objective in _suggests(node)}
    order: tuple[Objective, ...] = ("cart", "browse", "first_order", "second_order", "replenish", "win_back", "vip")
    return next((objective for objective in order if objective in found), "announce")


def lapse_of(definition: seg.Definition) -> str | None:
    """For how long these people have not ordered, as people say it (``60 days``), if the segment says so."""
    for _, node in seg.paths(definition):
        match node:
            case seg.Activity(name="order" | "item", op="none", during=window) if window and window.last:
                return spoken(window.last)
            case seg.Metric(name="days_since_last_order", op="gt" | "gte", value=value) if isinstance(
                value, seg.Number
            ):
                return f"{value:f} days"
            case _:
                continue
    return None


def drafts(objective: Objective, facts: Facts, *, messages: int = 2, channel: str = "email") -> list[Draft]:
    """The messages of a flow, first to last. Without products they speak of the store alone."""
    if channel != "email":
        return [Draft(_text_message(facts, turn)) for turn in range(messages)]
    opening = _Writer(objective, facts)
    return [opening.first(), *(opening.later(turn, last=turn == messages - 1) for turn in range(1, messages))]


def harmless(title: str, length: int = TITLE_LENGTH) -> str:
    """A title without anything a template or the markup could take for its own, cut at a word, not all in capitals."""
    text = " ".join(_ACTIVE.sub(" ", _ADDRESS.sub(" ", title)).split()).strip(" .,;:-")
    if text.isupper() and any(len(word) > LONGEST_INITIALS for word in text.split()):
        text = " ".join(_calm(word, first=place == 0) for place, word in enumerate(text.split()))
    if len(text) > length:
        text = text[: length + 1].rsplit(" ", 1)[0].rstrip(" ,;:-")
    return text


def _suggests(node: seg.Leaf | seg.Group) -> Iterator[Objective]:
    match node:
        case seg.Activity(name="added_to_cart" | "checkout_started", op=op) if op != "none":
            yield "cart"
        case seg.Activity(name="product_viewed", op=op) if op != "none":
            yield "browse"
        case seg.Metric(name="views"):
            yield "browse"
        case seg.Activity(name="order", op="none", during=None):
            yield "first_order"
        case seg.Activity(name="order" | "item", op="none"):
            yield "win_back"
        case seg.Metric(name="days_since_last_order", op="gt" | "gte"):
            yield "win_back"
        case seg.Metric(name="days_since_last_order", op="between"):
            yield "replenish"
        case seg.Metric(name="order_count", op="eq", value=value) if value in {0, 1}:
            yield "first_order" if value == 0 else "second_order"
        case seg.Metric(name="ltv" | "order_count" | "aov" | "largest_order", op="gt" | "gte") | seg.Rank(end="top"):
            yield "vip"
        case _:
            return


class _Writer:
    """Writes the mails of one flow."""

    def __init__(self, objective: Objective, facts: Facts) -> None:
        self.objective = objective
        self.facts = facts
        self.products = [_clean(product) for product in facts.products]
        self.seen = [product for product in map(_clean, facts.seen) if product not in self.products[:NAMED]]

    def first(self) -> Draft:
        products = self.products[:NAMED]
        parts = [self._greeting(), self._opening(), self._list(self._reason(), products), self._closing(products)]
        subjects = [subject for subject in self._subjects(products) if subject]
        body = "\n\n".join(part for part in parts if part)
        preview = self._preview(products)
        return Draft(
            Content(subject=subjects[0], preview_text=preview, body=body),
            tuple(Variant(subject=subject) for subject in subjects[1:3]),
        )

    def later(self, turn: int, *, last: bool) -> Draft:
        shown, reason = self._another(turn)
        note = "A short second note" if turn == 1 else "Another short note"
        opening = f"{note}, and the last one about this." if last else f"{note}."
        closing = "If now is not the time, that is fine."
        parts = [self._greeting(), opening, self._list(reason, shown), closing, _button(shown)]
        lead = shown[0].title if shown else ""
        subjects = [f"A second look at {lead}" if lead else "A second look at {{ store.name }}"]
        if last:
            subjects.append("One last note from {{ store.name }}")
        return Draft(
            Content(
                subject=_fits(subjects[0], "A second look"),
                preview_text=self._preview(shown),
                body="\n\n".join(part for part in parts if part),
            ),
            tuple(Variant(subject=subject) for subject in subjects[1:]),
        )

    def _greeting(self) -> str:
        return 'Hi {{ customer.first_name | default: "there" }},'

    def _opening(self) -> str:
        last = (
            "{% if customer.last_product %}Your last order at {{ store.name }} included {{ customer.last_product }}."
            " {% endif %}"
        )
        openings: dict[Objective, str] = {
            "win_back": f"{last}It has been a while, and we would be glad to see you again.",
            "replenish": f"{last}If it is running low, this is a good moment to reorder.",
            "cart": "You put something in your cart and did not get round to ordering it.",
            "browse": "You had a look around {{ store.name }} lately. In case it helps you decide, here it is again.",
            "vip": "You are one of our best customers, and we would like to thank you for that.",
            "second_order": f"{last}We hope it is what you were looking for.",
            "first_order": "You joined our list and have not ordered yet, so here is where others begin.",
            "announce": "Here are a few things from {{ store.name }} that may suit you.",
        }
        return openings[self.objective]

    def _reason(self) -> str:
        again = "again most often" if self.facts.again else "most often"
        return {
            "theirs": f"What customers with a history like yours order {again}:",
            "cart": "What is most often still waiting in a cart:",
            "seen": "What was looked at most:",
            "named": "What this is about:",
            "store": "What sells best right now:",
        }[self.facts.basis]

    def _another(self, turn: int) -> tuple[list[Product], str]:
        """The products of a later message: those looked at, then those next on the list, then the first ones again."""
        if turn == 1 and self.seen:
            return self.seen[:NAMED], "What customers like you looked at most in the past weeks:"
        start = NAMED * (turn - (1 if self.seen else 0))
        more = self.products[start : start + NAMED]
        if len(more) >= 2:  # noqa: PLR2004 - one alone is no list
            return more, "A few more that are ordered often:"
        return self.products[:NAMED], "As a reminder:" if self.products else ""

    def _closing(self, products: Sequence[Product]) -> str:
        stocked = self.objective in {"win_back", "replenish"} and self.facts.again
        words = "If you are still well stocked, there is nothing to do." if stocked else "No hurry, and no obligation."
        return f"{words}\n\n{_button(products) or 'If we can help you choose, reply to this email.'}"

    def _list(self, reason: str, products: Sequence[Product]) -> str:
        lines = [f"- {_linked(product)}{f', {product.price}' if product.price else ''}" for product in products]
        return "\n".join([reason, "", *lines]) if lines else ""

    def _subjects(self, products: Sequence[Product]) -> list[str]:
        name = "{% if customer.first_name %}, {{ customer.first_name }}{% endif %}"
        lead = products[0].title if products else ""
        pair = f"{lead} and {products[1].title}" if len(products) > 1 else ""
        category = _shared_category(products)
        by_aim = {
            "win_back": f"It has been a while{name}",
            "replenish": f"Time for more {lead}?" if lead else f"Running low{name}?",
            "cart": f"Your cart is still here{name}",
            "browse": f"Still thinking it over{name}?",
            "vip": f"Thank you{name}",
            "second_order": f"What goes well with your first order{name}",
            "first_order": "Where to begin at {{ store.name }}",
            "announce": f"A few things that may suit you{name}",
        }[self.objective]
        others = [
            _fits(pair, lead),
            _fits(f"{category}: what gets ordered again most", "") if category and self.facts.again else "",
            _fits(f"From {category}, for you", "") if category else "",
            "A few things worth a look at {{ store.name }}",
        ]
        return list(dict.fromkeys([by_aim, *filter(None, others)]))

    def _preview(self, products: Sequence[Product]) -> str:
        titles = [product.title for product in products]
        if not titles:
            return "A short note from {{ store.name }}."
        listed = f"{', '.join(titles[:-1])} and {titles[-1]}" if len(titles) > 1 else titles[0]
        return f"{listed}." if len(listed) < 140 else f"{titles[0]} and more."  # noqa: PLR2004 - what inboxes show


def _text_message(facts: Facts, turn: int) -> Content:
    products = [_clean(product) for product in facts.products]
    product = products[turn % len(products)] if products else None
    named = f" {product.title}{f', {product.price}' if product.price else ''}." if product else ""
    address = f" {product.url}" if product and product.url else ""
    hello = 'Hi {{ customer.first_name | default: "there" }}.'
    return Content(body=f"{{{{ store.name }}}}: {hello}{named}{address} Reply STOP to opt out.")


def _clean(product: Product) -> Product:
    url = product.url if product.url and re.fullmatch(r"https?://[^\s()<>\[\]{}|%*\"']+", product.url) else None
    category = harmless(product.category) if product.category else None
    return Product(harmless(product.title), product.price, url, category)


def _linked(product: Product) -> str:
    return f"[{product.title}]({product.url})" if product.url else product.title


def _button(products: Sequence[Product]) -> str:
    first = products[0] if products else None
    return f"[See {first.title}]({first.url})" if first and first.url else ""


def _shared_category(products: Sequence[Product]) -> str:
    """The category of the product named first, if another named one shares it."""
    first = products[0].category if products else None
    return first if first and any(other.category == first for other in products[1:]) else ""


def _fits(subject: str, shorter: str) -> str:
    return subject if len(subject) <= SUBJECT_LENGTH else shorter


def _calm(word: str, *, first: bool) -> str:
    if not first and word.lower() in _SMALL:
        return word.lower()
    if len(word) <= 2 or any(sign.isdigit() for sign in word):  # noqa: PLR2004 - initials and sizes
        return word
    return "-".join(part.capitalize() for part in word.split("-"))
