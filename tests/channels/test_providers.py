"""Does every provider keep the contract: each end of a call has its name, nothing is raised or starts too late?"""

import contextlib
import email
import email.policy
import itertools
import json
import select
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.gateway import Gateway, payload, receipt, understood
from channels.provider import Provider
from channels.registry import route
from channels.smtp import Smtp, mime, wire
from channels.stand_in import SECRET, StandIn, proof
from domain.errors import Unavailable
from domain.messages import CHANNELS, Guarantee, Letter, Result
from settings import secret
from tests.channels.test_vendor import vendor

SOON = timedelta(seconds=0.5)


def letter(recipient: str = "ada@example.com", **changes: Any) -> Letter:
    """A letter with a little of everything."""
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "customer_id": 7,
        "channel": "email",
        "attempt": 1,
        "sender": "Example Coffee <hello@shop.example.com>",
        "recipient": recipient,
        "subject": "Café & more",
        "preview": "",
        "text": "Hi Ada,\n.a line that starts with a dot\n",
        "html": "<p>Hi Ada</p>",
        "headers": {"List-Unsubscribe": "<https://shop.example.com/u/1>"},
    }
    return Letter(**(values | changes))


def forever() -> float:
    """An ``until`` that does not end here."""
    return time.monotonic() + 60


class Contract:
    """What holds for every provider; a test of one inherits this and says how to reach it."""

    @contextlib.contextmanager
    def reached(self, tmp_path: Path) -> Iterator[Provider]:
        """The provider, with somebody who answers at its other end."""
        raise NotImplementedError

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[Provider]:
        """The provider, with nobody at its other end."""
        raise NotImplementedError

    @contextlib.contextmanager
    def silent(self, port: int) -> Iterator[Provider]:
        """The provider with somebody at its other end who never says a word."""
        raise NotImplementedError

    def test_letters_are_taken_in_their_order(self, tmp_path: Path) -> None:
        letters = [letter(f"p{number}@example.com") for number in range(20)]
        with self.reached(tmp_path) as provider:
            for _ in range(2):  # the second time over kept connections
                outcomes = provider.send(letters, forever())
                assert [outcome.result for outcome in outcomes] == [Result.ACCEPTED] * 20
                assert all(outcome.provider_id for outcome in outcomes)

    def test_no_call_starts_after_its_time(self, tmp_path: Path) -> None:
        with self.reached(tmp_path) as provider:
            [outcome] = provider.send([letter()], time.monotonic() - 1)
            assert outcome.result is Result.UNSENT

    def test_nobody_there_means_not_taken(self) -> None:
        with self.unreachable() as provider:
            [outcome] = provider.send([letter()], forever())
            assert (outcome.result, outcome.code) == (Result.TRANSIENT, "unreachable")

    def test_one_letter_that_cannot_be_written_leaves_its_neighbours_alone(self, tmp_path: Path) -> None:
        odd = [letter("josé@example.com"), letter("a@example.com\r\nBcc: b@example.com"), letter(subject="a\nb")]
        with self.reached(tmp_path) as provider:
            outcomes = provider.send([letter(), *odd, letter("ada@exämple.com"), letter()], forever())
            results = [outcome.result for outcome in outcomes]
            assert (results[0], results[5]) == (Result.ACCEPTED, Result.ACCEPTED)
            assert Result.TRANSIENT not in results

    def test_an_empty_batch_is_nothing(self, tmp_path: Path) -> None:
        with self.reached(tmp_path) as provider:
            assert provider.send([], forever()) == []


