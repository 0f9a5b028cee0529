"""Does a definition mean exactly the people it says, and does it say why?"""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from db.consent import Consent
from db.customers import Tag
from db.enrollments import Enrollment
from db.orders import Order
from db.topics import TopicConsent
from domain.errors import Conflict, Invalid, NotFound
from domain.segments import parse
from services import segments, segments_versions, segments_why
from tests.planted import NOW, Planted
from tests.segment_cases import CASES, DAY, TINY, named
from tests.segment_cases import shop as planted_shop


@pytest.fixture
def shop(session: Session) -> Planted:
    """Five people, each on a border of some kind."""
    return planted_shop(session)


def who(shop: Planted, where: dict[str, Any], *, ago: timedelta = timedelta(0)) -> set[str]:
    """The names a condition means; the count says the same as the list."""
    definition = parse({"where": named(where, shop)})
    names = {number: name for name, number in shop.ids.items()}
    members = {names[found] for found in segments.member_ids(shop.session, definition, now=NOW - ago)}
    assert segments.size(shop.session, definition, now=NOW - ago) == len(members)
    seen = segments.preview(shop.session, definition, now=NOW - ago)
    assert seen.audience_size == len(members)
    assert {names[int(found)] for found in seen.sample_customer_ids} <= members
    some = {name in members: (name, number) for name, number in shop.ids.items()}  # a member, and one who is none
    for name, number in some.values():
        try:
            assert segments_why.why(shop.session, definition, number, now=NOW - ago).member == (name in members)
        except NotFound:
            assert name not in members
    return members


def test_every_condition_means_exactly_the_people_it_says(shop: Planted) -> None:
    wrong = [(where, found) for where, names in CASES if (found := who(shop, where)) != names]
    assert not wrong


@pytest.mark.parametrize(
    ("where", "ago", "names"),
    [
        ({"type": "consent", "channel": "email"}, 21 * DAY, {"Ada", "Ben"}),
        ({"type": "tag", "name": "vip"}, 40 * DAY, {"Ada"}),
        ({"type": "activity", "name": "order", "op": "none"}, 10 * DAY, {"Cleo", "Dan", "Eve"}),
        ({"type": "activity", "name": "order", "op": "none"}, 11 * DAY, {"Cleo", "Dan"}),
        ({"type": "metric", "name": "ltv", "op": "eq", "value": 80}, 3 * DAY, {"Cleo"}),
        ({"type": "metric", "name": "order_count", "op": "eq", "value": 2}, 4 * DAY + TINY, {"Ada", "Ben"}),
        ({"type": "metric", "name": "order_count", "op": "eq", "value": 2}, 4 * DAY, {"Ada"}),
    ],
)
def test_as_of_a_past_instant_nothing_later_counts(
    shop: Planted, where: dict[str, Any], ago: timedelta, names: set[str]
) -> None:
    assert who(shop, where, ago=ago) == names


