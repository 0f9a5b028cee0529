"""Are two segments compared as a statistics package would, and is chance called chance?"""

from datetime import timedelta
from itertools import product
from statistics import mean, median

import pytest
from sqlalchemy.orm import Session

from domain.segments import parse
from services import comparison
from services.sources import Source
from tests.planted import Planted

DAY = timedelta(days=1)
TEXAS = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})
OHIO = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Ohio"}})
SPENT = {"Texas": [300, 350, 350, 400, 500, 0], "Ohio": [10, 20, 30, 350, 0, 0, 0]}


@pytest.fixture(scope="module")
def shop(lasting: Session) -> Planted:
    shop = Planted.store(lasting)
    for state, sums in SPENT.items():
        for i, total in enumerate(sums):
            name = f"{state}{i}"
            shop.person(name, region=state)
            shop.consent(name, "subscribed" if state == "Texas" else "unsubscribed", 9 * DAY)
            if total:
                shop.order(name, total, (i + 1) * DAY, items={"Kettle": "Gear"} if state == "Texas" else {"Tea": "Tea"})
    lasting.flush()
    return shop


def test_each_side_has_its_own_figures(source: Source) -> None:
    found = comparison.compare(source, TEXAS, OHIO)
    assert (found.one.people, found.other.people, found.both, found.everyone) == (6, 7, 0, 13)
    ltv = next(one for one in found.metrics if one.metric == "ltv")
    assert ltv.median == (median(SPENT["Texas"]), median(SPENT["Ohio"]))
    assert ltv.mean == pytest.approx((mean(SPENT["Texas"]), mean(SPENT["Ohio"])))


def test_the_effect_is_cliffs_delta(source: Source) -> None:
    ltv = next(one for one in comparison.compare(source, TEXAS, OHIO).metrics if one.metric == "ltv")
    pairs = list(product(SPENT["Texas"], SPENT["Ohio"]))
    assert ltv.delta == pytest.approx(sum((a > b) - (a < b) for a, b in pairs) / len(pairs))
    assert (ltv.verdict, ltv.size) == ("may be chance", "none"), "six against seven people prove little"


def test_against_everyone_a_segment_is_judged_against_everyone_else(source: Source) -> None:
    against_all = comparison.compare(source, TEXAS)
    assert (against_all.other.people, against_all.both) == (13, 6)
    one, other = (
        {each.metric: (each.delta, each.verdict) for each in found.metrics}
        for found in (against_all, comparison.compare(source, TEXAS, OHIO))
    )
    assert one == other
    turned = next(each for each in comparison.compare(source, None, TEXAS).metrics if each.metric == "ltv")
    assert turned.delta == pytest.approx(-(one["ltv"][0] or 0))


def test_shares_are_compared_with_their_interval(source: Source) -> None:
    found = {(one.about, one.label): one for one in comparison.compare(source, TEXAS, OHIO).shares}
    email = found["consent", "subscribed to email"]
    assert (email.share, email.difference, email.verdict) == ((1.0, 0.0), 1.0, "higher")
    assert 0 < email.low < email.difference <= email.high


def test_nobody_to_compare_with_is_said_and_not_guessed(source: Source) -> None:
    found = comparison.compare(source, TEXAS, TEXAS)
    assert {one.verdict for one in found.metrics} == {one.verdict for one in found.shares} == {"too few"}
