"""What can be asked of a segment: its size, its members, what each condition leaves; and which segments are saved?

What happens to a saved one has files of its own: ``segments_versions``, ``segments_refresh``, ``segments_history``,
``segments_uses``, ``segments_lists``; and so have ``segments_why``, ``segments_near``, ``segments_overlap``.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from db import audit, customers, flows, segments_touched, store, topics
from db import segments as rows
from db.segments_sql import Compiled, compiled
from db.segments_tables import Known, Resolve, Scope
from domain import segments as seg
from domain.catalog import Catalog, suggestion
from domain.errors import Conflict, Invalid, NotFound
from domain.segments_english import Line, lines
from services import catalog as catalogs

SAMPLE = 5
TIMEOUT = "10s"
PLANNING = sa.text("""
    select set_config('statement_timeout', :limit, true), set_config('plan_cache_mode', :plans, true),
           set_config('enable_hashjoin', :hash, true), set_config('enable_hashagg', :hash, true)
""")
LONGEST_ID = 19
"""A text with so many digits is no id."""


class Value(BaseModel):
    """What these functions answer: frozen values that turn into JSON as they are."""

    model_config = ConfigDict(frozen=True)


class PreviewLine(Value):
    """One condition that must hold: how many meet it alone, and how many are left after it and those before it."""

    path: str
    text: str
    note: str
    alone: int
    left: int
    unknown: int


class SampleMember(Value):
    """One member, masked: enough to recognise, too little to write to."""

    id: int
    name: str
    email: str
    city: str
    ltv: float
    last_order_at: datetime | None


class Preview(Value):
    """What a definition means right now, or as of a past instant."""

    audience_size: int
    everyone: int
    reachable: dict[str, int]
    lines: tuple[PreviewLine, ...]
    sample_customer_ids: tuple[int | str, ...]
    sample: tuple[SampleMember, ...]
    read_back: str
    as_of: datetime


class Saved(Value):
    """A saved segment in one version."""

    id: int
    name: str
    dataset: str
    version: int
    status: str
    definition: dict[str, Any]
    read_back: str
    audience_size: int
    prompt: str | None
    assumptions: tuple[dict[str, Any], ...]
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class Question:
    """A definition made ready to be asked."""

    definition: seg.Definition
    catalog: Catalog
    sql: Compiled
    lines: tuple[Line, ...]
    as_of: datetime


def ask(session: Session, definition: seg.Definition, *, now: datetime, within: tuple[int, ...] = ()) -> Question:
    """Compile a definition as of ``now``. Raises Invalid or NotFound as ``compiled`` does."""
    catalog = catalogs.current(session)
    sql = compiled(definition, scope(session, now=now, within=within))
    return Question(definition, catalog, sql, lines(definition, catalog, names(session)), now)


def preview(session: Session, definition: seg.Definition, *, now: datetime) -> Preview:
    """Audience size, reachable per channel, waterfall, unknown counts and a masked sample, in one pass."""
    question = ask(session, definition, now=now)
    found = run(session, question.sql.matrix(sample=SAMPLE)).mappings().one()
    return previewed(question, dict(found), tuple(masked(session, found["sample"] or (), now=now)))


def previewed(question: Question, found: Mapping[str, Any], sample: tuple[SampleMember, ...] = ()) -> Preview:
    """What a question's matrix row says."""
    unknown = {
        fact.path: found[f"unknown_{i}"] for i, fact in enumerate(question.sql.facts) if fact.unknown is not None
    }
    never = {fact.path: found[f"never_{i}"] for i, fact in enumerate(question.sql.facts) if fact.never is not None}
    return Preview(
        audience_size=found["audience"],
        everyone=found["everyone"],
        reachable={channel: found[f"reachable_{channel}"] for channel in question.sql.channels},
        lines=tuple(
            PreviewLine(
                path=path,
                text=line.text,
                note=line.note if path not in never else f"includes {never[path]:,} {line.note}" if never[path] else "",
                alone=found[f"alone_{i}"],
                left=found[f"left_{i}"],
                unknown=sum(count for at, count in unknown.items() if at == path or at.startswith(f"{path}.")),
            )
            for i, ((path, _), line) in enumerate(zip(seg.paths(question.definition), question.lines, strict=True))
        ),
        sample_customer_ids=tuple(found["sample"] or ()),
        sample=sample,
        read_back=" and ".join(line.text for line in question.lines),
        as_of=question.as_of,
    )


