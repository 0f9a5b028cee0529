"""Do PostgreSQL, DuckDB and plain Python agree on who is meant, for definitions and stores nobody thought of?"""

import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from db.segments_sql import compiled
from domain import segments as seg
from domain.catalog import Activity, Attribute, Place
from domain.errors import Invalid
from domain.rfm import GROUPS
from domain.segments import Definition, parse
from services import datasets, segments, store
from tests.planted import NOW, Planted
from tests.reference import Person, World
from tests.segment_cases import named

USUAL_STORES = 20
STORES = int(os.environ.get("STORES", USUAL_STORES))
"""How many random stores; each is asked fifteen definitions. ``make soak`` asks 134 of them, which makes 2,000."""

AXES = {"group", "recency", "frequency", "monetary"}
Asked = Callable[[Definition], tuple[set[int], set[int]] | None]
"""Who a definition means on PostgreSQL and on DuckDB; ``None`` where an operator does not fit what the data is."""

DAY = timedelta(days=1)
TINY = timedelta(microseconds=1)
AGES = [TINY, DAY, 7 * DAY - TINY, 7 * DAY, 7 * DAY + TINY, 30 * DAY, 60 * DAY, 60 * DAY + TINY, 90 * DAY, 365 * DAY]
AMOUNTS = [0, 10, 50, 50, 99.99, 100]
STATES = ["Texas", "TEXAS", "California", "100% Corp_", None]
DURATIONS = ["1d", "7d", "60d", "2w", "3mo", "1y"]
PERIODS = ["today", "yesterday", "tomorrow", "this_week", "last_week", "next_week", "last_month", "next_quarter"]
PRODUCTS = {"Beans": "Coffee", "Kettle": "Gear", "Mug": "Gear"}


def world(shop: Planted, chance: random.Random) -> World:
    """Up to eight people in the database, and the same people in plain Python."""
    shop.flow("Welcome")
    people = []
    for i in range(chance.randint(0, 8)):
        values: dict[str, Any] = {
            "email": chance.choice([f"p{i}@gmail.com", f"p{i}@example.com", None]),
            "phone": chance.choice([f"+1202555010{i}", f"+49151234567{i}", None]),
            "birthday": chance.choice([date(1990, 6, 15), date(2000, 2, 29), date(1985, 6, 20), None]),
            "time_zone": chance.choice(["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", None]),
            "custom": _custom(chance),
            "first_seen_at": NOW - chance.choice([*AGES, 730 * DAY]),
            "last_seen_at": chance.choice([NOW - DAY, NOW, NOW + TINY, None]),
        }
        state, name, billing = chance.choice(STATES), f"P{i}", chance.choice(["US", "us", "DE", None])
        number = shop.person(name, region=state, billing=billing, **values)
        person = Person(number, {}, values["first_seen_at"])
        known = {**values, "state": state, "country": "US" if state else None, "first_seen": values["first_seen_at"]}
        known["billing_country"] = billing
        known["phone_country"] = {"+1": "US", "+4": "DE"}.get((values["phone"] or "")[:2])
        known["last_seen"] = values["last_seen_at"] if (values["last_seen_at"] or NOW) <= NOW else None
        known |= {"points": Decimal(250) if values["custom"].get("points") == 250 else None}
        known |= {key: values["custom"].get(key) for key in ("a/b", "*", "$", "likes")}
        known |= _read(values["custom"])
        person.attributes = known
        _acts(shop, chance, name, person)
        _says(shop, chance, name, person)
        _flows(shop, chance, name, person)
        people.append(person)
    shop.session.flush()
    return World(people, NOW, SAVED)


def _custom(chance: random.Random) -> dict[str, Any]:
    """Lists, objects and dates, some of them of another kind than they should be."""
    renewal = (NOW + chance.choice([-31, -7, -1, 0, 1, 7, 30]) * DAY).date().isoformat()
    trial = (NOW + chance.choice([-1, 1]) * chance.choice(AGES)).isoformat()
    offered: dict[str, list[Any]] = {
        "likes": [["tea", "Milk"], ["TEA"], [], ["tea", "tea", "rum"]],
        "taste": [{"coffee": {"roast": "Dark"}}, {"coffee": "any"}, {"*": "star", "0": "zero"}, ["zero"], "bitter"],
        "renewal": [renewal, renewal, "2026-02-30", 20260615],
        "trial": [trial, trial, "2026-06-15"],
    }
    plain: list[dict[str, Any]] = [{}, {"points": 250}, {"points": "many", "a/b": "x"}, {"*": "y", "$": "z"}]
    chosen = {key: chance.choice(values) for key, values in offered.items() if chance.random() < 0.7}
    return chance.choice(plain) | chosen


