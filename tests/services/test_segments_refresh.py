"""Are memberships brought up to date exactly once, whoever else is at it and whatever is killed?"""

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.outbox import OutboxEntry
from db.segments_members import LOCK, TOLD_AT_ONCE, Membership, SegmentSize
from db.session import engine, transaction
from domain.errors import Conflict, NotFound
from domain.segments import parse
from services import segments, segments_history, segments_refresh, segments_uses, segments_versions
from settings import ROOT
from tests.planted import NOW, Planted

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TEXAS = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}
LAPSED = {"type": "activity", "name": "order", "op": "none", "during": {"last": "30d"}}


def told(session: Session) -> list[tuple[str, str, list[int]]]:
    """What the outbox knows: kind, why, customers."""
    entries = session.scalars(select(OutboxEntry).order_by(OutboxEntry.id))
    return [(one.kind, one.payload["why"], one.payload["customer_ids"]) for one in entries]


@pytest.fixture
def shop(session: Session) -> Planted:
    planted = Planted.store(session)
    for name, days in (("Ada", 5), ("Ben", 29), ("Cleo", 40)):
        planted.person(name, region="Texas")
        planted.order(name, 50, days * DAY)
    planted.person("Dan", region="Ohio")
    session.flush()
    return planted


def saved(session: Session, where: dict[str, Any], name: str = "Some") -> int:
    return segments.save(session, name=name, definition=parse({"where": where}), by="mia", now=NOW).id


def test_a_refresh_records_who_is_in_and_later_ones_who_came_and_went(shop: Planted) -> None:
    lapsed = saved(shop.session, LAPSED)
    first = segments_refresh.refresh(shop.session, lapsed, now=NOW)
    assert (first.size, first.entered, first.exited) == (2, 2, 0)
    later = NOW + 2 * DAY
    shop.order("Cleo", 20, -DAY)
    second = segments_refresh.refresh(shop.session, lapsed, now=later)
    assert (second.size, second.entered, second.exited) == (2, 1, 1)
    ids = shop.ids
    assert told(shop.session) == [
        ("segment_entered", "first", [ids["Cleo"], ids["Dan"]]),
        ("segment_entered", "change", [ids["Ben"]]),
        ("segment_left", "change", [ids["Cleo"]]),
    ]
    latest = segments_history.moves(shop.session, lapsed, now=later)
    assert [(move.customer.id, move.move, move.at) for move in latest] == [
        (ids["Ben"], "entered", later),
        (ids["Cleo"], "left", later),
    ]
    assert segments_history.stays(shop.session, lapsed, ids["Cleo"]) == [
        segments_history.Stay(entered_at=NOW, left_at=later)
    ]


def test_nobody_moves_twice_when_nothing_changed_and_the_clock_never_goes_back(shop: Planted) -> None:
    lapsed = saved(shop.session, LAPSED)
    segments_refresh.refresh(shop.session, lapsed, now=NOW)
    for now in (NOW, NOW - DAY, NOW + MINUTE):
        again = segments_refresh.refresh(shop.session, lapsed, now=now)
        assert (again.size, again.entered, again.exited) == (2, 0, 0)
    assert len(told(shop.session)) == 1
    found = segments_refresh.freshness(shop.session, lapsed)
    assert found is not None
    assert (found.as_of, found.size, found.version, found.error) == (NOW + MINUTE, 2, 1, None)


def test_the_sizes_recorded_are_those_of_asking_as_of_then(shop: Planted) -> None:
    lapsed = saved(shop.session, LAPSED)
    for days in range(6):
        if days == 3:
            shop.order("Dan", 10, -2 * DAY)
        segments_refresh.refresh(shop.session, lapsed, now=NOW + days * DAY)
    definition = parse({"where": LAPSED})
    recorded = list(shop.session.scalars(select(SegmentSize).order_by(SegmentSize.as_of)))
    assert [one.size for one in recorded] == [2, 2, 3, 2, 2, 2]
    for one in recorded:
        assert segments.size(shop.session, definition, now=one.as_of) == one.size


def test_a_new_version_moves_people_because_of_its_definition(shop: Planted) -> None:
    some = saved(shop.session, LAPSED)
    segments_refresh.refresh(shop.session, some, now=NOW)
    segments_versions.update(
        shop.session, some, definition=parse({"where": TEXAS}), expected_version=1, by="mia", now=NOW
    )
    moved = segments_refresh.refresh(shop.session, some, now=NOW + MINUTE)
    assert (moved.version, moved.size, moved.entered, moved.exited) == (2, 3, 2, 1)
    assert {why for _, why, _ in told(shop.session)[1:]} == {"definition"}


@pytest.mark.parametrize("now", [NOW, NOW - DAY])
def test_a_new_version_is_counted_later_than_the_old_one_even_where_the_clock_went_back(
    shop: Planted, now: datetime
) -> None:
    some = saved(shop.session, LAPSED)
    segments_refresh.refresh(shop.session, some, now=NOW)
    for version, where in ((1, TEXAS), (2, LAPSED)):
        definition = parse({"where": where})
        segments_versions.update(shop.session, some, definition=definition, expected_version=version, by="mia", now=now)
        assert segments_refresh.refresh(shop.session, some, now=now).as_of > NOW
    assert not shop.session.scalars(select(Membership).where(Membership.left_at <= Membership.entered_at)).all()


