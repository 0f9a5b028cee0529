"""What stands in for a messaging provider? ``python -m channels.vendor``, an HTTP process of its own.

It takes messages (``POST /send``), takes some time, accepts each idempotency key once, and later reports to the
receipts API what became of the message: most are sent and delivered, some fail, always the same ones, because
everything that looks random follows from the message's id. A journal on disk tells what was accepted when, whatever
anybody else says.
"""

import argparse
import asyncio
import contextlib
import hashlib
import heapq
import hmac
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from channels.stand_in import HERE, SECRET, proof
from settings import secret, settings

MAX_BODY = 4 * 1024 * 1024
MOST_RECEIPTS_AT_ONCE = 500
TELL_EVERY_SECONDS = 0.05
TELL_AGAIN_SECONDS = 600
"""After a restart, receipts of messages accepted this recently are told again; whoever knows them ignores them."""

_PARTS = 1 << 32


@dataclass(frozen=True)
class Manner:
    """How the stand-in behaves. Shares are between 0 and 1, times in milliseconds."""

    latency: tuple[float, float] = (50, 200)
    failing: float = 0.1
    losing: float = 0.0
    """Share of calls that are accepted and never answered."""
    busy: float = 0.0
    """Share of calls that are turned away with 429."""
    repeating: float = 0.0
    """Share of receipts told twice."""
    shuffling: bool = False
    """Whether receipts come in any order."""
    seed: int = 0


@dataclass(order=True)
class _Due:
    at: float
    receipt: dict[str, Any] = field(compare=False)


