"""How is a customer written down, changed or erased by approval? With what it was and what it will be, side by side."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.approvals import Approval
from domain import customers as values
from domain.errors import Invalid
from services import customers
from services.profiles import named

Proposal = dict[str, Any]

SAYS = {
    "create": ("Add the customer", "A new record. Nobody is written to because of it."),
    "update": ("Save the changes", "The fields named here are changed, the others stay."),
    "delete": (
        "Erase the customer",
        "All that is known of this person goes, orders and messages too. Their addresses are never used again.",
    ),
}
"""What a button calls each action, and what it means."""


def prepare(session: Session, proposal: Proposal, _now: datetime) -> Proposal:
    """Complete ``action`` (``create``, ``update``, ``delete``), ``customer_id`` and ``values``.

    Raises Invalid (``unknown_action``, ``nothing_changed``, ``customer_invalid``), NotFound.
    """
    action = str(proposal.get("action"))
    if action not in SAYS:
        raise Invalid("unknown_action", "Customers do not know this action.", f"Known: {', '.join(SAYS)}.", "action")
    given = values.parse(proposal.get("values") or {}).given() if action != "delete" else {}
    if action != "delete" and not given:
        raise Invalid("nothing_changed", "Nothing is said about them.", "Give at least one field.", "values")
    before: dict[str, Any] = {}
    name = " ".join(str(given[key]) for key in ("first_name", "last_name") if given.get(key))
    if action != "create":
        customer_id = int(proposal.get("customer_id") or 0)
        known = customers.known(session, customer_id)
        before = {key: known[key] for key in given} if action == "update" else {"email": known["email"]}
        name = named(known["first_name"], known["last_name"], known["external_id"], customer_id)
    return {
        **proposal,
        "values": given,
        "before": before,
        "name": name or given.get("email") or given.get("phone") or "New customer",
        "read_back": SAYS[action][1],
    }


def changed(session: Session, proposal: Proposal, _now: datetime) -> str | None:
    """What is no longer as it was shown."""
    if proposal["action"] == "create":
        return None
    known = customers.known(session, int(proposal["customer_id"]))
    other = [key for key, value in proposal["before"].items() if known[key] != value]
    return f"The {other[0].replace('_', ' ')} of this customer was changed meanwhile." if other else None


def apply(session: Session, row: Approval, by: str, now: datetime) -> Proposal:
    """Do it; of who was erased, the proposal keeps nothing either."""
    proposal, given = row.proposal, values.parse(row.proposal["values"])
    if proposal["action"] == "create":
        return {"customer_id": customers.create(session, given, by=by, now=now)}
    customer_id = int(proposal["customer_id"])
    if proposal["action"] == "update":
        customers.update(session, customer_id, given, by=by, now=now)
        return {"customer_id": customer_id}
    customers.erase(session, customer_id, by=by, now=now)
    session.refresh(row)
    return {"erased": customer_id}
