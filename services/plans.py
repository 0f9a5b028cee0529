"""What belongs together? A segment and the campaign for it, proposed in one go, stay about the same people.

Each is decided on its own. A flow carries the definition of its audience, so approving it does not need the segment to
be saved, and rejecting the segment leaves the flow as it was shown. But as long as both wait, changing whom the segment
means changes whom the flow is for.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain import segments as seg
from domain.errors import Invalid
from services import approvals
from services.approvals import Approval
from services.users import Person


def latest(session: Session, approval_id: uuid.UUID) -> Approval:
    """The proposal that stands where this one was, after all edits; itself, if it was never edited. Raises NotFound."""
    found = approvals.get(session, approval_id)
    while found.result and "replaced_by" in found.result:
        found = approvals.get(session, uuid.UUID(found.result["replaced_by"]))
    return found


def revise(
    session: Session, approval_id: uuid.UUID, changes: Mapping[str, Any], *, by: Person, now: datetime
) -> list[Approval]:
    """Change some keys of a pending proposal; a changed definition reaches the pending flows of the same plan too.

    Answers the new proposals, the changed one first. Raises what ``approvals.edit`` raises; then nothing is changed.
    """
    before = approvals.get(session, approval_id)
    changed = [approvals.edit(session, approval_id, {**before.proposal, **changes}, by=by, now=now)]
    definition = changed[0].proposal.get("definition")
    if before.kind != "segment" or definition == before.proposal["definition"]:
        return changed
    for flow in _waiting_flows(session, before):
        spec = flow.proposal["spec"]
        audience = {**spec["audience"], "definition": definition}
        proposal = {**flow.proposal, "spec": {**spec, "audience": audience}}
        changed.append(approvals.edit(session, flow.id, proposal, by=by, now=now))
    return changed


def amended(definition: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """A definition with one number changed, e.g. ``where.of.2.during.last`` to ``90d``. Raises Invalid.

    This is what changing an assumption on the card does.
    """
    steps = path.split(".")
    whole = seg.parse(definition).as_json()
    place: Any = whole
    try:
        for step in steps[:-1]:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if isinstance(place, list):
            place[int(steps[-1])] = value
        else:
            _ = place[steps[-1]]
            place[steps[-1]] = value
    except (KeyError, IndexError, ValueError, TypeError):
        message = f"the definition has no {path}"
        raise Invalid("unknown_place", message, "take the path from the assumption", path) from None
    return seg.parse(whole).as_json()


def _waiting_flows(session: Session, segment: Approval) -> list[Approval]:
    plan, thread = segment.proposal.get("plan_id"), segment.thread_id
    if plan is None or thread is None:
        return []
    return [
        found
        for found in approvals.of_thread(session, thread)
        if found.kind == "flow"
        and found.status == "pending"
        and found.proposal.get("plan_id") == plan
        and found.proposal["spec"]["audience"].get("definition") == segment.proposal["definition"]
    ]
