"""Are the numbers the ones a person would count by hand?"""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid
from domain.segments import parse
from services import stats
from tests.planted import NOW, Planted

DAY = timedelta(days=1)


@pytest.fixture
def shop(session: Session) -> Planted:
    """Four people with LTV 0, 100, 200 and 900."""
    shop = Planted.store(session, time_zone="America/Chicago")
    for name, region in (("Ada", "Texas"), ("Ben", "Texas"), ("Cleo", "Ohio"), ("Dan", None)):
        shop.person(name, region=region)
    shop.order("Ada", 100, 5 * DAY, items={"Kettle": "Gear"})
    shop.order("Ben", 200, 40 * DAY, items={"Kettle": "Gear"})
    shop.order("Cleo", 1000, 5 * DAY, items={"Beans": "Coffee"}, refund=100)
    session.flush()
    return shop


def test_percentiles_interpolate_and_count_people_without_orders_as_nought(shop: Planted) -> None:
    found = stats.percentiles(shop.session, "ltv", [0, 50, 75, 100], now=NOW)
    assert found == {"0": 0.0, "50": 150.0, "75": 375.0, "100": 900.0}


def test_a_segment_narrows_the_population(shop: Planted) -> None:
    texas = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})
    assert stats.percentiles(shop.session, "ltv", [50], now=NOW, definition=texas) == {"50": 150.0}
    assert stats.percentiles(shop.session, "aov", [50], now=NOW + 400 * DAY, definition=texas) == {"50": 150.0}


def test_a_distribution_counts_everybody_once(shop: Planted) -> None:
    found = stats.distribution(shop.session, "ltv", now=NOW, bins=4)
    assert (found.people, found.mean, sum(item.people for item in found.bins)) == (4, 300.0, 4)
    assert [item.people for item in found.bins] == [3, 0, 0, 1]


def test_an_empty_population_has_no_figures(session: Session) -> None:
    Planted.store(session)
    assert stats.percentiles(session, "ltv", [50], now=NOW) == {}
    assert stats.distribution(session, "ltv", now=NOW).bins == ()


def test_groups_and_top_values_are_ordered_by_how_many(shop: Planted) -> None:
    groups = [(item.value, item.people, item.mean) for item in stats.by_group(shop.session, "ltv", "state", now=NOW)]
    assert groups == [("Texas", 2, 150.0), ("Ohio", 1, 900.0)]
    top = stats.top_values(shop.session, "product", activity="item", now=NOW)
    assert [(item.value, item.people) for item in top] == [("Kettle", 2), ("Beans", 1)]


def test_a_trend_uses_the_calendar_of_the_store(shop: Planted) -> None:
    points = stats.trend(shop.session, "order", now=NOW)
    assert [(point.start.isoformat(), point.count, point.people) for point in points] == [
        ("2026-05-01T00:00:00-05:00", 1, 1),
        ("2026-06-01T00:00:00-05:00", 2, 2),
    ]


def test_what_is_not_a_percentile_or_a_metric_is_refused(shop: Planted) -> None:
    with pytest.raises(Invalid, match="not between 0 and 100"):
        stats.percentiles(shop.session, "ltv", [101], now=NOW)
    with pytest.raises(Invalid, match="no metric"):
        stats.distribution(shop.session, "lvt", now=NOW)