def _read(custom: dict[str, Any]) -> dict[str, Any]:
    """What the custom attributes say, where it is of the right kind."""
    renewal, trial, taste = custom.get("renewal"), custom.get("trial"), custom.get("taste")
    coffee = taste.get("coffee") if isinstance(taste, dict) else None
    return {
        "renewal": date.fromisoformat(renewal) if isinstance(renewal, str) and renewal != "2026-02-30" else None,
        "trial": datetime.fromisoformat(trial) if trial and "T" in trial else None,
        "taste": {**taste, "coffee": coffee if isinstance(coffee, dict) else None} if isinstance(taste, dict) else None,
    }


def _acts(shop: Planted, chance: random.Random, name: str, person: Person) -> None:
    person.activities = defaultdict(list)
    for _ in range(chance.randint(0, 4)):
        ago, total = chance.choice(AGES), chance.choice(AMOUNTS)
        cancelled = chance.choice([None, None, TINY, DAY, -DAY])
        refund, refund_ago = chance.choice([(0, DAY), (10, DAY), (50, 7 * DAY)])
        items = {title: PRODUCTS[title] for title in chance.sample(list(PRODUCTS), chance.randint(0, 2))}
        number = shop.order(
            name, total, ago, items=items, cancelled_ago=cancelled, refund=refund, refund_ago=refund_ago
        )
        void = NOW - cancelled if cancelled is not None else None
        row: dict[str, Any] = {"at": NOW - ago, "void_at": void, "total": Decimal(str(total))}
        person.activities["order"].append(row)
        for title, category in items.items():
            person.activities["item"].append({**row, "order_id": number, "product": title, "category": category})
        if refund:
            person.activities["refund"].append({"at": NOW - refund_ago, "amount": Decimal(refund), "void_at": void})
    for _ in range(chance.randint(0, 3)):
        activity, ago, machine = (
            chance.choice(["email_opened", "added_to_cart"]),
            chance.choice(AGES),
            chance.random() < 0.3,
        )
        shop.event(name, activity, ago, machine=machine)
        if activity != "email_opened" or not machine:
            person.activities[activity].append({"at": NOW - ago})
    for _ in range(chance.randint(0, 3)):
        day, pages = NOW.date() - chance.choice([-1, 0, 1, 6, 7, 8, 30, 60]) * DAY, chance.choice([1, 2, 2, None])
        row = {"customer_id": person.id, "on_day": day, "pages": pages}
        shop.session.execute(sa.text("insert into visits values (:customer_id, :on_day, :pages)"), row)
        person.activities["visit"].append({"day": day, "pages": None if pages is None else Decimal(pages)})


def _says(shop: Planted, chance: random.Random, name: str, person: Person) -> None:
    """Consent, topics, tags and suppressions, each with a history."""
    if chance.random() < 0.7:
        since, state = chance.choice(AGES), chance.choice(["subscribed", "pending", "unsubscribed"])
        until = _later(chance, since)
        shop.consent(name, state, since, until=until)
        person.consents.append(("email", state, NOW - since, NOW - until if until is not None else None))
    if chance.random() < 0.6:
        since, state = chance.choice([-TINY, *AGES]), chance.choice(["subscribed", "unsubscribed"])
        until = _later(chance, since)
        shop.topic(name, "news", state, since, until=until)
        person.topics.append(("news", state, NOW - since, NOW - until if until is not None else None))
    if chance.random() < 0.3:
        until = chance.choice([None, DAY])
        shop.tag(name, "vip", 30 * DAY, until=until)
        person.tags.append(("vip", NOW - 30 * DAY, NOW - until if until else None))
    if chance.random() < 0.2:
        channel = chance.choice(["email", "*", "sms"])
        shop.suppress(name, DAY, channel)
        person.suppressed.append((channel, NOW - DAY))


def _later(chance: random.Random, since: timedelta) -> timedelta | None:
    until = chance.choice([None, timedelta(0), TINY, -DAY])
    return None if until is not None and until >= since else until


