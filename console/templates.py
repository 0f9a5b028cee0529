"""Which messages are kept, what do they say to real people, and how does one write them?"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console import page
from console.visitor import Decider, Pressed, Transaction, Visitor
from db import store
from domain.errors import Conflict, Invalid
from domain.segments import Channel
from domain.templates import ALWAYS, FILTERS, PERSONAL, Content
from services import previews, recipients, templates
from services.users import Person

router = APIRouter(prefix="/templates")

PEOPLE = 5
"""How many people a message can be tried on."""


FIRST = Content(subject="News from {{ store.name }}", body='Hi {{ customer.first_name | default: "there" }},\n\n')
"""What a new message begins with, so that the first thing seen is a mail and not a complaint."""


class Words(BaseModel):
    """What the editor's form holds; ``person`` is the place of the one to try it on."""

    name: str = ""
    channel: Channel = "email"
    locale: str = "en"
    subject: str = ""
    preview_text: str = ""
    body: str = ""
    version: int = 0
    person: int = 0

    def content(self) -> Content:
        """The words of the message. Raises Invalid."""
        return templates.written(subject=self.subject, preview_text=self.preview_text, body=self.body)


@router.get("")
def listed(request: Request, session: Transaction, person: Visitor) -> Response:
    """Every template that was not deleted."""
    found, uses = templates.listed(session), templates.uses(session)
    return page.show(request, session, person, "templates.html", templates=found, uses=uses)


@router.get("/new")
def new(request: Request, session: Transaction, person: Decider) -> Response:
    """The editor with a beginning."""
    return _editor(request, session, person, Words(subject=FIRST.subject, body=FIRST.body))


@router.post("/preview", dependencies=[Pressed])
def tried(request: Request, session: Transaction, person: Visitor, words: Annotated[Words, Form()]) -> Response:
    """What the words in the editor become for a person."""
    return page.show(request, session, person, "template_sample.html", words=words, **_sample(session, words))


@router.post("", dependencies=[Pressed])
def save(request: Request, session: Transaction, person: Decider, words: Annotated[Words, Form()]) -> Response:
    """Keep a new message; one that cannot be kept comes back with what to mend."""
    try:
        made = templates.save(
            session,
            name=words.name,
            channel=words.channel,
            locale=words.locale.strip(),
            content=words.content(),
            by=person.username,
            now=store.business_now(session),
        )
    except (Invalid, Conflict) as refused:
        return _editor(request, session, person, words, refused=refused)
    return RedirectResponse(f"/templates/{made.id}", 303)


@router.get("/{template_id}")
def one(
    request: Request,
    session: Transaction,
    person: Visitor,
    template_id: int,
    version: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """The editor with a template's words, or those of an earlier version to go on from."""
    saved = templates.get(session, template_id, version)
    words = Words(
        name=saved.name, channel=saved.channel, locale=saved.locale, version=saved.latest, **saved.content.model_dump()
    )
    return _editor(request, session, person, words, saved=saved)


@router.post("/{template_id}", dependencies=[Pressed])
def save_version(
    request: Request, session: Transaction, person: Decider, template_id: int, words: Annotated[Words, Form()]
) -> Response:
    """Save the next version; one that cannot be saved comes back with what to mend."""
    try:
        templates.update(
            session,
            template_id,
            content=words.content(),
            expected_version=words.version,
            by=person.username,
            now=store.business_now(session),
        )
    except (Invalid, Conflict) as refused:
        saved = templates.get(session, template_id)
        return _editor(request, session, person, words, saved=saved, refused=refused)
    return RedirectResponse(f"/templates/{template_id}", 303)


@router.post("/{template_id}/delete", dependencies=[Pressed])
def delete(session: Transaction, person: Decider, template_id: int) -> Response:
    """Take a template out of the list."""
    templates.delete(session, template_id, by=person.username, now=store.business_now(session))
    return RedirectResponse("/templates", 303)


def _editor(
    request: Request,
    session: Session,
    person: Person,
    words: Words,
    *,
    saved: templates.Saved | None = None,
    refused: Invalid | Conflict | None = None,
) -> Response:
    return page.show(
        request,
        session,
        person,
        "template.html",
        status_code=422 if refused else 200,
        words=words,
        saved=saved,
        versions=templates.versions(session, saved.id) if saved else [],
        uses=templates.uses(session).get(saved.id, []) if saved else [],
        refused=refused,
        placeholders={**PERSONAL, **_custom(session), **ALWAYS},
        filters=sorted(FILTERS),
        **_sample(session, words),
    )


def _custom(session: Session) -> dict[str, str]:
    return {f"customer.custom.{name}": name.replace("_", " ") for name in sorted(recipients.custom_names(session))}


def _sample(session: Session, words: Words) -> dict[str, Any]:
    """The message as the chosen person gets it, who else there is, and what to mend."""
    now = store.business_now(session)
    try:
        seen = previews.of_template(session, words.content(), words.channel, now=now, samples=PEOPLE)
    except Invalid as refused:
        return {"sample": None, "people": [], "recipients": 0, "problems": [refused]}
    people = [one.name or f"Customer {one.customer_id}" for one in seen.samples]
    chosen = min(max(words.person, 0), len(people) - 1)
    sample = seen.samples[chosen] if people else None
    return {"sample": sample, "people": people, "recipients": seen.recipients, "problems": seen.problems}
