"""Who looks at a page, and did they really press that button?"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Form, Header, Request
from sqlalchemy.orm import Session

from db.session import transaction
from domain.errors import Forbidden
from services import users
from services.users import Person
from settings import secret, settings


def _session() -> Iterator[Session]:
    with transaction() as session:
        yield session


Transaction = Annotated[Session, Depends(_session, scope="function")]
"""A transaction that is committed before the page is sent."""


class SignInNeeded(Exception):
    """Nobody is signed in; ``location`` is the page that helps."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


def token_of(request: Request) -> str:
    """What the sign-in cookie holds, empty without one."""
    return request.cookies.get(settings().session_cookie, "")


def _person(request: Request, session: Transaction) -> Person:
    token = token_of(request)
    person = users.signed_in(session, token, now=datetime.now(UTC)) if token else None
    if person is None:
        if "hx-request" in request.headers or request.method not in {"GET", "HEAD"}:
            raise SignInNeeded("/login")
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise SignInNeeded("/login" if here == "/" else f"/login?next={quote(here)}")
    return person


Visitor = Annotated[Person, Depends(_person)]
"""The signed-in person; others are led to the sign-in page."""


def proof(token: str) -> str:
    """What our own forms carry and no other site can know: it belongs to one sign-in."""
    return hmac.new(secret("forms").encode(), users.hash_of(token).encode(), hashlib.sha256).hexdigest()


def _pressed(
    request: Request,
    proven: Annotated[str, Form(alias="proof")] = "",
    x_proof: Annotated[str, Header()] = "",
) -> None:
    if not hmac.compare_digest(proof(token_of(request)), x_proof or proven):
        raise Forbidden("form_expired", "This page is from an earlier sign-in.", "Reload the page and try again.")


Pressed = Depends(_pressed)
"""The request comes from a form of ours, shown to this very sign-in."""


def _decider(person: Visitor) -> Person:
    if not person.may_decide:
        raise Forbidden("viewer", "Your account may look, not change.", "Ask an administrator for the role marketer.")
    return person


Decider = Annotated[Person, Depends(_decider)]
"""The signed-in person, who may change things."""
