"""Who is meant by which condition, among five people each of whom stands on a border?"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from tests.planted import NOW, Planted

DAY = timedelta(days=1)
TINY = timedelta(microseconds=1)
EVERYONE = {"Ada", "Ben", "Cleo", "Dan", "Eve"}


def shop(session: Session) -> Planted:
    """Five people, each on a border of some kind."""
    shop = Planted.store(session)
    shop.person(
        "Ada",
        region="Texas",
        billing="us",
        birthday=date(1990, 6, 14),
        time_zone="Pacific/Honolulu",
        custom={
            "points": 250,
            "roast": "dark",
            "likes": ["tea", "Milk", 5],
            "taste": {"coffee": {"roast": "Dark", "cups": 3}, "*": "star", "a.b": "dot", "0": "zero"},
            "renewal": "2026-06-15",
            "trial": "2026-06-15T12:00:00Z",
        },
    )
    shop.person(
        "Ben",
        region="California",
        email="ben@gmail.com",
        birthday=date(1980, 6, 16),
        time_zone="Pacific/Kiritimati",
        custom={"points": "many", "taste": {"coffee": {"roast": "light"}, "$": "dollar"}, "renewal": "2026-06-22"},
    )
    shop.person(
        "Cleo",
        region="texas",
        billing="DE",
        phone="+12025550101",
        birthday=date(2001, 6, 17),
        time_zone="Mars/Base",
        custom={
            "points": 100,
            "likes": [],
            "taste": {"coffee": "any", 'a"b': "quote"},
            "renewal": "2026-05-31",
            "trial": "2026-06-14T23:30:00Z",
        },
    )
    shop.person("Dan", email=None, custom={"taste": ["zero"], "renewal": "soon", "likes": "tea"})
    shop.person("Eve", region="Berlin", country="DE", first_seen_at=NOW - 10 * DAY, last_seen_at=NOW - DAY)
    shop.order("Ada", 100, 60 * DAY, items={"House Beans": "Beans", "Kettle": "Gear"})
    shop.order("Ada", 50, 200 * DAY, items={"House Beans": "Beans"})
    shop.order("Ben", 300, 60 * DAY + TINY, items={"Grinder": "Gear"})
    shop.order("Ben", 40, 5 * DAY, cancelled_ago=4 * DAY)
    shop.order("Cleo", 80, 10 * DAY, items={"Filter": "Beans"}, refund=30, refund_ago=2 * DAY)
    shop.consent("Ada", "subscribed", 300 * DAY)
    shop.consent("Ben", "subscribed", 300 * DAY, until=20 * DAY)
    shop.consent("Ben", "unsubscribed", 20 * DAY)
    shop.consent("Cleo", "pending", 3 * DAY)
    shop.consent("Eve", "subscribed", 5 * DAY)
    shop.suppress("Eve", 1 * DAY)
    shop.tag("Ada", "vip", 100 * DAY, until=30 * DAY)
    shop.tag("Cleo", "vip", 10 * DAY)
    shop.event("Ada", "email_opened", 3 * DAY, machine=True)
    shop.event("Cleo", "email_opened", 3 * DAY)
    shop.event("Cleo", "wishlist_added", 3 * DAY, colour="Red")
    shop.topic("Ada", "coffee news", "subscribed", 30 * DAY)
    shop.topic("Ben", "coffee news", "subscribed", 30 * DAY, until=0 * DAY)
    shop.topic("Ben", "coffee news", "unsubscribed", 0 * DAY)
    shop.topic("Cleo", "coffee news", "subscribed", -TINY)
    shop.flow("Welcome")
    shop.run("Ada", "Welcome", 2 * DAY, steps=2)
    shop.run("Ben", "Welcome", 2 * DAY, steps=1, ended=0 * DAY)
    shop.run("Cleo", "Welcome", 1 * DAY)
    shop.message("Ada", "Welcome", accepted=2 * DAY, delivered=2 * DAY, opened=1 * DAY, clicked=0 * DAY)
    shop.message("Ben", "Welcome", accepted=2 * DAY, failed=2 * DAY)
    session.flush()
    return shop


def named(where: Any, shop: Planted) -> Any:
    """The condition with the numbers of flows in place of their names."""
    match where:
        case {"type": "flow", "id": str(name)}:
            return {**where, "id": shop.flows[name][0]}
        case {"name": "flow", "value": str(name)}:
            return {**where, "value": shop.flows[name][0]}
        case dict():
            return {key: named(value, shop) for key, value in where.items()}
        case list():
            return [named(value, shop) for value in where]
    return where


CASES: list[tuple[dict[str, Any], set[str]]] = [
    ({"type": "attribute", "name": "state", "op": "eq", "value": "TEXAS"}, {"Ada", "Cleo"}),
    ({"type": "attribute", "name": "state", "op": "ne", "value": "Texas"}, {"Ben", "Eve"}),
    (
        {"type": "attribute", "name": "state", "op": "ne", "value": "Texas", "missing": "include"},
        {"Ben", "Dan", "Eve"},
    ),
    (
        {"type": "not", "of": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}},
        {"Ben", "Dan", "Eve"},
    ),
    ({"type": "attribute", "name": "state", "op": "in", "value": ["Texas", "Berlin"]}, {"Ada", "Cleo", "Eve"}),
    ({"type": "attribute", "name": "email", "op": "ends_with", "value": "@GMAIL.com"}, {"Ben"}),
    ({"type": "attribute", "name": "email", "op": "missing"}, {"Dan"}),
    ({"type": "attribute", "name": "email", "op": "contains", "value": "%"}, set()),
    ({"type": "attribute", "name": "points", "op": "gte", "value": 250}, {"Ada"}),
    ({"type": "attribute", "name": "roast", "op": "eq", "value": "Dark"}, {"Ada"}),
    ({"type": "attribute", "name": "first_seen", "op": "in_last", "value": "10d"}, {"Eve"}),
    ({"type": "metric", "name": "ltv", "op": "gt", "value": 50}, {"Ada", "Ben"}),
    ({"type": "metric", "name": "ltv", "op": "eq", "value": 0}, {"Dan", "Eve"}),
    ({"type": "metric", "name": "ltv", "op": "gte", "value": 50}, {"Ada", "Ben", "Cleo"}),
    ({"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75}}, {"Ben"}),
    ({"type": "metric", "name": "ltv", "op": "gte", "value": {"percentile": 75}}, {"Ada", "Ben"}),
    (
        {"type": "metric", "name": "ltv", "op": "lt", "value": {"percentile": 50, "among": "buyers"}},
        EVERYONE - {"Ada", "Ben"},
    ),
    ({"type": "metric", "name": "aov", "op": "lt", "value": 1000}, {"Ada", "Ben", "Cleo"}),
    ({"type": "metric", "name": "order_count", "op": "between", "value": [1, 2]}, {"Ada", "Ben", "Cleo"}),
    ({"type": "metric", "name": "days_since_last_order", "op": "gt", "value": 60}, {"Ben"}),
    (
        {"type": "metric", "name": "order_count", "op": "gte", "value": 1, "during": {"last": "60d"}},
        {"Ada", "Cleo"},
    ),
    ({"type": "activity", "name": "order", "op": "any", "during": {"last": "60d"}}, {"Ada", "Cleo"}),
    ({"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}}, {"Ben", "Dan", "Eve"}),
    ({"type": "activity", "name": "order", "op": "none"}, {"Dan", "Eve"}),
    ({"type": "activity", "name": "order", "op": "any", "during": {"last": "70d", "until": "60d"}}, {"Ben"}),
    ({"type": "activity", "name": "order", "op": "any", "during": {"calendar": "this_month"}}, {"Cleo"}),
    (
        {"type": "activity", "name": "order", "op": "any", "during": {"from": "2026-06-05", "to": "2026-06-05"}},
        {"Cleo"},
    ),
    ({"type": "activity", "name": "order", "where": [{"name": "total", "op": "gt", "value": 99}]}, {"Ada", "Ben"}),
    (
        {"type": "activity", "name": "item", "where": [{"name": "category", "op": "eq", "value": "beans"}]},
        {"Ada", "Cleo"},
    ),
    (
        {
            "type": "activity",
            "name": "item",
            "op": "gte",
            "value": 2,
            "where": [{"name": "category", "op": "eq", "value": "Beans"}],
        },
        {"Ada"},
    ),
    ({"type": "activity", "name": "item", "op": "gte", "value": 3}, set()),
    ({"type": "activity", "name": "order", "op": "lt", "value": 1}, {"Dan", "Eve"}),
    (
        {"type": "activity", "name": "order", "measure": "sum", "of": "total", "op": "gte", "value": 150},
        {"Ada", "Ben"},
    ),
    ({"type": "activity", "name": "order", "measure": "max", "of": "total", "op": "lt", "value": 90}, {"Cleo"}),
    (
        {"type": "activity", "name": "order", "measure": "days_since_last", "op": "lte", "value": 60},
        {"Ada", "Cleo"},
    ),
    ({"type": "activity", "name": "email_opened"}, {"Cleo"}),
    (
        {"type": "activity", "name": "wishlist_added", "where": [{"name": "colour", "op": "eq", "value": "red"}]},
        {"Cleo"},
    ),
    ({"type": "consent", "channel": "email", "state": "subscribed"}, {"Ada", "Eve"}),
    ({"type": "consent", "channel": "email", "state": "none"}, {"Dan"}),
    ({"type": "reachable", "channel": "email"}, {"Ada"}),
    ({"type": "suppressed", "channel": "email"}, {"Eve"}),
    ({"type": "tag", "name": "vip"}, {"Cleo"}),
    ({"type": "attribute", "name": "phone_country", "op": "eq", "value": "us"}, {"Cleo"}),
    ({"type": "topic", "name": "coffee news"}, {"Ada"}),
    ({"type": "topic", "name": "coffee news", "state": "unsubscribed"}, {"Ben"}),
    ({"type": "topic", "name": "coffee news", "state": "none"}, {"Cleo", "Dan", "Eve"}),
    ({"type": "flow", "id": "Welcome"}, {"Ada", "Cleo"}),
    ({"type": "flow", "id": "Welcome", "step": 1}, {"Cleo"}),
    ({"type": "flow", "id": "Welcome", "step": 2}, {"Ada"}),
    ({"type": "activity", "name": "flow_entered", "during": {"last": "2d"}}, {"Ada", "Ben", "Cleo"}),
    ({"type": "activity", "name": "flow_finished"}, set()),
    ({"type": "activity", "name": "message_sent"}, {"Ada", "Ben"}),
    ({"type": "activity", "name": "message_opened", "during": {"last": "1d"}}, {"Ada"}),
    ({"type": "activity", "name": "message_clicked"}, set()),
    ({"type": "activity", "name": "message_bounced"}, {"Ben"}),
    (
        {
            "type": "activity",
            "name": "message_sent",
            "where": [{"name": "flow", "op": "eq", "value": "Welcome"}, {"name": "step", "op": "eq", "value": 0}],
        },
        {"Ada", "Ben"},
    ),
    (
        {"type": "sequence", "steps": [{"name": "message_sent"}, {"name": "message_opened", "within": "1d"}]},
        {"Ada"},
    ),
    # Of the three buyers: recency 1 Ben, 2 Ada, 4 Cleo; frequency 1 Ben and Cleo, 4 Ada; value 1 Cleo, 2 Ada, 4 Ben.
    ({"type": "rfm", "recency": 4}, {"Cleo"}),
    ({"type": "rfm", "recency": [1, 2]}, {"Ada", "Ben"}),
    ({"type": "rfm", "frequency": 1, "missing": "include"}, EVERYONE - {"Ada"}),
    ({"type": "rfm", "monetary": [2, 5]}, {"Ada", "Ben"}),
    ({"type": "rfm", "group": "at_risk"}, {"Ada"}),
    ({"type": "rfm", "group": "promising"}, {"Cleo"}),
    ({"type": "not", "of": {"type": "rfm", "group": "hibernating"}}, EVERYONE - {"Ben"}),
    ({"type": "rank", "metric": "ltv", "count": 2}, {"Ada", "Ben"}),
    ({"type": "rank", "metric": "ltv", "count": 1, "end": "bottom"}, {"Dan", "Eve"}),
    ({"type": "rank", "metric": "ltv", "percent": 21}, {"Ada", "Ben"}),
    ({"type": "rank", "metric": "ltv", "percent": 34, "among": "buyers"}, {"Ada", "Ben"}),
    ({"type": "rank", "metric": "ltv", "count": 1, "per": "country"}, {"Ben", "Eve"}),
    ({"type": "attribute", "name": "email", "op": "matches", "value": "^(ADA|ben)@"}, {"Ada", "Ben"}),
    ({"type": "attribute", "name": "state", "op": "matches", "value": r"^\S+a$"}, {"Ben"}),
    ({"type": "attribute", "name": "country", "op": "eq", "value": {"attribute": "billing_country"}}, {"Ada"}),
    ({"type": "attribute", "name": "country", "op": "ne", "value": {"attribute": "billing_country"}}, {"Cleo"}),
    (
        {
            "type": "attribute",
            "name": "country",
            "op": "ne",
            "value": {"attribute": "billing_country"},
            "missing": "include",
        },
        {"Ben", "Cleo", "Dan", "Eve"},
    ),
    ({"type": "attribute", "name": "taste", "path": ["coffee", "roast"], "op": "eq", "value": "dark"}, {"Ada"}),
    ({"type": "attribute", "name": "taste", "path": ["coffee", "roast"], "op": "set"}, {"Ada", "Ben"}),
    ({"type": "attribute", "name": "taste", "path": ["coffee", "cups"], "op": "gte", "value": 3}, {"Ada"}),
    ({"type": "attribute", "name": "taste", "path": ["*"], "op": "set"}, {"Ada"}),
    ({"type": "attribute", "name": "taste", "path": ["$"], "op": "eq", "value": "dollar"}, {"Ben"}),
    ({"type": "attribute", "name": "taste", "path": ["a.b"], "op": "eq", "value": "dot"}, {"Ada"}),
    ({"type": "attribute", "name": "taste", "path": ['a"b'], "op": "eq", "value": "quote"}, {"Cleo"}),
    ({"type": "attribute", "name": "taste", "path": ["0"], "op": "set"}, {"Ada"}),
    ({"type": "attribute", "name": "taste", "op": "missing"}, {"Dan", "Eve"}),
    ({"type": "attribute", "name": "likes", "op": "has", "value": "TEA"}, {"Ada"}),
    ({"type": "attribute", "name": "likes", "op": "has", "value": 5}, {"Ada"}),
    ({"type": "attribute", "name": "likes", "op": "has_any", "value": ["milk", "honey"]}, {"Ada"}),
    ({"type": "attribute", "name": "likes", "op": "has_all", "value": ["milk", "honey"]}, set()),
    ({"type": "attribute", "name": "likes", "op": "has_all", "value": ["milk", "tea"]}, {"Ada"}),
    ({"type": "attribute", "name": "likes", "op": "has_none", "value": ["milk", "honey"]}, {"Cleo"}),
    (
        {"type": "attribute", "name": "likes", "op": "has_none", "value": ["tea"], "missing": "include"},
        EVERYONE - {"Ada"},
    ),
    ({"type": "attribute", "name": "likes", "measure": "length", "op": "eq", "value": 0}, {"Cleo"}),
    ({"type": "attribute", "name": "likes", "measure": "length", "op": "gte", "value": 3}, {"Ada"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_in_next", "value": "2d"}, {"Ben"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_in_next", "value": "3d"}, {"Ben", "Cleo"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_in", "value": "2d"}, {"Cleo"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_in_period", "value": "this_week"}, {"Ben", "Cleo"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_in_period", "value": "last_week"}, {"Ada"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_today"}, set()),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_today", "zone": "customer"}, {"Ben"}),
    (
        {"type": "attribute", "name": "birthday", "op": "anniversary_in", "value": "2d", "zone": "customer"},
        {"Cleo"},
    ),
    ({"type": "attribute", "name": "birthday", "op": "between", "value": ["1980-06-16", "1990-06-13"]}, {"Ben"}),
    ({"type": "attribute", "name": "birthday", "op": "on", "value": "1990-06-14"}, {"Ada"}),
    ({"type": "attribute", "name": "birthday", "op": "after", "value": "1990-06-14"}, {"Cleo"}),
    ({"type": "attribute", "name": "birthday", "op": "since", "value": "1990-06-14"}, {"Ada", "Cleo"}),
    ({"type": "attribute", "name": "birthday", "op": "before", "value": "1990-06-14"}, {"Ben"}),
    ({"type": "attribute", "name": "renewal", "op": "in_next", "value": "7d"}, {"Ben"}),
    ({"type": "attribute", "name": "renewal", "op": "in_next", "value": "6d"}, set()),
    ({"type": "attribute", "name": "renewal", "op": "in_last", "value": "15d"}, {"Ada"}),
    ({"type": "attribute", "name": "renewal", "op": "in_last", "value": "16d"}, {"Ada", "Cleo"}),
    ({"type": "attribute", "name": "renewal", "op": "at_least_ago", "value": "15d"}, {"Cleo"}),
    ({"type": "attribute", "name": "renewal", "op": "older_than", "value": "15d"}, set()),
    ({"type": "attribute", "name": "renewal", "op": "older_than", "value": "14d"}, {"Cleo"}),
    ({"type": "attribute", "name": "renewal", "op": "in_period", "value": "last_month"}, {"Cleo"}),
    ({"type": "attribute", "name": "renewal", "op": "in_period", "value": "next_week"}, {"Ben"}),
    ({"type": "attribute", "name": "renewal", "op": "in_period", "value": "today"}, {"Ada"}),
    ({"type": "attribute", "name": "renewal", "op": "in_period", "value": "this_quarter"}, {"Ada", "Ben", "Cleo"}),
    ({"type": "attribute", "name": "renewal", "op": "before", "value": {"attribute": "birthday"}}, set()),
    ({"type": "attribute", "name": "renewal", "op": "set"}, {"Ada", "Ben", "Cleo"}),
    ({"type": "attribute", "name": "trial", "op": "in_last", "value": "1d"}, {"Cleo"}),
    ({"type": "attribute", "name": "trial", "op": "in_next", "value": "1d"}, {"Ada"}),
    ({"type": "attribute", "name": "trial", "op": "on", "value": "2026-06-14"}, {"Cleo"}),
    ({"type": "attribute", "name": "trial", "op": "after", "value": "2026-06-14"}, {"Ada"}),
    ({"type": "attribute", "name": "trial", "op": "after", "value": "2026-06-15T12:00:00Z"}, set()),
    ({"type": "attribute", "name": "trial", "op": "since", "value": "2026-06-15T14:00:00+02:00"}, {"Ada"}),
    ({"type": "attribute", "name": "trial", "op": "between", "value": ["2026-06-14", "2026-06-14"]}, {"Cleo"}),
    ({"type": "attribute", "name": "trial", "op": "before", "value": "2026-06-15"}, {"Cleo"}),
    ({"type": "attribute", "name": "trial", "op": "anniversary_in_period", "value": "yesterday"}, {"Cleo"}),
    ({"type": "attribute", "name": "trial", "op": "on", "value": "2026-06-15", "zone": "customer"}, {"Ada"}),
    ({"type": "attribute", "name": "trial", "op": "in_period", "value": "today", "zone": "customer"}, {"Ada"}),
    ({"type": "attribute", "name": "first_seen", "op": "at_least_ago", "value": "10d"}, EVERYONE),
    ({"type": "attribute", "name": "first_seen", "op": "older_than", "value": "10d"}, EVERYONE - {"Eve"}),
    ({"type": "attribute", "name": "last_seen", "op": "set"}, {"Eve"}),
    # Ada ordered for 50 and 100, 200 and 60 days ago; Ben for 300, 60 days ago; Cleo for 80, 10 days ago.
    (
        {
            "type": "activity",
            "name": "item",
            "measure": "most_frequent",
            "of": "category",
            "op": "eq",
            "value": "BEANS",
        },
        {"Ada", "Cleo"},
    ),
    (
        {
            "type": "activity",
            "name": "item",
            "measure": "most_frequent",
            "of": "category",
            "op": "ne",
            "value": "Beans",
        },
        {"Ben"},
    ),
    (
        {
            "type": "activity",
            "name": "item",
            "measure": "most_frequent",
            "of": "category",
            "op": "ne",
            "value": "Beans",
            "missing": "include",
        },
        {"Ben", "Dan", "Eve"},
    ),
    (
        {"type": "activity", "name": "item", "measure": "last", "of": "category", "op": "eq", "value": "Beans"},
        {"Ada", "Cleo"},
    ),
    ({"type": "activity", "name": "order", "measure": "first", "of": "total", "op": "lt", "value": 80}, {"Ada"}),
    (
        {"type": "activity", "name": "order", "measure": "last", "of": "total", "op": "gte", "value": 100},
        {"Ada", "Ben"},
    ),
    ({"type": "activity", "name": "order", "measure": "last", "of": "coupon", "op": "missing"}, EVERYONE),
    ({"type": "activity", "name": "order", "measure": "average_gap", "op": "eq", "value": 140}, {"Ada"}),
    ({"type": "activity", "name": "order", "measure": "median_gap", "op": "lte", "value": 140}, {"Ada"}),
    (
        {"type": "activity", "name": "order", "measure": "median_gap", "op": "lt", "value": 140, "missing": "include"},
        EVERYONE - {"Ada"},
    ),
    (
        {
            "type": "activity",
            "name": "order",
            "measure": "days_since_last",
            "op": "lt",
            "value": {"measure": "average_gap", "times": 0.5},
        },
        {"Ada"},
    ),
    (
        {
            "type": "activity",
            "name": "order",
            "measure": "sum",
            "of": "total",
            "during": {"last": "60d"},
            "op": "gt",
            "value": {"window": "before"},
        },
        {"Ada", "Cleo"},
    ),
    (
        {
            "type": "activity",
            "name": "order",
            "measure": "sum",
            "of": "total",
            "during": {"last": "60d"},
            "op": "lt",
            "value": {"window": "before"},
        },
        {"Ben"},
    ),
    (
        {
            "type": "metric",
            "name": "ltv",
            "during": {"last": "140d"},
            "op": "gte",
            "value": {"window": "before", "times": 2},
        },
        EVERYONE,
    ),
    (
        {
            "type": "metric",
            "name": "ltv",
            "during": {"last": "140d"},
            "op": "lt",
            "value": {"window": "before", "times": 2.5},
        },
        {"Ada"},
    ),
    (
        {"type": "metric", "name": "largest_order", "op": "gt", "value": {"metric": "aov", "times": 1.3}},
        {"Ada"},
    ),
    (
        {
            "type": "activity",
            "name": "order",
            "measure": "sum",
            "of": "total",
            "op": "gt",
            "value": {"measure": "sum", "of": "total", "name": "item"},
        },
        set(),
    ),
    (
        {
            "type": "activity",
            "name": "order",
            "op": "gte",
            "value": {"percentile": 50, "among": "buyers"},
        },
        {"Ada", "Ben", "Cleo"},
    ),
    (
        {"type": "activity", "name": "order", "op": "gt", "value": {"percentile": 50, "among": "everyone"}},
        {"Ada"},
    ),
    (
        {
            "type": "activity",
            "name": "order",
            "measure": "max",
            "of": "total",
            "op": "lt",
            "value": {"percentile": 50},
        },
        {"Cleo"},
    ),
    ({"type": "activity", "name": "order", "op": "any", "during": {"previous": "60d"}}, {"Ben"}),
    ({"type": "rank", "metric": "ltv", "count": 1, "during": {"last": "30d"}}, {"Cleo"}),
    (
        {
            "type": "activity",
            "name": "order",
            "where": [{"name": "coupon", "op": "ne", "value": "x", "missing": "include"}],
        },
        {"Ada", "Ben", "Cleo"},
    ),
    ({"type": "activity", "name": "order", "where": [{"name": "coupon", "op": "ne", "value": "x"}]}, set()),
    ({"type": "sequence", "steps": [{"name": "email_opened"}, {"name": "wishlist_added"}]}, set()),
    (
        {"type": "sequence", "steps": [{"name": "order"}, {"name": "order", "within": "140d"}]},
        {"Ada"},
    ),
    (
        {"type": "sequence", "steps": [{"name": "order"}, {"name": "order", "within": "139d"}]},
        set(),
    ),
    (
        {"type": "sequence", "steps": [{"name": "order"}, {"name": "order", "op": "none", "within": "60d"}]},
        {"Ada", "Ben"},
    ),
    (
        {
            "type": "sequence",
            "steps": [{"name": "order"}, {"name": "email_opened", "within": "7d"}],
            "during": {"last": "30d"},
        },
        {"Cleo"},
    ),
    (
        {
            "type": "at_least",
            "n": 2,
            "of": [
                {"type": "tag", "name": "vip"},
                {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"},
                {"type": "consent", "channel": "email"},
            ],
        },
        {"Ada", "Cleo"},
    ),
    (
        {
            "type": "any",
            "of": [{"type": "tag", "name": "vip"}, {"type": "not", "of": {"type": "activity", "name": "order"}}],
        },
        {"Cleo", "Dan", "Eve"},
    ),
]
