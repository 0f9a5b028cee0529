"""What did a caller send, and is it small enough to be read and JSON at all?"""

import json
from typing import Any

from fastapi import Request

from domain.errors import Invalid

MAX_BODY = 1024 * 1024


async def read(request: Request) -> bytes:
    """The body. Raises Invalid (``too_large``) as soon as it is larger than a mebibyte."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Invalid("too_large", f"The body is larger than {MAX_BODY:,} bytes.", "Send less at once.")
    return bytes(body)


def parsed(body: bytes, expected: str) -> Any:
    """The body as JSON. Raises Invalid (``not_json``) whose fix says what was ``expected``."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid("not_json", "The body is not JSON.", expected) from None
