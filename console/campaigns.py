"""Which campaigns were there, what came of each recipient, and how is a new one put up for approval?"""

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console import page
from console.visitor import Decider, Pressed, Transaction, Visitor
from db import store
from domain.errors import Invalid, NotFound
from services import campaigns, segments, templates
from services.users import Person

router = APIRouter(prefix="/campaigns")

PEOPLE = 50


class Wanted(BaseModel):
    """What the form of a new campaign holds; ``at`` is on the store's clock, empty for "when approved"."""

    name: str = ""
    segment: int = 0
    template: int = 0
    subject: str = ""
    body: str = ""
    at: str = ""


@router.get("")
def listed(
    request: Request, session: Transaction, person: Visitor, before: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    """Campaigns, newest first."""
    found = campaigns.listed(session, limit=campaigns.LISTED + 1, before=before)
    more = found[campaigns.LISTED - 1].id if len(found) > campaigns.LISTED else None
    shown = found[: campaigns.LISTED]
    return page.show(request, session, person, "campaigns.html", campaigns=shown, more=more, before=before)


@router.get("/new")
def new(
    request: Request,
    session: Transaction,
    person: Decider,
    segment: Annotated[int, Query(ge=0)] = 0,
    template: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The form of a new campaign."""
    return _form(request, session, person, Wanted(segment=segment, template=template))


@router.post("/new", dependencies=[Pressed])
def propose(request: Request, session: Transaction, person: Decider, wanted: Annotated[Wanted, Form()]) -> Response:
    """Put the campaign up for approval and go to it; one that cannot be comes back with what to mend."""
    try:
        asked = campaigns.propose(
            session,
            campaigns.spec(
                session,
                segment_id=wanted.segment,
                name=wanted.name,
                channel=templates.get(session, wanted.template).channel if wanted.template else "email",
                template_id=wanted.template or None,
                words=None if wanted.template else templates.written(subject=wanted.subject, body=wanted.body),
                at=_instant(session, wanted.at),
            ),
            by=person.username,
            now=store.business_now(session),
            trace_id=uuid.uuid4().hex,
        )
    except (Invalid, NotFound) as refused:
        return _form(request, session, person, wanted, refused)
    return RedirectResponse(f"/approvals/{asked.id}", 303)


@router.get("/{campaign_id}")
def one(
    request: Request, session: Transaction, person: Visitor, campaign_id: int, after: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """A campaign with its log."""
    log = campaigns.log(session, campaign_id, after=after, limit=PEOPLE + 1)
    return page.show(
        request,
        session,
        person,
        "campaign_log.html" if request.headers.get("hx-target") == "campaign" else "campaign.html",
        campaign=campaigns.get(session, campaign_id),
        log=log[:PEOPLE],
        more=log[PEOPLE - 1].customer_id if len(log) > PEOPLE else None,
        after=after,
    )


def _form(
    request: Request, session: Session, person: Person, wanted: Wanted, refused: Invalid | NotFound | None = None
) -> Response:
    return page.show(
        request,
        session,
        person,
        "campaign_new.html",
        status_code=422 if refused else 200,
        wanted=wanted,
        refused=refused,
        segments=segments.listed(session),
        templates=templates.listed(session),
    )


def _instant(session: Session, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=segments.zone(session))
    except ValueError:
        raise Invalid(
            "at_invalid", f"{text!r} is no time.", "Choose a day and a time, or leave it empty.", "at"
        ) from None
