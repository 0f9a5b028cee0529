"""Does the vendor stand-in keep its contract: shapes, keys, fates, journal, reports, also when it is killed?"""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from channels.vendor import Manner, fails
from settings import ROOT
from tests.loopback import Handler, Loopback


class Sink(Loopback):
    """A receipts API that keeps what it is told; it refuses the first ``refusals`` posts."""

    def __init__(self, refusals: int = 0) -> None:
        self.receipts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refusals = refusals
        sink = self

        class Answering(Handler):
            def do_POST(self) -> None:  # noqa: N802 - http.server's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if sink.refusals > 0:
                    sink.refusals -= 1
                    self.send_response(503)
                else:
                    sink.receipts += json.loads(body)
                    sink.headers.append(dict(self.headers))
                    self.send_response(202)
                self.end_headers()

        super().__init__(Answering, "/v1/receipts")


@contextlib.contextmanager
def vendor(journal: Path, *arguments: str, receipts_url: str = "") -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A stand-in process and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "channels.vendor", "--port", str(port), "--journal", str(journal), "--receipts-url", receipts_url]
    process = subprocess.Popen([sys.executable, *command, "--latency", "0", "0", *arguments], cwd=ROOT)
    try:
        assert eventually(lambda: _answers(port)), "the stand-in did not start"
        yield port, process
    finally:
        process.kill()
        process.wait()


def post(port: int, message_id: str, *, key: str | None = None, **changes: str) -> tuple[int, dict[str, Any]]:
    """Hand one message over and answer the status and the body."""
    said = {"communicationLogId": message_id, "customerId": "1", "message": "Hi Ada", **changes}
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/send", json.dumps(said), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def eventually(holds: Any, seconds: float = 30.0) -> bool:
    """Whether something comes true before the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


def _answers(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False


def test_it_answers_in_the_agreed_shape_and_reports_later(tmp_path: Path) -> None:
    ours = [str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number))) for number in range(60)]
    with Sink(refusals=1).listening() as sink, vendor(tmp_path / "journal", receipts_url=sink.url) as (port, _):
        for message_id in ours:
            status, said = post(port, message_id, key=message_id)
            assert (status, said["status"]) == (200, "QUEUED_BY_VENDOR")
            assert said["vendorMessageId"]
        final = ("DELIVERED", "FAILED")
        assert eventually(lambda: sum(told["status"] in final for told in sink.receipts) == 60)
    fates = {told["communicationLogId"]: told["status"] for told in sink.receipts if told["status"] in final}
    assert fates == {message_id: "FAILED" if fails(message_id, Manner()) else "DELIVERED" for message_id in ours}
    assert 0 < list(fates.values()).count("FAILED") < 20
    assert set(sink.receipts[0]) == {"communicationLogId", "vendorMessageId", "status", "timestamp"}


def test_a_key_is_accepted_once_also_across_a_kill(tmp_path: Path) -> None:
    journal, message_id = tmp_path / "journal", str(uuid.uuid4())
    with vendor(journal) as (port, process):
        first = post(port, message_id, key=message_id)
        assert post(port, message_id, key=message_id) == first
        process.send_signal(signal.SIGKILL)
        process.wait()
    with journal.open("a") as torn:
        torn.write('{"at": 1, "id": "half a li')
    with vendor(journal) as (port, _):
        assert post(port, message_id, key=message_id) == first
        assert post(port, message_id, key=message_id, message="Hi Eve")[0] == 422
    lines = [json.loads(line.partition("half a li")[2] or line) for line in journal.read_text().splitlines()]
    assert [line["accepted"] for line in lines] == [True, False, False, False]


def test_without_a_key_every_call_is_a_message(tmp_path: Path) -> None:
    message_id = str(uuid.uuid4())
    with vendor(tmp_path / "journal") as (port, _):
        first, second = post(port, message_id), post(port, message_id)
    assert first[1]["vendorMessageId"] != second[1]["vendorMessageId"]


@pytest.mark.parametrize("missing", ["communicationLogId", "customerId", "message"])
def test_what_is_missing_is_said(tmp_path: Path, missing: str) -> None:
    said = {"communicationLogId": "a", "customerId": "1", "message": "Hi"}
    del said[missing]
    with vendor(tmp_path / "journal") as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", "/send", json.dumps(said))
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["code"]) == (422, "invalid")


def test_it_can_lose_answers_and_be_busy(tmp_path: Path) -> None:
    with vendor(tmp_path / "journal", "--busy", "1") as (port, _):
        assert post(port, str(uuid.uuid4()), key="k")[0] == 429
    with vendor(tmp_path / "lost", "--losing", "1") as (port, _):
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            post(port, "m", key="k")
        assert post(port, "m", key="k")[0] == 200
