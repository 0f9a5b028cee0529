"""How does a segment stand still? Its members at one instant become a list, which is a segment of its own."""

from datetime import datetime

from sqlalchemy.orm import Session

from db import audit
from db import segments_members as members
from domain import segments as seg
from domain.errors import Invalid
from services import segments
from services.segments import Saved


def snapshot(
    session: Session, segment_id: int, *, name: str, by: str, now: datetime, as_of: datetime | None = None
) -> Saved:
    """Freeze who is in a segment, or was ``as_of`` a past instant, into a new segment that can be used like any other.

    Nobody joins it, and only who is erased from the store leaves. Raises Conflict (``segment_name_taken``), Invalid
    for an instant ahead (``as_of_ahead``).
    """
    at = as_of or now
    if at > now:
        raise Invalid("as_of_ahead", f"{at.isoformat()} has not come yet", "give a past instant, or none", "as_of")
    source = segments.get(session, segment_id)
    question = segments.ask(session, seg.parse(source.definition), now=at)
    made = segments.begin(session, name, dataset=source.dataset, by=by)
    with segments.planned(session, members.TIMEOUT):
        moved = members.move(session, made.id, question.sql.members(), version=1, as_of=at, why="first")
    definition = seg.Definition(dataset=source.dataset, where=seg.Listed(id=made.id))
    saved = segments.add_version(session, made, definition, by, now, None, (), None)
    members.note(session, made.id, version=1, as_of=at, moved=moved, worth_a_point=True)
    detail = {"of": segment_id, "version": source.version, "as_of": at.isoformat(), "size": moved.size}
    audit.record(session, actor=by, action="segment.frozen", subject=f"segment:{made.id}", detail=detail)
    return saved
