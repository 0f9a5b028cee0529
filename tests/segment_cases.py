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
        birthday=date(1990, 6, 14),
        custom={"points": 250, "roast": "dark", "likes": ["tea", "milk"]},
    )
    shop.person(
        "Ben", region="California", email="ben@gmail.com", birthday=date(1980, 6, 16), custom={"points": "many"}
    )
    shop.person("Cleo", region="texas", phone="+12025550101", birthday=date(2001, 6, 17), custom={"points": 100})
    shop.person("Dan", email=None)
    shop.person("Eve", region="Berlin", country="DE", first_seen_at=NOW - 10 * DAY)
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
    session.flush()
    return shop


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
    ({"type": "rank", "metric": "ltv", "count": 2}, {"Ada", "Ben"}),
    ({"type": "rank", "metric": "ltv", "count": 1, "end": "bottom"}, {"Dan", "Eve"}),
    ({"type": "rank", "metric": "ltv", "percent": 21}, {"Ada", "Ben"}),
    ({"type": "rank", "metric": "ltv", "percent": 34, "among": "buyers"}, {"Ada", "Ben"}),
    ({"type": "rank", "metric": "ltv", "count": 1, "per": "country"}, {"Ben", "Eve"}),
    ({"type": "attribute", "name": "email", "op": "matches", "value": "^(ADA|ben)@"}, {"Ada", "Ben"}),
    ({"type": "attribute", "name": "state", "op": "matches", "value": r"^\S+a$"}, {"Ben"}),
    ({"type": "attribute", "name": "likes", "op": "has", "value": "tea"}, {"Ada"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_in_next", "value": "2d"}, {"Ben"}),
    ({"type": "attribute", "name": "birthday", "op": "anniversary_in_next", "value": "3d"}, {"Ben", "Cleo"}),
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
