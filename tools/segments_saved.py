"""Saved segments: what became of one, and how it lies to others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from langchain_core.tools import tool
from pydantic import Field
from sqlalchemy.orm import Session

from domain.segments import parse
from services import (
    segments,
    segments_history,
    segments_near,
    segments_overlap,
    segments_refresh,
    segments_uses,
    segments_versions,
)
from services.segments import Saved
from tools.context import Answer, Runtime, told

What = Literal["history", "came_and_went", "overlap", "near_misses", "versions", "uses"]

DAYS = 30
EVERY_NTH = 7
"""Of a long history the model is told the latest day, and one a week before it."""

VERSIONS = 10


@dataclass(frozen=True)
class Asked:
    """As of when, compared with which others, how many days back."""

    now: datetime
    others: tuple[str, ...]
    days: int


def _history(session: Session, saved: Saved, asked: Asked) -> Any:
    found = segments_history.history(session, saved.id, days=asked.days, now=asked.now)
    points = found.points[::-1] if asked.days <= DAYS else found.points[::-1][::EVERY_NTH]
    return [point.model_dump(mode="json", exclude_none=True) for point in points[::-1]]


def _moves(session: Session, saved: Saved, asked: Asked) -> Any:
    return segments_history.moves(session, saved.id, days=asked.days, now=asked.now)


def _overlap(session: Session, saved: Saved, asked: Asked) -> Any:
    ids = [saved.id, *(segments.named(session, other).id for other in asked.others)]
    return segments_overlap.of_saved(session, ids, now=asked.now)


def _near(session: Session, saved: Saved, asked: Asked) -> Any:
    return list(segments_near.near_misses(session, parse(saved.definition), now=asked.now, people=3))


def _versions(session: Session, saved: Saved, _: Asked) -> Any:
    kept = {"version", "read_back", "audience_size", "created_by", "created_at"}
    found = segments_versions.listed(session, saved.id)[:VERSIONS]
    changed = segments_versions.difference(session, saved.id, max(1, saved.version - 1), saved.version)
    return {"versions": [one.model_dump(mode="json", include=kept) for one in found], "latest_change": changed}


def _uses(session: Session, saved: Saved, _: Asked) -> Any:
    return segments_uses.uses(session, saved.id)


LOOKS: Mapping[What, Callable[[Session, Saved, Asked], Any]] = {
    "history": _history,
    "came_and_went": _moves,
    "overlap": _overlap,
    "near_misses": _near,
    "versions": _versions,
    "uses": _uses,
}


@tool(response_format="content_and_artifact")
def inspect_segment(
    what: What,
    segment: Annotated[str, Field(max_length=120, description="Name or id of a saved segment.")],
    runtime: Runtime,
    others: Annotated[list[str], Field(max_length=7, description="With overlap: other saved segments.")] = [],  # noqa: B006 - the default is only read
    days: Annotated[int, Field(ge=1, le=366, description="With history, came_and_went: how far back.")] = DAYS,
) -> Answer:
    """Read: what became of a saved segment, and how it lies to others.

    history: its size day by day. came_and_went: who entered and left lately. overlap: how many people it shares with
    ``others`` (Jaccard = shared, of all in either). near_misses: who fails one condition only, and by how much.
    versions: what each said, and what the latest changed. uses: which flows, campaigns and segments need it.
    """
    context = runtime.context
    with context.transaction() as session:
        saved = segments.named(session, segment)
        found = LOOKS[what](session, saved, Asked(context.now(session), tuple(others), days))
        fresh = segments_refresh.freshness(session, saved.id)
    counted = fresh.model_dump(mode="json", include={"size", "as_of"}) if fresh else None
    answer = {
        "segment": {"id": saved.id, "name": saved.name, "version": saved.version, "counted": counted},
        what: found,
    }
    return told(answer), {"kind": "segment", "id": saved.id, "summary": saved.name}