@pytest.mark.parametrize(
    ("where", "code", "path"),
    [
        ({"type": "attribute", "name": "stat", "op": "eq", "value": "x"}, "unknown_attribute", "where.name"),
        ({"type": "metric", "name": "lvt", "op": "gt", "value": 1}, "unknown_metric", "where.name"),
        ({"type": "activity", "name": "ordr"}, "unknown_activity", "where.name"),
        (
            {"type": "activity", "name": "order", "where": [{"name": "colour", "op": "eq", "value": "x"}]},
            "unknown_property",
            "where.where.0.name",
        ),
        ({"type": "attribute", "name": "state", "op": "gt", "value": "x"}, "operator_does_not_fit", "where.op"),
        ({"type": "attribute", "name": "birthday", "op": "before", "value": "soon"}, "wrong_type", "where.value"),
        ({"type": "attribute", "name": "points", "op": "gt", "value": "soon"}, "wrong_type", "where.value"),
        (
            {"type": "attribute", "name": "state", "op": "eq", "value": {"attribute": "citty"}},
            "unknown_attribute",
            "where.value.attribute",
        ),
        (
            {"type": "attribute", "name": "state", "op": "eq", "value": {"attribute": "birthday"}},
            "wrong_type",
            "where.value.attribute",
        ),
        ({"type": "attribute", "name": "taste", "path": ["cofee"], "op": "set"}, "unknown_field", "where.path"),
        ({"type": "attribute", "name": "state", "path": ["x"], "op": "set"}, "unknown_field", "where.path"),
        (
            {"type": "attribute", "name": "state", "measure": "length", "op": "gt", "value": 1},
            "not_a_list",
            "where.measure",
        ),
        ({"type": "attribute", "name": "state", "op": "set", "zone": "customer"}, "no_own_zone", "where.zone"),
        ({"type": "attribute", "name": "birthday", "op": "in_last", "value": "12h"}, "wrong_type", "where.value"),
        (
            {"type": "attribute", "name": "birthday", "op": "anniversary_in_next", "value": "2y"},
            "wrong_type",
            "where.value",
        ),
        ({"type": "attribute", "name": "birthday", "op": "after", "value": "9999-12-31"}, "wrong_type", "where.value"),
        ({"type": "segment", "id": 999}, "unknown_segment", "where.id"),
        ({"type": "not", "of": {"type": "flow", "id": 999}}, "unknown_flow", "where.of.id"),
        ({"type": "topic", "name": "cofee news"}, "unknown_topic", "where.name"),
        (
            {"type": "activity", "name": "message_sent", "where": [{"name": "flow", "op": "eq", "value": 999}]},
            "unknown_flow",
            "where.where.0.value",
        ),
        (
            {"type": "rank", "metric": "ltv", "count": 1, "among": {"segment": 999}},
            "unknown_segment",
            "where.among.segment",
        ),
    ],
)
def test_a_name_that_does_not_exist_is_an_error_with_a_path(
    shop: Planted, where: dict[str, Any], code: str, path: str
) -> None:
    with pytest.raises((Invalid, NotFound)) as caught:
        segments.preview(shop.session, parse({"where": where}), now=NOW)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert caught.value.fix


