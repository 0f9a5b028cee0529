"""What may happen only because a person said so? The one gate that every door goes through.

A proposal is stored exactly as it is shown, with the SHA-256 of its canonical JSON. Approving names that digest, so
nobody approves what they have not seen; the effect happens in the same transaction, once. If the audience has meanwhile
left the bounds that were shown, or the segment means something else, the approval is void and says what changed.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_jsonable_python
from sqlalchemy.orm import Session

from db import approvals as rows
from db import audit
from domain import flows as flow_values
from domain import segments as seg
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.flows import Audience, digest
from services import customers_changes, flows, flows_orders, segments, segments_versions, templates
from services.users import Person

NAMESPACE = uuid.UUID("0b6f3f0e-6f0b-5f43-8d6b-0e2a2f4d7a11")
LASTS = timedelta(days=7)
SHARE_MOVED = 0.10
PEOPLE_MOVED = 25

Kind = Literal["segment", "flow", "activation", "order", "customer"]
Decision = Literal["approve", "reject"]
Proposal = dict[str, Any]


class Approval(BaseModel):
    """A proposal and what became of it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: uuid.UUID
    kind: str
    status: str
    proposal: dict[str, Any]
    digest: str
    result: dict[str, Any] | None
    thread_id: str | None
    trace_id: str
    proposed_by: str
    created_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None


class Outcome(BaseModel):
    """What a decision led to: the approval as it is now, and the words for it."""

    model_config = ConfigDict(frozen=True)

    approval: Approval
    message: str


@dataclass(frozen=True)
class Effect:
    """What a kind of proposal is: how it is completed, what can change beneath it, and what approving it does."""

    prepare: Callable[[Session, Proposal, datetime], Proposal]
    """Check and complete what was proposed, the size and bounds of the audience included."""
    changed: Callable[[Session, Proposal, datetime], str | None]
    """What is no longer as it was shown, in words; None if all is."""
    apply: Callable[[Session, rows.Approval, str, datetime], dict[str, Any]]
    """Do it; answers what was made."""


def propose(
    session: Session,
    kind: str,
    proposal: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    trace_id: str,
    thread_id: str | None = None,
    key: str | None = None,
) -> Approval:
    """Put something before a person. ``proposal`` is JSON data.

    - ``segment``: ``name``, ``definition``; optional ``prompt``, ``assumptions``, ``as_of``, and for a new version of a
      saved one ``segment_id`` and ``expected_version``;
    - ``flow``: ``spec``; optional ``flow_id`` of the flow it changes;
    - ``activation``: ``flow_id`` of a saved draft;
    - ``order``: ``flow_id`` and ``order``, see ``services.flows_orders``;
    - ``customer``: ``action`` and what it needs, see ``services.customers_changes``.

    Whatever else it holds (evidence, say) is kept, shown and covered by the digest. The stored proposal also has
    ``read_back`` and ``audience``: ``size``, ``at_least``, ``at_most``. With ``key``, proposing the same again answers
    the first proposal. Raises Invalid or NotFound for what cannot be done, Conflict (``key_reused``).
    """
    effect = _effect(kind)
    made = effect.prepare(session, to_jsonable_python(dict(proposal)), now)
    approval_id = uuid.uuid5(NAMESPACE, key) if key else uuid.uuid4()
    found = session.get(rows.Approval, approval_id)
    if found is not None:
        if found.digest != digest(made):
            raise Conflict("key_reused", "This key already stands for another proposal.", "Use a new key.", "key")
        return Approval.model_validate(found)
    row = rows.Approval(
        id=approval_id,
        kind=kind,
        status="pending",
        proposal=made,
        digest=digest(made),
        thread_id=thread_id,
        trace_id=trace_id,
        proposed_by=by,
        created_at=now,
        expires_at=now + LASTS,
    )
    session.add(row)
    session.flush()
    _note(session, row, "proposed", by)
    return Approval.model_validate(row)


def decide(
    session: Session,
    approval_id: uuid.UUID,
    digest: str,
    decision: Decision,
    *,
    by: Person,
    now: datetime,
    note: str | None = None,
) -> Outcome:
    """Approve or reject what was shown under ``digest``.

    The answer's approval is ``approved`` (its ``result`` names what was made), ``rejected``, or, instead of approved,
    ``void`` or ``expired`` with the reason in words: commit in each case. Raises Forbidden (``may_not_decide``),
    NotFound, Conflict (``already_decided``, ``proposal_changed``), and what the effect raises; it then stays pending.
    """
    _require_decider(by)
    row = _pending(session, approval_id)
    if row.digest != digest:
        fix = "Look at the proposal as it is now, then decide."
        raise Conflict("proposal_changed", "This is not the proposal you were shown.", fix, "digest")
    if row.expires_at <= now:
        return _settled(session, row, "expired", by.username, now, "It waited for too long. Propose it again.")
    if decision == "reject":
        return _settled(session, row, "rejected", by.username, now, note)
    effect = _effect(row.kind)
    changed = effect.changed(session, row.proposal, now)
    if changed:
        return _settled(session, row, "void", by.username, now, f"{changed} Propose it again.")
    outcome = _settled(session, row, "approved", by.username, now, note)
    row.result = effect.apply(session, row, by.username, now)
    session.flush()
    return outcome.model_copy(update={"approval": Approval.model_validate(row)})


