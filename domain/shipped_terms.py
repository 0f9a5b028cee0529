"""Which words come defined with the product, and which are known to be undecided?"""

from typing import Any

from domain.glossary import Choice, Glossary, Number, Term, Undecided


def _words(listed: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in listed.split(","))


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
        synonyms=_words(
            "recent, lately, of late, in recent times, in a while, for a while, in a long time, for a "
            "long time, in ages, for ages, in quite a while, in some time, for some time"
        ),
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
        synonyms=_words("large, strong, substantial"),
        kind="level",
        means=_metric("{metric}", "gt", _above("{percentile}", "everyone")),
        numbers={"percentile": Number(value=75, unit="percentile")},
        explanation="above the {percentile}th percentile of everyone",
    ),
    Term(
        word="very high",
        synonyms=_words("highest, exceptional, exceptionally high, extremely high"),
        kind="level",
        means=_metric("{metric}", "gt", _above("{percentile}", "everyone")),
        numbers={"percentile": Number(value=90, unit="percentile")},
        explanation="above the {percentile}th percentile of everyone",
    ),
    Term(
        word="low",
        synonyms=_words("small, lowest"),
        kind="level",
        means=_metric("{metric}", "lte", _above("{percentile}", "everyone")),
        numbers={"percentile": Number(value=25, unit="percentile")},
        explanation="at or below the {percentile}th percentile of everyone",
    ),
    Term(
        word="active",
        synonyms=_words("engaged"),
        means=_ENGAGED,
        numbers={"days": Number(value=90, unit=_DAYS)},
        explanation="opened or clicked an email, viewed a product or ordered in the last {days} days",
    ),
    Term(
        word="inactive",
        synonyms=_words("disengaged, unengaged, dormant, sleeping, idle, gone quiet, gone cold"),
        means={"type": "not", "of": _ENGAGED},
        numbers={"days": Number(value=90, unit=_DAYS)},
        explanation="neither opened nor clicked an email, viewed a product or ordered in the last {days} days",
    ),
    Term(
        word="new customer",
        synonyms=_words(
            "new buyer, new shopper, newly acquired, new purchaser, new client, new people, new user, "
            "brand new customer, new"
        ),
        means=_metric("days_since_first_order", "lte", "{days}"),
        numbers={"days": Number(value=30, unit=_DAYS)},
        explanation="first order in the last {days} days",
    ),
    Term(
        word="new subscriber",
        synonyms=_words("recent subscriber, new sign up, new signup, new lead, new contact, new member"),
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
        synonyms=_words(
            "frequent, regular, regulars, frequent buyer, frequent shopper, regular customer, loyal "
            "customer, frequently, regularly, often"
        ),
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
        synonyms=_words(
            "big spender, high spender, heavy spender, top spender, biggest spender, high spending, big "
            "spending, highest spender, heavy buyer, large spender, whale"
        ),
        means=_metric("ltv", "gte", _above("{percentile}", "buyers")),
        numbers={"percentile": Number(value=80, unit="percentile")},
        explanation="lifetime spend at or above the {percentile}th percentile of buyers",
    ),
    Term(
        word="VIP",
        synonyms=_words("very important customer, vip customer"),
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
        explanation=(
            "at least {orders} orders, the last within {days} days, "
            "spend at or above the {percentile}th percentile of buyers"
        ),
    ),
    Term(
        word="at risk",
        synonyms=_words("slipping away, slipping, about to churn, at risk of churning, about to lapse"),
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
        synonyms=_words("win back, winback, lapsed customer, lapsed buyer, have lapsed"),
        means={"type": "all", "of": [_order("any"), _order("none", **_within("days"))]},
        numbers={"days": Number(value=180, unit=_DAYS)},
        explanation="ordered before, but not in the last {days} days",
    ),
    Term(
        word="churned",
        synonyms=_words("lost, former, past customer, ex customer, defected, has churned"),
        means={"type": "all", "of": [_order("any"), _order("none", **_within("days"))]},
        numbers={"days": Number(value=365, unit=_DAYS)},
        explanation="ordered before, but not in the last {days} days",
    ),
    Term(
        word="one-time buyer",
        synonyms=_words(
            "one time customer, one time shopper, one time purchaser, one off buyer, one off customer, "
            "single purchase, onetime buyer, one timer, one and done, single order customer, single "
            "purchase customer, one time"
        ),
        means={"type": "all", "of": [_metric("order_count", "eq", "{orders}"), _order("none", **_within("days"))]},
        numbers={"orders": Number(value=1, unit="orders"), "days": Number(value=60, unit=_DAYS)},
        explanation="exactly one order, more than {days} days ago",
    ),
    Term(
        word="first-time buyer",
        synonyms=_words("first time customer, first time shopper, first time purchaser, first timer, first time"),
        means=_metric("order_count", "eq", "{orders}"),
        numbers={"orders": Number(value=1, unit="orders")},
        explanation="exactly one order so far",
    ),
    Term(
        word="repeat customer",
        synonyms=_words(
            "repeat, repeat buyer, repeat shopper, returning customer, returning buyer, returning, repeat "
            "purchaser, repurchaser, multi time buyer, multiple time buyer"
        ),
        means=_metric("order_count", "gte", "{orders}"),
        numbers={"orders": Number(value=2, unit="orders")},
        explanation="at least {orders} orders",
    ),
    Term(
        word="prospect",
        synonyms=_words("lead, non buyer, non customer, non purchaser, never buyer, window shopper"),
        means=_order("none"),
        explanation="has never ordered",
    ),
    Term(
        word="abandoned cart",
        synonyms=_words(
            "cart abandoner, abandoned their cart, abandoned a cart, abandoned the cart, abandoned carts, "
            "abandoning cart, left something in their cart, left items in their cart, left their cart, "
            "cart abandonment, abandoned basket, left a cart behind, items left in cart, with items in "
            "their cart"
        ),
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
        synonyms=_words(
            "top, good, great, valuable, most valuable, important, key, favorite, favourite, ideal, "
            "premium, super, most loyal, most engaged, most profitable, better, cool"
        ),
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
        synonyms=_words(
            "lots, plenty, heavily, a great deal, much, many, loads, a ton, tons, a bunch, big, lots of, "
            "a lot of, a good deal, so much, very much, quite a bit, above average, more than average, "
            "higher than average, over average"
        ),
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
        synonyms=_words("most, more than most, more than others, more than average people"),
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
        synonyms=_words(
            "a little, few, a few, not much, barely, hardly any, below average, less than average, lower "
            "than average, under average"
        ),
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