def size(session: Session, definition: seg.Definition, *, now: datetime) -> int:
    """How many people a definition means."""
    return int(run(session, compiled(definition, scope(session, now=now)).size()).scalar_one())


def member_ids(
    session: Session, definition: seg.Definition, *, now: datetime, after: int = 0, limit: int | None = None
) -> list[int]:
    """The members' ids in rising order; pages by ``after``."""
    question = ask(session, definition, now=now)
    return list(run(session, question.sql.members(after=after, limit=limit)).scalars())


def save(
    session: Session,
    *,
    name: str,
    definition: seg.Definition,
    by: str,
    now: datetime,
    prompt: str | None = None,
    assumptions: Sequence[dict[str, Any]] = (),
    trace_id: str | None = None,
) -> Saved:
    """Save a new segment. Raises Conflict (``segment_name_taken``), or Invalid where it does not compile."""
    segment = begin(session, name, dataset=definition.dataset, by=by)
    return add_version(session, segment, definition, by, now, prompt, assumptions, trace_id)


def begin(session: Session, name: str, *, dataset: str, by: str) -> rows.Segment:
    """A new segment that has no version yet. Raises Invalid or Conflict for its name, as ``save`` does."""
    name = name.strip()
    if not name:
        raise Invalid("segment_name_missing", "a segment needs a name", "give it a name", "name")
    if rows.named(session, name):
        fix = "choose another name, or save a new version of that segment"
        raise Conflict("segment_name_taken", f"there is already a segment {name!r}", fix, "name")
    segment = rows.Segment(name=name, dataset=dataset, status="active", version=0, created_by=by)
    session.add(segment)
    session.flush()
    return segment


def get(session: Session, segment_id: int, version: int | None = None) -> Saved:
    """A segment in its current version, or in the one asked for. Raises NotFound."""
    segment = row_of(session, segment_id)
    found = session.get(rows.SegmentVersion, (segment_id, version or segment.version))
    if found is None:
        raise NotFound(
            "unknown_version", f"segment {segment_id} has no version {version}", "list its versions", "version"
        )
    return saved_of(segment, found)


def named(session: Session, name: str) -> Saved:
    """The active segment of that name, or of that id. Raises NotFound with the nearest name."""
    found = rows.named(session, name.strip())
    if found is None and name.isdecimal() and len(name) < LONGEST_ID:
        return get(session, int(name))
    if found is None:
        fix = suggestion(name, rows.names(session, active=True).values())
        raise NotFound("unknown_segment", f"there is no segment {name!r}", fix, "segment")
    return get(session, found.id)


def listed(session: Session) -> list[Saved]:
    """Every active segment in its current version, latest first."""
    current = (rows.SegmentVersion.segment_id == rows.Segment.id) & (rows.SegmentVersion.number == rows.Segment.version)
    pairs = sa.select(rows.Segment, rows.SegmentVersion).join(rows.SegmentVersion, current)
    pairs = pairs.where(rows.Segment.status == "active").order_by(rows.Segment.id.desc())
    return [saved_of(segment, version) for segment, version in session.execute(pairs)]


def masked(session: Session, ids: Iterable[int], *, now: datetime) -> list[SampleMember]:
    """The given customers in the given order, masked."""
    wanted = list(ids)
    found = {row.id: row for row in customers.cards(session, wanted, now)}
    return [
        SampleMember(
            id=row.id,
            name=_masked_name(row.first_name, row.last_name) or f"Customer {row.external_id or row.id}",
            email=_masked_email(row.email),
            city=", ".join(part for part in (row.city, row.region or row.country) if part),
            ltv=float(row.ltv),
            last_order_at=row.last_order_at,
        )
        for row in (found[customer_id] for customer_id in wanted if customer_id in found)
    ]


def zone(session: Session) -> ZoneInfo:
    """The store's time zone; UTC before the store is set up."""
    found = store.current(session)
    return ZoneInfo(found.time_zone if found else "UTC")


