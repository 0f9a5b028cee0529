"""What do the marketer's words mean here: "recently", "VIP", "lapsed"? Named definitions with numbers that can be changed.

A term's meaning is a piece of the segment language with named numbers in it, e.g. ``{"last": "{days}d"}`` with
``days = 60``. What is defined is used and shown; what is known to be undecided comes with the readings to choose from.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Invalid

Kind = Literal["condition", "window", "level"]

_PLACE = re.compile(r"\{(\w+)\}")


class Entry(BaseModel):
    """What all parts of the glossary share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(Entry):
    """A number of a definition that the marketer may change."""

    value: float
    unit: str


class Term(Entry):
    """A defined word.

    ``kind`` says what it stands for: a whole ``condition``; a ``window`` per activity (``*`` = any other); or a
    ``level`` of whatever metric stands next to it, named ``{metric}`` in the meaning.
    """

    word: str = Field(min_length=1, max_length=60)
    synonyms: tuple[str, ...] = ()
    kind: Kind = "condition"
    means: Mapping[str, Any]
    numbers: Mapping[str, Number] = Field(default_factory=dict)
    explanation: str = ""
    owner: str = "shipped"
    version: int = 0

    def explained(self) -> str:
        """The explanation with its numbers."""
        return _PLACE.sub(lambda found: self._said(found[1], found[0]), self.explanation)

    def filled(self, **names: str) -> "Filled":
        """The meaning with its numbers, and with ``names`` such as the metric that a level is of."""
        places: list[tuple[str, str]] = []
        return Filled(_fill(self.means, self.numbers, names, "", places), tuple(places))

    def _said(self, name: str, otherwise: str) -> str:
        return f"{self.numbers[name].value:g}" if name in self.numbers else otherwise


@dataclass(frozen=True)
class Filled:
    """A meaning made concrete; ``places`` are dotted paths, each with the name of the number that stands there."""

    means: dict[str, Any]
    places: tuple[tuple[str, str], ...]


class Choice(Entry):
    """One possible reading of an undecided word."""

    label: str
    means: Mapping[str, Any]


class Undecided(Entry):
    """A word that people use and nobody has defined here, with the readings to offer."""

    word: str
    synonyms: tuple[str, ...] = ()
    kind: Literal["condition", "level"] = "condition"
    choices: tuple[Choice, ...] = Field(min_length=2, max_length=4)


class Glossary(Entry):
    """All terms by word, and the words still undecided."""

    terms: Mapping[str, Term]
    undecided: Mapping[str, Undecided] = Field(default_factory=dict)

    def with_terms(self, terms: Iterable[Term]) -> "Glossary":
        """This glossary with definitions added or replaced; a defined word is no longer undecided."""
        changed = {term.word: term for term in terms}
        named = {word for term in changed.values() for word in (term.word, *term.synonyms)}
        kept = {
            term.word: term.model_copy(update={"synonyms": tuple(word for word in term.synonyms if word not in named)})
            for term in self.terms.values()
            if term.word not in named
        }
        open_words = {
            key: entry.model_copy(update={"synonyms": tuple(word for word in entry.synonyms if word not in named)})
            for key, entry in self.undecided.items()
            if key not in named
        }
        return Glossary(terms={**kept, **changed}, undecided=open_words)


def check(term: Term) -> None:
    """Raise Invalid (``glossary_invalid``) unless every number is used and every place has a number."""
    places = set(_PLACE.findall(_text(term.means))) - {"metric"}
    if places != set(term.numbers):
        odd = ", ".join(sorted(places ^ set(term.numbers)))
        fix = "name each number once in the meaning and once among the numbers"
        raise Invalid("glossary_invalid", f"{term.word!r} uses or lacks: {odd}", fix, "means")


def _text(means: Any) -> str:
    if isinstance(means, Mapping):
        return " ".join(_text(value) for value in means.values())
    if isinstance(means, list | tuple):
        return " ".join(_text(value) for value in means)
    return str(means)


def _fill(
    means: Any, numbers: Mapping[str, Number], names: Mapping[str, str], path: str, places: list[tuple[str, str]]
) -> Any:
    if isinstance(means, Mapping):
        return {key: _fill(value, numbers, names, f"{path}.{key}", places) for key, value in means.items()}
    if isinstance(means, list | tuple):
        return [_fill(value, numbers, names, f"{path}.{i}", places) for i, value in enumerate(means)]
    if not isinstance(means, str):
        return means
    found = _PLACE.search(means)
    if not found:
        return means
    if found[1] in names:
        return means.replace(found[0], names[found[1]])
    value = numbers[found[1]].value
    places.append((path.removeprefix("."), found[1]))
    if found[0] == means:
        return int(value) if value == int(value) else value
    return means.replace(found[0], f"{value:g}")


