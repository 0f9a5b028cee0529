"""Does a sentence become exactly the condition it says?"""

from typing import Any

import pytest

from agent.offline.lexicon import Lexicon
from agent.offline.parser import read
from domain.segments import parse
from tests.agent.offline.conftest import TODAY


def order(op: str = "any", **rest: Any) -> dict[str, Any]:
    return {"type": "activity", "name": "order", "op": op, **rest}


def item(category: str | None = None, op: str = "any", product: str | None = None, **rest: Any) -> dict[str, Any]:
    where = [{"name": "category", "op": "eq", "value": category}] if category else []
    where += [{"name": "product", "op": "contains", "value": product}] if product else []
    return {"type": "activity", "name": "item", "op": op, "where": where, **rest}


def metric(name: str, op: str, value: Any, **rest: Any) -> dict[str, Any]:
    return {"type": "metric", "name": name, "op": op, "value": value, **rest}


def attribute(name: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"type": "attribute", "name": name, "op": op, **({} if value is None else {"value": value})}


def both(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "all", "of": list(parts)}


def either(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "any", "of": list(parts)}


def no(part: dict[str, Any]) -> dict[str, Any]:
    return {"type": "not", "of": part}


def last(length: str) -> dict[str, Any]:
    return {"during": {"last": length}}


def deed(name: str, op: str = "any", **rest: Any) -> dict[str, Any]:
    return {"type": "activity", "name": name, "op": op, **rest}


ENGAGED = ("email_opened", "email_clicked", "product_viewed", "order")
TEXAS = attribute("state", "eq", "Texas")
EMAIL = {"type": "consent", "channel": "email", "state": "subscribed"}

