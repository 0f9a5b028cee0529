"""What listens on this machine while a test talks to it?"""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Handler(BaseHTTPRequestHandler):
    """Answers and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Loopback:
    """A server whose ``url`` is known at once and that answers inside ``listening``."""

    def __init__(self, handler: type[Handler], path: str = "") -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    @contextlib.contextmanager
    def listening(self) -> Iterator[Self]:
        """Answer inside the block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
