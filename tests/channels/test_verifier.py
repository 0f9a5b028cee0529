"""Is a verification service asked as it wants to be, and does nothing it does lose what is known already?"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from channels.patience import Patience, retry_after
from channels.verifier import GIVE_UP_AFTER, Verifier
from channels.verifier_wires import WIRES
from domain.verdicts import Answer, Finding, Status, Unanswered
from tests.loopback import Handler, Loopback

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
GOOD = {"result": "deliverable", "reason": "accepted_email", "success": True, "message": None}

Reply = tuple[int, Any, dict[str, str]]


class Service(Loopback):
    """A verification service that does what ``reply`` says, given the address and how often it was asked about it."""

    def __init__(self, reply: Callable[[str, int], Reply | None]) -> None:
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        self.times: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        service = self

        class Answering(Handler):
            def do_GET(self) -> None:  # noqa: N802 - http.server's name
                parts = urlsplit(self.path)
                query = parse_qs(parts.query, keep_blank_values=True)
                email = query["email"][0]
                with service._lock:
                    service.asked.append((parts.path, query, dict(self.headers)))
                    service.times[email] += 1
                    service.at_once += 1
                    service.most_at_once = max(service.most_at_once, service.at_once)
                answer = reply(email, service.times[email])
                with service._lock:
                    service.at_once -= 1
                if answer is None:  # hang up
                    return
                status, said, headers = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said if isinstance(said, bytes) else json.dumps(said).encode())

        super().__init__(Answering)


class Slept:
    """Pauses that are noted instead of waited for."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def patience(self, **changes: Any) -> Patience:
        return Patience(sleep=self.pauses.append, chance=lambda: 1.0, **changes)


def always(status: int, said: Any, **headers: str) -> Callable[[str, int], Reply]:
    return lambda _email, _times: (status, said, headers)


def people(count: int) -> list[str]:
    return [f"p{number}@example.com" for number in range(count)]


def ask(service: Service, emails: list[str], **settings: Any) -> list[Answer]:
    settings.setdefault("patience", Slept().patience())
    return Verifier(service.url, timeout=timedelta(seconds=5), **settings).ask(emails)


@pytest.mark.parametrize(
    ("result", "reason", "status"),
    [
        ("deliverable", "accepted_email", Status.VALID),
        ("undeliverable", "rejected_email", Status.INVALID),
        ("risky", "low_quality", Status.RISKY),
        ("unknown", "no_connect", Status.UNKNOWN),
    ],
)
def test_kickbox_is_asked_with_the_key_in_a_header_and_its_words_are_kept(
    result: str, reason: str, status: Status
) -> None:
    with Service(always(200, GOOD | {"result": result, "reason": reason})).listening() as service:
        assert ask(service, ["ada+x@example.com"], key="live_1") == [Finding(status, reason)]
    path, query, headers = service.asked[0]
    assert path == "/v2/verify"
    assert query == {"email": ["ada+x@example.com"], "timeout": ["4000"]}
    assert headers["Authorization"] == "Bearer live_1"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"status": "valid", "sub_status": ""}, Finding(Status.VALID, "valid")),
        ({"status": "invalid", "sub_status": "mailbox_not_found"}, Finding(Status.INVALID, "mailbox_not_found")),
        ({"status": "catch-all", "sub_status": ""}, Finding(Status.RISKY, "catch-all")),
        ({"status": "do_not_mail", "sub_status": "role_based"}, Finding(Status.RISKY, "role_based")),
        ({"status": "spamtrap", "sub_status": ""}, Finding(Status.RISKY, "spamtrap")),
        ({"status": "unknown", "sub_status": "greylisted"}, Finding(Status.UNKNOWN, "greylisted")),
    ],
)
def test_zerobounce_is_asked_in_its_own_format(said: dict[str, str], answer: Finding) -> None:
    with Service(always(200, said)).listening() as service:
        assert ask(service, ["ada@example.com"], key="k", wire="zerobounce") == [answer]
    path, query, _ = service.asked[0]
    assert path == "/v2/validate"
    assert query == {"api_key": ["k"], "email": ["ada@example.com"], "ip_address": [""]}


@pytest.mark.parametrize(
    ("name", "status", "said", "code"),
    [
        ("kickbox", 403, {"message": "Insufficient balance", "success": False}, "quota"),
        ("kickbox", 402, {}, "quota"),
        ("kickbox", 403, {"message": "Invalid API key", "success": False}, "key_refused"),
        ("kickbox", 401, b"no", "key_refused"),
        ("zerobounce", 200, {"error": "Invalid API key or your account ran out of credits"}, "quota"),
        ("zerobounce", 401, {}, "key_refused"),
    ],
)
def test_an_empty_account_or_a_refused_key_ends_the_questions_and_keeps_the_answers(
    name: str, status: int, said: Any, code: str
) -> None:
    good = GOOD if name == "kickbox" else {"status": "valid", "sub_status": ""}
    first = people(10)[:3]
    with Service(lambda email, _: (200, good, {}) if email in first else (status, said, {})).listening() as service:
        answers = ask(service, people(10), wire=name, concurrency=1)
    assert [type(answer) for answer in answers[:3]] == [Finding] * 3
    assert {answer.code for answer in answers[3:] if isinstance(answer, Unanswered)} == {code}
    assert len(service.asked) == 4


