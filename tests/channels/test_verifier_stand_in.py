"""Does the verifier that comes along judge by its rules, and by nothing that is not there?"""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import dns.asyncresolver
import dns.exception
import dns.resolver
import pytest
from aiohttp.test_utils import TestClient, TestServer

from channels.verifier import Verifier
from channels.verifier_stand_in import FRUITLESS, Mail, Names, StandIn, ask_dns
from domain.verdicts import Finding, Status, Unanswered
from settings import ROOT

MAIL = {
    "served.com": Mail.SERVED,
    "refusing.com": Mail.REFUSED,
    "unserved.com": Mail.UNSERVED,
    "absent.com": Mail.ABSENT,
    "untold.com": Mail.UNTOLD,
}


async def look_up(domain: str) -> Mail:
    return MAIL[domain]


@pytest.mark.parametrize(
    ("email", "result", "reason"),
    [
        ("ada@served.com", "deliverable", "accepted_email"),
        ("ada@SERVED.com", "deliverable", "accepted_email"),
        ("ada@refusing.com", "undeliverable", "invalid_domain"),
        ("ada@absent.com", "undeliverable", "invalid_domain"),
        ("ada@unserved.com", "risky", "low_deliverability"),
        ("ada@untold.com", "unknown", "no_connect"),
        ("josé@served.com", "risky", "low_deliverability"),
        ("info@served.com", "risky", "low_quality"),
        ("Sales+eu@served.com", "risky", "low_quality"),
        ("ada@mailinator.com", "risky", "low_quality"),
        ("ada@eu.mailinator.com", "risky", "low_quality"),
        ("ada@acme.example", "deliverable", "accepted_email"),
        ("ada@mail.example.com", "deliverable", "accepted_email"),
        ("ada@acme.test", "deliverable", "accepted_email"),
        ("info@acme.example", "risky", "low_quality"),
        ("rejected-email@acme.example", "undeliverable", "rejected_email"),
        ("ada+rejected-email@example.com", "undeliverable", "rejected_email"),
        ("ada+timeout@example.org", "unknown", "timeout"),
        ("rejected-email@served.com", "deliverable", "accepted_email"),
        ("ada@acme.invalid", "undeliverable", "invalid_email"),
        ("ada@localhost", "undeliverable", "invalid_email"),
        ("ada..b@served.com", "undeliverable", "invalid_email"),
        ("ada", "undeliverable", "invalid_email"),
        ("a" * 65 + "@served.com", "undeliverable", "invalid_email"),
        ("ada@served.com ", "undeliverable", "invalid_email"),
        ("Ada <ada@served.com>", "undeliverable", "invalid_email"),
    ],
)
async def test_the_first_rule_that_applies_decides(email: str, result: str, reason: str) -> None:
    async with TestClient(TestServer(StandIn(look_up).app())) as client:
        answer = await client.get("/v2/verify", params={"email": email})
        said = await answer.json()
    assert answer.status == 200
    assert (said["result"], said["reason"], said["success"]) == (result, reason, True)


async def test_an_answer_has_every_field_of_the_format() -> None:
    async with TestClient(TestServer(StandIn(look_up, balance=5).app())) as client:
        answer = await client.get("/v2/verify", params={"email": "Sales@Acme.example"})
        said = await answer.json()
    assert said == {
        "result": "risky",
        "reason": "low_quality",
        "role": True,
        "free": False,
        "disposable": False,
        "accept_all": False,
        "did_you_mean": None,
        "sendex": 0.5,
        "email": "sales@acme.example",
        "user": "sales",
        "domain": "acme.example",
        "success": True,
        "message": None,
    }
    assert answer.headers["X-Kickbox-Balance"] == "4"


async def test_a_dns_that_does_not_answer_is_left_alone_for_a_while_and_nobody_is_called_invalid() -> None:
    asked: list[str] = []

    async def away(domain: str) -> Mail:
        asked.append(domain)
        return Mail.UNTOLD

    names = Names(away)
    assert {await names.about(f"d{number}.com") for number in range(10)} == {Mail.UNTOLD}
    assert len(asked) == FRUITLESS


async def test_what_dns_said_is_remembered() -> None:
    asked: list[str] = []

    async def told(domain: str) -> Mail:
        asked.append(domain)
        return Mail.SERVED

    names = Names(told)
    assert [await names.about("served.com") for _ in range(3)] == [Mail.SERVED] * 3
    assert asked == ["served.com"]


@pytest.mark.parametrize(
    ("fails_with", "known", "mail"),
    [
        (dns.resolver.NXDOMAIN, ".", Mail.ABSENT),
        (dns.resolver.NXDOMAIN, "", Mail.UNTOLD),
        (dns.resolver.NoNameservers, ".", Mail.UNTOLD),
        (dns.exception.Timeout, ".", Mail.UNTOLD),
        (dns.resolver.NoResolverConfiguration, ".", Mail.UNTOLD),
        (OSError, ".", Mail.UNTOLD),
    ],
)
async def test_only_a_dns_that_knows_the_world_can_say_that_a_domain_is_not_there(
    monkeypatch: pytest.MonkeyPatch, fails_with: type[Exception], known: str, mail: Mail
) -> None:
    async def resolve(_self: object, name: str, _kind: str) -> None:
        if name != known:
            raise fails_with

    monkeypatch.setattr(dns.asyncresolver.Resolver, "resolve", resolve)
    assert await ask_dns("example.com") is mail


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[str]:
    """The process, on a socket that is open before it is; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [sys.executable, "-m", "channels.verifier_stand_in", "--socket", str(number), *arguments]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[number])
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait(10)


def test_the_process_answers_its_client_until_its_account_is_empty() -> None:
    emails = ["ada@acme.example", "bob+rejected-email@acme.example", "cid@acme.example"]
    with running("--balance", "2") as url:
        answers = Verifier(url, concurrency=1, timeout=timedelta(seconds=30)).ask(emails)
    assert answers[:2] == [Finding(Status.VALID, "accepted_email"), Finding(Status.INVALID, "rejected_email")]
    assert isinstance(answers[2], Unanswered)
    assert (answers[2].code, answers[2].final) == ("quota", True)
