"""Are RFM scores those that a person would work out with the rule in hand, on both engines?"""

from collections import Counter
from datetime import timedelta
from math import floor
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from db.segments_figures import scored
from domain.segments import parse
from services import datasets, rfm, segments, sources, store
from tests.planted import NOW, Planted

DAY = timedelta(days=1)

PURCHASES: dict[str, list[tuple[float, timedelta]]] = {
    "Ada": [(100, 5 * DAY), (100, 50 * DAY), (100, 90 * DAY)],
    "Ben": [(900, 5 * DAY)],
    "Cleo": [(40, 200 * DAY)],
    "Dan": [(40, 300 * DAY), (60, 100 * DAY)],
    "Eve": [(10, 400 * DAY), (10, 410 * DAY)],
    "Fay": [],
}
"""Ties on every axis, and one person who never bought."""


@pytest.fixture(scope="module")
def shop(lasting: Session) -> Planted:
    planted = Planted.store(lasting)
    for name, orders in PURCHASES.items():
        planted.person(name)
        for total, ago in orders:
            planted.order(name, total, ago)
    lasting.flush()
    return planted


def expected() -> dict[str, tuple[int, int, int]]:
    """The rule, person by person."""
    buyers = {name: orders for name, orders in PURCHASES.items() if orders}
    axes: list[dict[str, float]] = [
        {name: -min(ago for _, ago in orders).days for name, orders in buyers.items()},
        {name: len(orders) for name, orders in buyers.items()},
        {name: sum(total for total, _ in orders) for name, orders in buyers.items()},
    ]
    scores = [
        {name: 1 + floor(5 * sum(other < value for other in axis.values()) / len(axis)) for name, value in axis.items()}
        for axis in axes
    ]
    return {name: (scores[0][name], scores[1][name], scores[2][name]) for name in buyers}


def test_scores_follow_the_rule_and_ties_share_the_lower_one(shop: Planted) -> None:
    names = {number: name for name, number in shop.ids.items()}
    found = segments.run(shop.session, scored(None, segments.scope(shop.session, now=NOW))).all()
    assert {names[row.id]: (row.recency, row.frequency, row.monetary) for row in found} == expected()
    assert expected()["Ada"] == (4, 5, 4)


def test_both_engines_score_alike(shop: Planted, tmp_path: Path) -> None:
    store.export(shop.session, tmp_path / "store.duckdb")
    ours = segments.run(shop.session, scored(None, segments.scope(shop.session, now=NOW))).mappings().all()
    with datasets.open_dataset("store", tmp_path / "store.duckdb") as dataset:
        theirs = dataset.file.rows(scored(None, datasets.scope(dataset, now=NOW)))
    assert sorted(map(str, map(dict, ours))) == sorted(map(str, theirs))


def test_the_table_counts_every_buyer_once_and_adds_up(shop: Planted) -> None:
    source = sources.of_store(shop.session, now=NOW)
    found = rfm.table(source)
    assert (found.buyers, found.revenue, len(found.fields), len(found.groups)) == (5, 1360.0, 25, 10)
    assert sum(field.people for field in found.fields) == sum(group.people for group in found.groups) == 5
    assert sum(group.revenue for group in found.groups) == 1360.0
    counted = {(field.recency, field.frequency): field.people for field in found.fields if field.people}
    assert counted == Counter((recency, frequency) for recency, frequency, _ in expected().values())
    latest = next(step for step in found.steps if step.axis == "recency")
    assert (latest.low, latest.high, latest.people) == (5.0, 5.0, 2)


def test_a_segment_is_shown_with_the_scores_it_has_among_all_buyers(shop: Planted) -> None:
    thrice = parse({"where": {"type": "metric", "name": "order_count", "op": "gte", "value": 3}})
    found = rfm.table(sources.of_store(shop.session, now=NOW), definition=thrice)
    assert [(field.recency, field.frequency) for field in found.fields if field.people] == [(4, 5)]
    assert next(group.key for group in found.groups if group.people) == "loyal"


def test_the_table_is_of_the_instant_asked_about(shop: Planted) -> None:
    assert rfm.table(sources.of_store(shop.session, now=NOW - 6 * DAY)).buyers == 4