def _flows(shop: Planted, chance: random.Random, name: str, person: Person) -> None:
    """Ways through the flow, and what became of its messages."""
    number = shop.flows["Welcome"][0]
    if chance.random() < 0.6:
        since, steps = chance.choice([TINY, timedelta(hours=1), DAY, 7 * DAY]), chance.randint(0, 3)
        until = _later(chance, since)
        shop.run(name, "Welcome", since, steps=steps, ended=until)
        taken = [NOW - since + i * timedelta(hours=1) for i in range(steps)]
        person.runs.append((number, NOW - since, NOW - until if until is not None else None, taken))
        person.activities["flow_entered"].append({"at": NOW - since, "flow": Decimal(number)})
    if chance.random() < 0.6:
        sent = chance.choice(AGES)
        opened = chance.choice([sent, TINY, None])
        shop.message(name, "Welcome", accepted=sent, **({"opened": opened} if opened else {}))
        person.activities["message_sent"].append({"at": NOW - sent, "flow": Decimal(number), "channel": "email"})
        if opened:
            person.activities["message_opened"].append({"at": NOW - opened, "flow": Decimal(number)})


SAVED = {
    1: parse({"where": {"type": "metric", "name": "ltv", "op": "gte", "value": 50}}),
    2: parse(
        {
            "where": {
                "type": "any",
                "of": [
                    {"type": "not", "of": {"type": "segment", "id": 1}},
                    {"type": "attribute", "name": "state", "op": "eq", "value": "texas"},
                ],
            }
        }
    ),
}
"""Segments that others may name."""

VISIT = Activity(
    label="visit",
    table="visits",
    entity_column="customer_id",
    time_column="on_day",
    time_kind="date",
    properties={"pages": Attribute(label="pages", kind="integer", at=Place(column="pages"))},
)
"""An activity that is dated by day: the store itself has none."""

numbers = st.sampled_from([0, 1, 2, 10, 50, 99.99, 100])
comparisons = st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"])
durations = st.sampled_from(DURATIONS)
windows = st.none() | st.one_of(
    durations.map(lambda last: {"last": last}),
    st.just({"last": "1y", "until": "7d"}),
    st.just({"until": "60d"}),
    st.sampled_from(["7d", "1mo"]).map(lambda previous: {"previous": previous}),
    st.sampled_from([{"last": "7d", "inclusive": True}, {"previous": "7d", "inclusive": True}]),
    st.sampled_from(["today", "yesterday", "this_week", "last_month", "this_quarter", "last_year"]).map(
        lambda name: {"calendar": name}
    ),
    st.sampled_from([{"from": "2026-06-08"}, {"to": "2026-06-08"}, {"from": "2026-04-16", "to": "2026-06-14"}]),
)
texts = st.sampled_from(["us", "texas", "Texas", "%", "_", "100% corp_", "gmail.com", "x", ""])
filters = st.sampled_from(
    [
        {"name": "product", "op": "eq", "value": "beans"},
        {"name": "category", "op": "in", "value": ["Coffee", "Tea"]},
        {"name": "category", "op": "ne", "value": "gear"},
        {"name": "product", "op": "contains", "value": "e"},
    ]
)


