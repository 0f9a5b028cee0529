"""How did a saved segment come to mean what it means: which versions, what changed between two, and back to one?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from db import audit
from db import segments as rows
from domain import segments as seg
from domain.catalog import Catalog
from domain.errors import Conflict, Invalid
from domain.segments_english import sentence
from services import catalog as catalogs
from services import segments
from services.segments import Saved, Value


class Change(Value):
    """One condition that one version has and the other has not, or that reads otherwise in both.

    ``path`` is its place in the newer version, for a removed one in the older.
    """

    kind: Literal["added", "removed", "changed"]
    path: str
    before: str | None
    after: str | None
    before_json: dict[str, Any] | None
    after_json: dict[str, Any] | None


class Difference(Value):
    """What changed from version ``older`` to ``newer``; the sizes are those counted when each was saved."""

    segment_id: int
    older: int
    newer: int
    changes: tuple[Change, ...]
    size_before: int
    size_after: int


def update(
    session: Session,
    segment_id: int,
    *,
    definition: seg.Definition,
    expected_version: int,
    by: str,
    now: datetime,
    prompt: str | None = None,
    assumptions: Sequence[dict[str, Any]] = (),
    trace_id: str | None = None,
) -> Saved:
    """Save a new version. Raises Conflict: ``segment_changed`` since ``expected_version``, or ``segment_deleted``."""
    segment = segments.row_of(session, segment_id, lock=True)
    if segment.status != "active":
        raise Conflict("segment_deleted", f"{segment.name} was deleted", "save it as a new segment", "segment_id")
    if segment.version != expected_version:
        message = f"version {segment.version} was saved meanwhile; you edited version {expected_version}"
        raise Conflict("segment_changed", message, "load it again and repeat the change", "expected_version")
    return segments.add_version(session, segment, definition, by, now, prompt, assumptions, trace_id)


def listed(session: Session, segment_id: int) -> list[Saved]:
    """All versions, newest first. Raises NotFound."""
    segment = segments.row_of(session, segment_id)
    return [segments.saved_of(segment, version) for version in rows.versions(session, segment_id)]


def restore(session: Session, segment_id: int, version: int, *, expected_version: int, by: str, now: datetime) -> Saved:
    """Save what a past version said as a new one. Raises as ``update`` does, NotFound for a version there is not."""
    past = segments.get(session, segment_id, version)
    saved = update(
        session,
        segment_id,
        definition=seg.parse(past.definition),
        expected_version=expected_version,
        by=by,
        now=now,
        prompt=past.prompt,
        assumptions=past.assumptions,
    )
    detail = {"restored": version, "version": saved.version}
    audit.record(session, actor=by, action="segment.restored", subject=f"segment:{segment_id}", detail=detail)
    return saved


def difference(session: Session, segment_id: int, older: int, newer: int) -> Difference:
    """What changed between two versions, condition by condition. Raises NotFound."""
    before, after = (segments.get(session, segment_id, number) for number in (older, newer))
    pairs = _paired(_conditions(before), _conditions(after))
    catalog, names = catalogs.current(session), segments.names(session)
    return Difference(
        segment_id=segment_id,
        older=older,
        newer=newer,
        changes=tuple(_change(was, then, catalog, names) for was, then in pairs),
        size_before=before.audience_size,
        size_after=after.audience_size,
    )


Placed = tuple[str, seg.Leaf | seg.Group]
"""A condition that must hold, and where it stands."""


def _conditions(saved: Saved) -> list[Placed]:
    return seg.paths(seg.parse(saved.definition))


def _paired(before: list[Placed], after: list[Placed]) -> Iterator[tuple[Placed | None, Placed | None]]:
    """Conditions that are the same, then those about the same thing, then the rest alone."""
    left = list(before)
    unmatched = []
    for placed in after:
        same = next((one for one in left if one[1] == placed[1]), None)
        if same is None:
            unmatched.append(placed)
        else:
            left.remove(same)
    for placed in unmatched:
        like = next((one for one in left if _about(one[1]) == _about(placed[1])), None)
        if like is not None:
            left.remove(like)
        yield like, placed
    yield from ((one, None) for one in left)


def _about(node: seg.Leaf | seg.Group) -> tuple[object, ...]:
    """What a condition is about, whatever it asks of it."""
    return (node.type, *(getattr(node, field, None) for field in ("name", "metric", "channel", "id")))


def _change(was: Placed | None, then: Placed | None, catalog: Catalog, names: Mapping[Any, str]) -> Change:
    path, _ = then or was or ("", None)
    return Change(
        kind="added" if was is None else "removed" if then is None else "changed",
        path=path,
        before=_said(was, catalog, names),
        after=_said(then, catalog, names),
        before_json=_json(was),
        after_json=_json(then),
    )


def _json(placed: Placed | None) -> dict[str, Any] | None:
    if placed is None:
        return None
    where: dict[str, Any] = seg.Definition(where=placed[1]).as_json()["where"]
    return where


def _said(placed: Placed | None, catalog: Catalog, names: Mapping[Any, str]) -> str | None:
    """A condition in English; in JSON where it names what the store has no more."""
    if placed is None:
        return None
    try:
        return sentence(seg.Definition(where=placed[1]), catalog, names)
    except Invalid:
        return json.dumps(_json(placed))