def test_a_busy_service_is_waited_for_by_everybody_as_long_as_it_says() -> None:
    slept = Slept()
    busy = {"Retry-After": "7"}
    with Service(lambda _, times: (429, {}, busy) if times == 1 else (200, GOOD, {})).listening() as service:
        answers = ask(service, people(1), patience=slept.patience(), concurrency=1)
    assert answers == [Finding(Status.VALID, "accepted_email")]
    assert [round(pause) for pause in slept.pauses] == [7]


def test_a_service_that_wants_to_be_left_alone_for_long_is_left_alone() -> None:
    slept = Slept()
    with Service(always(429, {}, **{"Retry-After": "3600"})).listening() as service:
        answers = ask(service, people(3), patience=slept.patience(), concurrency=1)
    assert [answer.code for answer in answers if isinstance(answer, Unanswered)] == ["rate_limited"] * 3
    assert (len(service.asked), slept.pauses) == (1, [])


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (always(500, b"oops"), "server_error"),
        (always(503, {}), "server_error"),
        (always(429, {}), "rate_limited"),
        (always(200, b"<html>"), "malformed"),
        (always(200, ["deliverable"]), "malformed"),
        (always(200, {"result": "splendid", "success": True}), "malformed"),
        (always(200, b"[" + b"1," * 100_000), "malformed"),
        (lambda _email, _times: None, "unreachable"),
    ],
)
def test_what_may_pass_is_asked_again_after_growing_pauses_with_a_ceiling(
    reply: Callable[[str, int], Reply | None], code: str
) -> None:
    slept = Slept()
    with Service(reply).listening() as service:
        [answer] = ask(service, people(1), patience=slept.patience(first=1, longest=3))
    assert isinstance(answer, Unanswered)
    assert answer.code == code
    assert len(service.asked) == 4
    assert slept.pauses == [2, 3, 3]


def test_a_service_that_recovers_gives_its_answer() -> None:
    with Service(lambda _, times: (500, {}, {}) if times < 4 else (200, GOOD, {})).listening() as service:
        assert ask(service, people(1)) == [Finding(Status.VALID, "accepted_email")]


def test_a_service_that_never_answers_is_not_waited_for_longer_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        verifier = Verifier(address, timeout=timedelta(seconds=0.2), patience=Slept().patience(attempts=2))
        [answer] = verifier.ask(people(1))
    assert isinstance(answer, Unanswered)
    assert answer.code == "timeout"


def test_nobody_there_is_unreachable_and_many_failures_in_a_row_end_the_questions() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
        answers = Verifier(nobody, concurrency=1, patience=Slept().patience(attempts=1)).ask(people(20))
    assert [answer.code for answer in answers if isinstance(answer, Unanswered)] == ["unreachable"] * 20
    assert sum(not answer.final for answer in answers if isinstance(answer, Unanswered)) == GIVE_UP_AFTER


def test_one_address_the_service_refuses_leaves_the_others_alone() -> None:
    refusing = {"message": "email is needed", "success": False}
    odd = people(12)[:8]
    with Service(lambda email, _: (400, refusing, {}) if email in odd else (200, GOOD, {})).listening() as service:
        answers = ask(service, people(12))
    assert [type(answer) for answer in answers] == [Unanswered] * 8 + [Finding] * 4
    assert len(service.asked) == 12


def test_no_more_questions_are_open_at_once_than_allowed() -> None:
    def slow(_email: str, _times: int) -> Reply:
        time.sleep(0.02)
        return 200, GOOD, {}

    with Service(slow).listening() as service:
        ask(service, people(12), concurrency=3)
    assert service.most_at_once <= 3


def test_no_addresses_are_no_question() -> None:
    assert Verifier("http://127.0.0.1:1").ask([]) == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(None, None), ("7", 7), ("Wed, 01 Jul 2026 12:00:30 GMT", 30), ("Wed, 01 Jul 2026 11:00:00 GMT", 0), ("x", None)],
)
def test_a_pause_is_read_in_seconds_or_as_a_date(said: str | None, seconds: float | None) -> None:
    assert retry_after(said, NOW) == seconds


def test_every_format_has_its_place() -> None:
    assert {name: wire.path for name, wire in WIRES.items()} == {
        "kickbox": "/v2/verify",
        "zerobounce": "/v2/validate",
    }
