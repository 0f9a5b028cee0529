"""Do workers keep saved segments counted, with a broker and without, and live with one that cannot be counted?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.outbox import OutboxEntry
from db.segments import SegmentVersion
from db.session import transaction
from domain.segments import parse
from services import segments, segments_refresh
from settings import settings
from tests.planted import NOW, Planted
from workers import sweeper
from workers.app import SEGMENTS, app, broker_url
from workers.segments import refresh, refresh_now


@pytest.fixture
def saved(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Two saved segments on a committed store, of people in Texas and in Ohio."""
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    settings.cache_clear()
    with transaction() as session:
        shop = Planted.store(session)
        for name, region in (("Ada", "Texas"), ("Ben", "Texas"), ("Cleo", "Ohio")):
            shop.person(name, region=region)
        ids = [_save(session, region) for region in ("Texas", "Ohio")]
    monkeypatch.setattr(sweeper, "segment_watch", sweeper.Every(0))
    yield ids
    settings.cache_clear()


def _save(session: Session, region: str) -> int:
    where = {"type": "attribute", "name": "state", "op": "eq", "value": region}
    return segments.save(session, name=region, definition=parse({"where": where}), by="mia", now=NOW).id


def sizes() -> dict[int, int]:
    with transaction() as session:
        return {one.segment_id: one.size for one in segments_refresh.all_freshness(session).values() if one.as_of}


def test_workers_count_what_is_due_and_then_leave_it(saved: list[int]) -> None:
    assert refresh_now(60) == 2
    assert sizes() == dict(zip(saved, (2, 1), strict=True))
    assert refresh_now(60) == 0


def test_a_segment_that_cannot_be_counted_says_why_and_does_not_hold_up_the_others(saved: list[int]) -> None:
    with transaction() as session:
        broken = session.get_one(SegmentVersion, (saved[0], 1))
        broken.definition = {"where": {"type": "attribute", "name": "shoe_size", "op": "eq", "value": 44}}
    assert refresh_now(60) == 1
    assert sizes() == {saved[1]: 1}
    with transaction() as session:
        found = segments_refresh.freshness(session, saved[0])
        assert found is not None
        assert found.error is not None
        assert "shoe_size" in found.error
        assert session.scalars(select(OutboxEntry)).one().payload["segment_id"] == saved[1]


def test_without_a_broker_the_sweeper_counts(saved: list[int]) -> None:
    sweeper.look_after_segments()
    sweeper.look_after_segments()
    assert set(sizes()) == set(saved)


def test_with_a_broker_one_hint_lies_in_the_queue_of_segments(
    saved: list[int], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_REDIS_URL", redis_url)
    settings.cache_clear()
    with redis.Redis.from_url(redis_url) as client, app.connection_for_write(broker_url(redis_url)) as connection:
        with monkeypatch.context() as patched:
            sent = refresh.apply_async
            patched.setattr(refresh, "apply_async", lambda **kw: sent(connection=connection, **kw))
            for _ in range(3):
                sweeper.look_after_segments()
        assert client.llen(SEGMENTS) == 1
    assert sizes() == {}
    refresh()
    assert set(sizes()) == set(saved)


def test_the_shop_clock_turned_forward_makes_counts_old(saved: list[int]) -> None:
    refresh_now(60)
    with transaction() as session:
        session.execute(text("update segment_refreshes set took_ms = 0"))
        session.execute(text("update store set clock_offset = :ahead"), {"ahead": timedelta(days=10)})
    assert refresh_now(60) == 2
