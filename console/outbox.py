"""What did recipients get? Every message that was handed to a provider, as its recipient sees it."""

import uuid
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from console import page
from console.visitor import Transaction, Visitor
from services import mailbox

router = APIRouter(prefix="/outbox")

ALONE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""A message is shown as a page without scripts, forms, origin or anything from elsewhere."""

BUBBLE = (
    '<!doctype html><meta charset="utf-8"><body style="margin:0;padding:24px;font:15px/22px system-ui,sans-serif;'
    'background:#f3f4f3"><p style="max-width:320px;margin:0;padding:10px 14px;border-radius:16px 16px 16px 4px;'
    'background:#fff;color:#141a1a;white-space:pre-wrap;overflow-wrap:anywhere">{}</p>'
)


@router.get("")
def listed(
    request: Request,
    session: Transaction,
    person: Visitor,
    q: Annotated[str, Query(max_length=200)] = "",
    flow: int | None = None,
    number: Annotated[int, Query(ge=1, le=100_000)] = 1,
    message: str = "",
) -> Response:
    """Messages, latest first, and the one that was chosen, ``message`` being ``<customer id>.<message id>``."""
    found = mailbox.listed(session, search=q, flow_id=flow, number=number)
    shown = found[: mailbox.PAGE]
    opened = None
    if message:
        customer_id, _, message_id = message.partition(".")
        if customer_id.isdecimal():
            opened = mailbox.opened(session, int(customer_id), _uuid(message_id))
    elif shown:
        opened = mailbox.opened(session, shown[0].customer_id, shown[0].id)
    template = "letter.html" if request.headers.get("hx-target") == "letter" else "outbox.html"
    return page.show(
        request,
        session,
        person,
        template,
        messages=shown,
        opened=opened,
        chosen=bool(message),
        q=q,
        flow=flow,
        number=number,
        more=len(found) > mailbox.PAGE,
    )


@router.get("/{customer_id}/{message_id}")
def body(session: Transaction, person: Visitor, customer_id: int, message_id: uuid.UUID) -> Response:  # noqa: ARG001 - signed in
    """The message itself, to be shown in a frame."""
    found = mailbox.opened(session, customer_id, message_id)
    html = found.html or BUBBLE.format(escape(found.text))
    return HTMLResponse(html, headers={"content-security-policy": ALONE, "cache-control": "private, no-store"})


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
