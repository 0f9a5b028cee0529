"""Which pages are there, and what does a visitor see when one cannot be shown?"""

from http import HTTPStatus
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import (
    approvals,
    campaigns,
    clock,
    customers,
    flows,
    home,
    outbox,
    page,
    segments,
    segments_deeds,
    sign_in,
    templates,
)
from console.visitor import SignInNeeded
from domain.errors import Conflict, Forbidden, Invalid, NotFound, ParleyError, Unavailable

PLACES = (home, approvals, segments, segments_deeds, campaigns, flows, templates, customers, outbox, clock, sign_in)

STATUS = {Invalid: 422, NotFound: 404, Conflict: 409, Forbidden: 403, Unavailable: 503}

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

log = structlog.get_logger()


def create() -> FastAPI:
    """The console as an application of its own, to be mounted at the root."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    made.mount("/static", GZipMiddleware(Static(directory=Path(__file__).parent / "static"), minimum_size=1000))
    for place in PLACES:
        made.include_router(place.router)
    made.add_exception_handler(SignInNeeded, _to_sign_in)
    made.add_exception_handler(ParleyError, _refused)
    made.add_exception_handler(RequestValidationError, _malformed)
    made.add_exception_handler(HTTPException, _not_there)
    made.add_middleware(Around)
    return made


class Static(StaticFiles):
    """Styles, scripts and fonts; a browser may keep them, and asks again whether they changed."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """The file, to be checked by its tag each time."""
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["cache-control"] = "no-cache"
        return answer


class Around:
    """ASGI middleware: what a page may load and do, unless it says so itself, and a page for what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, in any case."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = list(message["headers"])
                if not any(name.lower() == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", CONTENT_SECURITY_POLICY.encode()))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            log.exception("page_failed", path=scope["path"])
            if started:
                raise
            message, fix = "That failed on our side.", "Nothing was changed. Try again, or look into the log."
            await _trouble(Request(scope), 500, message, fix)(scope, receive, sending)


def _to_sign_in(request: Request, error: Exception) -> Response:
    location = error.location if isinstance(error, SignInNeeded) else "/login"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"hx-redirect": location})
    return RedirectResponse(location, 303)


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, ParleyError):
        raise error
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return _trouble(request, status, error.message, error.fix)


def _malformed(request: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"msg": "", "loc": ()}
    field = " ".join(str(part) for part in first["loc"][1:])
    return _trouble(request, 422, f"{field.capitalize()}: {first['msg']}", "Go back and correct it.")


def _not_there(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == HTTPStatus.NOT_FOUND:
        return _trouble(request, status, "There is no such page.", "It may have moved; the menu lists what there is.")
    return _trouble(request, status, "This cannot be done here.", "Go back and try another way.")


def _trouble(request: Request, status: int, message: str, fix: str) -> Response:
    """The page that says what is wrong; with HTMX, only the note for the corner of the page."""
    template = "note.html" if "hx-request" in request.headers else "trouble.html"
    answer = page.render(request, template, status_code=status, message=message, fix=fix)
    if "hx-request" in request.headers:
        answer.headers.update({"hx-retarget": "#notes", "hx-reswap": "beforeend"})
        answer.status_code = 200  # HTMX swaps nothing else in
    return answer