class TestGateway(Contract):
    """The gateway with keys."""

    @contextlib.contextmanager
    def reached(self, tmp_path: Path) -> Iterator[Provider]:
        with vendor(tmp_path / "journal") as (port, _), contextlib.closing(_gateway(port)) as provider:
            yield provider

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[Provider]:
        with contextlib.closing(_gateway(_nobodys_port())) as provider:
            yield provider

    def test_the_same_letter_makes_the_same_call_and_another_attempt_does_not_change_it(self) -> None:
        one = letter(headers={"B": "2", "A": "1"})
        again = letter(id=one.id, attempt=2, headers={"A": "1", "B": "2"})
        assert payload(one) == payload(again)
        said = json.loads(payload(one))
        assert (said["communicationLogId"], said["customerId"], said["message"]) == (str(one.id), "7", one.text)

    def test_a_call_whose_answer_is_lost_is_unknown_and_its_repetition_is_harmless(self, tmp_path: Path) -> None:
        one = letter()
        with vendor(tmp_path / "journal", "--losing", "1") as (port, _), contextlib.closing(_gateway(port)) as provider:
            assert provider.send([one], forever())[0].result is Result.UNKNOWN
            assert provider.send([one], forever())[0].result is Result.ACCEPTED
        taken = [json.loads(line)["accepted"] for line in (tmp_path / "journal").read_text().splitlines()]
        assert taken == [True, False]

    def test_without_keys_a_lost_answer_is_cleared_up_by_asking(self, tmp_path: Path) -> None:
        one, other = letter(), letter()
        with vendor(tmp_path / "journal", "--losing", "1") as (port, _):
            asking = Gateway(f"http://127.0.0.1:{port}", guarantee=Guarantee.LOOKUP, timeout=SOON)
            with contextlib.closing(asking) as provider:
                assert provider.send([one], forever())[0].result is Result.UNKNOWN
                assert (provider.find(one.id) or "").startswith("v-")
                assert provider.find(other.id) is None
        with contextlib.closing(asking), pytest.raises(Unavailable):
            asking.find(one.id)
        assert [json.loads(line)["key"] for line in (tmp_path / "journal").read_text().splitlines()] == [""]

    def test_silence_is_unknown_in_time(self) -> None:
        with _listening(lambda _: time.sleep(2)) as port, contextlib.closing(_gateway(port)) as provider:
            [outcome] = provider.send([letter()], forever())
            assert (outcome.result, outcome.code) == (Result.UNKNOWN, "timeout")

    def test_rubbish_is_unknown(self) -> None:
        rubbish = _listening(lambda peer: peer.sendall(b"hello?\r\n\r\n"))
        with rubbish as port, contextlib.closing(_gateway(port)) as provider:
            assert provider.send([letter()], forever())[0].result is Result.UNKNOWN

    def test_a_kept_connection_that_was_closed_is_replaced(self) -> None:
        body = b'{"status":"QUEUED_BY_VENDOR","vendorMessageId":"v"}'
        said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        with _listening(lambda peer: peer.sendall(said)) as port, contextlib.closing(_gateway(port)) as provider:
            for _ in range(3):
                assert provider.send([letter()], forever())[0].result is Result.ACCEPTED
                assert select.select([provider._kept[0].sock], [], [], 10)[0], "the server closes what it answered"

    @pytest.mark.parametrize(
        ("status", "body", "result"),
        [
            (200, b'{"vendorMessageId": "v"}', Result.ACCEPTED),
            (202, b'{"vendorMessageId": "v"}', Result.ACCEPTED),
            (200, b"{}", Result.UNKNOWN),
            (200, b"not json", Result.UNKNOWN),
            (200, b'["v"]', Result.UNKNOWN),
            (400, b"{}", Result.REJECTED),
            (422, b"{}", Result.REJECTED),
            (401, b"{}", Result.TRANSIENT),
            (403, b"{}", Result.TRANSIENT),
            (404, b"{}", Result.TRANSIENT),
            (408, b"{}", Result.TRANSIENT),
            (409, b"{}", Result.TRANSIENT),
            (429, b"{}", Result.TRANSIENT),
            (503, b"{}", Result.TRANSIENT),
            (500, b"{}", Result.UNKNOWN),
            (502, b"<html>", Result.UNKNOWN),
            (504, b"", Result.UNKNOWN),
            (301, b"", Result.REJECTED),
        ],
    )
    def test_each_answer_has_its_meaning(self, status: int, body: bytes, result: Result) -> None:
        assert understood(status, None, body).result is result

    def test_codes_say_who_must_be_left_alone(self) -> None:
        assert understood(400, None, b'{"code": 21610}').suppress == "stop"
        assert understood(429, "7", b"{}").retry_after == timedelta(seconds=7)
        assert understood(429, "Wed, 21 Oct 2026 07:28:00 GMT", b"{}").retry_after is None