class Vendor:
    """The stand-in: ``journal`` is its memory, ``receipts_url`` where it reports to (nowhere, if empty)."""

    def __init__(
        self, manner: Manner, journal: Path, receipts_url: str, secret: str | None = None, proof_secret: str = ""
    ) -> None:
        """``secret`` signs what it reports, ``proof_secret`` shows that it is the stand-in of this store."""
        self._manner = manner
        self._receipts_url = receipts_url
        self._secret = secret
        self._proof = proof_secret
        self._taken: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._due: list[_Due] = []
        journal.parent.mkdir(parents=True, exist_ok=True)
        if journal.exists():
            self._remember(journal)
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def app(self) -> web.Application:
        """The HTTP application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/send", self.send)
        app.router.add_get("/messages/{ours}", self.find)
        app.router.add_get("/proof/{asked}", self.prove)
        app.router.add_get("/healthz", _healthy)
        app.cleanup_ctx.append(self._telling)
        return app

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Take one message. The body's digest guards the key: the same key with another body is a mistake (422)."""
        arrived, body = time.time(), await request.read()
        try:
            said = json.loads(body)
            ours, customer, _ = (str(said[name]) for name in ("communicationLogId", "customerId", "message"))
        except (ValueError, KeyError, TypeError):
            message = "communicationLogId, customerId and message are needed."
            return web.json_response({"code": "invalid", "message": message}, status=422)
        key = request.headers.get("Idempotency-Key", "")
        attempt = request.headers.get("X-Attempt", "")
        if self._chance(ours, f"busy{attempt}") < self._manner.busy:
            return web.json_response({"code": "busy"}, status=429, headers={"Retry-After": "1"})
        digest = hashlib.blake2b(body, digest_size=12).hexdigest()
        before = self._taken.get(key) if key else None
        accepted = before is None
        line = {"at": arrived, "id": ours, "customer": customer, "attempt": attempt, "key": key, "body": digest}
        os.write(self._journal, json.dumps(line | {"accepted": accepted}).encode() + b"\n")
        if before not in {None, digest}:
            return web.json_response({"code": "invalid_idempotent_request"}, status=422)
        theirs = _their_id(key, ours, arrived)
        if accepted:
            self._known[ours] = theirs
            if key:
                self._taken[key] = digest
            self._report(ours, theirs, arrived)
        await self._take_time(ours)
        if accepted and self._chance(ours, "lose") < self._manner.losing and request.transport:
            request.transport.close()
        return web.json_response({"status": "QUEUED_BY_VENDOR", "vendorMessageId": theirs})

    async def find(self, request: web.Request) -> web.Response:
        """Say whether a message was accepted, by the id its sender knows it by."""
        theirs = self._known.get(request.match_info["ours"])
        if theirs is None:
            return web.json_response({"code": "unknown_message"}, status=404)
        return web.json_response({"status": "QUEUED_BY_VENDOR", "vendorMessageId": theirs})

    async def prove(self, request: web.Request) -> web.Response:
        """Answer what only this store's stand-in can, on this very port."""
        address = request.transport.get_extra_info("sockname") if request.transport else None
        port = address[1] if address else 0
        return web.Response(text=proof(self._proof, port, request.match_info["asked"]))

    async def _take_time(self, ours: str) -> None:
        shortest, longest = self._manner.latency
        wait = shortest + (longest - shortest) * self._chance(ours, "latency")
        if wait:
            await asyncio.sleep(wait / 1000)

    def _report(self, ours: str, theirs: str, accepted_at: float) -> None:
        """Plan what will be told about a message."""
        if not self._receipts_url:
            return
        failed = fails(ours, self._manner)
        at = accepted_at + (self._manner.latency[1] * (0.5 + self._chance(ours, "report"))) / 1000
        for place, status in enumerate(["FAILED"] if failed else ["SENT", "DELIVERED"]):
            receipt = {"communicationLogId": ours, "vendorMessageId": theirs, "status": status}
            late = self._chance(ours, f"late{place}") if self._manner.shuffling else place * 0.05
            heapq.heappush(self._due, _Due(at + late, receipt))
            if self._chance(ours, f"twice{place}") < self._manner.repeating:
                heapq.heappush(self._due, _Due(at + late + 0.5, receipt))

    def _chance(self, ours: str, about: str) -> float:
        return _chance(ours, about, self._manner.seed)

    def _remember(self, journal: Path) -> None:
        recent = time.time() - TELL_AGAIN_SECONDS
        with journal.open() as lines:
            for line in lines:
                with contextlib.suppress(ValueError):  # the last line of a killed process may be half a line
                    told = json.loads(line)
                    if told["accepted"]:
                        if told["key"]:
                            self._taken[told["key"]] = told["body"]
                        theirs = _their_id(told["key"], told["id"], told["at"])
                        self._known[told["id"]] = theirs
                        if told["at"] > recent:
                            self._report(told["id"], theirs, told["at"])

    async def _telling(self, _app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:
            task = asyncio.create_task(self._tell(client))
            yield
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _tell(self, client: aiohttp.ClientSession) -> None:
        """Report what is due, again and again until somebody says yes to it."""
        while True:
            now = time.time()
            some: list[dict[str, Any]] = []
            while self._due and self._due[0].at <= now and len(some) < MOST_RECEIPTS_AT_ONCE:
                some.append(heapq.heappop(self._due).receipt)
            if some and not await self._told(client, some):
                for receipt in some:
                    heapq.heappush(self._due, _Due(now + 1, receipt))
            if len(some) < MOST_RECEIPTS_AT_ONCE:
                await asyncio.sleep(TELL_EVERY_SECONDS)

    async def _told(self, client: aiohttp.ClientSession, receipts: list[dict[str, Any]]) -> bool:
        stamp = datetime.now(UTC).isoformat()
        body = json.dumps([receipt | {"timestamp": stamp} for receipt in receipts]).encode()
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers |= signed(self._secret, body, int(time.time()))
        try:
            async with client.post(self._receipts_url, data=body, headers=headers) as answer:
                return answer.status < web.HTTPMultipleChoices.status_code
        except (aiohttp.ClientError, TimeoutError):
            return False


def _their_id(key: str, ours: str, arrived: float) -> str:
    return f"v-{hashlib.blake2b((key or f'{ours}{arrived}').encode(), digest_size=8).hexdigest()}"


def fails(ours: str, manner: Manner) -> bool:
    """Whether a message, once accepted, will be reported as failed."""
    return _chance(ours, "fate", manner.seed) < manner.failing


def _chance(ours: str, about: str, seed: int) -> float:
    """A number in [0, 1) that depends on the message, the question and the seed only."""
    asked = f"{seed}:{about}:{ours}".encode()
    return int.from_bytes(hashlib.blake2b(asked, digest_size=4).digest()) / _PARTS


def signed(secret: str, body: bytes, at: int) -> dict[str, str]:
    """The headers that prove a report comes from who knows the secret, and when it was made."""
    seal = hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256").hex()
    return {"X-Vendor-Timestamp": str(at), "X-Vendor-Signature": seal}


async def _healthy(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def main() -> None:
    """Run the stand-in until it is told to stop."""
    configured = settings()
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--port", type=int, default=configured.vendor_port)
    ask.add_argument("--journal", type=Path, default=configured.home / "vendor" / "journal.jsonl")
    ask.add_argument("--receipts-url", default=f"http://127.0.0.1:{configured.port}/v1/receipts")
    ask.add_argument("--latency", type=float, nargs=2, default=Manner.latency, metavar=("SHORTEST", "LONGEST"))
    for share in ("failing", "losing", "busy", "repeating"):
        ask.add_argument(f"--{share}", type=float, default=getattr(Manner, share), metavar="SHARE")
    ask.add_argument("--shuffling", action="store_true")
    ask.add_argument("--seed", type=int, default=Manner.seed)
    said = ask.parse_args()
    manner = Manner(
        latency=tuple(said.latency),
        failing=said.failing,
        losing=said.losing,
        busy=said.busy,
        repeating=said.repeating,
        shuffling=said.shuffling,
        seed=said.seed,
    )
    signs = configured.receipts_secret.get_secret_value() if configured.receipts_secret else secret("receipts")
    vendor = Vendor(manner, said.journal, said.receipts_url, signs, secret(SECRET))
    web.run_app(vendor.app(), host=HERE, port=said.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
