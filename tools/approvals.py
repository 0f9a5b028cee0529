"""How does a tool wait for a person? It puts a proposal before them once, stops the run, and reads the decision later.

The row of the proposal is the truth. The interrupt carries its id and nothing else, and whatever resumes the run may
say what it likes: what was decided is read from the row. No tool applies a decision.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.types import interrupt
from sqlalchemy.orm import Session

from domain.errors import Forbidden, NotFound
from services import approvals, plans
from services.approvals import Approval
from tools.context import Answer, Runtime, told


def propose(runtime: Runtime, kind: approvals.Kind, make: Callable[[Session], Mapping[str, Any]]) -> Answer:
    """Propose what ``make`` makes, wait, tell what became of it.

    All before the wait runs again on resuming: a key tells that it was proposed already, and then nothing is made anew.
    """
    context = runtime.context
    if context.as_of is not None:
        with context.transaction() as session:
            proposal = dict(make(session))
        shown = {"kind": "shown", "of": kind, "proposal": proposal}
        return told({"kind": kind, "status": "shown", "proposal": proposal}), shown
    if not context.person.may_decide:
        raise Forbidden(
            "may_not_propose",
            f"{context.person.username} may look but not propose.",
            "Ask somebody with the role marketer or admin.",
        )
    key = _key(runtime)
    with context.transaction() as session:
        try:
            found = plans.latest(session, uuid.uuid5(approvals.NAMESPACE, key))
        except NotFound:
            found = approvals.propose(
                session,
                kind,
                {**make(session), "plan_id": context.trace_id},
                by=context.person.username,
                now=context.now(session),
                trace_id=context.trace_id,
                thread_id=context.thread_id,
                key=key,
            )
    if found.status == "pending":
        interrupt({"kind": kind, "approval_id": str(found.id), "tool_call_id": runtime.tool_call_id})
        with context.transaction() as session:
            found = plans.latest(session, found.id)
    return told(outcome(found)), {"kind": "outcome", "approval_id": str(found.id), "summary": found.status}


def revise(runtime: Runtime, approval_id: uuid.UUID, changes: Mapping[str, Any]) -> Answer:
    """Change a waiting proposal of this conversation, and what belongs to it; this run does not wait."""
    context = runtime.context
    with context.transaction() as session:
        before = plans.latest(session, approval_id)
        if before.thread_id != context.thread_id:
            raise NotFound("unknown_approval", "There is no such proposal in this conversation.", "Propose it anew.")
        made = plans.revise(session, before.id, changes, by=context.person, now=context.now(session))
    cards = [{"kind": one.kind, "approval_id": str(one.id)} for one in made]
    shown = {"kind": "revised", "cards": cards, "summary": f"{len(made)} changed"}
    return told({**outcome(made[0]), "changed": [outcome(one) for one in made]}), shown


def outcome(approval: Approval) -> dict[str, Any]:
    """What became of a proposal, for the model."""
    proposal = approval.proposal
    audience = proposal.get("spec", {}).get("audience", {})
    return {
        "approval_id": str(approval.id),
        "kind": approval.kind,
        "status": approval.status,
        "name": proposal.get("name") or proposal.get("spec", {}).get("name"),
        "definition": proposal.get("definition") or audience.get("definition"),
        "read_back": proposal.get("read_back"),
        "audience_size": proposal.get("audience", {}).get("size"),
        "start": proposal.get("spec", {}).get("start"),
        "decided_by": approval.decided_by,
        "note": approval.note,
        "result": approval.result,
    }


def _key(runtime: Runtime) -> str:
    """The call's own name in the world: endpoints reuse call ids, so the message that holds the call is part of it."""
    call_id = runtime.tool_call_id or ""
    for message in reversed(runtime.state["messages"]):
        if isinstance(message, AIMessage) and any(call["id"] == call_id for call in message.tool_calls):
            return f"{runtime.context.thread_id}:{message.id}:{call_id}"
    return f"{runtime.context.thread_id}:{call_id}"