class Post:
    """An SMTP server's mailbox; ``says`` are the answers to the next mails."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.says: Iterator[str] = itertools.repeat("250 2.0.0 queued")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: object
    ) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        said = next(self.says)
        if said == "die" and server.transport:
            server.transport.close()
        self.mails.append(envelope)
        return said


class TestSmtp(Contract):
    """The relay."""

    @contextlib.contextmanager
    def reached(self, tmp_path: Path) -> Iterator[Provider]:
        del tmp_path
        with _relay(Post()) as provider:
            yield provider

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[Provider]:
        with contextlib.closing(Smtp(f"smtp://127.0.0.1:{_nobodys_port()}", timeout=SOON)) as provider:
            yield provider

    def test_the_mail_arrives_as_it_was_written(self) -> None:
        post, one = Post(), letter()
        with _relay(post) as provider:
            provider.send([one], forever())
        content = post.mails[0].content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert (mail["Subject"], mail["To"]) == (one.subject, one.recipient)
        assert mail["Message-ID"] == f"<{one.id}@shop.example.com>"
        assert mail["List-Unsubscribe"] == one.headers["List-Unsubscribe"]
        body = mail.get_body(("plain",))
        assert body is not None
        assert body.get_content().splitlines() == one.text.splitlines()
        assert post.mails[0].mail_from == "hello@shop.example.com"

    def test_the_message_id_is_the_same_each_time(self) -> None:
        one = letter()
        assert mime(one)["Message-ID"] == mime(one)["Message-ID"]

    def test_an_address_that_does_not_exist_is_refused_and_left_alone(self) -> None:
        with _relay(Post()) as provider:
            gone, later, fine = provider.send(
                [letter(f"{who}@example.com") for who in ("gone", "later", "a")], forever()
            )
        assert (gone.result, gone.code, gone.suppress) == (Result.REJECTED, "5.1.1", "hard_bounce")
        assert (later.result, later.code) == (Result.TRANSIENT, "4.7.1")
        assert fine.result is Result.ACCEPTED

    def test_a_connection_that_breaks_after_the_dot_leaves_it_open(self) -> None:
        post = Post()
        post.says = iter(["die"])
        with _relay(post) as provider:
            assert provider.send([letter()], forever())[0].result is Result.UNKNOWN

    def test_a_refusal_after_the_dot_is_certain(self) -> None:
        post = Post()
        post.says = iter(["554 5.7.1 spam", "452 4.3.1 full"])
        with _relay(post, concurrency=1) as provider:
            results = [outcome.result for outcome in provider.send([letter(), letter()], forever())]
        assert results == [Result.REJECTED, Result.TRANSIENT]

    def test_a_password_is_never_sent_in_the_clear(self) -> None:
        with _relay(Post(), login="user:secret@") as provider:
            [outcome] = provider.send([letter()], forever())
        assert outcome.result is Result.TRANSIENT
        assert "encryption" in (outcome.detail or "")


def test_the_stand_in_is_believed_only_when_it_proves_to_be_this_stores(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with vendor(journal) as (port, _):
        for known, result in (("somebody else's", Result.TRANSIENT), (secret(SECRET), Result.ACCEPTED)):
            provider = StandIn(port, known)
            [outcome] = provider.send([letter()], forever())
            provider.close()
            assert outcome.result is result
            assert len(journal.read_text().splitlines()) == (result is Result.ACCEPTED)
        assert proof("s", port, "asked") != proof("s", port + 1, "asked")  # so no other port can pass the question on


def test_a_demo_store_finds_no_way_out_where_something_else_listens(tmp_path: Path) -> None:
    with other_program() as port:
        provider = StandIn(port, secret(SECRET))
        [outcome] = provider.send([letter()], forever())
        with pytest.raises(Unavailable):
            provider.find(uuid.uuid4())
        provider.close()
    assert (outcome.result, outcome.code) == (Result.TRANSIENT, "unreachable")
    assert "not the vendor stand-in" in (outcome.detail or "")


@contextlib.contextmanager
def other_program() -> Iterator[int]:
    """A program that answers everything with yes, on a port of its own."""

    class Yes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Yes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def test_people_of_a_demo_store_are_reached_by_the_stand_in_only() -> None:
    both: dict[str, Any] = {"vendor": None, "smtp": None}
    assert route("email", demo=False, available=both) == "smtp"
    assert route("email", demo=True, available=both) == "vendor"
    assert route("sms", demo=False, available=both) == "vendor"
    everything = both | {"gateway": both["vendor"]}
    assert route("email", demo=False, available=everything) == "smtp"
    assert route("sms", demo=False, available=everything) == "gateway"
    assert {route(channel, demo=True, available=everything) for channel in CHANNELS} == {"vendor"}
    assert route("email", demo=False, available={"vendor": both["vendor"]}) == "vendor"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": None}, "status"),
        ({"communicationLogId": "not an id"}, "communicationLogId"),
        ({"communicationLogId": None, "vendorMessageId": None}, "communicationLogId"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-07-01T12:00:00"}, "timestamp"),
    ],
)
def test_a_malformed_receipt_names_its_field(changes: dict[str, Any], field: str) -> None:
    said = {"communicationLogId": str(uuid.uuid4()), "vendorMessageId": "v", "status": "SENT", "timestamp": None}
    with pytest.raises(ValueError, match=field):
        receipt(said | changes)


def _gateway(port: int) -> Gateway:
    return Gateway(f"http://127.0.0.1:{port}", timeout=SOON)


def _nobodys_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _relay(post: Post, *, login: str = "", concurrency: int = 4) -> Iterator[Smtp]:
    port = _nobodys_port()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        url = f"smtp://{login}127.0.0.1:{port}"
        with contextlib.closing(Smtp(url, timeout=timedelta(seconds=5), concurrency=concurrency)) as provider:
            yield provider
    finally:
        controller.stop()


@contextlib.contextmanager
def _listening(then: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that reads one call per connection, does something, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer, contextlib.suppress(OSError):
                    heard = peer.recv(65536)
                    while heard.startswith(b"POST") and not heard.endswith(b"}"):
                        heard += peer.recv(65536)
                    then(peer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_an_unsubscribe_address_stays_in_one_piece_on_the_wire() -> None:
    address = f"<https://shop.example.com/unsubscribe/{'x' * 200}>"
    lines = wire(letter(headers={"List-Unsubscribe": address})).split(b"\r\n")
    assert f"List-Unsubscribe: {address}".encode() in lines
