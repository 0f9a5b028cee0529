"""How do people get in and out?"""

import secrets
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from console import page
from console.attempts import Attempts
from console.visitor import Pressed, Transaction, token_of
from domain.errors import Forbidden
from services import users
from settings import settings

router = APIRouter()

_attempts = Attempts()


@router.get("/login")
def ask(request: Request, session: Transaction, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Show the form, or go on for somebody who is signed in."""
    token = token_of(request)
    if token and users.signed_in(session, token, now=datetime.now(UTC)):
        return RedirectResponse(_own(next), 303)
    return page.render(request, "sign_in.html", next=_own(next))


@router.post("/login")
def sign_in(
    request: Request,
    session: Transaction,
    username: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the name in the form
) -> Response:
    """Check a name and a password; a new sign-in always gets a new token.

    Raises Forbidden for a form on somebody else's page, which could sign a person in as somebody else.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden("foreign_form", "This form was sent from another site.", "Sign in on Parley's own page.")
    now = datetime.now(UTC)
    key = (request.client.host if request.client else "", username.strip().lower())
    token = secrets.token_urlsafe(32)
    try:
        _attempts.require_one_left(key, now)
        users.sign_in(session, username, password, token=token, now=now)
    except Forbidden as refused:
        if refused.code == "sign_in_failed":
            _attempts.failed(key, now)
        return page.render(
            request, "sign_in.html", next=_own(next), username=username, refused=refused, status_code=403
        )
    gone_on = RedirectResponse(_own(next), 303)
    gone_on.set_cookie(
        settings().session_cookie,
        token,
        max_age=int(users.SIGN_IN_LASTS.total_seconds()),
        httponly=True,
        secure=settings().secure,
        samesite="lax",
    )
    return gone_on


@router.post("/logout", dependencies=[Pressed])
def sign_out(request: Request, session: Transaction) -> Response:
    """End the sign-in, in the chat too."""
    users.sign_out(session, token_of(request), now=datetime.now(UTC))
    gone = RedirectResponse("/login", 303)
    gone.delete_cookie(settings().session_cookie, secure=settings().secure, httponly=True)
    return gone


def _own(address: str) -> str:
    """The address if it is a page of ours, else the first page: a link to the sign-in page must not lead elsewhere."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\", "/login"))
    return address if plain and address.isprintable() else "/"
