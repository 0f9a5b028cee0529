"""Is what is too large, circular, gone or malicious refused with a clear error, and is nothing pasted into SQL?"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from db.duck import DIALECT
from db.segments import Segment
from db.segments_sql import compiled
from domain.errors import Invalid, NotFound
from domain.segments import MAX_NODES, Definition, parse
from services import segments, segments_versions
from tests.planted import NOW, Planted
from tests.segment_cases import CASES, named, shop

TAG: dict[str, Any] = {"type": "tag", "name": "x"}


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ({"type": "any", "of": [{"type": "all", "of": [TAG] * 99}] * 101}, "segment_too_large"),
        ({"type": "any", "of": [TAG] * 10_000}, "segment_list_too_long"),
        ({"type": "tag", "name": "x" * 1_000_000}, "segment_text_too_long"),
        ({"type": "tag", "x" * 1_000_000: 1}, "segment_text_too_long"),
        ({"type": "attribute", "name": "state", "op": "matches", "value": "(a+)+" * 5_000}, "segment_text_too_long"),
        ({"type": "attribute", "name": "state", "op": "in", "value": ["x"] * 100_000}, "segment_list_too_long"),
        ({"type": "attribute", "name": "state", "op": "eq", "value": "\ud800"}, "segment_text_unusable"),
        ({"type": "attribute", "name": "points", "op": "eq", "value": 10**300}, "segment_invalid"),
        ({"type": "attribute", "name": "points", "op": "eq", "value": float("nan")}, "segment_invalid"),
        ({"type": "all", "of": "everything"}, "segment_invalid"),
        ([], "segment_invalid"),
        (None, "segment_invalid"),
    ],
)
def test_what_is_too_large_or_no_definition_is_refused_at_once(where: Any, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse({"where": where})
    assert (caught.value.code, bool(caught.value.fix)) == (code, True)
    assert len(str(caught.value)) + len(caught.value.path) < 1_000


def test_the_largest_definition_can_be_asked(session: Session) -> None:
    planted = shop(session)
    filters = [{"name": "total", "op": "gt", "value": i} for i in range(3)]
    leaf = {"type": "activity", "name": "order", "op": "any", "where": filters, "during": {"last": "60d"}}
    where = {"type": "any", "of": [{"type": "all", "of": [leaf] * 19}] * 10}
    assert segments.size(planted.session, parse({"where": where}), now=NOW) == 2
    assert MAX_NODES < 1_000


def test_segments_that_name_each_other_are_refused_with_the_way_round(session: Session) -> None:
    planted = shop(session)
    made = [_saved(planted, name, TAG) for name in ("First", "Second", "Third")]
    for inner, outer in ((0, 1), (1, 2)):
        _changed(planted, made[outer], {"type": "not", "of": {"type": "segment", "id": made[inner]}})
    ways: list[dict[str, Any]] = [
        {"type": "segment", "id": made[2]},
        {"type": "rank", "metric": "ltv", "count": 1, "among": {"segment": made[2]}},
        {
            "type": "metric",
            "name": "ltv",
            "op": "gt",
            "value": {"percentile": 50, "among": {"segment": made[2]}},
        },
    ]
    for way in ways:
        with pytest.raises(Invalid) as caught:
            _changed(planted, made[0], way)
        assert caught.value.code == "segment_cycle"
        assert f"{made[0]} → {made[2]} → {made[1]} → {made[0]}" in caught.value.message


def test_segments_that_double_at_every_level_are_refused(session: Session) -> None:
    planted = shop(session)
    last = _saved(planted, "Level 0", {"type": "any", "of": [TAG, TAG]})
    refused = ""
    for level in range(1, 30):
        inner = {"type": "segment", "id": last}
        try:
            last = _saved(planted, f"Level {level}", {"type": "any", "of": [inner, inner]})
        except Invalid as refusal:
            refused = refusal.code
            break
    assert refused == "segment_too_large"


def test_a_deleted_segment_is_an_error_and_never_an_empty_set(session: Session) -> None:
    planted = shop(session)
    gone = _saved(planted, "Gone", TAG)
    session.execute(sa.update(Segment).where(Segment.id == gone).values(status="archived"))
    for where in (
        {"type": "not", "of": {"type": "segment", "id": gone}},
        {"type": "rank", "metric": "ltv", "count": 1, "among": {"segment": gone}},
    ):
        with pytest.raises(NotFound) as caught:
            segments.size(session, parse({"where": where}), now=NOW)
        assert caught.value.code == "unknown_segment"


def test_a_pattern_that_makes_others_hang_is_answered(session: Session) -> None:
    planted = Planted.store(session)
    planted.person("Ada", region="a" * 5_000 + "!")
    where = {"type": "attribute", "name": "state", "op": "matches", "value": "^((a+)+)+$"}
    assert segments.size(session, parse({"where": where}), now=NOW) == 0


def test_top_percent_follows_the_data_and_is_no_constant(session: Session) -> None:
    planted = shop(session)
    top = parse({"where": {"type": "rank", "metric": "ltv", "percent": 20}})
    before = segments.member_ids(session, top, now=NOW)
    planted.order("Dan", 10_000, ago=NOW - NOW.replace(day=14))
    session.flush()
    assert (before, segments.member_ids(session, top, now=NOW)) == ([planted.ids["Ben"]], [planted.ids["Dan"]])


def test_no_value_of_a_definition_ever_stands_in_the_sql(session: Session) -> None:
    planted = shop(session)
    scope = segments.scope(session, now=NOW)
    for where, _ in CASES:
        marked = _marked(named(where, planted))
        definition = Definition.model_validate({"where": marked})
        scope_of_all = replace(scope, known=lambda _: _Everything())
        try:
            members = compiled(definition, scope_of_all).members(after=0, limit=10)
        except Invalid:
            continue  # a marked list of flows, a marked length: what cannot be marked has no value of its own
        for dialect in (postgresql.dialect(paramstyle="pyformat"), DIALECT):  # type: ignore[no-untyped-call]
            said = str(members.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))
            for value in _values(marked):
                assert str(value) not in said, (where, said)


class _Everything(dict[Any, str]):
    def __contains__(self, _: object) -> bool:
        return True


def _marked(where: Any) -> Any:
    """The condition with values that cannot be in the SQL by chance."""
    match where:
        case {"op": str(), "value": value} if not isinstance(value, dict):
            return {**{key: _marked(part) for key, part in where.items()}, "value": _mark(value, where["op"])}
        case {"type": "tag" | "topic" | "bucket", "name": str(name)}:
            return {**where, "name": f"{name}'; drop table customers; --"}
        case dict():
            return {key: _marked(part) for key, part in where.items()}
        case list():
            return [_marked(part) for part in where]
    return where


def _mark(value: Any, op: str) -> Any:
    if isinstance(value, list):
        return [_mark(part, op) for part in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value + 918_273_645
    plain = op in {"eq", "ne", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with"} | {
        "has", "has_any", "has_all", "has_none"
    }  # fmt: skip
    return f"{value}'; drop table customers; --" if plain else value


def _values(where: Any) -> Iterator[Any]:
    match where:
        case dict():
            for key, part in where.items():
                if key in {"value", "path"} or (key == "name" and "drop table" in str(part)):
                    yield from _flat(part)
                else:
                    yield from _values(part)
        case list():
            for part in where:
                yield from _values(part)


def _flat(value: Any) -> Iterator[Any]:
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, dict | bool) and part is not None and len(str(part)) > 2:
            yield part


def _saved(planted: Planted, name: str, where: dict[str, Any]) -> int:
    definition = parse({"where": where})
    return segments.save(planted.session, name=name, definition=definition, by="mia", now=NOW).id


def _changed(planted: Planted, segment_id: int, where: dict[str, Any]) -> None:
    expected = segments.get(planted.session, segment_id).version
    definition = parse({"where": where})
    said: dict[str, Any] = {"expected_version": expected, "by": "mia", "now": NOW}
    segments_versions.update(planted.session, segment_id, definition=definition, **said)
