"""Who is in which flow, at which step, until when, and what was decided for them?"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from db.flows import Flow, FlowVersion
from db.messages import Message, columns
from domain.messages import State


class Enrollment(Row):
    """One person's way through one flow version.

    ``cursor`` is the next step and ``seq`` the number of the next effect. ``due_local`` is what the recipient's clock
    shows at ``due_at``. ``entry_key`` tells several entries of a person into a flow apart.
    """

    __tablename__ = "enrollments"
    __table_args__ = (
        UniqueConstraint("customer_id", "flow_id", "entry_key"),
        CheckConstraint("state in ('waiting', 'done', 'exited', 'held_out')", name="state"),
        Index("ix_enrollments_due", "flow_id", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_enrollments_flow", "flow_id", "state", "customer_id"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    flow_id: Mapped[int] = mapped_column(ForeignKey("flows.id", ondelete="CASCADE"))
    flow_version_id: Mapped[int] = mapped_column(ForeignKey("flow_versions.id"))
    entry_key: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    cursor: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    seq: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    due_at: Mapped[datetime]
    due_local: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    time_zone: Mapped[str]
    entered_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]


class FlowStep(Row):
    """One effect of one run: a message planned, a wait begun, an end. Append-only; (run, seq) happens once."""

    __tablename__ = "flow_step_log"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "enrollment_id"], ["enrollments.customer_id", "enrollments.id"], ondelete="CASCADE"
        ),
        CheckConstraint("kind in ('send', 'wait', 'end')", name="kind"),
    )

    customer_id: Mapped[int] = mapped_column(primary_key=True)
    enrollment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    variant: Mapped[str | None]
    until_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    at: Mapped[datetime]


_ENROLL = text("""
    insert into enrollments (customer_id, flow_id, flow_version_id, entry_key, due_at, due_local, time_zone, entered_at)
    select c.id, :flow_id, :version_id, :entry_key, z.due_at, z.due_local, z.name, :now
    from unnest(cast(:ids as bigint[])) as wanted (id)
    join customers c on c.id = wanted.id
    join unnest(cast(:zones as text[]), cast(:names as text[]), cast(:dues as timestamptz[]),
                cast(:locals as timestamp[])) as z (zone, name, due_at, due_local) on z.zone = coalesce(c.time_zone, '')
    on conflict (customer_id, flow_id, entry_key) do nothing
    returning 1
""")


def enroll(
    session: Session,
    *,
    flow_id: int,
    version_id: int,
    entry_key: str,
    customer_ids: Sequence[int],
    dues: Mapping[str, tuple[str, datetime]],
    now: datetime,
) -> int:
    """Let people into a flow; those who are in already stay where they are. Answers how many came in.

    ``dues`` gives for each time zone as stored ('' = none) the zone that counts and when its first step is due.
    """
    found = session.execute(
        _ENROLL,
        {
            "flow_id": flow_id,
            "version_id": version_id,
            "entry_key": entry_key,
            "ids": list(customer_ids),
            "zones": list(dues),
            "names": [name for name, _ in dues.values()],
            "dues": [due for _, due in dues.values()],
            "locals": [wall_clock(due, name) for name, due in dues.values()],
            "now": now,
        },
    )
    return len(found.all())


_DUE_FLOWS = text("""
    select f.id from flows f
    where f.status = 'active'
      and exists (select 1 from enrollments e where e.flow_id = f.id and e.state = 'waiting' and e.due_at <= :now)
    order by f.id
""")


def flows_with_due(session: Session, now: datetime) -> list[int]:
    """The active flows in which somebody's next step is due."""
    return list(session.execute(_DUE_FLOWS, {"now": now}).scalars())