def edit(
    session: Session, approval_id: uuid.UUID, proposal: Mapping[str, Any], *, by: Person, now: datetime
) -> Approval:
    """Replace a pending proposal by another of its kind; the first is void then. Raises what both do."""
    _require_decider(by)
    row = _pending(session, approval_id)
    made = propose(session, row.kind, proposal, by=by.username, now=now, trace_id=row.trace_id, thread_id=row.thread_id)
    result = {"replaced_by": str(made.id)}
    _settled(session, row, "void", by.username, now, "It was edited.", result)
    return made


def void(session: Session, approval_id: uuid.UUID, *, by: str, now: datetime, note: str) -> Approval:
    """Take a pending proposal back. Raises NotFound, Conflict (``already_decided``)."""
    row = _pending(session, approval_id)
    return _settled(session, row, "void", by, now, note).approval


def get(session: Session, approval_id: uuid.UUID) -> Approval:
    """A proposal as it is now. Raises NotFound."""
    row = session.get(rows.Approval, approval_id, populate_existing=True)
    if row is None:
        raise _unknown()
    return Approval.model_validate(row)


def pending(session: Session, *, limit: int = 50) -> list[Approval]:
    """What waits for a decision, latest first."""
    return [Approval.model_validate(row) for row in rows.pending(session, limit)]


def waiting(session: Session) -> int:
    """How many proposals wait for a decision."""
    return rows.count_pending(session)


def decided_of_thread(session: Session, thread_id: str) -> set[uuid.UUID]:
    """The proposals of a conversation that do not wait any more, whoever decided them and wherever."""
    return set(rows.decided_of_thread(session, thread_id))


def of_thread(session: Session, thread_id: str) -> list[Approval]:
    """Everything proposed in a conversation, in that order."""
    return [Approval.model_validate(row) for row in rows.of_thread(session, thread_id)]


def bounds(size: int, max_audience: int | None = None) -> dict[str, int]:
    """How large an audience may be when it is approved, having been ``size`` when it was shown.

    A tenth more or less, and 25 people in any case, since small audiences move by whole people.
    """
    most = max(ceil(size * (1 + SHARE_MOVED)), size + PEOPLE_MOVED)
    least = min(floor(size * (1 - SHARE_MOVED)), size - PEOPLE_MOVED)
    return {"size": size, "at_least": max(least, 0), "at_most": min(most, max_audience or most)}


def _prepare_segment(session: Session, proposal: Proposal, now: datetime) -> Proposal:
    name = str(proposal.get("name") or "").strip()
    if not name:
        raise Invalid("segment_name_missing", "A segment needs a name.", "Give it a name.", "name")
    definition = seg.parse(proposal.get("definition"))
    found = segments.preview(session, definition, now=_as_of(proposal) or now)
    return {
        **proposal,
        "name": name,
        "definition": definition.as_json(),
        "read_back": found.read_back,
        "audience": bounds(found.audience_size),
    }


def _segment_changed(session: Session, proposal: Proposal, now: datetime) -> str | None:
    definition = seg.parse(proposal["definition"])
    return _moved(proposal, segments.size(session, definition, now=_as_of(proposal) or now))


def _apply_segment(session: Session, row: rows.Approval, by: str, now: datetime) -> dict[str, Any]:
    proposal = row.proposal
    content: dict[str, Any] = {
        "definition": seg.parse(proposal["definition"]),
        "by": by,
        "now": now,
        "prompt": proposal.get("prompt"),
        "assumptions": proposal.get("assumptions") or (),
        "trace_id": row.trace_id,
    }
    if proposal.get("segment_id") is None:
        saved = segments.save(session, name=proposal["name"], **content)
    else:
        expected = int(proposal["expected_version"])
        saved = segments_versions.update(session, int(proposal["segment_id"]), expected_version=expected, **content)
    return {"segment_id": saved.id, "version": saved.version, "audience_size": saved.audience_size}


def _prepare_flow(session: Session, proposal: Proposal, now: datetime) -> Proposal:
    spec = templates.filled(session, flow_values.parse(proposal.get("spec")))
    flows.require_ready(session, spec, now=now)
    if proposal.get("flow_id") is not None:
        flows.get(session, int(proposal["flow_id"]))
    return {**proposal, "spec": spec.as_json(), **_audience(session, spec, now)}


def _flow_changed(session: Session, proposal: Proposal, now: datetime) -> str | None:
    spec = flow_values.parse(proposal["spec"])
    if proposal.get("version") is not None:
        current = flows.get(session, int(proposal["flow_id"])).version
        if current != proposal["version"]:
            return f"Version {current} of this flow was saved meanwhile; version {proposal['version']} was shown."
    if _meaning(session, spec.audience, now) != proposal["read_back"]:
        return "The audience means something else now."
    return _moved(proposal, len(flows.member_ids(session, spec.audience, now=now)))