def _order(op: str, **rest: Any) -> dict[str, Any]:
    return {"type": "activity", "name": "order", "op": op, **rest}


def _within(days: str) -> dict[str, Any]:
    return {"during": {"last": f"{{{days}}}d"}}


def _metric(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"type": "metric", "name": name, "op": op, "value": value}


def _above(percentile: str, among: str) -> dict[str, Any]:
    return {"percentile": percentile, "among": among}


_DAYS = "days"
_ENGAGED = {
    "type": "any",
    "of": [
        {"type": "activity", "name": name, "op": "any", **_within("days")}
        for name in ("email_opened", "email_clicked", "product_viewed", "order")
    ],
}

SHIPPED = (
    Term(
        word="recently",
        synonyms=(
            "recent",
            "lately",
            "of late",
            "in recent times",
            "in a while",
            "for a while",
            "in a long time",
            "for a long time",
            "in ages",
            "for ages",
            "in quite a while",
            "in some time",
            "for some time",
        ),  # fmt: skip
        kind="window",
        means={
            "order": {"last": "{order_days}d"},
            "item": {"last": "{order_days}d"},
            "refund": {"last": "{order_days}d"},
            "*": {"last": "{days}d"},
        },
        numbers={"order_days": Number(value=60, unit=_DAYS), "days": Number(value=30, unit=_DAYS)},
        explanation="for orders the last {order_days} days, for everything else the last {days} days",
    ),
    Term(
        word="high",
        synonyms=("large", "strong", "substantial"),
        kind="level",
        means=_metric("{metric}", "gt", _above("{percentile}", "everyone")),
        numbers={"percentile": Number(value=75, unit="percentile")},
        explanation="above the {percentile}th percentile of everyone",
    ),
    Term(
        word="very high",
        synonyms=("highest", "exceptional", "exceptionally high", "extremely high"),
        kind="level",
        means=_metric("{metric}", "gt", _above("{percentile}", "everyone")),
        numbers={"percentile": Number(value=90, unit="percentile")},
        explanation="above the {percentile}th percentile of everyone",
    ),
    Term(
        word="low",
        synonyms=("small", "lowest"),
        kind="level",
        means=_metric("{metric}", "lte", _above("{percentile}", "everyone")),
        numbers={"percentile": Number(value=25, unit="percentile")},
        explanation="at or below the {percentile}th percentile of everyone",
    ),
    Term(
        word="active",
        synonyms=("engaged",),
        means=_ENGAGED,
        numbers={"days": Number(value=90, unit=_DAYS)},
        explanation="opened or clicked an email, viewed a product or ordered in the last {days} days",
    ),
    Term(
        word="inactive",
        synonyms=("disengaged", "unengaged", "dormant", "sleeping", "idle", "gone quiet", "gone cold"),
        means={"type": "not", "of": _ENGAGED},
        numbers={"days": Number(value=90, unit=_DAYS)},
        explanation="neither opened nor clicked an email, viewed a product or ordered in the last {days} days",
    ),
    Term(
        word="new customer",
        synonyms=(
            "new buyer",
            "new shopper",
            "newly acquired",
            "new purchaser",
            "new client",
            "new people",
            "new user",
            "brand new customer",
            "new",
        ),  # fmt: skip
        means=_metric("days_since_first_order", "lte", "{days}"),
        numbers={"days": Number(value=30, unit=_DAYS)},
        explanation="first order in the last {days} days",
    ),
    Term(
        word="new subscriber",
        synonyms=("recent subscriber", "new sign up", "new signup", "new lead", "new contact", "new member"),
        means={
            "type": "all",
            "of": [
                {"type": "attribute", "name": "first_seen", "op": "in_last", "value": "{days}d"},
                {"type": "consent", "channel": "email", "state": "subscribed"},
            ],
        },
        numbers={"days": Number(value=30, unit=_DAYS)},
        explanation="signed up in the last {days} days and subscribed to email",
    ),
    Term(
        word="loyal",
        synonyms=(
            "frequent",
            "regular",
            "regulars",
            "frequent buyer",
            "frequent shopper",
            "regular customer",
            "loyal customer",
            "frequently",
            "regularly",
            "often",
        ),  # fmt: skip
        means={
            "type": "all",
            "of": [
                _order("gte", value="{orders}", **_within("days")),
                _order("any", **_within("recent_days")),
            ],
        },
        numbers={
            "orders": Number(value=3, unit="orders"),
            "days": Number(value=365, unit=_DAYS),
            "recent_days": Number(value=120, unit=_DAYS),
        },
        explanation="at least {orders} orders in the last {days} days, one of them in the last {recent_days}",
    ),
    Term(
        word="high value",
        synonyms=(
            "big spender",
            "high spender",
            "heavy spender",
            "top spender",
            "biggest spender",
            "high spending",
            "big spending",
            "highest spender",
            "heavy buyer",
            "large spender",
            "whale",
        ),  # fmt: skip
        means=_metric("ltv", "gte", _above("{percentile}", "buyers")),
        numbers={"percentile": Number(value=80, unit="percentile")},
        explanation="lifetime spend at or above the {percentile}th percentile of buyers",
    ),
    Term(
        word="VIP",
        synonyms=("very important customer", "vip customer"),
        means={
            "type": "all",
            "of": [
                _metric("order_count", "gte", "{orders}"),
                _order("any", **_within("days")),
                _metric("ltv", "gte", _above("{percentile}", "buyers")),
            ],
        },
        numbers={
            "orders": Number(value=3, unit="orders"),
            "days": Number(value=120, unit=_DAYS),
            "percentile": Number(value=90, unit="percentile"),
        },
        explanation="at least {orders} orders, the last within {days} days, spend at or above the {percentile}th percentile of buyers",
    ),
    Term(
        word="at risk",
        synonyms=("slipping away", "slipping", "about to churn", "at risk of churning", "about to lapse"),
        means={
            "type": "all",
            "of": [
                _metric("order_count", "gte", "{orders}"),
                _order("none", **_within("days")),
                _order("any", **_within("outer_days")),
            ],
        },
        numbers={
            "orders": Number(value=2, unit="orders"),
            "days": Number(value=90, unit=_DAYS),
            "outer_days": Number(value=180, unit=_DAYS),
        },
        explanation="at least {orders} orders, the last one {days} to {outer_days} days ago",
    ),
    Term(
        word="lapsed",
        synonyms=("win back", "winback", "lapsed customer", "lapsed buyer", "have lapsed"),
        means={"type": "all", "of": [_order("any"), _order("none", **_within("days"))]},
        numbers={"days": Number(value=180, unit=_DAYS)},
        explanation="ordered before, but not in the last {days} days",
    ),
    Term(
        word="churned",
        synonyms=("lost", "former", "past customer", "ex customer", "defected", "has churned"),
        means={"type": "all", "of": [_order("any"), _order("none", **_within("days"))]},
        numbers={"days": Number(value=365, unit=_DAYS)},
        explanation="ordered before, but not in the last {days} days",
    ),
    Term(
        word="one-time buyer",
        synonyms=(
            "one time customer",
            "one time shopper",
            "one time purchaser",
            "one off buyer",
            "one off customer",
            "single purchase",
            "onetime buyer",
            "one timer",
            "one and done",
            "single order customer",
            "single purchase customer",
            "one time",
        ),  # fmt: skip
        means={"type": "all", "of": [_metric("order_count", "eq", "{orders}"), _order("none", **_within("days"))]},
        numbers={"orders": Number(value=1, unit="orders"), "days": Number(value=60, unit=_DAYS)},
        explanation="exactly one order, more than {days} days ago",
    ),
    Term(
        word="first-time buyer",
        synonyms=("first time customer", "first time shopper", "first time purchaser", "first timer", "first time"),
        means=_metric("order_count", "eq", "{orders}"),
        numbers={"orders": Number(value=1, unit="orders")},
        explanation="exactly one order so far",
    ),
    Term(
        word="repeat customer",
        synonyms=(
            "repeat",
            "repeat buyer",
            "repeat shopper",
            "returning customer",
            "returning buyer",
            "returning",
            "repeat purchaser",
            "repurchaser",
            "multi time buyer",
            "multiple time buyer",
        ),  # fmt: skip
        means=_metric("order_count", "gte", "{orders}"),
        numbers={"orders": Number(value=2, unit="orders")},
        explanation="at least {orders} orders",
    ),
    Term(
        word="prospect",
        synonyms=("lead", "non buyer", "non customer", "non purchaser", "never buyer", "window shopper"),
        means=_order("none"),
        explanation="has never ordered",
    ),
    Term(
        word="abandoned cart",
        synonyms=(
            "cart abandoner",
            "abandoned their cart",
            "abandoned a cart",
            "abandoned the cart",
            "abandoned carts",
            "abandoning cart",
            "left something in their cart",
            "left items in their cart",
            "left their cart",
            "cart abandonment",
            "abandoned basket",
            "left a cart behind",
            "items left in cart",
            "with items in their cart",
        ),  # fmt: skip
        means={
            "type": "all",
            "of": [
                {"type": "activity", "name": "added_to_cart", "op": "any", **_within("days")},
                _order("none", **_within("order_days")),
            ],
        },
        numbers={"days": Number(value=7, unit=_DAYS), "order_days": Number(value=7, unit=_DAYS)},
        explanation="added to the cart in the last {days} days and has not ordered in the last {order_days}",
    ),
)