def claim_due(session: Session, flow_id: int, now: datetime, limit: int) -> Sequence[Enrollment]:
    """Lock up to ``limit`` people whose next step is due, earliest first, passing over those somebody else holds."""
    due = (
        select(Enrollment)
        .where(Enrollment.flow_id == flow_id, Enrollment.state == "waiting", Enrollment.due_at <= now)
        .order_by(Enrollment.due_at, Enrollment.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.scalars(due).all()


_ORDERED = text("""
    select e.id from unnest(cast(:ids as bigint[]), cast(:customers as bigint[]), cast(:since as timestamptz[]))
         as e (id, customer_id, since)
    where exists (select 1 from orders o where o.customer_id = e.customer_id and o.cancelled_at is null
                  and o.ordered_at >= e.since and o.ordered_at <= :now)
""")

_LEFT = text("""
    select e.id,
           coalesce((select s.reason from suppressions s
                     where s.customer_id = e.customer_id and s.channel in ('*', e.channel)
                     order by s.since_at limit 1),
                    (select 'unsubscribed' from consents c
                     where c.customer_id = e.customer_id and c.channel = e.channel and c.until_at is null
                       and c.state = 'unsubscribed')) as reason
    from unnest(cast(:ids as bigint[]), cast(:customers as bigint[]), cast(:channels as text[]))
         as e (id, customer_id, channel)
""")


def who_ordered(session: Session, runs: Sequence[Enrollment], now: datetime) -> set[int]:
    """The ids of the runs whose people have ordered since they came in."""
    asked = {
        "ids": [run.id for run in runs],
        "customers": [run.customer_id for run in runs],
        "since": [run.entered_at for run in runs],
        "now": now,
    }
    return set(session.execute(_ORDERED, asked).scalars())


def who_left(session: Session, runs: Sequence[tuple[int, int, str]]) -> dict[int, str]:
    """Why some people may no longer be written to, by run; ``runs`` are (run id, customer id, next channel)."""
    rows = session.execute(_LEFT, columns(runs, "ids", "customers", "channels"))
    return {run_id: reason for run_id, reason in rows if reason is not None}


_ADVANCE = text("""
    update enrollments e
    set state = n.state, cursor = n.cursor, seq = n.seq, due_at = n.due_at, due_local = n.due_local,
        ended_at = n.ended_at, reason = n.reason
    from unnest(cast(:customer_id as bigint[]), cast(:id as bigint[]), cast(:state as text[]),
                cast(:cursor as smallint[]), cast(:seq as smallint[]), cast(:due_at as timestamptz[]),
                cast(:due_local as timestamp[]), cast(:ended_at as timestamptz[]), cast(:reason as text[]))
         as n (customer_id, id, state, cursor, seq, due_at, due_local, ended_at, reason)
    where e.customer_id = n.customer_id and e.id = n.id
""")

_LOG = text("""
    insert into flow_step_log (customer_id, enrollment_id, seq, step, kind, variant, until_at, reason, at)
    select * from unnest(cast(:customer_id as bigint[]), cast(:enrollment_id as bigint[]), cast(:seq as smallint[]),
                         cast(:step as smallint[]), cast(:kind as text[]), cast(:variant as text[]),
                         cast(:until_at as timestamptz[]), cast(:reason as text[]), cast(:at as timestamptz[]))
    on conflict do nothing
""")


def put_forward(session: Session, states: Sequence[tuple[Any, ...]], effects: Sequence[tuple[Any, ...]]) -> None:
    """Write where people stand now and what was decided.

    ``states`` are (customer_id, id, state, cursor, seq, due_at, due_local, ended_at, reason), ``effects`` are
    (customer_id, enrollment_id, seq, step, kind, variant, until_at, reason, at).
    """
    names = ("customer_id", "id", "state", "cursor", "seq", "due_at", "due_local", "ended_at", "reason")
    session.execute(_ADVANCE, columns(states, *names))
    names = ("customer_id", "enrollment_id", "seq", "step", "kind", "variant", "until_at", "reason", "at")
    if effects:
        session.execute(_LOG, columns(effects, *names))


def claim_waiting(session: Session, customer_id: int) -> Sequence[Enrollment]:
    """Lock the runs of one person that are not over, passing over those somebody else holds."""
    waiting = select(Enrollment).where(Enrollment.customer_id == customer_id, Enrollment.state == "waiting")
    return session.scalars(waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()


def claim_of_flow(session: Session, flow_id: int, limit: int) -> Sequence[Enrollment]:
    """Lock up to ``limit`` runs of a flow that are not over."""
    waiting = select(Enrollment).where(Enrollment.flow_id == flow_id, Enrollment.state == "waiting")
    return session.scalars(
        waiting.order_by(Enrollment.customer_id).limit(limit).with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip


def counts(session: Session, flow_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many people are in each state, per flow."""
    found: dict[int, dict[str, int]] = {flow_id: {} for flow_id in flow_ids}
    grouped = (
        select(Enrollment.flow_id, Enrollment.state, func.count())
        .where(Enrollment.flow_id.in_(flow_ids))
        .group_by(Enrollment.flow_id, Enrollment.state)
    )
    for flow_id, state, number in session.execute(grouped):
        found[flow_id][state] = number
    return found


def finished(session: Session) -> list[int]:
    """The active flows that have nothing left to do: nobody waits in them, and no message of theirs is still to go."""
    waiting = select(Enrollment.id).where(Enrollment.flow_id == Flow.id, Enrollment.state == "waiting").exists()
    unsent = (
        select(Message.id)
        .join(FlowVersion, FlowVersion.id == Message.flow_version_id)
        .where(FlowVersion.flow_id == Flow.id, Message.state.in_((State.QUEUED, State.SENDING, State.UNKNOWN)))
        .exists()
    )
    return list(session.scalars(select(Flow.id).where(Flow.status == "active", ~waiting, ~unsent)))


def left_behind(session: Session) -> list[int]:
    """The flows that were ended while somebody in them took a step, and so still wait there."""
    waiting = select(Enrollment.id).where(Enrollment.flow_id == Flow.id, Enrollment.state == "waiting").exists()
    return list(session.scalars(select(Flow.id).where(Flow.status == "archived", waiting)))


def exit_reasons(session: Session, flow_id: int) -> dict[str, int]:
    """How many people left a flow early, by reason."""
    grouped = (
        select(Enrollment.reason, func.count())
        .where(Enrollment.flow_id == flow_id, Enrollment.state.in_(("exited", "held_out")))
        .group_by(Enrollment.reason)
    )
    return {reason or "exited": number for reason, number in session.execute(grouped)}


def wall_clock(at: datetime, zone: str) -> datetime:
    """What the clocks of a zone show at an instant, without the zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
