"""How does an unsubscribe link say, without a sign-in, who wants no more of what?

A token holds the customer, the message and the channel, and a keyed hash over them; nobody without the key can make or
change one. It never lapses: a link must work for as long as the mail lies in somebody's inbox.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import uuid
from dataclasses import dataclass

from domain.errors import Invalid
from domain.messages import CHANNELS

_BODY = struct.Struct(">BQ16s")
_SEAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """Who wants no more, on which channel, and the message that made them say so."""

    customer_id: int
    channel: str
    message_id: uuid.UUID


def sign(key: bytes, who: Unsubscribing) -> str:
    """The token for a link, 55 characters that need no escaping in an address."""
    body = _BODY.pack(CHANNELS.index(who.channel), who.customer_id, who.message_id.bytes)
    return base64.urlsafe_b64encode(body + _seal(key, body)).rstrip(b"=").decode()


def read(key: bytes, token: str) -> Unsubscribing:
    """What a token says. Raises Invalid (``unsubscribe_link_broken``) for one that this key did not sign."""
    broken = Invalid(
        "unsubscribe_link_broken",
        "This unsubscribe link is incomplete or was changed.",
        "Open the link from the message again, or answer the message with STOP.",
        "token",
    )
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise broken from None
    body, seal = raw[: _BODY.size], raw[_BODY.size :]
    if len(body) != _BODY.size or not hmac.compare_digest(seal, _seal(key, body)):
        raise broken
    channel, customer_id, message_id = _BODY.unpack(body)
    return Unsubscribing(customer_id, CHANNELS[channel], uuid.UUID(bytes=message_id))


def _seal(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"unsubscribe:" + body, hashlib.sha256)[:_SEAL_BYTES]
