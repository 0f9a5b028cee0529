"""How did a segment's size change, and who came and went?

Refreshes record sizes as they count. Days before the first refresh of a version are looked up: the definition is
evaluated as of then. Such points say so (``replayed``).
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from db import segments_members as members
from domain import segments as seg
from domain.errors import Invalid
from services import segments
from services.segments import SampleMember, Value

MOST_DAYS = 731


class Point(Value):
    """How many a version meant at an instant; ``entered`` and ``exited`` since the one before, where it was counted."""

    as_of: datetime
    version: int
    size: int
    entered: int | None = None
    exited: int | None = None
    source: Literal["counted", "replayed"]


class History(Value):
    """One point per day of the store's calendar, the latest of each, oldest first; ``missing`` days have none yet."""

    segment_id: int
    name: str
    version: int
    points: tuple[Point, ...]
    missing: tuple[date, ...]


class Move(Value):
    """Somebody who came in or went out, masked."""

    customer: SampleMember
    move: Literal["entered", "left"]
    at: datetime


class Stay(Value):
    """When somebody was in a segment, as refreshes saw it; ``left_at`` is ``None`` for who still is."""

    entered_at: datetime
    left_at: datetime | None


def sizes(session: Session, definition: seg.Definition, instants: Sequence[datetime]) -> dict[datetime, int]:
    """How many a definition meant as of each instant."""
    return {as_of: segments.size(session, definition, now=as_of) for as_of in instants}


def recorded(session: Session, segment_id: int, *, days: int, now: datetime) -> History:
    """What is known of the current version's size over the last ``days`` days, today included. Raises NotFound."""
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("days_out_of_range", f"{days} days", f"from 1 to {MOST_DAYS}", "days")
    saved = segments.get(session, segment_id)
    zone = segments.zone(session)
    today = now.astimezone(zone).date()
    wanted = [today - timedelta(days=before) for before in range(days - 1, -1, -1)]
    since = datetime.combine(wanted[0], time(), zone)
    found = [one for one in members.sizes(session, segment_id, since) if one.version == saved.version]
    by_day = {one.as_of.astimezone(zone).date(): one for one in found if one.as_of <= now}
    return History(
        segment_id=segment_id,
        name=saved.name,
        version=saved.version,
        points=tuple(_point(by_day[day]) for day in wanted if day in by_day),
        missing=tuple(day for day in wanted if day not in by_day),
    )


def history(session: Session, segment_id: int, *, days: int = 90, now: datetime, at_most: int | None = None) -> History:
    """The same with missing days looked up and kept, the latest first, ``at_most`` so many: each is an evaluation.

    A past day counts as it stood when it ended, today as it stands.
    """
    known = recorded(session, segment_id, days=days, now=now)
    lookup = known.missing[::-1][:at_most]
    if not lookup:
        return known
    zone = segments.zone(session)
    ends = (datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1) for day in lookup)
    saved = segments.get(session, segment_id)
    found = sizes(session, seg.parse(saved.definition), [min(end, now) for end in ends])
    members.add_replayed(session, segment_id, saved.version, found)
    return recorded(session, segment_id, days=days, now=now)


def moves(session: Session, segment_id: int, *, days: int = 30, now: datetime, limit: int = 20) -> list[Move]:
    """Who entered and left lately, latest first; whoever was in at the first count did not enter then."""
    found = members.moves(session, segment_id, since=now - timedelta(days=days), limit=limit)
    people = {one.id: one for one in segments.masked(session, {row[0] for row in found}, now=now)}
    return [
        Move(customer=people[customer_id], move="entered" if move == "entered" else "left", at=at)
        for customer_id, move, at in found
        if customer_id in people
    ]


def stays(session: Session, segment_id: int, customer_id: int) -> list[Stay]:
    """When one customer was in a segment, latest first."""
    return [Stay(entered_at=entered, left_at=left) for entered, left in members.stays(session, segment_id, customer_id)]


def _point(found: members.Point) -> Point:
    return Point(
        as_of=found.as_of,
        version=found.version,
        size=found.size,
        entered=found.entered,
        exited=found.exited,
        source="counted" if found.source == "counted" else "replayed",
    )
