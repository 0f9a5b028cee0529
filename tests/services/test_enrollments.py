"""Do people take each step once, however many sweepers run, stop, or are undone half-way?"""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.enrollments import Enrollment, FlowStep
from db.messages import Message
from db.session import transaction
from services import enrollments, flows
from tests.planted import NOW, Planted
from tests.services.test_flows import FIRST, SECOND, TEN_DAYS, start

PEOPLE = 60
LATER = NOW + timedelta(days=10)


@pytest.fixture
def url(database: str) -> str:
    """A database in which a flow has just been started for sixty people."""
    with transaction(database) as session:
        shop = Planted.store(session)
        for number in range(PEOPLE):
            shop.person(f"P{number}")
            shop.consent(f"P{number}", "subscribed", timedelta(days=1))
        start(session)
    return database


def counted(url: str) -> dict[int, int]:
    """How many messages there are by step."""
    with transaction(url) as session:
        grouped = select(Message.step, func.count()).group_by(Message.step)
        return {step: number for step, number in session.execute(grouped)}  # noqa: C416 - rows are no pairs


def test_many_sweepers_at_once_plan_each_step_once(url: str) -> None:
    ready = threading.Barrier(6)

    def sweep() -> None:
        ready.wait()
        for now in (NOW, LATER):
            for _ in range(PEOPLE):
                with transaction(url) as session:
                    enrollments.advance(session, now, limit=3)

    sweepers = [threading.Thread(target=sweep) for _ in range(6)]
    for one in sweepers:
        one.start()
    for one in sweepers:
        one.join()
    with transaction(url) as session:
        while enrollments.advance(session, LATER):
            pass
    assert counted(url) == {0: PEOPLE, 2: PEOPLE}
    with transaction(url) as session:
        assert session.scalar(select(func.count()).select_from(FlowStep)) == PEOPLE * 4
        states = session.execute(select(Enrollment.state, func.count()).group_by(Enrollment.state)).all()
        assert [tuple(row) for row in states] == [("done", PEOPLE)]


class Killed(Exception):
    """The sweeper dies before it commits."""


def test_a_sweeper_that_dies_half_way_leaves_no_trace_and_the_next_one_goes_on(url: str) -> None:
    def half_way() -> None:
        with transaction(url) as session:
            assert enrollments.advance(session, NOW) == PEOPLE
            raise Killed

    with pytest.raises(Killed):
        half_way()
    assert counted(url) == {}
    with transaction(url) as session:
        assert enrollments.advance(session, NOW) == PEOPLE
    assert counted(url) == {0: PEOPLE}


def test_who_says_stop_while_a_sweeper_holds_them_is_not_waited_for(url: str) -> None:
    with transaction(url) as sweeper, transaction(url) as person:
        enrollments.advance(sweeper, NOW, limit=1)
        held = sweeper.scalars(select(Enrollment.customer_id).where(Enrollment.cursor > 0)).one()
        assert enrollments.leave(person, held, reason="stop", now=NOW) == 0
        free = person.scalars(select(Enrollment.customer_id).where(Enrollment.customer_id != held)).first()
        assert free is not None
        assert enrollments.leave(person, free, reason="stop", now=NOW) == 1


def test_a_large_flow_does_not_keep_a_small_one_waiting(session: Session) -> None:
    shop = Planted.store(session)
    for number in range(50):
        shop.person(f"P{number}", acquisition_source="fair" if number < 2 else None)
        shop.consent(f"P{number}", "subscribed", timedelta(days=1))
    start(session)
    few = {"definition": {"where": {"type": "attribute", "name": "acquisition_source", "op": "eq", "value": "fair"}}}
    small = start(session, name="Small", audience=few, steps=[FIRST])
    assert enrollments.advance(session, NOW, limit=10) == 7
    assert flows.get(session, small.id).people == {"done": 2}


def test_starting_a_flow_again_lets_nobody_in_twice(session: Session) -> None:
    shop = Planted.store(session)
    shop.person("Ann")
    shop.consent("Ann", "subscribed", timedelta(days=1))
    flow = start(session)
    again = enrollments.enroll(
        session,
        flow_id=flow.id,
        version_id=flow.version_id,
        spec=flow.parsed(),
        customer_ids=[shop.ids["Ann"]],
        now=NOW,
    )
    assert again == 0
    assert flows.get(session, flow.id).people == {"waiting": 1}


def test_a_zone_that_does_not_exist_counts_as_the_stores(session: Session) -> None:
    shop = Planted.store(session, "America/New_York")
    for name, zone in {"Ann": "Mars/Olympus", "Ben": "../etc/passwd", "Cora": None}.items():
        shop.person(name, time_zone=zone)
        shop.consent(name, "subscribed", timedelta(days=1))
    start(session, start={"mode": "local", "date": "2026-06-16", "time": "09:00"})
    zones = session.execute(select(Enrollment.time_zone, Enrollment.due_local).distinct()).all()
    assert [(zone, local.hour) for zone, local in zones] == [("America/New_York", 9)]


def test_a_receipt_flow_goes_on_for_who_unsubscribed_from_marketing(session: Session) -> None:
    shop = Planted.store(session)
    shop.person("Ann")
    shop.consent("Ann", "subscribed", timedelta(days=1))
    start(session, message_class="transactional", steps=[FIRST, TEN_DAYS, SECOND])
    assert enrollments.leave(session, shop.ids["Ann"], reason="unsubscribe", now=NOW) == 0
    assert enrollments.advance(session, NOW) == 1
    assert session.scalar(select(func.count()).select_from(Message)) == 1
