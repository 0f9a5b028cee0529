"""What verifies addresses when no service is configured? ``python -m channels.verifier_stand_in``, a process.

It speaks Kickbox's format and judges by the first of these that applies:

1. an address that is not well formed is undeliverable;
2. an address at a name kept for examples (example.com, anything under .example or .test) is judged without looking
   anything up: deliverable, unless its mailbox is one of ``SANDBOX`` (``low-quality@``, ``ada+rejected-email@`` ...),
   the words with which Kickbox's own sandbox is told what to answer;
3. an address of a group (info@) or at a throw-away domain is risky;
4. a domain that does not exist, or says that it takes no mail (RFC 7505), makes it undeliverable; one that has no mail
   server but an address of its own (RFC 5321 5.1) makes it risky;
5. while DNS cannot be asked, or knows only names of its own, the answer is unknown, never undeliverable.

It does not knock at mailboxes: what it calls deliverable is an address whose domain takes mail. A service does more.
"""

import argparse
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver
from aiohttp import web

from domain.email_addresses import EmailAddress, parse
from settings import settings

DNS_SECONDS = 2.0
FRUITLESS = 3
"""So many look-ups in a row without an answer, and DNS is taken to be away ..."""
REST_SECONDS = 60.0
"""... for so long."""
KNOWN_SECONDS = 3600.0
"""How long what DNS said about a domain is remembered."""

SANDBOX: Mapping[str, tuple[str, str]] = {
    "deliverable": ("deliverable", "accepted_email"),
    "rejected-email": ("undeliverable", "rejected_email"),
    "invalid-domain": ("undeliverable", "invalid_domain"),
    "invalid-email": ("undeliverable", "invalid_email"),
    "invalid-smtp": ("undeliverable", "invalid_smtp"),
    "low-quality": ("risky", "low_quality"),
    "low-deliverability": ("risky", "low_deliverability"),
    "no-connect": ("unknown", "no_connect"),
    "timeout": ("unknown", "timeout"),
    "unavailable-smtp": ("unknown", "unavailable_smtp"),
    "unexpected-error": ("unknown", "unexpected_error"),
}
"""Mailbox, or what follows its plus sign, at a reserved name -> the result and the reason
(https://docs.kickbox.com/docs/sandbox-api)."""

NO_BALANCE = "insufficient-balance"

SERVICE = "parley-verifier"
"""How it tells who it is at ``/healthz``."""


class Mail(StrEnum):
    """What DNS says about a domain's mail."""

    SERVED = "served"
    REFUSED = "refused"
    UNSERVED = "unserved"
    ABSENT = "absent"
    UNTOLD = "untold"


JUDGED: Mapping[Mail, tuple[str, str]] = {
    Mail.SERVED: ("deliverable", "accepted_email"),
    Mail.REFUSED: ("undeliverable", "invalid_domain"),
    Mail.UNSERVED: ("risky", "low_deliverability"),
    Mail.ABSENT: ("undeliverable", "invalid_domain"),
    Mail.UNTOLD: ("unknown", "no_connect"),
}

LookUp = Callable[[str], Awaitable[Mail]]


async def ask_dns(domain: str) -> Mail:
    """What DNS says about a domain's mail, each question within ``DNS_SECONDS``.

    A name server that does not even know the root of all names sees a small world of its own, so from there it means
    nothing that a domain is not found.
    """
    try:
        resolver = dns.asyncresolver.Resolver()
        resolver.lifetime = DNS_SECONDS
        mail = await _told(resolver, domain)
        if mail in {Mail.ABSENT, Mail.REFUSED}:
            await resolver.resolve(".", "NS")
    except (dns.exception.DNSException, OSError):
        return Mail.UNTOLD
    return mail


async def _told(resolver: dns.asyncresolver.Resolver, domain: str) -> Mail:
    try:
        answer = await resolver.resolve(domain, "MX")
    except dns.resolver.NXDOMAIN:
        return Mail.ABSENT
    except dns.resolver.NoAnswer:
        try:
            await resolver.resolve_name(domain)
        except dns.resolver.NoAnswer:
            return Mail.REFUSED
        return Mail.UNSERVED
    hosts = [record.exchange.to_text() for record in answer]
    return Mail.REFUSED if hosts == ["."] else Mail.SERVED


async def ask_nobody(_domain: str) -> Mail:
    """The answer when DNS must not be asked."""
    return Mail.UNTOLD


