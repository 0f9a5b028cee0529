"""How do providers tell us what became of a message?

``POST /v1/receipts`` with one receipt or an array of them. They are stored as they came before the answer says yes, and
applied afterwards by the sweeper; a provider that hears anything but 2xx must tell us again.
"""

import functools
import hmac
import ipaddress
import time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool

from api import bodies
from channels.gateway import receipt
from db.session import transaction
from domain.errors import Forbidden, Invalid
from domain.messages import Receipt
from services import receipts
from settings import secret, settings

MAX_RECEIPTS = 1_000
MAX_AGE_SECONDS = 300

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""Headers by which a proxy says whom it speaks for."""

router = APIRouter(prefix="/v1", tags=["receipts"])


@router.post("/receipts", status_code=202)
async def take(
    request: Request,
    stamp: Annotated[str, Header(alias="X-Vendor-Timestamp")] = "",
    seal: Annotated[str, Header(alias="X-Vendor-Signature")] = "",
) -> dict[str, int]:
    """Store receipts ``{"communicationLogId", "vendorMessageId", "status", "timestamp"}``.

    Answers how many were received and how many of them were new. 422 names the receipt and the field that is wrong, and
    then none is stored.
    """
    body = await bodies.read(request)
    _check_sender(request, body, stamp, seal)
    told = _parsed(body)
    new = await run_in_threadpool(_store, told)
    return {"received": len(told), "new": new}


def _store(told: list[Receipt]) -> int:
    with transaction() as session:
        return receipts.keep(session, told)


def _check_sender(request: Request, body: bytes, stamp: str, seal: str) -> None:
    """With a secret configured, only who knows it is heard, within 5 minutes; without one, programs on this machine.

    What is signed must be signed rightly in any case: the stand-in signs with a secret of the store's own.
    """
    configured = settings().receipts_secret
    if configured is None and not seal:
        if not _is_here(request):
            fix = "Set PARLEY_RECEIPTS_SECRET here and at the provider."
            raise Forbidden("receipts_unsigned", "Unsigned receipts are taken from this machine only.", fix)
        return
    known = configured.get_secret_value() if configured else _own_secret(settings().home)
    right = hmac.digest(known.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    fresh = stamp.isdecimal() and abs(time.time() - int(stamp)) <= MAX_AGE_SECONDS
    if not (hmac.compare_digest(right.encode(), seal.encode()) and fresh):
        raise Forbidden(
            "signature_wrong", "The signature or its time is wrong.", "Sign the body with the shared secret."
        )


def _is_here(request: Request) -> bool:
    """Whether a program on this machine asks, for itself.

    A browser names an origin, so a page somebody has open here is not taken for the provider. Behind a proxy on this
    machine everybody seems to be here: proxies say whom they speak for, and people then reach Parley elsewhere.
    """
    if "origin" in request.headers or any(name in request.headers for name in FORWARDED):
        return False
    asking = request.client.host if request.client else ""
    return _is_loopback(asking) and _is_loopback(urlsplit(settings().address).hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@functools.cache
def _own_secret(home: Path) -> str:
    return secret("receipts", home)


def _parsed(body: bytes) -> list[Receipt]:
    said = bodies.parsed(body, "Send one receipt, or an array of them.")
    array = isinstance(said, list)
    items = said if array else [said]
    if len(items) > MAX_RECEIPTS:
        raise Invalid("too_many", f"{len(items):,} receipts at once.", f"Send at most {MAX_RECEIPTS:,}.")
    found = []
    for place, item in enumerate(items):
        where = f"{place}." if array else ""
        if not isinstance(item, dict):
            raise Invalid("receipt_invalid", "A receipt is an object.", "Send an object.", where.rstrip("."))
        try:
            found.append(receipt(item))
        except ValueError as error:
            fix = "See communicationLogId, vendorMessageId, status and timestamp in the reference."
            raise Invalid("receipt_invalid", f"{error} is missing or malformed.", fix, f"{where}{error}") from None
    return found