def _made(kind: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    made = st.fixed_dictionaries({"type": st.just(kind), **parts})
    return made.map(lambda found: {key: value for key, value in found.items() if value is not None})


missing = st.sampled_from([None, "include"])
times = st.sampled_from(["first_seen", "last_seen", "birthday", "renewal", "trial"])
zones = st.sampled_from([None, "customer"])
among = st.sampled_from(["everyone", "buyers", {"segment": 1}, {"segment": 2}])
relative = st.sampled_from(["gt", "gte", "lt", "lte"])
percentiles = st.fixed_dictionaries({"percentile": st.sampled_from([10, 50, 75, 90]), "among": among})
beginnings = st.sampled_from(
    [{"last": "7d"}, {"last": "60d", "until": "7d"}, {"previous": "7d"}, {"calendar": "this_month"},
     {"calendar": "yesterday"}, {"from": "2026-06-08"}, {"from": "2026-06-01", "to": "2026-06-08"},
     {"last": "7d", "inclusive": True}]
)  # fmt: skip
before = st.sampled_from([{"window": "before"}, {"window": "before", "times": 2}, {"window": "before", "times": 0.5}])
totals: dict[str, Any] = {
    "of": st.just("total"), "measure": st.sampled_from(["sum", "average", "min", "max", "distinct"])
}  # fmt: skip
pages: dict[str, Any] = {"of": st.just("pages"), "measure": st.sampled_from(["sum", "average", "max", "distinct"])}
lengths = st.sampled_from(["days_since_last", "days_since_first", "average_gap", "median_gap"])
scores = st.none() | st.integers(1, 5) | st.sampled_from([[1, 3], [4, 5], [2, 2]])
on_flow = st.none() | st.just([{"name": "flow", "op": "eq", "value": "Welcome"}])
leaves = st.one_of(
    _made("attribute", name=st.sampled_from(["state", "phone_country", "a/b", "*", "$"]), value=texts, missing=missing,
          op=st.sampled_from(["eq", "ne", "contains", "not_contains", "starts_with", "ends_with"])),
    _made("attribute", name=st.just("state"), op=st.sampled_from(["in", "not_in"]),
          value=st.lists(texts, min_size=1, max_size=3), missing=missing),
    _made("attribute", name=st.sampled_from(["state", "phone", "birthday", "points", "taste", "likes", "renewal"]),
          op=st.sampled_from(["set", "missing"])),
    _made("attribute", name=st.just("points"), op=comparisons, value=st.sampled_from([100, 250]), missing=missing),
    _made("attribute", name=times, value=durations, zone=zones, missing=missing,
          op=st.sampled_from(["in_last", "older_than", "at_least_ago", "in_next"])),
    _made("attribute", name=times, value=st.sampled_from(PERIODS), zone=zones, missing=missing,
          op=st.sampled_from(["in_period", "anniversary_in_period"])),
    _made("attribute", name=times, value=durations, zone=zones, missing=missing,
          op=st.sampled_from(["anniversary_in", "anniversary_in_next"])),
    _made("attribute", name=times, op=st.just("anniversary_today"), zone=zones, missing=missing),
    _made("attribute", name=times, op=st.sampled_from(["on", "before", "after", "since"]), zone=zones, missing=missing,
          value=st.sampled_from(["1990-06-15", "2000-02-29", "2026-06-14", "2026-06-15"])),
    _made("attribute", name=times, op=st.just("between"), zone=zones, missing=missing,
          value=st.sampled_from([["1990-06-15", "2026-06-14"], ["2026-06-15", "2026-06-15"]])),
    _made("attribute", name=st.just("birthday"), op=st.sampled_from(["eq", "ne"]), value=st.just("1990-06-15")),
    _made("attribute", name=st.just("country"), op=st.sampled_from(["eq", "ne"]), missing=missing,
          value=st.just({"attribute": "billing_country"})),
    _made("attribute", name=st.just("renewal"), op=st.sampled_from(["on", "before", "after", "since"]), missing=missing,
          value=st.just({"attribute": "birthday"})),
    _made("attribute", name=st.just("taste"), path=st.just(["coffee", "roast"]), op=st.sampled_from(["eq", "ne"]),
          value=st.sampled_from(["dark", "light"]), missing=missing),
    _made("attribute", name=st.just("taste"), path=st.sampled_from([["*"], ["0"], ["coffee", "roast"]]),
          op=st.sampled_from(["set", "missing"])),
    _made("attribute", name=st.just("likes"), op=st.just("has"), missing=missing,
          value=st.sampled_from(["tea", "rum"])),
    _made("attribute", name=st.just("likes"), op=st.sampled_from(["has_any", "has_all", "has_none"]), missing=missing,
          value=st.lists(st.sampled_from(["tea", "MILK", "rum"]), min_size=1, max_size=2)),
    _made("attribute", name=st.just("likes"), measure=st.just("length"), op=comparisons,
          value=st.sampled_from([0, 1, 2]), missing=missing),
    _made("metric", name=st.sampled_from(["ltv", "order_count", "aov", "largest_order", "opens"]), op=comparisons,
          value=numbers, during=windows, missing=missing),
    _made("metric", name=st.sampled_from(["ltv", "aov", "order_count"]), op=relative, during=windows, missing=missing,
          value=percentiles),
    _made("metric", name=st.sampled_from(["ltv", "aov", "order_count"]), op=comparisons, during=beginnings,
          value=before, missing=missing),
    _made("metric", name=st.sampled_from(["largest_order", "ltv"]), op=relative, during=windows, missing=missing,
          value=st.sampled_from([{"metric": "aov"}, {"metric": "ltv", "during": {"last": "60d"}, "times": 2}])),
    _made("activity", name=st.just("visit"), op=st.sampled_from(["any", "none"]), during=windows),
    _made("activity", name=st.just("visit"), op=comparisons, value=numbers, during=windows),
    _made("activity", name=st.just("visit"), op=comparisons, value=numbers, during=windows, missing=missing, **pages),
    _made("activity", name=st.just("visit"), op=comparisons, value=before, during=beginnings),
    _made("activity", name=st.sampled_from(["visit", "order", "item"]), op=comparisons, during=windows, missing=missing,
          measure=lengths, value=st.sampled_from([0, 1, 6, 7, 30])),
    _made("activity", name=st.sampled_from(["visit", "order"]), op=relative, during=windows, missing=missing,
          measure=lengths,
          value=st.sampled_from([{"measure": "average_gap", "times": 2}, {"measure": "days_since_first"},
                                 {"measure": "count", "name": "item", "during": {"last": "90d"}}])),
    _made("activity", name=st.just("order"), op=relative, during=windows, value=percentiles, missing=missing, **totals),
    _made("activity", name=st.sampled_from(["order", "visit"]), op=relative, during=windows, value=percentiles),
    _made("activity", name=st.just("order"), op=comparisons, during=beginnings, value=before, missing=missing,
          **totals),
    _made("activity", name=st.just("item"), during=windows, of=st.sampled_from(["product", "category"]),
          measure=st.sampled_from(["first", "last", "most_frequent"]), op=st.sampled_from(["eq", "ne", "contains"]),
          value=st.sampled_from(["Gear", "coffee", "mug"]), missing=missing),
    _made("activity", name=st.just("visit"), during=windows, of=st.just("pages"), missing=missing,
          measure=st.sampled_from(["first", "last", "most_frequent"]), op=comparisons, value=st.sampled_from([1, 2])),
    _made("activity", name=st.just("visit"), of=st.just("pages"), op=st.sampled_from(["set", "missing"]),
          measure=st.sampled_from(["first", "last", "most_frequent"])),
    _made("activity", name=st.just("visit"), op=st.sampled_from(["any", "none"]),
          where=st.just([{"name": "pages", "op": "ne", "value": 1, "missing": "include"}])),
    _made("activity", name=st.sampled_from(["message_sent", "message_opened", "flow_entered"]), during=windows,
          op=st.sampled_from(["any", "none"]), where=on_flow),
    _made("topic", name=st.just("news"), state=st.sampled_from(["subscribed", "unsubscribed", "none"])),
    _made("flow", id=st.just("Welcome"), step=st.sampled_from([None, 1, 2, 3])),
    _made("rfm", recency=scores, frequency=scores, monetary=scores, missing=missing,
          group=st.none() | st.sampled_from(sorted(GROUPS))).filter(lambda made: bool(made.keys() & AXES)),
    _made("segment", id=st.sampled_from([1, 2])),
    _made("metric", name=st.just("days_since_last_order"), op=comparisons, value=st.sampled_from([1, 7, 60, 90])),
    _made("activity", name=st.sampled_from(["order", "email_opened", "added_to_cart", "item"]),
          op=st.sampled_from(["any", "none"]), during=windows),
    _made("activity", name=st.sampled_from(["order", "item", "email_opened"]), op=comparisons, value=numbers,
          during=windows),
    _made("activity", name=st.just("item"), op=st.sampled_from(["any", "none"]), during=windows,
          where=st.lists(filters, min_size=1, max_size=2)),
    _made("activity", name=st.just("order"), op=comparisons, value=numbers, during=windows, of=st.just("total"),
          measure=st.sampled_from(["sum", "average", "min", "max", "distinct"])),
    _made("sequence", during=windows,
          steps=st.just([{"name": "message_sent"}, {"name": "message_opened", "op": "none", "within": "7d"}])),
    _made("sequence", during=windows, steps=st.tuples(
        st.fixed_dictionaries({"name": st.sampled_from(["order", "email_opened"])}),
        st.fixed_dictionaries({"name": st.sampled_from(["order", "added_to_cart"]), "within": durations,
                               "op": st.sampled_from(["any", "none"])})).map(list)),
    _made("rank", metric=st.sampled_from(["ltv", "aov"]), end=st.sampled_from(["top", "bottom"]), among=among,
          during=windows,
          count=st.sampled_from([1, 2, 3]), per=st.sampled_from([None, "country"])),
    _made("rank", metric=st.just("ltv"), percent=st.sampled_from([10, 25, 33.3, 50, 100])),
    _made("consent", channel=st.just("email"),
          state=st.sampled_from(["subscribed", "pending", "unsubscribed", "none"])),
    _made("reachable", channel=st.sampled_from(["email", "sms"])),
    _made("suppressed", channel=st.sampled_from(["email", "sms"])),
    _made("tag", name=st.just("vip")),
)  # fmt: skip
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        _made("all", of=st.lists(inner, min_size=1, max_size=3)),
        _made("any", of=st.lists(inner, min_size=1, max_size=3)),
        _made("not", of=inner),
        _made("at_least", n=st.integers(1, 2), of=st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=5,
)


usual = settings(
    max_examples=STORES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=STORES == USUAL_STORES,
    phases=[Phase.generate],  # shrinking would plant thousands of stores; the definition that differs is printed
)


@usual
@given(seed=st.integers(0, 10**6), wheres=st.lists(conditions, min_size=15, max_size=15))
def test_postgresql_duckdb_and_plain_python_mean_the_same_people(
    session: Session, seed: int, wheres: list[dict[str, Any]]
) -> None:
    with planted(session, seed) as (shop, people, asked):
        for where in wheres:
            definition = parse({"where": named(where, shop)})
            expected = people.members(definition)
            found = asked(definition)
            if found is not None:
                assert found == (expected, expected), definition.as_json()


@settings(usual, max_examples=STORES // 5)
@given(seed=st.integers(0, 10**6), wheres=st.lists(conditions, min_size=6, max_size=6))
def test_not_all_any_and_at_least_mean_what_they_say(session: Session, seed: int, wheres: list[dict[str, Any]]) -> None:
    with planted(session, seed) as (shop, people, asked):
        everyone = {person.id for person in people.known()}

        def who(where: dict[str, Any]) -> set[int]:
            found = asked(parse({"where": named(where, shop)}))
            return found[0] if found else set()

        fitting = [where for where in wheres if asked(parse({"where": named(where, shop)})) is not None]
        for one, other in pairwise(fitting):
            assert who({"type": "not", "of": one}) == everyone - who(one)
            both = who({"type": "all", "of": [one, other]})
            assert both == who({"type": "all", "of": [other, one]}) == who(one) & who(other)
            either = who({"type": "any", "of": [one, other]})
            assert either == who({"type": "any", "of": [other, one]}) == who(one) | who(other)
            assert who({"type": "at_least", "n": 1, "of": [one, other]}) == either
            assert who({"type": "at_least", "n": 2, "of": [one, other]}) == both


@contextmanager
def planted(session: Session, seed: int) -> Iterator[tuple[Planted, World, Asked]]:
    """A random store, the same one in plain Python, and both engines to ask; all of it undone at the end."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    with session.begin_nested() as undo, tempfile.TemporaryDirectory() as folder:
        shop = Planted.store(session)
        session.execute(sa.text("create temporary table visits (customer_id bigint, on_day date, pages bigint)"))
        for i in range(9):  # nobody as yet, but the custom attributes exist and points are numbers
            custom = {"points": 0, "a/b": "x", "*": "y", "$": "z", "likes": ["x"], "renewal": "2026-01-01"}
            custom |= {"taste": {"coffee": {"roast": "x"}, "*": "x", "0": "x"}, "trial": "2026-01-01T00:00:00Z"}
            shop.person(f"Later{i}", email=None, custom=custom, first_seen_at=NOW + DAY)
        shop.topic("Later0", "news", "subscribed", -DAY)
        people = world(shop, chance)
        file = Path(folder) / "store.duckdb"
        store.export(session, file)
        _export_visits(session, file)
        found = segments.scope(session, now=NOW)
        known = found.catalog.model_copy(update={"activities": {**found.catalog.activities, "visit": VISIT}})
        scope = replace(found, catalog=known, resolve=lambda number, _: SAVED[number])
        with datasets.open_dataset("store", file) as dataset:

            def asked(definition: Definition) -> tuple[set[int], set[int]] | None:
                try:
                    members = compiled(definition, scope).members()
                except Invalid as refusal:
                    if refusal.code != "operator_does_not_fit":
                        raise
                    return None
                postgres = {row.id for row in session.execute(members)}
                return postgres, {row["id"] for row in dataset.file.rows(members)}

            yield shop, people, asked
        undo.rollback()


def _export_visits(session: Session, file: Path) -> None:
    rows = [tuple(row) for row in session.execute(sa.text("select * from visits"))]
    with duckdb.connect(file) as connection:
        connection.execute("create table visits (customer_id bigint, on_day date, pages bigint)")
        if rows:
            connection.executemany("insert into visits values (?, ?, ?)", rows)


def test_the_reference_knows_every_condition() -> None:
    people = [Person(1, {"email": None}, NOW - DAY)]
    for node in (seg.Tagged(name="vip"), seg.Consent(channel="email"), seg.Reachable(channel="email")):
        assert World(people, NOW).members(Definition(where=node)) == set()
