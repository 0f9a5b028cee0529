"""How does the recipient of a message end it, with one click and no account?

The link in the message opens a page that changes nothing, because mail scanners open links too. Its button, and the
mail program's own (RFC 8058), post to the same address; that alone unsubscribes. No cookie, no sign-in, no redirect.
"""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import HTMLResponse

from db import store
from db.consent import Proof
from db.session import transaction
from domain.errors import Invalid, NotFound
from services import consent

router = APIRouter(tags=["unsubscribe"])

CHANNEL_WORDS = {"email": "emails", "sms": "text messages", "whatsapp": "WhatsApp messages"}

SAFE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",  # with none at all, a browser's own form would name no origin and be refused
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


@router.get("/unsubscribe/{token}", response_class=HTMLResponse)
def look(token: str) -> HTMLResponse:
    """The page with the button."""
    try:
        said = consent.read_link(token)
    except Invalid as error:
        return _page("This link does not work", f"<p>{escape(error.message)} {escape(error.fix)}</p>", 404)
    with transaction() as session:
        shop = store.current(session)
        name = escape(shop.name) if shop else "this store"
    words = CHANNEL_WORDS[said.channel]
    button = '<form method="post"><button type="submit">Unsubscribe</button></form>'
    return _page("Unsubscribe", f"<p>You will get no more marketing {words} from {name}.</p>{button}")


@router.post("/unsubscribe/{token}", response_class=HTMLResponse)
def leave(token: str, request: Request, agent: Annotated[str, Header(alias="User-Agent")] = "") -> HTMLResponse:
    """Unsubscribe. The body, of whatever kind, says nothing that the address does not say; twice is as good as once."""
    try:
        with transaction() as session:
            here = request.client.host if request.client else None
            proof = Proof("link", "unsubscribe link", wording=agent[:200] or None, ip=here)
            consent.unsubscribe(session, token, proof, store.business_now(session))
    except Invalid as error:
        return _page("This link does not work", f"<p>{escape(error.message)} {escape(error.fix)}</p>", 404)
    except NotFound:
        pass  # nobody is written to any more at all
    return _page("You are unsubscribed", "<p>It holds from now on. You can close this page.</p>")


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem;color:#1f2328}"
        "button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:8px;background:#1f2328;color:#fff}"
        "@media(prefers-color-scheme:dark){body{background:#16181b;color:#e6e6e6}button{background:#e6e6e6;color:#16181b}}"
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(page, status, SAFE_HEADERS)
