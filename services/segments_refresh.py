"""How do saved segments stay counted? Memberships are brought up to date, and whoever came or went is told of.

A refresh is one transaction: memberships, size, and the entries of the outbox hold together or not at all. One
process at a time refreshes a segment, and never back to an earlier instant, so every move is recorded exactly once.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db import segments_members as members
from domain import segments as seg
from domain.errors import Conflict
from services import segments
from services.segments import Value

EVERY = timedelta(minutes=5)
"""How old a count may become before workers count anew."""

REST = 20
"""How many times as long as it took a refresh is left alone, so that heavy segments leave time for others."""


class Freshness(Value):
    """How many are in a segment ``as_of`` an instant, in which version; ``error`` is why a later try failed.

    ``as_of`` is ``None`` where it was never counted.
    """

    segment_id: int
    version: int
    as_of: datetime | None
    size: int
    took_ms: int
    error: str | None


class Refreshed(Value):
    """What a refresh did: how many entered and left, and how many are in now."""

    segment_id: int
    name: str
    version: int
    as_of: datetime
    entered: int
    exited: int
    size: int


def refresh(session: Session, segment_id: int, *, now: datetime) -> Refreshed:
    """Bring a segment's memberships up to ``now``.

    Raises Conflict: ``segment_refreshing`` where another process is at it, ``segment_deleted``; NotFound, and Invalid
    where its definition no longer fits the data. What was counted as of ``now`` or later already stays as it is.
    """
    if not members.lock(session, segment_id):
        fix = "wait a moment and look again"
        raise Conflict("segment_refreshing", f"segment {segment_id} is being counted right now", fix, "segment_id")
    saved = segments.get(session, segment_id)
    if saved.status != "active":
        raise Conflict("segment_deleted", f"{saved.name} was deleted", "choose another segment", "segment_id")
    last = members.refreshed(session, segment_id)
    if last and last.as_of and last.as_of >= now and last.version == saved.version:
        moved, as_of = members.Moved(0, 0, last.size), last.as_of
    else:
        moved, as_of = _move(session, saved, last, now), now
    return Refreshed(
        segment_id=segment_id,
        name=saved.name,
        version=saved.version,
        as_of=as_of,
        entered=moved.entered,
        exited=moved.exited,
        size=moved.size,
    )


def due(session: Session, *, now: datetime, limit: int = 100) -> list[int]:
    """The segments to be refreshed now, the one waiting longest first."""
    return members.due(session, before=now - EVERY, rest=REST, limit=limit)


def failed(session: Session, segment_id: int, error: str) -> None:
    """Note why a refresh did not succeed, in a transaction after the one that failed."""
    members.failed(session, segment_id, error)


def freshness(session: Session, segment_id: int) -> Freshness | None:
    """What the latest refresh left, ``None`` before the first."""
    found = members.refreshed(session, segment_id)
    return _freshness(found) if found else None


def all_freshness(session: Session) -> dict[int, Freshness]:
    """What the latest refreshes left, by segment."""
    return {segment_id: _freshness(found) for segment_id, found in members.refreshes(session).items()}


def age(found: Freshness, zone: ZoneInfo, now: datetime) -> str:
    """How fresh a count is: ``as of 12:04, 3 minutes old``; with the day where that is not today's."""
    if found.as_of is None:
        return "never counted"
    at, today = found.as_of.astimezone(zone), now.astimezone(zone).date()
    when = f"{at:%H:%M}" if at.date() == today else f"{at:%-d %b %Y, %H:%M}"
    minutes = int((now - found.as_of).total_seconds() // 60)
    steps = ((1440, "day"), (60, "hour"), (1, "minute"))
    number, unit = next(((minutes // size, name) for size, name in steps if minutes >= size), (0, ""))
    return f"as of {when}, {number} {unit}{'' if number == 1 else 's'} old" if unit else f"as of {when}, just now"


def _move(session: Session, saved: segments.Saved, last: members.SegmentRefresh | None, now: datetime) -> members.Moved:
    why = "first" if last is None or last.as_of is None else "change" if last.version == saved.version else "definition"
    question = segments.ask(session, seg.parse(saved.definition), now=now)
    with segments.time_limit(session, members.TIMEOUT):
        moved = members.move(session, saved.id, question.sql.members(), version=saved.version, as_of=now, why=why)
    worth = bool(moved.entered or moved.exited) or why != "change" or _new_day(last, now, segments.zone(session))
    members.note(session, saved.id, version=saved.version, as_of=now, moved=moved, worth_a_point=worth)
    return moved


def _new_day(last: members.SegmentRefresh | None, now: datetime, zone: ZoneInfo) -> bool:
    return bool(last and last.as_of and last.as_of.astimezone(zone).date() != now.astimezone(zone).date())


def _freshness(found: members.SegmentRefresh) -> Freshness:
    return Freshness(
        segment_id=found.segment_id,
        version=found.version,
        as_of=found.as_of,
        size=found.size,
        took_ms=found.took_ms,
        error=found.error,
    )