def _apply_flow(session: Session, row: rows.Approval, by: str, now: datetime) -> dict[str, Any]:
    spec = flow_values.parse(row.proposal["spec"])
    changes = row.proposal.get("flow_id")
    flow_id = int(changes) if changes is not None else None
    saved = flows.save_approved(session, spec, flow_id=flow_id, by=by, now=now, trace_id=row.trace_id)
    return _started(flows.activate(session, saved.id, row.id, now=now))


def _prepare_activation(session: Session, proposal: Proposal, now: datetime) -> Proposal:
    if proposal.get("flow_id") is None:
        raise Invalid("flow_missing", "Which flow?", "Name a saved flow.", "flow_id")
    saved = flows.get(session, int(proposal["flow_id"]))
    spec = saved.parsed()
    flows.require_ready(session, spec, now=now)
    return {**proposal, "spec": saved.spec, "version": saved.version, **_audience(session, spec, now)}


def _apply_activation(session: Session, row: rows.Approval, _by: str, now: datetime) -> dict[str, Any]:
    return _started(flows.activate(session, int(row.proposal["flow_id"]), row.id, now=now))


EFFECTS: dict[str, Effect] = {
    "segment": Effect(_prepare_segment, _segment_changed, _apply_segment),
    "flow": Effect(_prepare_flow, _flow_changed, _apply_flow),
    "activation": Effect(_prepare_activation, _flow_changed, _apply_activation),
    "order": Effect(flows_orders.prepare, flows_orders.changed, flows_orders.apply),
    "customer": Effect(customers_changes.prepare, customers_changes.changed, customers_changes.apply),
}
"""The kinds of proposals there are."""


def _audience(session: Session, spec: flow_values.FlowSpec, now: datetime) -> Proposal:
    size = len(flows.member_ids(session, spec.audience, now=now))
    if not size:
        raise Invalid("audience_empty", "Nobody is in this audience.", "Widen the segment.", "spec.audience")
    allowed = spec.guardrails.max_audience
    if allowed is not None and size > allowed:
        message = f"{size:,} people are in this audience; the flow allows {allowed:,}."
        raise Invalid("audience_too_large", message, "Narrow it, or raise the limit.", "spec.guardrails.max_audience")
    return {"read_back": _meaning(session, spec.audience, now), "audience": bounds(size, allowed)}


def _meaning(session: Session, audience: Audience, now: datetime) -> str:
    question = segments.ask(session, flows.definition(session, audience), now=audience.as_of or now)
    return " and ".join(line.text for line in question.lines)


def _moved(proposal: Proposal, size: int) -> str | None:
    shown = proposal["audience"]
    if shown["at_least"] <= size <= shown["at_most"]:
        return None
    return f"The audience moved from {shown['size']:,} to {size:,} people since this was shown."


def _started(saved: flows.Saved) -> dict[str, Any]:
    people = {"audience_size": saved.audience_size}
    return {"flow_id": saved.id, "version": saved.version, "flow_version_id": saved.version_id, **people}


def _as_of(proposal: Proposal) -> datetime | None:
    said = proposal.get("as_of")
    return datetime.fromisoformat(said) if said else None


def _effect(kind: str) -> Effect:
    if kind not in EFFECTS:
        raise Invalid(
            "unknown_kind", f"There is no proposal of kind {kind!r}.", f"Known: {', '.join(EFFECTS)}.", "kind"
        )
    return EFFECTS[kind]


def _require_decider(by: Person) -> None:
    if not by.may_decide:
        message = f"{by.username} may look at this but not decide it."
        raise Forbidden("may_not_decide", message, "Ask somebody with the role marketer or admin.")


def _pending(session: Session, approval_id: uuid.UUID) -> rows.Approval:
    row = rows.locked(session, approval_id)
    if row is None:
        raise _unknown()
    if row.status != "pending":
        when = f"{row.decided_at:%-d %B %Y, %H:%M} UTC" if row.decided_at else "before"
        message = f"This was {row.status} already, by {row.decided_by} on {when}."
        raise Conflict("already_decided", message, "Look at the proposal as it is now.")
    return row


def _settled(
    session: Session,
    row: rows.Approval,
    status: str,
    by: str,
    now: datetime,
    note: str | None,
    result: dict[str, Any] | None = None,
) -> Outcome:
    settled = rows.settle(session, row.id, status, by=by, at=now, note=note, result=result)
    if settled is None:
        raise Conflict("already_decided", "This was decided already.", "Look at the proposal as it is now.")
    _note(session, settled, status, by, note=note)
    words = {"approved": "Approved.", "rejected": "Rejected."}.get(status, note or status)
    return Outcome(approval=Approval.model_validate(settled), message=words)


def _note(session: Session, row: rows.Approval, what: str, by: str, **detail: Any) -> None:
    known = {"kind": row.kind, "digest": row.digest} | {name: value for name, value in detail.items() if value}
    subject = f"approval:{row.id}"
    audit.record(session, actor=by, action=f"approval.{what}", subject=subject, detail=known, trace_id=row.trace_id)


def _unknown() -> NotFound:
    return NotFound("unknown_approval", "There is no such proposal.", "List what waits for a decision.", "approval_id")