class Names:
    """What is known about domains; a DNS that is away is left alone for a while."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._known: dict[str, tuple[float, Mail]] = {}
        self._fruitless = 0
        self._rest_until = 0.0

    async def about(self, domain: str) -> Mail:
        """What DNS says, or said lately."""
        now = time.monotonic()
        learned_at, mail = self._known.get(domain, (0.0, Mail.UNTOLD))
        if mail is not Mail.UNTOLD and now - learned_at < KNOWN_SECONDS:
            return mail
        if now < self._rest_until:
            return Mail.UNTOLD
        mail = await self._look_up(domain)
        self._fruitless = self._fruitless + 1 if mail is Mail.UNTOLD else 0
        if self._fruitless >= FRUITLESS:
            self._fruitless, self._rest_until = 0, time.monotonic() + REST_SECONDS
        self._known[domain] = (time.monotonic(), mail)
        return mail


class StandIn:
    """The service. ``balance`` is how many addresses it judges before the account is empty; None = any number."""

    def __init__(self, look_up: LookUp = ask_dns, *, balance: int | None = None) -> None:
        self._names = Names(look_up)
        self._balance = balance

    def app(self) -> web.Application:
        """The HTTP application."""
        app = web.Application()
        app.router.add_get("/v2/verify", self.verify)
        app.router.add_get("/healthz", _healthy)
        return app

    async def verify(self, request: web.Request) -> web.Response:
        """Judge one address, as ``GET https://api.kickbox.com/v2/verify`` does."""
        began, text = time.monotonic(), request.query.get("email", "")
        if not text:
            return web.json_response({"message": "email is needed", "success": False}, status=400)
        address = parse(text)
        empty = self._balance == 0 or (address and address.reserved and _said(address) == NO_BALANCE)
        if empty:
            return web.json_response({"message": "Insufficient balance", "success": False}, status=403)
        if self._balance is not None:
            self._balance -= 1
        said = await self._judged(text, address)
        headers = {"X-Kickbox-Response-Time": f"{(time.monotonic() - began) * 1000:.0f}"}
        headers |= {} if self._balance is None else {"X-Kickbox-Balance": str(self._balance)}
        return web.json_response(said, headers=headers)

    async def _judged(self, text: str, address: EmailAddress | None) -> dict[str, Any]:
        result, reason = await self._result(address)
        return {
            "result": result,
            "reason": reason,
            "role": bool(address and address.role),
            "free": bool(address and address.free),
            "disposable": bool(address and address.disposable),
            "accept_all": False,
            "did_you_mean": None,
            "sendex": {"deliverable": 1, "risky": 0.5}.get(result, 0),
            "email": address.email if address else text,
            "user": address.local if address else None,
            "domain": address.domain if address else None,
            "success": True,
            "message": None,
        }

    async def _result(self, address: EmailAddress | None) -> tuple[str, str]:
        """The result and the reason, by the rules this module opens with."""
        if address is None:
            return "undeliverable", "invalid_email"
        if address.reserved and (said := SANDBOX.get(_said(address))):
            return said
        if address.role or address.disposable:
            return "risky", "low_quality"
        if address.reserved:
            return SANDBOX["deliverable"]
        if address.unicode:  # a relay may not take it, however real it is
            return "risky", "low_deliverability"
        return JUDGED[await self._names.about(address.domain)]


def _said(address: EmailAddress) -> str:
    """The word by which an address at a reserved name asks for a result."""
    mailbox, _, tag = address.local.lower().rpartition("+")
    return tag if mailbox else address.local.lower()


async def _healthy(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "service": SERVICE})


def main() -> None:
    """Judge addresses until told to stop."""
    configured = settings()
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--port", type=int, default=configured.verifier_port)
    ask.add_argument("--socket", type=int, help="the number of an open file that is a listening socket")
    ask.add_argument("--balance", type=int, help="how many addresses are judged before the account is empty")
    said = ask.parse_args()
    look_up = ask_dns if configured.verifier_dns else ask_nobody
    listening = None if said.socket is None else socket.socket(fileno=said.socket)
    where: dict[str, Any] = {"sock": listening} if listening else {"host": "127.0.0.1", "port": said.port}
    web.run_app(StandIn(look_up, balance=said.balance).app(), print=None, access_log=None, **where)


if __name__ == "__main__":
    main()
