"""How is a message handed to a gateway with idempotency keys or a look-up, such as the vendor stand-in?

``POST {url}/send`` with the message's id as ``Idempotency-Key``: the gateway accepts a key once and answers a
repetition like the first call, so a call whose answer was lost is simply made again. The body depends on nothing but
the letter. A gateway that ignores keys is asked instead: ``GET {url}/messages/{id}`` answers a message it has accepted.
"""

import contextlib
import http.client
import json
import select
import socket
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from channels.provider import TIMEOUT, Calls
from domain.errors import Unavailable
from domain.messages import DELIVERY_RANK, FLAGS, Guarantee, Letter, Outcome, Receipt, Result

CONCURRENCY = 128

CERTAINLY_NOT_TAKEN = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
"""Answers that leave the message untaken for now: our mistake in setting it up, or a provider that is busy."""

SUPPRESSING: Mapping[str, str] = {"21610": "stop", "5.1.1": "hard_bounce", "5.1.10": "hard_bounce"}
"""Error codes that say this address must be left alone, and why."""


class Gateway:
    """A gateway at ``url``, reached over connections that are kept and used again."""

    grace = timedelta(seconds=10)

    def __init__(
        self,
        url: str,
        *,
        name: str = "vendor",
        guarantee: Guarantee = Guarantee.KEY,
        timeout: timedelta = TIMEOUT,
        concurrency: int = CONCURRENCY,
    ) -> None:
        """``guarantee`` is ``KEY`` or ``LOOKUP``, whichever the gateway offers."""
        self.name = name
        self.guarantee = guarantee
        self.concurrency = concurrency
        parts = urlsplit(url)
        self._https = parts.scheme == "https"
        self._host, self._port, self._path = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._timeout = timeout.total_seconds()
        self._calls = Calls(concurrency)
        self._kept: deque[http.client.HTTPConnection] = deque()

    def send(self, letters: Sequence[Letter], until: float) -> list[Outcome]:
        """See ``Provider.send``."""
        return self._calls.each(self._call, letters, until)

    def find(self, message_id: uuid.UUID) -> str | None:
        """See ``Provider.find``."""
        try:
            connection = self._connection()
            with contextlib.closing(connection):
                connection.request("GET", f"{self._path}/messages/{message_id}")
                answer = connection.getresponse()
                outcome = understood(answer.status, None, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise _away(str(error)) from error
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if outcome.provider_id is None:
            raise _away(f"it answered {answer.status}")
        return outcome.provider_id

    def close(self) -> None:
        """See ``Provider.close``."""
        self._calls.close()
        while self._kept:
            self._kept.pop().close()

    def _call(self, letter: Letter) -> Outcome:
        try:
            connection = self._connection()
        except OSError as error:
            return Outcome(Result.TRANSIENT, code="unreachable", detail=str(error))
        try:
            connection.request("POST", f"{self._path}/send", payload(letter), self._headers(letter))
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            code = "timeout" if isinstance(error, TimeoutError) else "disconnected"
            return Outcome(Result.UNKNOWN, code=code, detail=str(error))
        self._kept.append(connection)
        return understood(answer.status, answer.headers["Retry-After"], said)

    def _headers(self, letter: Letter) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "X-Attempt": str(letter.attempt)}
        return headers | ({"Idempotency-Key": str(letter.id)} if self.guarantee is Guarantee.KEY else {})

    def _connection(self) -> http.client.HTTPConnection:
        """A connection that is open as far as can be seen: a kept one, else a new one."""
        with contextlib.suppress(IndexError):  # nothing is kept
            while True:
                kept = self._kept.pop()
                if kept.sock is not None and not _has_something_to_say(kept.sock):
                    return kept
                kept.close()
        return self.opened()

    def opened(self) -> http.client.HTTPConnection:
        """A new connection. Raises OSError."""
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        made = kind(self._host, self._port, timeout=self._timeout)
        made.connect()
        made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


def _away(why: str) -> Unavailable:
    return Unavailable("provider_away", f"The gateway cannot be asked now: {why}.", "It is asked again.")


def _has_something_to_say(idle: socket.socket) -> bool:
    """Whether the other side of an idle connection has closed it, or talks out of turn."""
    asked = select.poll()
    asked.register(idle, select.POLLIN)
    return bool(asked.poll(0))


def payload(letter: Letter) -> bytes:
    """The body of a call: the same bytes each time."""
    return json.dumps(
        {
            "communicationLogId": str(letter.id),
            "customerId": str(letter.customer_id),
            "channel": letter.channel,
            "from": letter.sender,
            "to": letter.recipient,
            "subject": letter.subject,
            "preview": letter.preview,
            "message": letter.text,
            "html": letter.html,
            "headers": dict(sorted(letter.headers.items())),
        },
        separators=(",", ":"),
    ).encode()


def understood(status: int, retry_after: str | None, body: bytes) -> Outcome:
    """What an answer of the gateway means."""
    said: Any = None
    with contextlib.suppress(ValueError):
        said = json.loads(body)
    told = said if isinstance(said, dict) else {}
    code = str(told["code"]) if "code" in told else None
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        provider_id = told.get("vendorMessageId")
        if isinstance(provider_id, str) and provider_id:
            return Outcome(Result.ACCEPTED, provider_id=provider_id, http_status=status)
        return Outcome(Result.UNKNOWN, http_status=status, code="answer_unreadable")
    detail = str(told.get("message", ""))[:500] or None
    if status in CERTAINLY_NOT_TAKEN:
        wait = _seconds(retry_after)
        return Outcome(Result.TRANSIENT, http_status=status, code=code, detail=detail, retry_after=wait)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome(Result.UNKNOWN, http_status=status, code=code, detail=detail)
    suppress = SUPPRESSING.get(code or "")
    return Outcome(Result.REJECTED, http_status=status, code=code, detail=detail, suppress=suppress)


def _seconds(said: str | None) -> timedelta | None:
    return timedelta(seconds=min(int(said), 3600)) if said and said.isdecimal() else None


def receipt(said: Mapping[str, Any], *, provider: str = "vendor") -> Receipt:
    """A delivery receipt in our words.

    ``said`` is ``{"communicationLogId", "vendorMessageId", "status", "timestamp"}`` and perhaps ``code``; raises
    ValueError saying which field is wrong.
    """
    message_id, provider_id, status = said.get("communicationLogId"), said.get("vendorMessageId"), said.get("status")
    if not isinstance(status, str) or not status:
        raise ValueError("status")
    if message_id is None and not provider_id:
        raise ValueError("communicationLogId")
    try:
        ours = None if message_id is None else uuid.UUID(str(message_id))
    except ValueError:
        raise ValueError("communicationLogId") from None
    theirs = None if provider_id is None else str(provider_id)
    code = said.get("code")
    word = status.lower()
    return Receipt(
        event_key=f"{provider}:{ours or theirs}:{theirs}:{word}",
        provider=provider,
        message_id=ours,
        provider_id=theirs,
        status=word if word in DELIVERY_RANK or word in FLAGS else None,
        code=None if code is None else str(code),
        said_at=_instant(said.get("timestamp")),
        raw=said,
    )


def _instant(said: object) -> datetime | None:
    if said is None:
        return None
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        raise ValueError("timestamp") from None
    if found.tzinfo is None:
        raise ValueError("timestamp")
    return found
