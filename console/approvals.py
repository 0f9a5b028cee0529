"""What waits for a decision, what exactly is proposed, and what was decided?"""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from agent import cards
from console import page
from console.visitor import Decider, Pressed, Transaction, Visitor
from db import store
from services import approvals
from services.approvals import Decision

router = APIRouter(prefix="/approvals")


@router.get("")
def listed(request: Request, session: Transaction, person: Visitor) -> Response:
    """Everything that waits."""
    return page.show(request, session, person, "approvals.html", pending=approvals.pending(session))


@router.get("/{approval_id}")
def one(request: Request, session: Transaction, person: Visitor, approval_id: uuid.UUID) -> Response:
    """A proposal as the chat shows it."""
    card = cards.card_of(session, approvals.get(session, approval_id), now=store.business_now(session))
    return page.show(request, session, person, "approval.html", card=card)


@router.post("/{approval_id}", dependencies=[Pressed])
def decide(
    session: Transaction,
    person: Decider,
    approval_id: uuid.UUID,
    digest: Annotated[str, Form()],
    decision: Annotated[Decision, Form()],
) -> Response:
    """Approve or reject what was shown; the page then says what became of it."""
    approvals.decide(session, approval_id, digest, decision, by=person, now=store.business_now(session))
    return RedirectResponse(f"/approvals/{approval_id}", 303)
