"""Who calls the API: a program with a token, or somebody who is signed in?"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from db.session import transaction
from domain.errors import Forbidden
from services import tokens, users
from services.tokens import Caller
from settings import settings

_bearer = HTTPBearer(auto_error=False, description="A token made with `parley token create NAME`.")


def _caller(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Caller:
    now = datetime.now(UTC)
    cookie = request.cookies.get(settings().session_cookie, "")
    if credentials is None and not cookie:
        fix = "Send `Authorization: Bearer TOKEN`; make one with `parley token create NAME`."
        raise Forbidden("not_signed_in", "This needs a token, or a signed-in session.", fix)
    with transaction() as session:
        if credentials is not None:
            found = tokens.caller(session, credentials.credentials, now=now)
            code, message = "token_unknown", "This token is not known, or was revoked."
        else:
            person = users.signed_in(session, cookie, now=now)
            found = Caller(person.username) if person else None
            code, message = "not_signed_in", "This sign-in is over."
    if found is None:
        raise Forbidden(code, message, "Make a token with `parley token create NAME`, or sign in again.")
    return found


Authorized = Annotated[Caller, Depends(_caller)]
"""The caller, who is known; others are answered 401."""
