"""Is it said right who is nearly in a segment, what segments share, and on which facts each condition rests?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid, NotFound
from domain.segments import parse
from services import segments, segments_near, segments_overlap, segments_why
from tests.planted import NOW, Planted
from tests.segment_cases import CASES, named
from tests.segment_cases import shop as planted_shop

DAY = timedelta(days=1)
RICH = {"type": "metric", "name": "ltv", "op": "gte", "value": 100}
LAPSED = {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}}
SUBSCRIBED = {"type": "consent", "channel": "email", "state": "subscribed"}
RECENT = {"type": "activity", "name": "order", "op": "any", "during": {"last": "60d"}}


@pytest.fixture
def shop(session: Session) -> Planted:
    """Two in the segment; others miss the money by 10 and 40, the time by 20 days, the consent, or two of them."""
    planted = Planted.store(session)
    people = {
        "In1": (100, 100, True),
        "In2": (500, 90, True),
        "Short10": (90, 100, True),
        "Short40": (60, 100, True),
        "Recent": (200, 40, True),
        "Unasked": (200, 100, False),
        "Far": (10, 5, True),
    }
    for name, (total, days, subscribed) in people.items():
        planted.person(name, region="Texas")
        planted.order(name, total, days * DAY)
        if subscribed:
            planted.consent(name, "subscribed", 200 * DAY)
    session.flush()
    return planted


def every(*conditions: dict[str, Any]) -> Any:
    return parse({"where": {"type": "all", "of": list(conditions)}})


def test_near_misses_are_those_who_fail_one_condition_with_how_far_they_are(shop: Planted) -> None:
    money, time, consent = segments_near.near_misses(shop.session, every(RICH, LAPSED, SUBSCRIBED), now=NOW)
    ids = shop.ids
    assert [(one.customer.id, one.gap, one.said) for one in money.people] == [
        (ids["Short10"], 10, "$10 away"),
        (ids["Short40"], 40, "$40 away"),
    ]
    assert (money.count, money.median_gap, money.closest_gap, money.unit) == (2, 25, 10, "money")
    assert [(one.customer.id, one.gap, one.said) for one in time.people] == [(ids["Recent"], 20, "20 days away")]
    assert [(one.customer.id, one.gap, one.said) for one in consent.people] == [(ids["Unasked"], None, "")]
    assert money.text == "LTV is at least $100"


def test_near_misses_know_percentiles_counts_negations_and_nobody(shop: Planted) -> None:
    top = {**RICH, "op": "gt", "value": {"percentile": 75}}
    (by_percentile,) = segments_near.near_misses(shop.session, parse({"where": top}), now=NOW, people=1)
    assert by_percentile.count == 6
    assert by_percentile.people[0].gap == 0
    lately = {"type": "not", "of": RECENT}
    (negated,) = segments_near.near_misses(shop.session, parse({"where": lately}), now=NOW)
    assert [one.gap for one in negated.people] == [20, 55]
    never = {"type": "activity", "name": "order", "op": "none"}
    (counted,) = segments_near.near_misses(shop.session, parse({"where": never}), now=NOW, people=1)
    assert (counted.count, counted.people[0].said) == (7, "1 order away")
    nobody = parse({"where": {"type": "metric", "name": "ltv", "op": "gte", "value": 0}})
    (none,) = segments_near.near_misses(shop.session, nobody, now=NOW)
    assert (none.count, none.people, none.median_gap) == (0, (), None)


def test_every_kind_of_condition_has_its_near_misses_and_its_reasons(session: Session) -> None:
    shop = planted_shop(session)
    for where, names in CASES:
        definition = parse({"where": named(where, shop)})
        missing = segments_near.near_misses(session, definition, now=NOW)
        assert sum(one.count for one in missing) <= len(shop.ids) - len(names)
        if len(missing) == 1:
            assert missing[0].count == len(shop.ids) - len(names)
        found = segments_why.why(session, definition, shop.ids["Ada"], now=NOW)
        assert found.member == ("Ada" in names)
        assert all(reason.text for reason in found.reasons)


def test_the_overlap_of_segments_is_counted_in_one_pass(shop: Planted) -> None:
    rich, lapsed, subscribed = (parse({"where": one}) for one in (RICH, LAPSED, SUBSCRIBED))
    found = segments_overlap.overlap(shop.session, {"Rich": rich, "Lapsed": lapsed, "Mail": subscribed}, now=NOW)
    assert [(one.name, one.size) for one in found.segments] == [("Rich", 4), ("Lapsed", 5), ("Mail", 6)]
    pair = found.pairs[0]
    assert (pair.first, pair.second, pair.both, pair.only_first, pair.only_second) == ("Rich", "Lapsed", 3, 1, 2)
    assert pair.jaccard == pytest.approx(3 / 6)
    assert (found.in_all, found.in_any) == (2, 7)
    ids = [
        segments.save(shop.session, name=str(i), definition=one, by="mia", now=NOW).id
        for i, one in enumerate((rich, lapsed))
    ]
    assert segments_overlap.of_saved(shop.session, ids, now=NOW).pairs[0].both == 3
    with pytest.raises(Invalid):
        segments_overlap.of_saved(shop.session, ids[:1], now=NOW)
    nobody = parse({"where": {"type": "tag", "name": "nobody"}})
    assert segments_overlap.overlap(shop.session, {"a": nobody, "b": nobody}, now=NOW).pairs[0].jaccard is None


def test_why_tells_the_fact_and_its_time_for_each_condition(shop: Planted) -> None:
    shop.tag("Far", "vip", 30 * DAY, until=3 * DAY)
    shop.suppress("Far", 2 * DAY)
    shop.session.flush()
    saved = segments.save(shop.session, name="Rich", definition=parse({"where": RICH}), by="mia", now=NOW)
    asked = every(
        LAPSED,
        {"type": "any", "of": [RICH, {"type": "tag", "name": "vip"}]},
        SUBSCRIBED,
        {"type": "reachable", "channel": "email"},
        {"type": "attribute", "name": "language", "op": "eq", "value": "de"},
        {"type": "segment", "id": saved.id},
        {"type": "activity", "name": "order", "measure": "days_since_last", "op": "gt", "value": 3},
        {"type": "activity", "name": "refund", "op": "none"},
    )
    found = segments_why.why(shop.session, asked, shop.ids["Far"], now=NOW)
    assert not found.member
    told = {one.path.removeprefix("where.of."): (one.holds, one.fact, one.at) for one in found.reasons}
    ordered = NOW - 5 * DAY
    assert told == {
        "0": (False, "1 order, the last on 10 Jun 2026", ordered),
        "1.of.0": (False, "LTV is $10, the last order on 10 Jun 2026", ordered),
        "1.of.1": (False, "tag taken off on 12 Jun 2026", NOW - 3 * DAY),
        "2": (True, "subscribed to email since 27 Nov 2025", NOW - 200 * DAY),
        "3": (False, "suppressed (bounced) since 13 Jun 2026", NOW - 2 * DAY),
        "4": (None, "not known", None),
        "5": (False, "is not in it", None),
        "6": (True, "1 order, the last on 10 Jun 2026", ordered),
        "7": (True, "no refund ever", None),
    }
    inside = next(one for one in found.reasons if one.path == "where.of.5").inside
    assert [(one.text, one.holds, one.value) for one in inside] == [("LTV is at least $100", False, 10.0)]
    negated = parse({"where": {"type": "not", "of": SUBSCRIBED}})
    reason = segments_why.why(shop.session, negated, shop.ids["Far"], now=NOW).reasons[0]
    assert (reason.holds, reason.negated) == (True, True)
    with pytest.raises(NotFound):
        segments_why.why(shop.session, asked, 999_999, now=NOW)