@pytest.mark.parametrize(
    "where",
    [
        {"type": "all", "of": []},
        {"type": "any", "of": []},
        {"type": "at_least", "n": 3, "of": [{"type": "tag", "name": "x"}]},
        {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 100}},
        {"type": "metric", "name": "ltv", "op": "between", "value": [5, 1]},
        {"type": "attribute", "name": "state", "op": "in", "value": []},
        {"type": "attribute", "name": "state", "op": "matches", "value": "(a"},
        {"type": "attribute", "name": "state", "op": "matches", "value": r"(a)\1"},
        {"type": "attribute", "name": "state", "op": "matches", "value": "(?=a)"},
        {"type": "attribute", "name": "state", "op": "matches", "value": "((a{50}){50}){50}"},
        {"type": "attribute", "name": "state", "op": "set", "missing": "include"},
        {"type": "attribute", "name": "state", "op": "eq", "value": {"attribut": "country"}},
        {"type": "attribute", "name": "state", "op": "eq", "value": "a\x00b"},
        {"type": "attribute", "name": "birthday", "op": "in_period", "value": "some_day"},
        {"type": "attribute", "name": "birthday", "op": "in_last", "value": "9999y"},
        {"type": "attribute", "name": "points", "op": "eq", "value": 1e16},
        {"type": "attribute", "name": "points", "op": "between", "value": [2, 1]},
        {"type": "attribute", "name": "state", "op": "like", "value": "x"},
        {"type": "activity", "name": "order", "during": {"last": "0d"}},
        {"type": "activity", "name": "order", "during": {"last": "30d", "until": "60d"}},
        {"type": "activity", "name": "order", "op": "gte"},
        {"type": "rank", "metric": "ltv"},
        {"type": "sequence", "steps": [{"name": "order"}]},
        {"type": "sequence", "steps": [{"name": "order", "op": "none"}, {"name": "order"}]},
        {"type": "sequence", "steps": [{"name": "order"}, {"name": "order", "op": "none"}]},
        {"type": "sequence", "steps": [{"name": "order", "within": "1d"}, {"name": "order"}]},
        {"type": "everyone"},
        {"type": "tag", "name": "x" * 501},
        {"type": "any", "of": [{"type": "tag", "name": "x"}] * 1500},
    ],
)
def test_what_cannot_be_meant_is_refused_before_it_reaches_the_database(where: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        parse({"where": where})
    assert caught.value.path.startswith("where")
    assert caught.value.fix


def test_a_definition_deeper_than_the_limit_is_refused_at_once() -> None:
    where: dict[str, Any] = {"type": "tag", "name": "x"}
    for _ in range(10_000):
        where = {"type": "not", "of": where}
    with pytest.raises(Invalid) as caught:
        parse({"where": where})
    assert caught.value.code == "segment_too_large"


def test_the_preview_tells_how_many_are_lost_at_each_condition_and_how_many_are_unknown(shop: Planted) -> None:
    definition = parse(
        {
            "where": {
                "type": "all",
                "of": [
                    {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"},
                    {"type": "activity", "name": "order", "op": "any", "during": {"last": "30d"}},
                ],
            }
        }
    )
    seen = segments.preview(shop.session, definition, now=NOW)
    assert [(line.text, line.alone, line.left, line.unknown) for line in seen.lines] == [
        ("state is “Texas”", 2, 2, 1),
        ("at least one order in the last 30 days", 1, 1, 0),
    ]
    assert (seen.everyone, seen.reachable["email"]) == (5, 0)
    assert seen.sample[0].email == "c•••@example.com"


@pytest.mark.parametrize(
    "also", [{"type": "metric", "name": "ltv", "op": "gte", "value": 0}, {"type": "tag", "name": "x"}]
)
def test_the_preview_counts_who_never_did_it_at_all(shop: Planted, also: dict[str, Any]) -> None:
    lately = {"type": "activity", "name": "order", "op": "none", "during": {"last": "30d"}}
    alone = segments.preview(shop.session, parse({"where": lately}), now=NOW)
    assert alone.lines[0].note == "includes 2 people without any order"
    either = {"type": "all", "of": [lately, {"type": "any", "of": [also, {"type": "not", "of": also}]}]}
    assert segments.preview(shop.session, parse({"where": either}), now=NOW).lines[0].note == alone.lines[0].note


def test_a_comparison_with_what_is_not_known_is_unknown(shop: Planted) -> None:
    nobody = parse({"where": {"type": "tag", "name": "nobody"}})
    saved = segments.save(shop.session, name="Nobody", definition=nobody, by="mia", now=NOW)
    metric, order = {"type": "metric", "name": "ltv", "op": "gt"}, {"type": "activity", "name": "order", "op": "gt"}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({**metric, "value": {"metric": "aov"}}, {"Dan", "Eve"}),
        ({**order, "value": {"measure": "average_gap"}}, {"Ben", "Cleo", "Dan", "Eve"}),
        ({**metric, "value": {"percentile": 50, "among": {"segment": saved.id}}}, set(shop.ids)),
    ]
    for where, unknown in cases:
        definition = parse({"where": where})
        assert segments.preview(shop.session, definition, now=NOW).lines[0].unknown == len(unknown)
        reasons = {
            name: segments_why.why(shop.session, definition, number, now=NOW).reasons[0]
            for name, number in shop.ids.items()
        }
        assert {name for name, reason in reasons.items() if reason.holds is None} == unknown
        assert who(shop, {"type": "not", "of": where}) >= unknown, "not turns it around"
        assert who(shop, {**where, "missing": "include"}) >= unknown


def test_why_gives_each_condition_its_fact(shop: Planted) -> None:
    definition = parse({"where": {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75}}})
    reason = segments_why.why(shop.session, definition, shop.ids["Ada"], now=NOW).reasons[0]
    assert (reason.holds, reason.value, reason.threshold) == (False, 150.0, 150.0)
    unknown = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})
    assert segments_why.why(shop.session, unknown, shop.ids["Dan"], now=NOW).reasons[0].holds is None


