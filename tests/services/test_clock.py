"""Who may move the clock, and how far?"""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import store
from db.audit import AuditEntry
from domain.errors import Forbidden, Invalid
from services import clock
from tests.planted import Planted


@pytest.fixture
def demo(session: Session) -> Session:
    Planted.store(session)
    found = store.current(session)
    assert found is not None
    found.demo = True
    session.flush()
    return session


def test_the_demo_stores_clock_moves_ahead_and_the_audit_log_says_who_moved_it(demo: Session) -> None:
    before = store.business_now(demo)
    then = clock.advance(demo, timedelta(days=10), now=before, by="ana")
    assert then == before + timedelta(days=10)
    assert store.business_now(demo) - before >= timedelta(days=10)
    assert demo.scalars(select(AuditEntry.actor).where(AuditEntry.action == "clock.advanced")).all() == ["ana"]


def test_steps_add_up(demo: Session) -> None:
    before = store.business_now(demo)
    for _ in range(2):
        clock.advance(demo, timedelta(days=1), now=before, by="ana")
    assert store.business_now(demo) - before >= timedelta(days=2)


def test_the_clock_of_a_real_store_cannot_be_moved(session: Session) -> None:
    Planted.store(session)
    with pytest.raises(Forbidden, match="Only the demo"):
        clock.advance(session, timedelta(days=1), now=store.business_now(session), by="ana")


@pytest.mark.parametrize("delta", [timedelta(), timedelta(days=-1), timedelta(days=400)])
def test_the_clock_goes_ahead_and_at_most_a_year(demo: Session, delta: timedelta) -> None:
    with pytest.raises(Invalid):
        clock.advance(demo, delta, now=store.business_now(demo), by="ana")


@pytest.mark.parametrize(("duration", "days"), [("10d", 10), ("2w", 14), ("24h", 1)])
def test_lengths_are_written_as_in_segments(demo: Session, duration: str, days: int) -> None:
    assert clock.ahead(duration, now=store.business_now(demo)) == timedelta(days=days)


def test_what_is_no_length_of_time_is_refused(demo: Session) -> None:
    with pytest.raises(Invalid, match="soon"):
        clock.ahead("soon", now=store.business_now(demo))
