"""What can be done with a flow: draft it, look at it before it runs, start it, pause it, end it, read its results."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from db import approvals as approval_rows
from db import audit, campaigns, topics
from db import enrollments as enrollment_rows
from db import flows as rows
from domain import flows
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.flows import Audience, FlowSpec
from domain.segments import Definition
from domain.segments import parse as parse_definition
from domain.templates import Problem
from services import enrollments, messages, recipients, segments, templates

LIVE = (rows.DRAFT, rows.ACTIVE, rows.PAUSED, rows.DONE)


class Value(BaseModel):
    """What these functions answer: frozen values that turn into JSON as they are."""

    model_config = ConfigDict(frozen=True)


class Saved(Value):
    """A flow in its current version. ``people`` counts who is in it by state."""

    id: int
    version_id: int
    name: str
    status: str
    version: int
    spec: dict[str, Any]
    digest: str
    audience_size: int | None
    people: dict[str, int]
    created_by: str
    created_at: datetime
    activated_at: datetime | None
    ended_at: datetime | None

    def parsed(self) -> FlowSpec:
        """The spec as a value."""
        return flows.parse(self.spec)


def draft(session: Session, spec: FlowSpec, *, by: str, now: datetime, trace_id: str | None = None) -> Saved:
    """Save a new flow that does nothing yet.

    Raises Invalid (``flow_not_ready``) for the first error ``flows.check`` finds, NotFound for a missing segment or
    template.
    """
    definition(session, spec.audience)
    spec = templates.filled(session, spec)
    require_ready(session, spec, now=now)
    flow = rows.Flow(name=spec.name, status=rows.DRAFT, version=0, created_by=by, created_at=now, updated_at=now)
    session.add(flow)
    session.flush()
    _add_version(session, flow, spec, by, now, trace_id)
    return get(session, flow.id)


def update(
    session: Session,
    flow_id: int,
    spec: FlowSpec,
    *,
    expected_version: int,
    by: str,
    now: datetime,
    trace_id: str | None = None,
) -> Saved:
    """Save a new version of a draft.

    Raises Conflict (``flow_changed``, ``flow_live``): what has been started is changed by a proposal that names it.
    """
    spec = templates.filled(session, spec)
    require_ready(session, spec, now=now)
    flow = _locked(session, flow_id)
    _require_version(flow, expected_version)
    if flow.status != rows.DRAFT:
        raise Conflict("flow_live", f"{flow.name} is {flow.status}.", "Propose the change, so that it can be approved.")
    _add_version(session, flow, spec, by, now, trace_id)
    return get(session, flow_id)


def get(session: Session, flow_id: int) -> Saved:
    """A flow in its current version. Raises NotFound."""
    found = rows.current(session, flow_id)
    if found is None:
        raise NotFound("unknown_flow", f"There is no flow {flow_id}.", "List the flows.", "flow_id")
    return _saved(*found, enrollment_rows.counts(session, [flow_id])[flow_id])


def listed(session: Session, *, statuses: Collection[str] = LIVE, limit: int = 100) -> list[Saved]:
    """Flows in any of the statuses, latest first."""
    found = rows.listed(session, statuses, limit)
    counts = enrollment_rows.counts(session, [flow.id for flow, _ in found])
    return [_saved(flow, version, counts[flow.id]) for flow, version in found]


def activate(session: Session, flow_id: int, approval_id: uuid.UUID, *, now: datetime) -> Saved:
    """Start a flow, or its new version, for the audience as it is now.

    Only what a person approved starts: the approval must stand, and name exactly the content of the current version.
    It starts one version of one flow, once. Raises Forbidden (``not_approved``), Conflict (``flow_over``).
    """
    flow = _locked(session, flow_id)
    saved = get(session, flow_id)
    approval = session.get(approval_rows.Approval, approval_id, populate_existing=True)
    approved = approval is not None and approval.status == "approved" and approval.kind in {"flow", "activation"}
    if approval is None or not approved or not _is_about(session, approval, saved):
        message = f"{flow.name} was not approved as it is now."
        raise Forbidden("not_approved", message, "Propose it, and have a person approve it.", "approval_id")
    if not rows.move(session, flow_id, {rows.DRAFT, rows.ACTIVE, rows.PAUSED}, rows.ACTIVE, now):
        raise Conflict("flow_over", f"{flow.name} is {flow.status}.", "Draft a new flow from it.")
    spec = saved.parsed()
    ids = member_ids(session, spec.audience, now=now)
    entered = enrollments.enroll(
        session, flow_id=flow_id, version_id=saved.version_id, spec=spec, customer_ids=ids, now=now
    )
    rows.started(session, flow_id, saved.version_id, approval_id=approval_id, audience_size=len(ids), now=now)
    _note(session, "flow.activated", flow_id, approval.decided_by or "", approval.trace_id, people=entered)
    return get(session, flow_id)


def _is_about(session: Session, approval: approval_rows.Approval, saved: Saved) -> bool:
    """Whether an approval means this flow with this content, and has not started anything yet."""
    named = approval.proposal.get("flow_id")
    same = flows.digest(approval.proposal["spec"]) == saved.digest
    return same and (named is None or int(named) == saved.id) and not rows.was_started_by(session, approval.id)


def pause(session: Session, flow_id: int, *, by: str, now: datetime) -> Saved:
    """Let nobody take a step, and hold what is queued, until ``resume``. Raises Conflict (``flow_not_active``)."""
    return _moved(session, flow_id, {rows.ACTIVE}, rows.PAUSED, "flow_not_active", by, now)


def resume(session: Session, flow_id: int, *, by: str, now: datetime) -> Saved:
    """Let a paused flow go on. Raises Conflict (``flow_not_paused``)."""
    return _moved(session, flow_id, {rows.PAUSED}, rows.ACTIVE, "flow_not_paused", by, now)


def cancel(session: Session, flow_id: int, *, by: str, now: datetime) -> Saved:
    """End a flow for good: everybody leaves it, what is not sent yet is not sent. Raises Conflict (``flow_over``)."""
    _moved(session, flow_id, {rows.DRAFT, rows.ACTIVE, rows.PAUSED}, rows.ARCHIVED, "flow_over", by, now)
    enrollments.end_all(session, flow_id, reason="canceled", now=now)
    messages.cancel(session, flow_version_ids=rows.version_ids(session, flow_id))
    return get(session, flow_id)


def archive(session: Session, flow_id: int, *, by: str, now: datetime) -> Saved:
    """Put away a draft or a flow that is over. Raises Conflict (``flow_running``)."""
    return _moved(session, flow_id, {rows.DRAFT, rows.DONE}, rows.ARCHIVED, "flow_running", by, now)


def definition(session: Session, audience: Audience) -> Definition:
    """What an audience means. Raises NotFound for a missing segment or version."""
    if audience.definition is not None:
        return audience.definition
    if audience.segment_id is None:
        raise AssertionError
    return parse_definition(segments.get(session, audience.segment_id, audience.version).definition)


def member_ids(session: Session, audience: Audience, *, now: datetime) -> list[int]:
    """Who is in an audience, at ``now`` or as of the instant it is fixed to."""
    return segments.member_ids(session, definition(session, audience), now=audience.as_of or now)


def problems(session: Session, spec: FlowSpec, *, now: datetime) -> list[Problem]:
    """Everything that keeps a flow from being proposed, or is worth a second look, whatever its audience."""
    zone, custom = str(segments.zone(session)), recipients.custom_names(session)
    found = flows.check(spec, now=now, zone=zone, custom=custom, topics=topics.labels(session))
    return [*found, *templates.outdated(session, spec)]


def require_ready(session: Session, spec: FlowSpec, *, now: datetime) -> None:
    """Raise Invalid (``flow_not_ready``) for the first error in a flow; warnings pass."""
    for problem in problems(session, spec, now=now):
        if problem.level == "error":
            raise Invalid("flow_not_ready", problem.message, problem.fix, problem.path)


def save_approved(
    session: Session, spec: FlowSpec, *, flow_id: int | None, by: str, now: datetime, trace_id: str
) -> Saved:
    """Save the flow of a proposal: as a new flow, or as the next version of the one it changes."""
    if flow_id is None:
        return draft(session, spec, by=by, now=now, trace_id=trace_id)
    require_ready(session, spec, now=now)
    flow = _locked(session, flow_id)
    if flow.status in {rows.DONE, rows.ARCHIVED}:
        raise Conflict("flow_over", f"{flow.name} is {flow.status}.", "Draft a new flow from it.")
    _add_version(session, flow, spec, by, now, trace_id)
    return get(session, flow_id)


def _add_version(
    session: Session, flow: rows.Flow, spec: FlowSpec, by: str, now: datetime, trace_id: str | None
) -> None:
    flow.version += 1
    flow.name = spec.name
    flow.updated_at = now
    said = spec.as_json()
    session.add(
        rows.FlowVersion(
            flow_id=flow.id,
            number=flow.version,
            spec=said,
            digest=flows.digest(said),
            trace_id=trace_id or f"flow:{flow.id}",
            created_by=by,
            created_at=now,
        )
    )
    session.flush()
    campaigns.mark(session, flow.id, is_one=spec.is_campaign, segment_id=spec.audience.segment_id, now=now)
    _note(session, "flow.saved", flow.id, by, trace_id, version=flow.version)


def _locked(session: Session, flow_id: int) -> rows.Flow:
    found = session.get(rows.Flow, flow_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("unknown_flow", f"There is no flow {flow_id}.", "List the flows.", "flow_id")
    return found


def _require_version(flow: rows.Flow, expected: int) -> None:
    if flow.version != expected:
        message = f"Version {flow.version} of {flow.name} was saved meanwhile; you edited version {expected}."
        raise Conflict("flow_changed", message, "Load it again and repeat the change.", "expected_version")


def _moved(
    session: Session, flow_id: int, before: Collection[str], after: str, code: str, by: str, now: datetime
) -> Saved:
    found = get(session, flow_id)
    if not rows.move(session, flow_id, before, after, now):
        status = get(session, flow_id).status
        message = f"{found.name} is {status}; this needs it to be {' or '.join(sorted(before))}."
        raise Conflict(code, message, "Look at the flow as it is now.")
    _note(session, f"flow.{after}", flow_id, by, None, before=found.status)
    return get(session, flow_id)


def _note(session: Session, action: str, flow_id: int, by: str, trace_id: str | None, **detail: Any) -> None:
    audit.record(session, actor=by, action=action, subject=f"flow:{flow_id}", detail=detail, trace_id=trace_id)


def _saved(flow: rows.Flow, version: rows.FlowVersion, people: dict[str, int]) -> Saved:
    return Saved(
        id=flow.id,
        version_id=version.id,
        name=flow.name,
        status=flow.status,
        version=version.number,
        spec=version.spec,
        digest=version.digest,
        audience_size=version.audience_size,
        people=people,
        created_by=flow.created_by,
        created_at=flow.created_at,
        activated_at=flow.activated_at,
        ended_at=flow.ended_at,
    )