def scope(session: Session, *, now: datetime, within: tuple[int, ...] = ()) -> Scope:
    """The store's data as of ``now``, for the compiler."""
    return Scope(catalogs.current(session), now, zone(session), _resolver(session), within, _known(session))


def names(session: Session) -> dict[Any, str]:
    """What a definition's English calls things by: segments by id, flows by ("flow", id)."""
    return rows.names(session) | {("flow", flow_id): name for flow_id, name in flows.names(session).items()}


def _known(session: Session) -> Known:
    return cache(lambda kind: flows.names(session) if kind == "flow" else topics.labels(session))


def _resolver(session: Session) -> Resolve:

    def resolve(segment_id: int, path: str) -> seg.Definition:
        raw = rows.definition(session, segment_id)
        if raw is None:
            fix = "choose a segment that exists; a missing one is never read as empty"
            raise NotFound("unknown_segment", f"there is no active segment {segment_id}", fix, path)
        return seg.parse(raw)

    return resolve


def run(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> sa.Result[*tuple[Any, ...]]:
    """Execute a segment's statement, at most for ten seconds."""
    with planned(session, TIMEOUT):
        return session.execute(statement)


@contextlib.contextmanager
def planned(session: Session, limit: str) -> Iterator[None]:
    """Let no statement of the block take longer than, say, ``10s``, and plan them as suits segments.

    Each is planned for the values it is asked with: what suits a week does not suit ten years. What they join is there
    in the order of customers, or soon put in it: at a million of them, merging took half as long as hashing.
    """
    session.execute(PLANNING, {"limit": limit, "plans": "force_custom_plan", "hash": "off"})
    yield
    session.execute(PLANNING, {"limit": "0", "plans": "auto", "hash": "on"})


def add_version(
    session: Session,
    segment: rows.Segment,
    definition: seg.Definition,
    by: str,
    now: datetime,
    prompt: str | None,
    assumptions: Sequence[dict[str, Any]],
    trace_id: str | None,
) -> Saved:
    """Save the next version of a segment whose row is held. Raises as ``ask`` does, where it names itself too."""
    question = ask(session, definition, now=now, within=(segment.id,))
    segment.version += 1
    segment.updated_at = now
    version = rows.SegmentVersion(
        segment_id=segment.id,
        number=segment.version,
        definition=definition.as_json(),
        read_back=" and ".join(line.text for line in question.lines),
        prompt=prompt,
        assumptions=list(assumptions),
        audience_size=int(run(session, question.sql.size()).scalar_one()),
        created_by=by,
        created_at=now,
    )
    session.add(version)
    session.flush()
    if version.number > 1:  # segments that rest on this one mean somebody else now
        segments_touched.note_everybody(session)
    detail = {"version": version.number, "audience_size": version.audience_size}
    audit.record(
        session, actor=by, action="segment.saved", subject=f"segment:{segment.id}", detail=detail, trace_id=trace_id
    )
    return saved_of(segment, version)


def row_of(session: Session, segment_id: int, *, lock: bool = False) -> rows.Segment:
    """The row of a segment, deleted or not. Raises NotFound."""
    found = session.get(rows.Segment, segment_id, with_for_update=lock, populate_existing=lock)
    if found is None:
        raise NotFound("unknown_segment", f"there is no segment {segment_id}", "list the segments", "segment_id")
    return found


def saved_of(segment: rows.Segment, version: rows.SegmentVersion) -> Saved:
    """The two rows as one value."""
    return Saved(
        id=segment.id,
        name=segment.name,
        dataset=segment.dataset,
        version=version.number,
        status=segment.status,
        definition=version.definition,
        read_back=version.read_back,
        audience_size=version.audience_size,
        prompt=version.prompt,
        assumptions=tuple(version.assumptions),
        created_by=version.created_by,
        created_at=version.created_at,
    )


def _masked_name(first: str | None, last: str | None) -> str:
    return " ".join(part for part in (first, f"{last[0]}." if last else None) if part)


def _masked_email(email: str | None) -> str:
    if not email:
        return ""
    local, _, domain = email.partition("@")
    return f"{local[0]}•••@{domain}"