def test_a_saved_segment_keeps_its_versions_and_can_be_named_by_another(shop: Planted) -> None:
    texas = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})
    saved = segments.save(shop.session, name="Texas", definition=texas, by="mia", now=NOW)
    assert who(shop, {"type": "segment", "id": saved.id}) == {"Ada", "Cleo"}
    berlin = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Berlin"}})
    second = segments_versions.update(shop.session, saved.id, definition=berlin, expected_version=1, by="mia", now=NOW)
    assert (second.version, second.audience_size) == (2, 1)
    assert who(shop, {"type": "segment", "id": saved.id}) == {"Eve"}
    assert [version.version for version in segments_versions.listed(shop.session, saved.id)] == [2, 1]
    with pytest.raises(Conflict):
        segments_versions.update(shop.session, saved.id, definition=texas, expected_version=1, by="mia", now=NOW)
    with pytest.raises(Conflict):
        segments.save(shop.session, name="Texas", definition=texas, by="mia", now=NOW)


def test_a_bucket_always_holds_the_same_share_of_people(session: Session) -> None:
    shop = Planted.store(session)
    for i in range(400):
        shop.person(f"P{i}")
    shares: list[dict[str, Any]] = [{"type": "bucket", "name": name, "percent": 25} for name in ("spring", "autumn")]
    first, second = shares
    spring, autumn = who(shop, first), who(shop, second)
    assert 70 <= len(spring) <= 130
    assert who(shop, first) == spring
    assert len(spring & autumn) < len(spring) / 2


def test_segments_that_name_each_other_are_refused(shop: Planted) -> None:
    texas = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})
    first = segments.save(shop.session, name="First", definition=texas, by="mia", now=NOW)
    of_first = parse({"where": {"type": "segment", "id": first.id}})
    second = segments.save(shop.session, name="Second", definition=of_first, by="mia", now=NOW)
    of_second = parse({"where": {"type": "not", "of": {"type": "segment", "id": second.id}}})
    with pytest.raises(Invalid) as caught:
        segments_versions.update(shop.session, first.id, definition=of_second, expected_version=1, by="mia", now=NOW)
    assert caught.value.code == "segment_cycle"


def test_a_definition_survives_the_way_to_json_and_back(shop: Planted) -> None:
    raw: dict[str, Any] = {
        "version": 1,
        "dataset": "store",
        "where": {
            "type": "all",
            "of": [
                {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75, "among": "everyone"}},
                {"type": "consent", "channel": "email", "state": "subscribed"},
                {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}},
            ],
        },
    }
    assert parse(raw).as_json() == raw
    assert who(shop, raw["where"]) == set()


def test_what_was_answered_then_is_answered_again_when_that_instant_is_asked_about(shop: Planted) -> None:
    asked = [parse({"where": named(where, shop)}) for where, _ in CASES if where["type"] != "attribute"]
    then = [segments.member_ids(shop.session, definition, now=NOW) for definition in asked]
    order = shop.order("Dan", 1_000, -DAY, items={"Kettle": "Gear"})
    shop.session.execute(
        sa.update(Order).where(Order.id < order).values(cancelled_at=sa.func.coalesce(Order.cancelled_at, NOW + DAY))
    )
    shop.event("Dan", "email_opened", -DAY)
    shop.session.execute(sa.update(Consent).where(Consent.until_at.is_(None)).values(until_at=NOW + DAY))
    shop.session.execute(sa.update(TopicConsent).where(TopicConsent.until_at.is_(None)).values(until_at=NOW + DAY))
    shop.session.execute(sa.update(Tag).where(Tag.until_at.is_(None)).values(until_at=NOW + DAY))
    shop.session.execute(sa.update(Enrollment).where(Enrollment.ended_at.is_(None)).values(ended_at=NOW + DAY))
    shop.consent("Dan", "subscribed", -DAY)
    shop.suppress("Ada", -DAY)
    shop.person("Fay", first_seen_at=NOW + DAY)
    shop.session.flush()
    again = [segments.member_ids(shop.session, definition, now=NOW) for definition in asked]
    assert [(one.as_json(), b) for one, a, b in zip(asked, then, again, strict=True) if a != b] == []
    assert segments.size(shop.session, parse({"where": {"type": "tag", "name": "vip"}}), now=NOW + 2 * DAY) == 0
