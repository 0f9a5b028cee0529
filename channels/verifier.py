"""How is a verification service asked about many addresses, politely, and without losing what it said?

Addresses are asked about one by one, a few at a time. What may pass (a busy or broken service, a lost connection, an
answer nobody can read) is asked again after a growing, random pause, or after the pause the service asks for; everybody
waits then. When the account is empty, the key refused, or nothing but failures comes back, no further question is
asked, and the answers there are stand.
"""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx

from channels.patience import Patience, retry_after
from channels.provider import TIMEOUT
from channels.verifier_wires import UNREADABLE, WIRES
from domain.verdicts import Answer, Unanswered

CONCURRENCY = 8
GIVE_UP_AFTER = 5
"""So many addresses in a row without an answer, and the others are left for the next run."""

MOST_BYTES = 65_536
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class _Passing:
    """A failure that may pass; ``wait`` is how many seconds the service asks for, if it does."""

    why: Unanswered
    wait: float | None = None


class Verifier:
    """A service at ``url`` that speaks the format called ``wire`` (see ``verifier_wires.WIRES``).

    ``name`` is who is asked, as verdicts tell it; a service that only speaks another's format has a name of its own.
    """

    def __init__(
        self,
        url: str,
        *,
        wire: str = "kickbox",
        name: str | None = None,
        key: str = "",
        timeout: timedelta = TIMEOUT,
        concurrency: int = CONCURRENCY,
        patience: Patience | None = None,
    ) -> None:
        self.name = name or wire
        self._wire = WIRES[wire]
        self._url = url.rstrip("/") + self._wire.path
        self._key = key
        self._timeout = timeout.total_seconds()
        self._concurrency = concurrency
        self._patience = patience or Patience()
        self._lock = Lock()
        self._rest_until = 0.0
        self._stopped: Unanswered | None = None
        self._failed_in_a_row = 0

    def ask(self, emails: Sequence[str]) -> list[Answer]:
        """The answer about each address, in their order; never raises for what the service does."""
        if not emails:
            return []
        self._stopped, self._failed_in_a_row, self._rest_until = None, 0, 0.0
        direct = urlsplit(self._url).hostname in LOOPBACK
        limits = httpx.Limits(max_connections=self._concurrency)
        with (
            httpx.Client(timeout=self._timeout, limits=limits, trust_env=not direct) as client,
            ThreadPoolExecutor(self._concurrency, thread_name_prefix="verifier") as threads,
        ):
            return list(threads.map(lambda email: self._about(client, email), emails))

    def _about(self, client: httpx.Client, email: str) -> Answer:
        why = Unanswered("unasked")
        for attempt in range(1, self._patience.attempts + 1):
            if (stopped := self._wait_turn()) is not None:
                return stopped
            found = self._call(client, email)
            if not isinstance(found, _Passing):
                return self._noted(found)
            why, wait = found.why, found.wait if found.wait is not None else self._patience.pause(attempt)
            if wait > self._patience.longest:
                return self._noted(Unanswered(why.code, f"the service asks to wait {wait:.0f} s", final=True))
            if attempt < self._patience.attempts:
                self._rest(wait, everybody=found.wait is not None)
        return self._noted(why)

    def _wait_turn(self) -> Unanswered | None:
        """Wait until the service wants to be asked again; the reason if it is not to be asked any more."""
        if (rest := self._rest_until - time.monotonic()) > 0:
            self._patience.sleep(rest)
        return self._stopped

    def _rest(self, seconds: float, *, everybody: bool) -> None:
        if everybody:
            with self._lock:
                self._rest_until = max(self._rest_until, time.monotonic() + seconds)
        else:
            self._patience.sleep(seconds)

    def _noted(self, answer: Answer) -> Answer:
        """Remember whether asking on is of use."""
        with self._lock:
            if not isinstance(answer, Unanswered):
                self._failed_in_a_row = 0
            elif answer.final:
                self._stopped = answer
            elif answer.code != "refused":
                self._failed_in_a_row += 1
                if self._failed_in_a_row >= GIVE_UP_AFTER:
                    self._stopped = Unanswered(answer.code, answer.detail, final=True)
        return answer

    def _call(self, client: httpx.Client, email: str) -> Answer | _Passing:
        asking = self._wire.ask(email, self._key, self._timeout)
        try:
            with client.stream("GET", self._url, params=asking.parameters, headers=asking.headers) as answer:
                body = _read(answer, time.monotonic() + self._timeout)
        except httpx.TimeoutException:
            return _Passing(Unanswered("timeout", f"no answer within {self._timeout:g} s"))
        except httpx.HTTPError as error:
            return _Passing(Unanswered("unreachable", str(error)[:200]))
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            wait = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
            return _Passing(Unanswered("rate_limited", "the service is asked too fast"), wait)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _Passing(Unanswered("server_error", f"status {answer.status_code}"))
        found = self._wire.read(answer.status_code, body or {})
        unreadable = answer.status_code == HTTPStatus.OK and (body is None or found is UNREADABLE)
        return _Passing(UNREADABLE) if unreadable else found


def _read(answer: httpx.Response, deadline: float) -> Mapping[str, Any] | None:
    """The JSON object of an answer; None for anything else. Raises ReadTimeout for one that trickles."""
    body = b""
    for block in answer.iter_bytes():
        body += block
        if len(body) > MOST_BYTES:
            return None
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer took too long")
    try:
        said = json.loads(body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
