"""How does somebody watch a ten-day wait in seconds? By moving the demo store's clock."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from console import page
from console.visitor import Decider, Pressed, Transaction
from db import store
from services import clock

router = APIRouter()


@router.post("/clock", dependencies=[Pressed])
def advance(
    request: Request, session: Transaction, person: Decider, days: Annotated[int, Form(ge=1, le=366)]
) -> Response:
    """Move the clock ahead and show it."""
    clock.advance(session, timedelta(days=days), now=store.business_now(session), by=person.username)
    return page.show(request, session, person, "clock.html")
