"""Who would miss a saved segment? Where it is used, and deleting it where nothing does."""

from datetime import datetime

from sqlalchemy.orm import Session

from db import audit
from db import segments as rows
from db import segments_uses as places
from domain.errors import Conflict
from services import segments
from services.segments import Value

NAMED_AT_MOST = 5


class Use(Value):
    """One thing that uses a segment. ``kind`` is segment, flow, campaign, approval, glossary or tiers."""

    kind: str
    key: str
    name: str


def uses(session: Session, segment_id: int) -> list[Use]:
    """What uses a segment now: segments, flows and campaigns not over, open approvals, words, tiers. NotFound."""
    segments.row_of(session, segment_id)
    return [Use(kind=kind, key=key, name=name) for kind, key, name in places.of(session, segment_id)]


def delete(session: Session, segment_id: int, *, by: str, now: datetime) -> None:
    """Delete a segment that nothing uses. Its versions, sizes, memberships and audit entries stay; its name is free.

    Raises Conflict: ``segment_in_use`` listing by what, ``segment_deleted`` already.
    """
    segment = segments.row_of(session, segment_id, lock=True)
    found = uses(session, segment_id)
    if found:
        named = ", ".join(f"{use.kind} “{use.name}”" for use in found[:NAMED_AT_MOST])
        more = f" and {len(found) - NAMED_AT_MOST} more" if len(found) > NAMED_AT_MOST else ""
        fix = "change or end these first; what refers to a missing segment would mean nobody knows whom"
        raise Conflict("segment_in_use", f"{segment.name} is used by {named}{more}", fix, "segment_id")
    if not rows.archive(session, segment_id, now):
        raise Conflict("segment_deleted", f"{segment.name} was deleted already", "nothing is left to do", "segment_id")
    detail = {"name": segment.name, "version": segment.version}
    audit.record(session, actor=by, action="segment.deleted", subject=f"segment:{segment_id}", detail=detail)
