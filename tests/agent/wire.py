"""What does an OpenAI-compatible endpoint look like on the wire? A loopback server that speaks from a script.

Each request takes the next reply of the script; a request beyond its end is answered with 500. Every request's body is
kept, and checked as strict servers check it: each tool call must be followed by its answer.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer: text, then tool calls, in chunks; or a status; or nothing for a while; or cut off half-way."""

    text: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    status: int = 200
    hang_seconds: float = 0
    cut_after: int | None = None
    cut_politely: bool = False


def says(text: str) -> Reply:
    """A plain answer."""
    return Reply(text=text)


def calls(*wanted: tuple[str, dict[str, Any] | str], text: str = "") -> Reply:
    """Tool calls: name and arguments (a string is sent as it is, JSON or not)."""
    made = tuple(
        (f"call_{name}_{i}", name, arguments if isinstance(arguments, str) else json.dumps(arguments))
        for i, (name, arguments) in enumerate(wanted)
    )
    return Reply(text=text, calls=made)


@dataclass
class Wire:
    """The server's address, what is left of its script, and what it was asked."""

    url: str
    script: list[Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def last_messages(self) -> list[dict[str, Any]]:
        """The messages of the latest request."""
        return list(self.requests[-1]["messages"])


@contextmanager
def wire(*script: Reply) -> Iterator[Wire]:
    """A server for the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    found = Wire(f"http://127.0.0.1:{server.server_port}/v1", list(script))
    server.wire = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        wire: Wire = self.server.wire  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wire.requests.append(body)
        complaint = unanswered(body["messages"])
        if complaint:
            wire.complaints.append(complaint)
            self._refuse(400, complaint)
            return
        reply = wire.script.pop(0) if wire.script else Reply(status=500)
        time.sleep(reply.hang_seconds)
        if reply.status != 200:
            self._refuse(reply.status, "scripted")
            return
        chunks = list(_chunks(reply))
        if reply.cut_after is not None:
            chunks = chunks[: reply.cut_after]
        if not body.get("stream"):
            self._whole(reply)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for chunk in chunks:
                self._send(f"data: {json.dumps(chunk)}\n\n")
            if reply.cut_after is not None and not reply.cut_politely:
                self.close_connection = True
                self.connection.close()
                return
            if reply.cut_after is None:
                self._send("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""

    def _send(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _refuse(self, status: int, message: str) -> None:
        self._json(status, {"error": {"message": message, "type": "scripted", "code": None}})

    def _whole(self, reply: Reply) -> None:
        tool_calls = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in reply.calls
        ]
        message = {"role": "assistant", "content": reply.text or None, "tool_calls": tool_calls or None}
        reason = "tool_calls" if tool_calls else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        self._json(
            200, {"id": "c1", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [choice]}
        )

    def _json(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True


def unanswered(messages: Sequence[dict[str, Any]]) -> str:
    """What a strict server says of tool calls that no tool message answers; empty when all is well."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] in waiting:
                waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            return f"tool_call_ids did not have response messages: {waiting}"
        waiting = [call["id"] for call in message.get("tool_calls") or []]
    return f"tool_call_ids did not have response messages: {waiting}" if waiting else ""


def _chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    yield _chunk({"role": "assistant", "content": ""})
    for word in reply.text.split(" ") if reply.text else []:
        yield _chunk({"content": word + " "})
    for index, (call_id, name, arguments) in enumerate(reply.calls):
        start = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        yield _chunk({"tool_calls": [start]})
        middle = len(arguments) // 2
        for piece in (arguments[:middle], arguments[middle:]):
            yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _chunk({}, "tool_calls" if reply.calls else "stop")


def _chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [choice]}
