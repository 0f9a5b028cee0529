"""Is it our own stand-in that answers on that port? People of a demo store are written to through nothing else.

Whatever is configured, this way leads to a port of this machine, and before the first message goes over a connection
the other side must prove that it knows this store's secret, and that this very port is its own.
"""

import hmac
import http.client
import secrets
from datetime import timedelta

from channels.gateway import Gateway
from channels.provider import TIMEOUT
from domain.messages import Guarantee

HERE = "127.0.0.1"
NAME = "vendor"
SECRET = "vendor"  # noqa: S105 - its name among the store's secrets


class StandIn(Gateway):
    """The vendor stand-in of this store."""

    def __init__(
        self, port: int, secret: str, *, guarantee: Guarantee = Guarantee.KEY, timeout: timedelta = TIMEOUT
    ) -> None:
        super().__init__(f"http://{HERE}:{port}", name=NAME, guarantee=guarantee, timeout=timeout)
        self._secret = secret

    def opened(self) -> http.client.HTTPConnection:
        """See ``Gateway.opened``. Raises ConnectionError where somebody else answers."""
        made = super().opened()
        asked = secrets.token_hex(16)
        try:
            made.request("GET", f"/proof/{asked}")
            said = made.getresponse().read(200)
        except http.client.HTTPException:
            said = b""
        if not hmac.compare_digest(said, proof(self._secret, made.port, asked).encode()):
            made.close()
            message = f"What answers on port {made.port} is not the vendor stand-in of this store."
            raise ConnectionRefusedError(message)
        return made


def proof(secret: str, port: int, asked: str) -> str:
    """What only the stand-in of a store can answer, and only for its own port."""
    return hmac.digest(secret.encode(), f"{port}:{asked}".encode(), "sha256").hex()