UNDECIDED = (
    Undecided(
        word="best",
        synonyms=(
            "top",
            "good",
            "great",
            "valuable",
            "most valuable",
            "important",
            "key",
            "favorite",
            "favourite",
            "ideal",
            "premium",
            "super",
            "most loyal",
            "most engaged",
            "most profitable",
            "better",
            "cool",
        ),  # fmt: skip
        choices=(
            Choice(
                label="VIP: at least 3 orders, the last within 120 days, spend in the top 10 % of buyers",
                means={
                    "type": "all",
                    "of": [
                        _metric("order_count", "gte", 3),
                        _order("any", during={"last": "120d"}),
                        _metric("ltv", "gte", {"percentile": 90, "among": "buyers"}),
                    ],
                },
            ),
            Choice(
                label="top 10 % by lifetime spend",
                means={"type": "rank", "metric": "ltv", "end": "top", "percent": 10, "among": "everyone"},
            ),
            Choice(label="at least 5 orders", means=_metric("order_count", "gte", 5)),
        ),
    ),
    Undecided(
        word="a lot",
        synonyms=(
            "lots",
            "plenty",
            "heavily",
            "a great deal",
            "much",
            "many",
            "loads",
            "a ton",
            "tons",
            "a bunch",
            "big",
            "lots of",
            "a lot of",
            "a good deal",
            "so much",
            "very much",
            "quite a bit",
            "above average",
            "more than average",
            "higher than average",
            "over average",
        ),  # fmt: skip
        kind="level",
        choices=(
            Choice(
                label="{label} above the 75th percentile of everyone",
                means=_metric("{metric}", "gt", {"percentile": 75, "among": "everyone"}),
            ),
            Choice(
                label="{label} above the 90th percentile of everyone",
                means=_metric("{metric}", "gt", {"percentile": 90, "among": "everyone"}),
            ),
            Choice(
                label="{label} above the median of buyers",
                means=_metric("{metric}", "gt", {"percentile": 50, "among": "buyers"}),
            ),
        ),
    ),
    Undecided(
        word="the most",
        synonyms=("most", "more than most", "more than others", "more than average people"),
        kind="level",
        choices=(
            Choice(
                label="top 10 % by {label}",
                means={"type": "rank", "metric": "{metric}", "end": "top", "percent": 10, "among": "everyone"},
            ),
            Choice(
                label="top 100 by {label}",
                means={"type": "rank", "metric": "{metric}", "end": "top", "count": 100, "among": "everyone"},
            ),
        ),
    ),
    Undecided(
        word="little",
        synonyms=(
            "a little",
            "few",
            "a few",
            "not much",
            "barely",
            "hardly any",
            "below average",
            "less than average",
            "lower than average",
            "under average",
        ),  # fmt: skip
        kind="level",
        choices=(
            Choice(
                label="{label} at or below the 25th percentile of everyone",
                means=_metric("{metric}", "lte", {"percentile": 25, "among": "everyone"}),
            ),
            Choice(
                label="{label} below the median of buyers",
                means=_metric("{metric}", "lt", {"percentile": 50, "among": "buyers"}),
            ),
        ),
    ),
)


def shipped() -> Glossary:
    """The definitions that come with the product."""
    return Glossary(terms={term.word: term for term in SHIPPED}, undecided={entry.word: entry for entry in UNDECIDED})
