"""Are the numbers the ones a person would count by hand, in the store and in its export?"""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid
from domain.segments import parse
from domain.windows import Window
from services import sources, stats
from services.sources import Source
from tests.planted import NOW, Planted

DAY = timedelta(days=1)
TEXAS = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})
BOUGHT = parse({"where": {"type": "metric", "name": "order_count", "op": "gte", "value": 1}})


@pytest.fixture(scope="module")
def shop(lasting: Session) -> Planted:
    """Four people with LTV 0, 100, 200 and 900."""
    shop = Planted.store(lasting, time_zone="America/Chicago")
    for name, region in (("Ada", "Texas"), ("Ben", "Texas"), ("Cleo", "Ohio"), ("Dan", None)):
        shop.person(name, region=region)
    shop.order("Ada", 100, 5 * DAY, items={"Kettle": "Gear"})
    shop.order("Ben", 200, 40 * DAY, items={"Kettle": "Gear"})
    shop.order("Cleo", 1000, 5 * DAY, items={"Beans": "Coffee", "Kettle": "Gear"}, refund=100)
    lasting.flush()
    return shop


def test_percentiles_interpolate_and_count_people_without_orders_as_nought(source: Source) -> None:
    found = stats.percentiles(source, "ltv", [0, 50, 75, 100])
    assert found == {"0": 0.0, "50": 150.0, "75": 375.0, "100": 900.0}


def test_a_segment_and_a_window_narrow_what_is_measured(source: Source) -> None:
    assert stats.percentiles(source, "ltv", [50], definition=TEXAS) == {"50": 150.0}
    assert stats.percentiles(source, "ltv", [100], definition=BOUGHT, during=Window(last="30d")) == {"100": 900.0}
    assert stats.distribution(source, "ltv", during=Window(last="30d")).mean == 250.0
    assert stats.everyone(source) == 4
    assert stats.everyone(source, BOUGHT) == 3


def test_a_distribution_counts_everybody_once(source: Source) -> None:
    found = stats.distribution(source, "ltv", bins=4)
    assert (found.people, found.mean, sum(item.people for item in found.bins)) == (4, 300.0, 4)
    assert [item.people for item in found.bins] == [3, 0, 0, 1]


def test_groups_have_means_or_totals_and_the_largest_comes_first(source: Source) -> None:
    groups = [(item.value, item.people, item.number) for item in stats.by_group(source, "ltv", "state")]
    assert groups == [("Texas", 2, 150.0), ("Ohio", 1, 900.0)]
    totals = [(item.value, item.number) for item in stats.by_group(source, "ltv", "state", total=True)]
    assert totals == [("Texas", 300.0), ("Ohio", 900.0)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "state"}, [("Texas", 2, 2), ("Ohio", 1, 1)]),
        ({"name": "state", "definition": BOUGHT, "limit": 1}, [("Texas", 2, 2)]),
        ({"name": "product", "activity": "item", "by": "people"}, [("Kettle", 3, 3), ("Beans", 1, 1)]),
        ({"name": "product", "activity": "item", "by": "deeds"}, [("Kettle", 3, 3), ("Beans", 1, 1)]),
        (
            {"name": "product", "activity": "item", "by": "weight", "weight": "total"},
            [("Kettle", 3, 1300.0), ("Beans", 1, 1000.0)],
        ),
        (
            {"name": "product", "activity": "item", "by": "deeds", "during": Window(until="30d")},
            [("Kettle", 1, 1)],
        ),
        ({"name": "category", "activity": "item", "definition": TEXAS}, [("Gear", 2, 2)]),
    ],
)
def test_values_are_ranked_by_what_was_asked(
    source: Source, asked: dict[str, Any], found: list[tuple[str, int, float]]
) -> None:
    assert [(top.value, top.people, top.number) for top in stats.top_values(source, **asked)] == found


def test_the_people_with_the_most_come_first(source: Source, shop: Planted) -> None:
    assert [top.number for top in stats.most(source, "ltv", limit=2)] == [900.0, 200.0]
    assert [top.number for top in stats.most(source, "ltv", limit=2, last=True)] == [0.0, 100.0]
    assert str(shop.ids["Cleo"]) in stats.most(source, "ltv", limit=1)[0].value


def test_deeds_are_counted_with_the_people_who_did_them(source: Source) -> None:
    assert stats.deeds(source, "order") == (3, 3)
    assert stats.deeds(source, "item", during=Window(last="30d"), definition=TEXAS) == (1, 1)


def test_a_trend_has_a_point_for_every_month_and_says_which_is_not_over(source: Source) -> None:
    points = stats.trend(source, metric="ltv", during=Window(last="90d"))
    assert [(point.start, point.value, point.people, point.whole) for point in points] == [
        (date(2026, 3, 1), 0, 0, False),
        (date(2026, 4, 1), 0, 0, True),
        (date(2026, 5, 1), 200, 1, True),
        (date(2026, 6, 1), 1000, 2, False),
    ]
    assert [point.value for point in stats.trend(source, activity="order")] == [1, 2]
    assert [point.value for point in stats.trend(source, activity="item", definition=TEXAS, unit="quarter")] == [2]
    assert len(stats.trend(source, activity="order", unit="day")) == 41


def test_first_times_and_days_of_an_attribute_have_a_trend_too(source: Source, shop: Planted) -> None:
    assert [point.value for point in stats.trend(source, activity="order", first=True)] == [1, 2]
    joined = stats.trend(source, attribute="first_seen", unit="year")
    assert [(point.start.year, point.value) for point in joined] == [(2024, 4), (2025, 0), (2026, 0)]


def test_the_days_of_a_trend_are_those_of_the_store(shop: Planted) -> None:
    with shop.session.begin_nested() as planted:
        shop.order("Dan", 1, timedelta(hours=8))
        days = stats.trend(sources.of_store(shop.session, now=NOW), activity="order", unit="day")
        planted.rollback()
    assert days[-2].value == 1, "04:00 in UTC is the evening before in Chicago"


def test_an_empty_population_has_no_figures(shop: Planted) -> None:
    empty = sources.of_store(shop.session, now=NOW - 900 * DAY)
    assert stats.percentiles(empty, "ltv", [50]) == {}
    assert stats.distribution(empty, "ltv").bins == ()
    assert stats.trend(empty, activity="order") == []


def test_a_segment_may_count_what_is_measured_too(shop: Planted) -> None:
    thrice = parse({"where": {"type": "activity", "name": "order", "op": "lt", "value": 3}})
    assert stats.percentiles(sources.of_store(shop.session, now=NOW), "ltv", [100], definition=thrice) == {"100": 900.0}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"metric": "days_since_last_order"}, "no_trend"),
        ({"attribute": "state"}, "no_trend"),
        ({}, "no_trend"),
        ({"attribute": "first_seen", "unit": "day", "during": Window(last="9y")}, "too_many_points"),
    ],
)
def test_what_has_no_development_is_refused(shop: Planted, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        stats.trend(sources.of_store(shop.session, now=NOW), **asked)
    assert refused.value.code == code


def test_what_is_not_a_percentile_or_a_metric_is_refused(shop: Planted) -> None:
    source = sources.of_store(shop.session, now=NOW)
    with pytest.raises(Invalid, match="not between 0 and 100"):
        stats.percentiles(source, "ltv", [101])
    with pytest.raises(Invalid, match="no metric"):
        stats.distribution(source, "lvt")