def test_what_was_never_counted_or_changed_or_grew_old_is_due_and_nothing_else(shop: Planted) -> None:
    old, new = saved(shop.session, LAPSED, "Old"), saved(shop.session, TEXAS, "New")
    assert segments_refresh.due(shop.session, now=NOW) == [old, new]
    segments_refresh.refresh(shop.session, old, now=NOW)
    assert segments_refresh.due(shop.session, now=NOW) == [new]
    segments_refresh.refresh(shop.session, new, now=NOW + MINUTE)
    assert segments_refresh.due(shop.session, now=NOW + 2 * MINUTE) == []
    rested = text("update segment_refreshes set took_ms = 0")
    shop.session.execute(rested)
    assert segments_refresh.due(shop.session, now=NOW + segments_refresh.EVERY) == [old]
    segments_refresh.failed(shop.session, old, "broken")
    assert segments_refresh.due(shop.session, now=NOW + segments_refresh.EVERY) == []
    segments_uses.delete(shop.session, new, by="mia", now=NOW)
    assert new not in segments_refresh.due(shop.session, now=NOW + DAY)
    with pytest.raises(Conflict, match="deleted"):
        segments_refresh.refresh(shop.session, new, now=NOW + DAY)
    with pytest.raises(NotFound):
        segments_refresh.refresh(shop.session, 999, now=NOW)


def test_the_history_looks_up_the_days_before_the_first_count_and_keeps_them(shop: Planted) -> None:
    lapsed = saved(shop.session, LAPSED)
    segments_refresh.refresh(shop.session, lapsed, now=NOW)
    bare = segments_history.recorded(shop.session, lapsed, days=40, now=NOW)
    assert (len(bare.points), len(bare.missing)) == (1, 39)
    part = segments_history.history(shop.session, lapsed, days=40, now=NOW, at_most=10)
    assert (len(part.points), len(part.missing)) == (11, 29)
    whole = segments_history.history(shop.session, lapsed, days=40, now=NOW)
    assert not whole.missing
    assert [point.source for point in whole.points] == ["replayed"] * 39 + ["counted"]
    for point in whole.points:
        assert segments.size(shop.session, parse({"where": LAPSED}), now=point.as_of) == point.size
    assert {point.size for point in whole.points} == {2, 3}


@pytest.fixture
def crowd(database: str) -> tuple[str, int]:
    """A committed store of 2,500 Texans, who are in one segment, and 500 Ohioans."""
    with transaction(database) as session:
        Planted.store(session)
        session.execute(
            text("""
                insert into customers (email, first_seen_at)
                select 'c' || n || '@example.com', :seen from generate_series(1, 3000) n
            """),
            {"seen": NOW - 400 * DAY},
        )
        session.execute(
            text("""
                insert into addresses (customer_id, kind, region, country)
                select id, 'shipping', case when id % 6 = 0 then 'Ohio' else 'Texas' end, 'US' from customers
            """)
        )
        segment = saved(session, TEXAS, "Texans")
    return database, segment


def moves_told(database: str) -> Counter[tuple[str, int]]:
    """How often the outbox tells of each customer's entry and exit."""
    with transaction(database) as session:
        assert all(len(ids) <= TOLD_AT_ONCE for _, _, ids in told(session))
        return Counter((kind, customer) for kind, _, ids in told(session) for customer in ids)


def test_five_refreshes_at_once_tell_of_everybody_once(crowd: tuple[str, int]) -> None:
    database, segment = crowd

    def refresh(turn: int) -> int:
        done = 0
        for step in range(4):
            try:
                with transaction(database) as session:
                    if turn == 0:
                        session.execute(
                            text("update addresses set region = 'Ohio' where customer_id % 7 = :step"), {"step": step}
                        )
                    segments_refresh.refresh(session, segment, now=NOW + (5 * step + turn) * MINUTE)
                    done += 1
            except Conflict:
                continue
        return done

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(refresh, range(5))) > 0
    with transaction(database) as session:
        last = segments_refresh.refresh(session, segment, now=NOW + DAY)
    counted = moves_told(database)
    assert set(counted.values()) == {1}
    entered = sum(kind == "segment_entered" for kind, _ in counted)
    left = sum(kind == "segment_left" for kind, _ in counted)
    assert entered - left == last.size
    with transaction(database) as session:
        open_now = session.scalars(select(Membership.customer_id).where(Membership.left_at.is_(None))).all()
        assert sorted(open_now) == segments.member_ids(session, parse({"where": TEXAS}), now=NOW + DAY)
        assert segments_history.recorded(session, segment, days=30, now=NOW + DAY).points[-1].size == last.size


KILLED = """
import sys, time
from datetime import datetime
from db.session import transaction
from services import segments_refresh
with transaction(sys.argv[1]) as session:
    segments_refresh.refresh(session, int(sys.argv[2]), now=datetime.fromisoformat(sys.argv[3]))
    print("moved", flush=True)
    time.sleep(600)
"""


@pytest.mark.fault
def test_a_refresher_killed_before_its_commit_leaves_nothing_and_holds_nobody_up(crowd: tuple[str, int]) -> None:
    database, segment = crowd
    words = [sys.executable, "-c", KILLED, database, str(segment), NOW.isoformat()]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "moved\n"
        with pytest.raises(Conflict, match="right now"), transaction(database) as session:
            segments_refresh.refresh(session, segment, now=NOW)
        child.kill()
    deadline = time.monotonic() + 30
    while _held(database):
        assert time.monotonic() < deadline
    assert not moves_told(database)
    with transaction(database) as session:
        assert segments_refresh.freshness(session, segment) is None
        assert segments_refresh.refresh(session, segment, now=NOW).entered == 2500
    assert set(moves_told(database).values()) == {1}


def _held(database: str) -> bool:
    question = text("select exists (select from pg_locks where locktype = 'advisory' and classid = :key)")
    with engine(database).connect() as connection:
        return bool(connection.scalar(question, {"key": LOCK}))
