"""What does it mean to pause, resume, stop or delete a flow, and may it be done now? The words a person decides by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.approvals import Approval
from db.flows import ACTIVE, DONE, DRAFT, PAUSED
from domain.errors import Conflict, Invalid
from services import flows
from services.flows import Saved

Proposal = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """One order: what a button calls it, what it does to whom, when it can be given, and how it is carried out."""

    says: str
    meaning: str
    when: frozenset[str]
    do: Callable[..., Saved]


ORDERS: dict[str, Order] = {
    "pause": Order(
        "Pause the flow",
        "Nobody takes a step and nothing is sent until it is resumed.",
        frozenset({ACTIVE}),
        flows.pause,
    ),
    "resume": Order(
        "Resume the flow",
        "Whatever fell due meanwhile is sent as soon as it may be.",
        frozenset({PAUSED}),
        flows.resume,
    ),
    "stop": Order(
        "Stop the flow for good",
        "Everybody leaves it, and what has not been sent will not be sent. This cannot be taken back.",
        frozenset({ACTIVE, PAUSED}),
        flows.cancel,
    ),
    "delete": Order(
        "Delete the flow", "It is put away; what it sent stays on record.", frozenset({DRAFT, DONE}), flows.archive
    ),
}


def prepare(session: Session, proposal: Proposal, _now: datetime) -> Proposal:
    """Complete ``flow_id`` and ``order``.

    Raises Invalid (``unknown_order``), NotFound, Conflict (``order_impossible``).
    """
    order = ORDERS.get(str(proposal.get("order")))
    if order is None:
        raise Invalid("unknown_order", "Flows do not know this order.", f"Known: {', '.join(ORDERS)}.", "order")
    saved = flows.get(session, int(proposal.get("flow_id") or 0))
    if saved.status not in order.when:
        fix = f"It can be done with a flow that is {' or '.join(sorted(order.when))}."
        raise Conflict("order_impossible", f"{saved.name} is {saved.status}.", fix, "flow_id")
    inside = saved.people.get("waiting", 0)
    return {
        **proposal,
        "flow_id": saved.id,
        "name": saved.name,
        "status": saved.status,
        "read_back": order.meaning,
        "audience": {"size": inside},
    }


def changed(session: Session, proposal: Proposal, _now: datetime) -> str | None:
    """What is no longer as it was shown."""
    saved = flows.get(session, int(proposal["flow_id"]))
    return None if saved.status == proposal["status"] else f"{saved.name} is {saved.status} by now."


def apply(session: Session, row: Approval, by: str, now: datetime) -> Proposal:
    """Carry it out."""
    saved = ORDERS[row.proposal["order"]].do(session, int(row.proposal["flow_id"]), by=by, now=now)
    return {"flow_id": saved.id, "status": saved.status}
