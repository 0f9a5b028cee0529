"""Does a request come from our own pages?

A browser sends our cookies along with requests that other sites make. So a request that carries cookies and changes
something, and every socket, must name our own address as its origin; browsers always do, and no page can forge it.
Programs that send no cookies (providers, scripts with a key) are not asked.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import Forbidden

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
"""What every answer says, whoever wrote it."""

FOREIGN = Forbidden(
    "foreign_origin", "This request came from another site.", "Open Parley at its own address and try again."
)


def is_ours(headers: Mapping[str, str], address: str) -> bool:
    """Whether the request's origin is the host it was sent to, or Parley's public address."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") in {None, "same-origin", "none"}
    _, _, host = origin.partition("://")
    return origin == address or (host != "" and host == headers.get("host"))


class OurPagesOnly:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, address: str) -> None:
        """``address`` is where people reach Parley, e.g. ``https://parley.example.com``."""
        self._app = app
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what comes from elsewhere with 403; a socket is closed before it opens."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        changing = scope["type"] == "websocket" or scope["method"] not in SAFE
        if changing and "cookie" in headers and not is_ours(headers, self._address):
            await self._refuse(scope, receive, send)
        elif scope["type"] == "http":
            await self._app(scope, receive, _with_headers(send))
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await JSONResponse({"error": FOREIGN.as_dict()}, 403)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = {name.lower() for name, _ in message.get("headers", [])}
            more = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in said]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending
