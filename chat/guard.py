"""Who may reach the chat, and with which requests?

Chainlit trusts its own long-lived token, offers ways in that Parley does not use, and lets anyone who is signed in
overwrite what another person is shown. So the guard lets only known routes through, asks on every request and on every
socket whether the person is signed in with Parley, and hands Chainlit a token made for that one request. Chainlit's
token never reaches a browser, and signing out ends the chat too.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.users import Person

CHAINLIT_COOKIE = "access_token"

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Cards are compiled in the browser, so scripts may be evaluated; nothing may come from or go to another host."""

_ID = r"[0-9A-Za-z-]+"
_SHIPPED = re.compile(r"/(public/.+|assets/.+|favicon|logo|avatars/.+)")
_PAGE = re.compile(rf"/|/thread/{_ID}|/element/{_ID}")
_SIGN_IN_PAGE = re.compile(r"/login(/callback)?")
_SOCKET = re.compile(r"/ws/socket\.io/?")
_CALLS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"/auth/config|/user|/project/translations|/project/settings"), frozenset({"GET"})),
    (re.compile(rf"/project/thread/{_ID}(/element/{_ID})?|/project/file/{_ID}"), frozenset({"GET"})),
    (re.compile(r"/project/thread"), frozenset({"PUT", "DELETE"})),
    (re.compile(r"/project/threads|/project/action"), frozenset({"POST"})),
    (re.compile(r"/project/element|/project/thread/share|/feedback|/mcp"), frozenset()),
)


class ChatGuard:
    """ASGI middleware around the whole application; only paths below ``path`` concern it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        path: str,
        cookie: str,
        who: Callable[[str], Person | None],
        sign_out: Callable[[str], None],
        token_for: Callable[[Person, str], str],
    ) -> None:
        """``who`` and ``sign_out`` take what the cookie holds and may block; ``token_for`` makes Chainlit's."""
        self._app = app
        self._path = path
        self._cookie = cookie
        self._who = who
        self._sign_out = sign_out
        self._token_for = token_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, changed, or answer it here."""
        if scope["type"] not in {"http", "websocket"} or not self._concerns(scope["path"]):
            await self._app(scope, receive, send)
            return
        if scope["path"] == self._path:
            scope = {**scope, "path": f"{self._path}/", "raw_path": f"{self._path}/".encode()}
        path = scope["path"].removeprefix(self._path)
        token = _cookies(scope).get(self._cookie, "")
        if scope["type"] == "websocket":
            person = await asyncio.to_thread(self._who, token) if _SOCKET.fullmatch(path) else None
            if person is None:
                await _refuse_socket(receive, send)
            else:
                await self._app(self._as(person, token, scope), receive, send)
            return
        answer = await self._answer(scope, path, token)
        if isinstance(answer, Response):
            await answer(scope, receive, _with_headers(send))
        else:
            await self._app(answer, receive, _with_headers(send))

    async def _answer(self, scope: Scope, path: str, token: str) -> Response | Scope:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method == "GET" and _SHIPPED.fullmatch(path):
            return _without_token(scope)
        if method == "POST" and path == "/logout":
            return await self._logged_out(token)
        page = method == "GET" and _PAGE.fullmatch(path) is not None
        refusal = None if page else _refusal(method, path)
        if refusal is not None:
            return refusal
        person = await asyncio.to_thread(self._who, token) if token else None
        if person is not None:
            return self._as(person, token, scope)
        if page:
            return RedirectResponse(f"/login?next={quote(scope['path'].rstrip('/'))}", 303)
        return JSONResponse({"detail": "Sign in first."}, 401)

    async def _logged_out(self, token: str) -> Response:
        await asyncio.to_thread(self._sign_out, token)
        gone = JSONResponse({"success": True})
        gone.delete_cookie(self._cookie, secure=self._cookie.startswith("__Host-"), httponly=True)
        return gone

    def _concerns(self, path: str) -> bool:
        return path == self._path or path.startswith(f"{self._path}/")

    def _as(self, person: Person, token: str, scope: Scope) -> Scope:
        return _without_token(scope, more=f"{CHAINLIT_COOKIE}={self._token_for(person, token)}")


def _refusal(method: str, path: str) -> Response | None:
    if _SOCKET.fullmatch(path):
        return None
    if method == "GET" and _SIGN_IN_PAGE.fullmatch(path):
        return RedirectResponse("/login", 303)
    if method == "POST" and path == "/set-session-cookie":
        return JSONResponse({"message": "One process serves the chat, so no cookie says which."})
    for pattern, methods in _CALLS:
        if pattern.fullmatch(path):
            if method in methods:
                return None
            return JSONResponse({"detail": "Not done here."}, 405, headers={"allow": ", ".join(sorted(methods))})
    return JSONResponse({"detail": "Not found."}, 404)


def _cookies(scope: Scope) -> dict[str, str]:
    found: SimpleCookie = SimpleCookie()
    for part in _cookie_parts(scope["headers"]):
        try:
            found.load(part)
        except CookieError:
            continue
    return {name: morsel.value for name, morsel in found.items()}


def _cookie_parts(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    values = [value.decode("latin-1") for name, value in headers if name == b"cookie"]
    return [part.strip() for value in values for part in value.split(";") if part.strip()]


def _without_token(scope: Scope, more: str | None = None) -> Scope:
    """The same request without any Chainlit token the browser may have sent, and with ``more`` as a cookie."""
    kept = [part for part in _cookie_parts(scope["headers"]) if not part.startswith(CHAINLIT_COOKIE)]
    cookie = "; ".join([*kept, more] if more else kept)
    headers = [(name, value) for name, value in scope["headers"] if name not in {b"cookie", b"authorization"}]
    if cookie:
        headers.append((b"cookie", cookie.encode("latin-1")))
    return {**scope, "headers": headers}


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if not (name.lower() == b"set-cookie" and value.startswith(CHAINLIT_COOKIE.encode()))
            ]
            kept.append((b"content-security-policy", CONTENT_SECURITY_POLICY.encode()))
            message = {**message, "headers": kept}
        await send(message)

    return sending


async def _refuse_socket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})
