"""Who is in a saved segment, since when, and how many were in it at which time?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from db.outbox import OutboxEntry
from db.segments import Segment

ENTERED, LEFT = "segment_entered", "segment_left"
"""Kinds of outbox entries; each carries up to ``TOLD_AT_ONCE`` customers."""

TOLD_AT_ONCE = 1_000
TIMEOUT = "15min"
"""How long a statement that moves members may take."""

MANY = 10_000
"""Moves after which the planner is told how large the table is now; else it would plan for what it was before."""

LOCK = 7_215_003
"""First key of the advisory locks that let one process at a time refresh a segment; the second is the segment's id."""


class Membership(Row):
    """One stay of a customer in a segment: from the refresh that first saw them in it until one did not any more."""

    __tablename__ = "segment_members"
    __table_args__ = (
        Index(
            "ix_segment_members_open",
            "segment_id",
            "customer_id",
            unique=True,
            postgresql_where=text("left_at is null"),
        ),
        Index("ix_segment_members_entered", "segment_id", "entered_at"),
        Index("ix_segment_members_left", "segment_id", "left_at", postgresql_where=text("left_at is not null")),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    entered_at: Mapped[datetime] = mapped_column(primary_key=True)
    left_at: Mapped[datetime | None]


class SegmentRefresh(Row):
    """What the memberships of a segment are true of: ``version`` as of ``as_of``, version 0 before they were counted.

    ``whole_at`` is when everybody was last asked, and ``seen_to`` the transaction up to which all was seen.
    ``error`` is why the latest try, at ``tried_at`` on the real clock, did not succeed.
    """

    __tablename__ = "segment_refreshes"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(server_default=text("0"))
    as_of: Mapped[datetime | None]
    whole_at: Mapped[datetime | None]
    seen_to: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    size: Mapped[int] = mapped_column(server_default=text("0"))
    took_ms: Mapped[int] = mapped_column(server_default=text("0"))
    tried_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    error: Mapped[str | None]


class SegmentSize(Row):
    """How many a version of a segment meant at an instant: ``counted`` then, or looked up later (``replayed``).

    A refresh writes one if something changed since the one before, or if a new day has begun.
    """

    __tablename__ = "segment_sizes"
    __table_args__ = (CheckConstraint("source in ('counted', 'replayed')", name="source"),)

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    as_of: Mapped[datetime] = mapped_column(primary_key=True)
    size: Mapped[int]
    entered: Mapped[int | None]
    exited: Mapped[int | None]
    source: Mapped[str]


@dataclass(frozen=True)
class Moved:
    """How many came in, how many went out, and how many are in now."""

    entered: int
    exited: int
    size: int


def lock(session: Session, segment_id: int) -> bool:
    """Keep others from refreshing a segment until the transaction ends; False where somebody is at it already."""
    return bool(session.scalar(sa.select(func.pg_try_advisory_xact_lock(LOCK, sa.cast(segment_id, sa.Integer)))))


def move(
    session: Session,
    segment_id: int,
    members: sa.Select[Any],
    *,
    version: int,
    as_of: datetime,
    why: str,
    among: sa.ColumnElement[Any] | None = None,
) -> Moved:
    """Let the memberships be those that ``members`` selects, and tell the outbox who came and went: one statement.

    With ``among``, an array of customers, only their memberships can end. ``why`` they moved is told along: ``first``
    count, new ``definition``, or a ``change`` in what is known of them.
    """
    inside = members.order_by(None).cte("inside")
    stay = (Membership.segment_id == segment_id) & Membership.left_at.is_(None)
    concerned = stay if among is None else stay & (Membership.customer_id == func.any(among))
    was = sa.select(Membership.customer_id.label("id")).where(concerned).cte("was")
    # A full join is hashed or merged, however wrong the planner's idea of the sizes: never one row against all others.
    both = sa.outerjoin(inside, was, inside.c.id == was.c.id, full=True)
    columns = (inside.c.id.label("comes"), was.c.id.label("goes"))
    moves = sa.select(*columns).select_from(both).where(inside.c.id.is_(None) | was.c.id.is_(None)).cte("moves")
    fresh = sa.select(moves.c.comes, sa.literal(segment_id), sa.literal(as_of)).where(moves.c.comes.is_not(None))
    entered = (
        insert(Membership)
        .from_select(["customer_id", "segment_id", "entered_at"], fresh, include_defaults=False)
        .returning(Membership.customer_id)
        .cte("entered")
    )
    exited = (
        sa.update(Membership)
        .where(stay, Membership.customer_id == moves.c.goes)
        .values(left_at=as_of)
        .returning(Membership.customer_id)
        .cte("exited")
    )
    said = {"segment_id": segment_id, "version": version, "as_of": as_of.isoformat(), "why": why}
    told = (
        insert(OutboxEntry)
        .from_select(["kind", "payload"], _told(entered, ENTERED, said).union_all(_told(exited, LEFT, said)))
        .cte("told")
    )
    before = sa.select(func.count()).select_from(Membership).where(stay).scalar_subquery()
    came, went = (sa.select(func.count()).select_from(one).scalar_subquery() for one in (entered, exited))
    moved = Moved(*session.execute(sa.select(came, went, before + came - went).add_cte(told)).one())
    if moved.entered + moved.exited > MANY:
        session.execute(text("analyze segment_members"))
    return moved


def _told(moved: sa.CTE, kind: str, said: dict[str, Any]) -> sa.Select[str, Any]:
    """What the outbox is told of those who moved, so many customers an entry."""
    place = (func.row_number().over(order_by=moved.c.customer_id) - 1) // TOLD_AT_ONCE
    rows = sa.select(moved.c.customer_id, place.label("batch")).subquery()
    who = func.jsonb_build_object("customer_ids", func.jsonb_agg(rows.c.customer_id))
    payload = sa.cast(sa.literal(said, JSONB), JSONB).concat(who)
    return sa.select(sa.literal(kind), payload).select_from(rows).group_by(rows.c.batch)


def note(
    session: Session,
    segment_id: int,
    *,
    version: int,
    as_of: datetime,
    moved: Moved,
    worth_a_point: bool,
    seen_to: int = 0,
    whole: bool = True,
) -> None:
    """Write down that the memberships are true of ``as_of``, and the size where it is worth a point of its own."""
    took = func.extract("epoch", func.clock_timestamp() - func.transaction_timestamp()) * 1_000
    fresh = {"version": version, "as_of": as_of, "size": moved.size, "took_ms": took, "error": None, "seen_to": seen_to}
    fresh |= {"whole_at": as_of} if whole else {}
    noted = insert(SegmentRefresh).values(segment_id=segment_id, **fresh)
    again = {**fresh, "tried_at": func.clock_timestamp()}
    session.execute(noted.on_conflict_do_update(index_elements=["segment_id"], set_=again))
    if worth_a_point:
        session.add(
            SegmentSize(
                segment_id=segment_id,
                version=version,
                as_of=as_of,
                size=moved.size,
                entered=moved.entered,
                exited=moved.exited,
                source="counted",
            )
        )
        session.flush()


def refreshed(session: Session, segment_id: int) -> SegmentRefresh | None:
    """What the latest refresh of a segment left."""
    return session.get(SegmentRefresh, segment_id, populate_existing=True)


def refreshes(session: Session) -> dict[int, SegmentRefresh]:
    """The latest refresh of every segment that had one."""
    return {one.segment_id: one for one in session.scalars(sa.select(SegmentRefresh))}


def due(session: Session, *, before: datetime, rest: int, limit: int) -> list[int]:
    """Active segments to be refreshed, those waiting longest first.

    That is: never refreshed, in a newer version, or true of an instant not after ``before`` (the store's clock). One
    that took long, or failed, rests ``rest`` times as long as it took, and at least a minute after a failure.
    """
    last, live = SegmentRefresh, Segment
    took = sa.func.make_interval(0, 0, 0, 0, 0, 0, last.took_ms * rest / 1_000.0)
    pause = sa.case((last.error.is_not(None), func.greatest(took, text("interval '1 minute'"))), else_=took)
    stale = last.as_of.is_(None) | (last.version != live.version) | (last.as_of <= before)
    rested = last.tried_at.is_(None) | (last.tried_at + pause <= func.clock_timestamp())
    wanted = sa.select(live.id).outerjoin(last, last.segment_id == live.id)
    wanted = wanted.where(live.status == "active", stale, rested).order_by(last.as_of.asc().nulls_first(), live.id)
    return list(session.scalars(wanted.limit(limit)))


def failed(session: Session, segment_id: int, error: str) -> None:
    """Note that a refresh did not succeed; what was true before stays as it is."""
    tried = {"tried_at": func.clock_timestamp(), "error": error}
    noted = insert(SegmentRefresh).values(segment_id=segment_id, **tried)
    session.execute(noted.on_conflict_do_update(index_elements=["segment_id"], set_=tried))


@dataclass(frozen=True)
class Point:
    """A recorded size; see ``SegmentSize``."""

    as_of: datetime
    version: int
    size: int
    entered: int | None
    exited: int | None
    source: str


def sizes(session: Session, segment_id: int, since: datetime) -> list[Point]:
    """The recorded sizes from an instant on, of all versions, in order of time; a later version comes last."""
    columns = (SegmentSize.as_of, SegmentSize.version, SegmentSize.size, SegmentSize.entered, SegmentSize.exited)
    wanted = sa.select(*columns, SegmentSize.source).where(SegmentSize.segment_id == segment_id)
    wanted = wanted.where(SegmentSize.as_of >= since).order_by(SegmentSize.as_of, SegmentSize.version)
    return [Point(*row) for row in session.execute(wanted)]


def add_replayed(session: Session, segment_id: int, version: int, sizes: Mapping[datetime, int]) -> None:
    """Keep sizes looked up later; one that was counted at the time stands."""
    rows = [
        {"segment_id": segment_id, "version": version, "as_of": as_of, "size": size, "source": "replayed"}
        for as_of, size in sizes.items()
    ]
    if rows:
        session.execute(insert(SegmentSize).on_conflict_do_nothing(), rows)


def moves(session: Session, segment_id: int, *, since: datetime, limit: int) -> list[tuple[int, str, datetime]]:
    """Customer, ``entered`` or ``left``, and when: the latest moves after the first count and after ``since``."""
    first = sa.select(func.min(Membership.entered_at)).where(Membership.segment_id == segment_id).scalar_subquery()
    of_it = Membership.segment_id == segment_id
    parts = [
        sa.select(Membership.customer_id, sa.literal(word).label("move"), at.label("at"))
        .where(of_it, at > since, at > first)
        .order_by(at.desc(), Membership.customer_id)
        .limit(limit)
        for word, at in (("entered", Membership.entered_at), ("left", Membership.left_at))
    ]
    both = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery()
    latest = sa.select(both).order_by(both.c.at.desc(), both.c.move, both.c.customer_id).limit(limit)
    return [(row.customer_id, row.move, row.at) for row in session.execute(latest)]


def stays(session: Session, segment_id: int, customer_id: int) -> list[tuple[datetime, datetime | None]]:
    """When one customer came into a segment and left it, latest first."""
    wanted = sa.select(Membership.entered_at, Membership.left_at).where(
        Membership.segment_id == segment_id, Membership.customer_id == customer_id
    )
    return [(row.entered_at, row.left_at) for row in session.execute(wanted.order_by(Membership.entered_at.desc()))]