SENTENCES: dict[str, dict[str, Any]] = {
    # time
    "customers who ordered in the last 30 days": order(**last("30d")),
    "people who haven't bought anything in two months": order("none", **last("2mo")),
    "never ordered": order("none"),
    "ordered last month": order(during={"calendar": "last_month"}),
    "ordered in the last month": order(**last("1mo")),
    "bought in March": order(during={"from": "2026-03-01", "to": "2026-03-31"}),
    "bought in December": order(during={"from": "2025-12-01", "to": "2025-12-31"}),
    "no purchase since January": order("none", during={"from": "2026-01-01"}),
    "ordered before 2025": order(during={"to": "2024-12-31"}),
    "ordered between 30 and 60 days ago": order(during={"last": "60d", "until": "30d"}),
    "ordered more than a year ago": order(during={"until": "1y"}),
    "last order was over 90 days ago": both(order(), order("none", **last("90d"))),
    "first ordered in 2025": both(
        order(during={"from": "2025-01-01", "to": "2025-12-31"}), order("none", during={"to": "2024-12-31"})
    ),
    "bought on Black Friday": order(during={"from": "2025-11-28", "to": "2025-11-28"}),
    "bought last year but not this year": both(
        order(during={"calendar": "last_year"}), order("none", during={"calendar": "this_year"})
    ),
    "signed up more than two years ago": attribute("first_seen", "older_than", "2y"),
    "joined in May 2026": both(
        attribute("first_seen", "since", "2026-05-01"), attribute("first_seen", "before", "2026-06-01")
    ),
    # counts and money
    "at least three orders": order("gte", value=3),
    "ordered twice": order("gte", value=2),
    "ordered only once": order("eq", value=1),
    "more than five orders in 2025": order("gt", value=5, during={"from": "2025-01-01", "to": "2025-12-31"}),
    "spent over $1,000": metric("ltv", "gt", 1000),
    "spent between $50 and $100 last year": metric("ltv", "between", [50, 100], during={"calendar": "last_year"}),
    "ordered over $100": order(where=[{"name": "total", "op": "gt", "value": 100}]),
    "two or more orders of at least $50": order("gte", value=2, where=[{"name": "total", "op": "gte", "value": 50}]),
    "AOV above 80": metric("aov", "gt", 80),
    "spent $200+ on coffee beans": item("Coffee Beans", "gte", measure="sum", of="total", value=200),
    "bought a product over $150": {
        "type": "activity",
        "name": "item",
        "op": "any",
        "where": [{"name": "price", "op": "gt", "value": 150}],
    },
    # shares and ranks
    "LTV above the 90th percentile": metric("ltv", "gt", {"percentile": 90}),
    "top 10% by lifetime value": {"type": "rank", "metric": "ltv", "percent": 10},
    "the 25 customers with the most orders": {"type": "rank", "metric": "order_count", "count": 25},
    "top 5 spenders in each country": {"type": "rank", "metric": "ltv", "count": 5, "per": "country"},
    # things
    "bought coffee beans": item("Coffee Beans"),
    "bought a kettle": item(product="kettle"),
    "bought house blend or moka pot": either(item(product="house blend"), item(product="moka pot")),
    "bought a grinder or a brewer": item(op="any")
    | {"where": [{"name": "category", "op": "in", "value": ["Grinders", "Brewers"]}]},
    "bought a grinder and a brewer": both(item("Grinders"), item("Brewers")),
    "bought neither a grinder nor a brewer": item(op="none")
    | {"where": [{"name": "category", "op": "in", "value": ["Grinders", "Brewers"]}]},
    "only bought gift sets": both(
        item("Gift Sets"),
        item(op="none") | {"where": [{"name": "category", "op": "ne", "value": "Gift Sets"}]},
    ),
    "bought from at least 2 categories": {
        "type": "activity",
        "name": "item",
        "measure": "distinct",
        "of": "category",
        "op": "gte",
        "value": 2,
    },
    "used coupon WELCOME10": order(where=[{"name": "coupon", "op": "eq", "value": "WELCOME10"}]),
    "never used a coupon": order("none", where=[{"name": "coupon", "op": "set"}]),
    "viewed a grinder but did not buy one": both(
        {
            "type": "activity",
            "name": "product_viewed",
            "where": [{"name": "category", "op": "eq", "value": "Grinders"}],
        },
        item("Grinders", "none"),
    ),
    "bought a grinder and then coffee beans within 30 days": {
        "type": "sequence",
        "steps": [
            {"name": "item", "where": [{"name": "category", "op": "eq", "value": "Grinders"}]},
            {"name": "item", "within": "30d", "where": [{"name": "category", "op": "eq", "value": "Coffee Beans"}]},
        ],
    },
    # people
    "customers in TX or CA": attribute("state", "in", ["Texas", "California"]),
    "German customers": attribute("country", "eq", "DE"),
    "customers outside Germany": no(attribute("country", "eq", "DE")),
    "gmail users": attribute("email", "ends_with", "@gmail.com"),
    "women in Austin": both(attribute("gender", "eq", "female"), attribute("city", "eq", "Austin")),
    "people over 40": attribute("birthday", "before", "1985-06-16"),
    "no phone number": attribute("phone", "missing"),
    "who own a machine": {"type": "attribute", "name": "owns_machine", "op": "eq", "value": True},
    "more than 100 loyalty points": attribute("loyalty_points", "gt", 100),
    "birthday in the next 2 weeks": attribute("birthday", "anniversary_in_next", "2w"),
    "tagged vip but not tagged wholesale": both(
        {"type": "tag", "name": "vip"}, no({"type": "tag", "name": "wholesale"})
    ),
    "members of Spring buyers": {"type": "segment", "id": 7},
    # consent
    "email subscribers": EMAIL,
    "opted out of SMS": {"type": "consent", "channel": "sms", "state": "unsubscribed"},
    "not subscribed to email": no(EMAIL),
    "subscribed to email but not SMS": both(EMAIL, no({"type": "consent", "channel": "sms"})),
    "people we can text": {"type": "reachable", "channel": "sms"},
    # logic
    "in Texas or spent over $500": either(TEXAS, metric("ltv", "gt", 500)),
    "everyone except people in Texas": no(TEXAS),
    "haven't ordered or opened an email in 60 days": both(
        order("none", **last("60d")), {"type": "activity", "name": "email_opened", "op": "none", **last("60d")}
    ),
    "(in Texas or subscribed to email) and ordered twice": both(either(TEXAS, EMAIL), order("gte", value=2)),
    "who either live in Texas or spent over $500, and are subscribed to email": both(
        either(TEXAS, metric("ltv", "gt", 500)), EMAIL
    ),
    "at least 2 of: in Texas, subscribed to email, ordered twice": {
        "type": "at_least",
        "n": 2,
        "of": [TEXAS, EMAIL, order("gte", value=2)],
    },
    # words of the glossary
    "high LTV customers that haven't purchased recently": both(
        metric("ltv", "gt", {"percentile": 75}), order("none", **last("60d"))
    ),
    "lapsed customers": both(order(), order("none", **last("180d"))),
    "inactive for 60 days": no(either(*(deed(name, **last("60d")) for name in ENGAGED))),
}


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_is_exactly_this_condition(words: Lexicon, text: str) -> None:
    found = read(text, words, today=TODAY)
    assert found.action == "segment", found.question
    assert found.definition is not None
    assert found.definition.as_json() == parse({"where": SENTENCES[text]}).as_json()


@pytest.mark.parametrize(
    "text", ["customers in Texas who ordered twice", "top 10% by lifetime value", "customers who like jazz", "help"]
)
def test_the_same_words_are_always_read_the_same(words: Lexicon, text: str) -> None:
    assert read(text, words, today=TODAY) == read(text, words, today=TODAY)


def test_conditions_say_where_in_the_sentence_they_came_from(words: Lexicon) -> None:
    text = "customers in Texas who ordered twice"
    found = read(text, words, today=TODAY)
    said = {span.path: text[span.start : span.end] for span in found.spans if span.role == "condition"}
    assert said == {"where.of.0": "in Texas", "where.of.1": "ordered twice"}
