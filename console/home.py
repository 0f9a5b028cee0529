"""What does somebody see first? How the store stands, what waits for a decision, what runs."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from console import page
from console.visitor import Transaction, Visitor
from services import approvals, flows, overview

router = APIRouter()

SHOWN = 5


@router.get("/")
def home(request: Request, session: Transaction, person: Visitor) -> Response:
    """The first page."""
    return page.show(
        request,
        session,
        person,
        "home.html",
        figures=overview.figures(session),
        pending=approvals.pending(session, limit=SHOWN),
        running=flows.listed(session, statuses=("active", "paused", "done"), limit=SHOWN),
    )
