"""Does each kind of question about figures get the number a person would count by hand?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid
from domain.segments import parse
from services import figures, sources
from services.figures import Figures, Question
from tests.planted import NOW, Planted

DAY = timedelta(days=1)
TEXAS = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})


@pytest.fixture(scope="module")
def shop(lasting: Session) -> Planted:
    """Four people with LTV 0, 100, 200 and 900; two of them live in Texas."""
    shop = Planted.store(lasting)
    for name, region in (("Ada", "Texas"), ("Ben", "Texas"), ("Cleo", "Ohio"), ("Dan", None)):
        shop.person(name, region=region)
    shop.order("Ada", 100, 5 * DAY, items={"Kettle": "Gear"})
    shop.order("Ben", 200, 40 * DAY, items={"Kettle": "Gear"})
    shop.order("Cleo", 1000, 5 * DAY, items={"Beans": "Coffee"}, refund=100)
    lasting.flush()
    return shop


def asked(shop: Planted, **slots: Any) -> Figures:
    return figures.answer(sources.of_store(shop.session, now=NOW), Question(**slots))


@pytest.mark.parametrize(
    ("slots", "value"),
    [
        ({"what": "count"}, 4),
        ({"what": "count", "definition": TEXAS}, 2),
        ({"what": "share", "definition": TEXAS}, 0.5),
        ({"what": "count", "activity": "order"}, 3),
        ({"what": "count", "activity": "order", "during": {"last": "30d"}}, 2),
        ({"what": "average", "metric": "ltv"}, 300),
        ({"what": "median", "metric": "ltv"}, 150),
        ({"what": "minimum", "metric": "ltv"}, 0),
        ({"what": "maximum", "metric": "ltv"}, 900),
        ({"what": "total", "metric": "ltv"}, 1200),
        ({"what": "total", "metric": "ltv", "definition": TEXAS}, 300),
        ({"what": "percentile", "metric": "ltv", "percentile": 75}, 375),
        ({"what": "total", "metric": "ltv", "during": {"last": "30d"}}, 1000),
    ],
)
def test_one_number(shop: Planted, slots: dict[str, Any], value: float) -> None:
    assert asked(shop, **slots).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("slots", "rows"),
    [
        ({"what": "count", "attribute": "state"}, [("Texas", 2), ("Ohio", 1)]),
        ({"what": "average", "metric": "ltv", "attribute": "state"}, [("Texas", 150), ("Ohio", 900)]),
        ({"what": "top", "activity": "item", "property": "product"}, [("Kettle", 2), ("Beans", 1)]),
        ({"what": "distribution", "attribute": "state", "definition": TEXAS}, [("Texas", 2)]),
        ({"what": "total", "metric": "ltv", "attribute": "state"}, [("Texas", 300), ("Ohio", 900)]),
        (
            {"what": "top", "activity": "item", "property": "product", "by": "total"},
            [("Beans", 1000), ("Kettle", 300)],
        ),
        (
            {"what": "top", "activity": "item", "property": "product", "during": {"last": "30d"}},
            [("Beans", 1), ("Kettle", 1)],
        ),
        ({"what": "trend", "activity": "order"}, [("2026-05-01", 1), ("2026-06-01", 2)]),
        ({"what": "trend", "metric": "ltv", "interval": "year"}, [("2026-01-01", 1200)]),
    ],
)
def test_several_numbers(shop: Planted, slots: dict[str, Any], rows: list[tuple[str, float]]) -> None:
    assert [(row.label, row.value) for row in asked(shop, **slots).rows] == rows


def test_the_customers_with_the_most_are_named_with_their_number_and_masked(shop: Planted) -> None:
    rows = asked(shop, what="top", metric="order_count", limit=2).rows
    assert [row.value for row in rows] == [1, 1]
    assert rows[0].label == f"Ada (customer {shop.ids['Ada']})"
    assert asked(shop, what="top", metric="ltv", limit=1).rows[0].label.startswith("Cleo")
    assert asked(shop, what="top", metric="ltv", limit=1, end="bottom").rows[0].label.startswith("Dan")
    assert len(asked(shop, what="top", metric="ltv", definition=TEXAS).rows) == 2


@pytest.mark.parametrize(
    ("slots", "counted"),
    [
        ({"what": "count"}, "customers"),
        ({"what": "count", "activity": "item"}, "orders"),
        ({"what": "top", "activity": "item", "property": "product"}, "orders"),
        ({"what": "top", "activity": "item", "property": "product", "by": "people"}, "customers with such orders"),
        ({"what": "top", "activity": "item", "property": "product", "by": "quantity"}, "quantity, added up"),
        ({"what": "top", "activity": "product_viewed", "property": "product"}, "product views"),
        ({"what": "trend", "activity": "order", "first": True, "interval": "week"}, "customers per week"),
        ({"what": "average", "metric": "ltv", "attribute": "state"}, "average LTV by state"),
    ],
)
def test_an_answer_says_what_its_numbers_count(shop: Planted, slots: dict[str, Any], counted: str) -> None:
    assert asked(shop, **slots).counted == counted


def test_two_segments_and_the_rfm_grid_are_answers_too(shop: Planted) -> None:
    found = asked(shop, what="compare", definition=TEXAS).comparison
    assert found is not None
    assert (found.one.people, found.other.people) == (2, 4)
    assert (grid := asked(shop, what="rfm").rfm) is not None
    assert grid.buyers == 3


def test_a_distribution_is_of_a_metric(shop: Planted) -> None:
    spread = asked(shop, what="distribution", metric="ltv").distribution
    assert spread is not None
    assert (spread.people, spread.mean) == (4, 300)


@pytest.mark.parametrize(
    ("slots", "code"),
    [
        ({"what": "average"}, "metric_missing"),
        ({"what": "average", "metric": "fame"}, "unknown_metric"),
        ({"what": "percentile", "metric": "ltv"}, "percentile_missing"),
        ({"what": "count", "activity": "dance"}, "unknown_activity"),
    ],
)
def test_a_question_that_names_too_little_or_nothing_known_is_refused(
    shop: Planted, slots: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        asked(shop, **slots)
    assert refused.value.code == code
