"""Which flows are there, what do they send, and what came of it for whom?"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from console import page
from console.visitor import Decider, Pressed, Transaction, Visitor
from db import store
from domain.flows import Send, Wait, spoken
from services import flows, results

router = APIRouter(prefix="/flows")

PEOPLE = 25

ORDERS: dict[str, Callable[..., Any]] = {"pause": flows.pause, "resume": flows.resume, "end": flows.cancel}


@router.get("")
def listed(request: Request, session: Transaction, person: Visitor) -> Response:
    """Every flow and campaign."""
    return page.show(request, session, person, "flows.html", flows=flows.listed(session))


@router.get("/{flow_id}")
def one(
    request: Request, session: Transaction, person: Visitor, flow_id: int, after: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """A flow with what came of each message and, page by page, of each person."""
    saved = flows.get(session, flow_id)
    spec = saved.parsed()
    people = results.recipients(session, flow_id, limit=PEOPLE + 1, after=after)
    steps = [
        ("wait", spoken(step.duration)) if isinstance(step, Wait) else ("send", place)
        for place, step in enumerate(spec.steps)
        if isinstance(step, Wait | Send)
    ]
    found = results.results(session, flow_id)
    return page.show(
        request,
        session,
        person,
        "progress.html" if request.headers.get("hx-target") == "progress" else "flow.html",
        flow=saved,
        spec=spec,
        steps=steps,
        results=found,
        by_step={result.step: result for result in found.steps},
        words=results.reason_in_words,
        people=people[:PEOPLE],
        more=people[PEOPLE - 1].customer_id if len(people) > PEOPLE else None,
        after=after,
    )


@router.post("/{flow_id}", dependencies=[Pressed])
def order(
    session: Transaction, person: Decider, flow_id: int, order: Annotated[Literal["pause", "resume", "end"], Form()]
) -> Response:
    """Pause, resume or end a flow."""
    ORDERS[order](session, flow_id, by=person.username, now=store.business_now(session))
    return RedirectResponse(f"/flows/{flow_id}", 303)
