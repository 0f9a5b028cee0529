"""Can one see how a segment changed, go back, see who needs it, and freeze it?"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.audit import AuditEntry
from domain import flows as flow_values
from domain.errors import Conflict, Invalid, NotFound
from domain.segments import parse
from domain.tiers import parse as parse_tiers
from services import (
    approvals,
    flows,
    segments,
    segments_history,
    segments_lists,
    segments_refresh,
    segments_uses,
    segments_versions,
    tiers,
)
from tests.planted import NOW, Planted

DAY = timedelta(days=1)
TEXAS = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}
LAPSED = {"type": "activity", "name": "order", "op": "none", "during": {"last": "30d"}}
LONG_LAPSED = {**LAPSED, "during": {"last": "90d"}}
VIP = {"type": "tag", "name": "vip"}


@pytest.fixture
def shop(session: Session) -> Planted:
    planted = Planted.store(session)
    for name, days in (("Ada", 5), ("Ben", 45), ("Cleo", 100)):
        planted.person(name, region="Texas")
        planted.order(name, 50, days * DAY)
    session.flush()
    return planted


def save(shop: Planted, where: Mapping[str, Any], name: str = "Some") -> int:
    return segments.save(shop.session, name=name, definition=parse({"where": where}), by="mia", now=NOW).id


def change(shop: Planted, segment: int, where: Mapping[str, Any], version: int) -> None:
    definition = parse({"where": where})
    segments_versions.update(shop.session, segment, definition=definition, expected_version=version, by="mia", now=NOW)


def every(*conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "all", "of": list(conditions)}


def acts(session: Session, segment: int) -> list[str]:
    entries = select(AuditEntry.action).where(AuditEntry.subject == f"segment:{segment}")
    return list(session.scalars(entries.order_by(AuditEntry.id)))


def test_two_versions_are_compared_condition_by_condition(shop: Planted) -> None:
    segment = save(shop, every(TEXAS, LAPSED))
    change(shop, segment, every(LONG_LAPSED, VIP), 1)
    found = segments_versions.difference(shop.session, segment, 1, 2)
    assert [(one.kind, one.path, one.before, one.after) for one in found.changes] == [
        ("changed", "where.of.0", "no order in the last 30 days", "no order in the last 90 days"),
        ("added", "where.of.1", None, "tagged “vip”"),
        ("removed", "where.of.0", "state is “Texas”", None),
    ]
    changed = found.changes[0]
    assert changed.before_json is not None
    assert changed.after_json is not None
    assert (changed.before_json["during"], changed.after_json["during"]) == ({"last": "30d"}, {"last": "90d"})
    assert (found.size_before, found.size_after) == (2, 0)
    assert segments_versions.difference(shop.session, segment, 2, 2).changes == ()
    with pytest.raises(NotFound):
        segments_versions.difference(shop.session, segment, 1, 3)


def test_restoring_makes_a_new_version_that_says_what_the_old_one_said(shop: Planted) -> None:
    segment = save(shop, TEXAS)
    change(shop, segment, LAPSED, 1)
    with pytest.raises(Conflict, match="meanwhile"):
        segments_versions.restore(shop.session, segment, 1, expected_version=1, by="mia", now=NOW)
    restored = segments_versions.restore(shop.session, segment, 1, expected_version=2, by="mia", now=NOW)
    assert (restored.version, restored.definition["where"], restored.audience_size) == (3, TEXAS, 3)
    assert [one.version for one in segments_versions.listed(shop.session, segment)] == [3, 2, 1]
    assert acts(shop.session, segment)[-1] == "segment.restored"


def test_a_segment_in_use_is_not_deleted_and_the_refusal_names_what_uses_it(shop: Planted) -> None:
    segment = save(shop, TEXAS, "Texans")
    save(shop, {"type": "not", "of": {"type": "segment", "id": segment}}, "Others")
    mail = {"type": "send", "subject": "Hello", "body": "Hello there."}
    wait = {"type": "wait", "duration": "P10D"}
    by_id = {"segment_id": segment, "version": 1}
    inline = {"definition": parse({"where": every(VIP, {"type": "segment", "id": segment})}).as_json()}
    for name, audience, steps in (("Hello", by_id, [mail]), ("Twice", inline, [mail, wait, mail])):
        spec = flow_values.parse({"name": name, "audience": audience, "steps": steps})
        flows.draft(shop.session, spec, by="mia", now=NOW)
    for where in (LAPSED, {"type": "segment", "id": segment}):
        gold = {"name": "gold", "where": where}
        tiers.save(shop.session, parse_tiers({"name": "loyalty", "tiers": [gold, {"name": "rest"}]}), by="mia", now=NOW)
    approvals.propose(
        shop.session,
        "segment",
        {
            "name": "Texan VIPs",
            "definition": parse({"where": every(VIP, {"type": "segment", "id": segment})}).as_json(),
        },
        by="mia",
        now=NOW,
        trace_id=str(uuid.uuid4()),
    )
    assert [(use.kind, use.name) for use in segments_uses.uses(shop.session, segment)] == [
        ("segment", "Others"),
        ("flow", "Twice"),
        ("campaign", "Hello"),
        ("approval", "Texan VIPs"),
        ("tiers", "loyalty"),
    ]
    with pytest.raises(
        Conflict, match="segment “Others”, flow “Twice”, campaign “Hello”, approval “Texan VIPs”, tiers “loy"
    ):
        segments_uses.delete(shop.session, segment, by="mia", now=NOW)
    assert segments.get(shop.session, segment).status == "active"
    only_past = parse_tiers({"name": "loyalty", "tiers": [{"name": "gold", "where": LAPSED}, {"name": "rest"}]})
    tiers.save(shop.session, only_past, by="mia", now=NOW)
    assert "tiers" not in {use.kind for use in segments_uses.uses(shop.session, segment)}


def test_a_deleted_segment_keeps_its_past_frees_its_name_and_is_never_read_as_empty(shop: Planted) -> None:
    segment = save(shop, TEXAS, "Texans")
    segments_refresh.refresh(shop.session, segment, now=NOW)
    segments_uses.delete(shop.session, segment, by="mia", now=NOW)
    assert segments.listed(shop.session) == []
    assert [one.version for one in segments_versions.listed(shop.session, segment)] == [1]
    assert segments_history.recorded(shop.session, segment, days=2, now=NOW).points[-1].size == 3
    assert acts(shop.session, segment) == ["segment.saved", "segment.deleted"]
    with pytest.raises(NotFound):
        segments.size(shop.session, parse({"where": {"type": "segment", "id": segment}}), now=NOW)
    with pytest.raises(Conflict, match="deleted"):
        change(shop, segment, LAPSED, 1)
    with pytest.raises(Conflict, match="already"):
        segments_uses.delete(shop.session, segment, by="mia", now=NOW)
    assert save(shop, TEXAS, "Texans") != segment


def test_a_list_stays_what_the_segment_was_and_is_a_segment_like_any_other(shop: Planted) -> None:
    segment = save(shop, LAPSED, "Lapsed")
    frozen = segments_lists.snapshot(shop.session, segment, name="Lapsed in June", by="mia", now=NOW)
    past = segments_lists.snapshot(shop.session, segment, name="Lapsed in May", by="mia", now=NOW, as_of=NOW - 20 * DAY)
    assert (frozen.audience_size, past.audience_size) == (2, 2)
    assert frozen.read_back == "on the list “Lapsed in June”"
    shop.order("Ben", 20, -DAY)
    later = NOW + 2 * DAY
    on_it = parse({"where": every({"type": "segment", "id": frozen.id}, TEXAS)})
    names = {number: name for name, number in shop.ids.items()}
    assert [names[one] for one in segments.member_ids(shop.session, on_it, now=later)] == ["Ben", "Cleo"]
    assert segments.size(shop.session, on_it, now=NOW - DAY) == 0
    assert segments.size(shop.session, parse({"where": LAPSED}), now=later) == 1
    assert segments_refresh.refresh(shop.session, frozen.id, now=later).size == 2
    nobody_else = parse({"where": every(LAPSED, {"type": "not", "of": {"type": "list", "id": frozen.id}})})
    assert segments.size(shop.session, nobody_else, now=later) == 0


@pytest.mark.parametrize("wrong", [{"type": "list", "id": 999}, {"type": "list", "id": 1}])
def test_a_list_that_is_none_is_an_error_and_never_empty(shop: Planted, wrong: dict[str, Any]) -> None:
    segment = save(shop, TEXAS)
    asked = parse({"where": {**wrong, "id": segment if wrong["id"] == 1 else wrong["id"]}})
    with pytest.raises((Invalid, NotFound)):
        segments.size(shop.session, asked, now=NOW)
    with pytest.raises(Invalid, match="not come yet"):
        segments_lists.snapshot(shop.session, segment, name="Ahead", by="mia", now=NOW, as_of=NOW + DAY)
