"""How do saved segments stay counted? Memberships are brought up to date, and whoever came or went is told of.

A refresh is one transaction: memberships, size, and the entries of the outbox hold together or not at all. One
process at a time refreshes a segment, and never back to an earlier instant, so every move is recorded exactly once.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db import segments_members as members
from db import segments_touched as touched
from domain import segments as seg
from domain.errors import Conflict
from domain.segments_touched import rests_on_own_rows
from services import segments
from services.segments import Saved, Value

EVERY = timedelta(minutes=5)
"""How old a count may become before workers count anew."""

REST = 20
"""How many times as long as it took a refresh is left alone, so that heavy segments leave time for others."""

WHOLE_EVERY = timedelta(days=1)
"""How often everybody is asked, though asking those of whom something was written would do."""


INSTANT = timedelta(microseconds=1)
"""The smallest step of the store's clock; a new version is counted later than the one before, however clocks differ."""


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
    """What a refresh did: how many entered and left, how many are in now, and whether everybody was asked."""

    segment_id: int
    name: str
    version: int
    as_of: datetime
    entered: int
    exited: int
    size: int
    whole: bool = False


def refresh(session: Session, segment_id: int, *, now: datetime) -> Refreshed:
    """Bring a segment's memberships up to ``now``.

    Raises Conflict: ``segment_refreshing`` where another process is at it, ``segment_deleted``; NotFound, and Invalid
    where its definition no longer fits the data. What was counted as of ``now`` or later already stays as it is;
    a new version is then counted as of just after that.
    """
    if not members.lock(session, segment_id):
        fix = "wait a moment and look again"
        raise Conflict("segment_refreshing", f"segment {segment_id} is being counted right now", fix, "segment_id")
    saved = segments.get(session, segment_id)
    if saved.status != "active":
        raise Conflict("segment_deleted", f"{saved.name} was deleted", "choose another segment", "segment_id")
    last = members.refreshed(session, segment_id)
    if last and last.as_of and last.as_of >= now and last.version == saved.version:
        moved, as_of, whole = members.Moved(0, 0, last.size), last.as_of, False
    else:
        as_of = max(now, last.as_of + INSTANT) if last and last.as_of else now
        moved, whole = _move(session, saved, last, as_of)
    return Refreshed(
        segment_id=segment_id,
        name=saved.name,
        version=saved.version,
        as_of=as_of,
        entered=moved.entered,
        exited=moved.exited,
        size=moved.size,
        whole=whole,
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


def _move(
    session: Session, saved: Saved, last: members.SegmentRefresh | None, now: datetime
) -> tuple[members.Moved, bool]:
    """Count everybody anew, or those of whom something was written since; and whether it was everybody."""
    why = "first" if last is None or last.as_of is None else "change" if last.version == saved.version else "definition"
    definition = seg.parse(saved.definition)
    seen_to = touched.horizon(session)
    everybody = segments.ask(session, definition, now=now).sql.members()
    since = _since(session, definition, last, now) if why == "change" else None
    some = touched.narrowed(everybody, since) if since else None
    with segments.planned(session, members.TIMEOUT):
        moved = members.move(
            session,
            saved.id,
            everybody if some is None else some,
            version=saved.version,
            as_of=now,
            why=why,
            among=since.customers() if since and some is not None else None,
        )
    worth = bool(moved.entered or moved.exited) or why != "change" or _new_day(last, now, segments.zone(session))
    members.note(
        session,
        saved.id,
        version=saved.version,
        as_of=now,
        moved=moved,
        worth_a_point=worth,
        seen_to=seen_to,
        whole=some is None,
    )
    return moved, some is None


def _since(
    session: Session, definition: seg.Definition, last: members.SegmentRefresh | None, now: datetime
) -> touched.Since | None:
    """What is new since the last count, where asking those whom it concerns is enough, and they are few."""
    if last is None or last.as_of is None or last.whole_at is None or now - last.whole_at > WHOLE_EVERY:
        return None
    scope = segments.scope(session, now=now)
    if not rests_on_own_rows(definition.where, scope.catalog, scope.resolve):
        return None
    since = touched.Since(last.seen_to, last.as_of, now)
    return since if touched.few(session, since) else None


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


def forget(session: Session) -> None:
    """Drop notes of changes that no count will look at any more."""
    touched.forget(session)
