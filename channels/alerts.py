"""How is an alert handed to whoever is to be told: an HTTP endpoint, a Slack channel, a mailbox?

Each target says how much can be known of a call that broke. The HTTP endpoint gets ``POST`` with the alert as JSON and
its id as ``Idempotency-Key``; whether it honours the key is for its owner to say. Slack and mail offer neither a key
nor a way to ask.
"""

import contextlib
import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from channels.gateway import CERTAINLY_NOT_TAKEN
from channels.patience import retry_after
from channels.provider import TIMEOUT
from channels.smtp import Smtp
from domain.alert_messages import Alert
from domain.messages import Guarantee, Letter, Outcome, Result

SLACK_LONGEST = 3_000
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Target(Protocol):
    """One way to tell somebody. ``name`` goes into the ledger: a repetition only makes sense at the same target."""

    name: str
    guarantee: Guarantee

    def call(self, alert_id: uuid.UUID, alert: Alert) -> Outcome:
        """Hand an alert over and say how it went; never raises for what the other side does."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class Endpoint:
    """An HTTP endpoint at ``url``; ``key`` is sent as a bearer token if there is one."""

    def __init__(
        self, url: str, *, key: str = "", guarantee: Guarantee = Guarantee.NEITHER, timeout: timedelta = TIMEOUT
    ) -> None:
        # Some endpoints carry their secret in the path, so the ledger learns the host and a fingerprint.
        self.name = f"http:{urlsplit(url).hostname}:{sha256(url.encode()).hexdigest()[:16]}"
        self.guarantee = guarantee
        self._poster = _Poster(url, timeout)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def call(self, alert_id: uuid.UUID, alert: Alert) -> Outcome:
        """See ``Target.call``."""
        return self._poster.post(alert.payload(), self._headers | {"Idempotency-Key": str(alert_id)})

    def close(self) -> None:
        """See ``Target.close``."""
        self._poster.close()


class Slack:
    """A Slack channel behind an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

    name = "slack"
    guarantee = Guarantee.NEITHER

    def __init__(self, url: str, *, timeout: timedelta = TIMEOUT) -> None:
        self._poster = _Poster(url, timeout)

    def call(self, alert_id: uuid.UUID, alert: Alert) -> Outcome:
        """See ``Target.call``."""
        del alert_id  # nowhere to put it
        return self._poster.post(slack_message(alert), {})

    def close(self) -> None:
        """See ``Target.close``."""
        self._poster.close()


class Mailbox:
    """A mailbox behind an SMTP relay: the alert is mailed to ``inbox``, and an answer to it goes to the contact."""

    name = "smtp"
    guarantee = Guarantee.NEITHER

    def __init__(self, url: str, inbox: str, *, timeout: timedelta = TIMEOUT) -> None:
        self._inbox = inbox
        self._relay = Smtp(url, timeout=timeout, concurrency=1)
        self._timeout = timeout.total_seconds()

    def call(self, alert_id: uuid.UUID, alert: Alert) -> Outcome:
        """See ``Target.call``."""
        letter = Letter(
            id=alert_id,
            customer_id=0,
            channel="email",
            attempt=1,
            sender=alert.sender,
            recipient=self._inbox,
            subject=alert.subject,
            preview="",
            text=alert.message,
            html="",
            headers={"Reply-To": alert.to, "Auto-Submitted": "auto-generated"},
        )
        [outcome] = self._relay.send([letter], time.monotonic() + self._timeout)
        return outcome

    def close(self) -> None:
        """See ``Target.close``."""
        self._relay.close()


class Nobody:
    """The target of a dry run: it is never called, and would take nothing."""

    name = "nobody"
    guarantee = Guarantee.NEITHER

    def call(self, alert_id: uuid.UUID, alert: Alert) -> Outcome:
        """See ``Target.call``."""
        del alert_id, alert
        return Outcome(Result.UNSENT)

    def close(self) -> None:
        """See ``Target.close``."""


class _Poster:
    """Posts JSON to one address, without following redirects.

    Each call has a connection of its own: a kept one may be closed under a call, whose end nobody would know then.
    """

    def __init__(self, url: str, timeout: timedelta) -> None:
        direct = urlsplit(url).hostname in LOOPBACK
        self._url = url
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=timeout.total_seconds(), limits=limits, trust_env=not direct)

    def post(self, said: Mapping[str, Any], headers: Mapping[str, str]) -> Outcome:
        """What became of one call. A connection that was never made took nothing; one that broke leaves it open."""
        try:
            answer = self._client.post(self._url, json=said, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            return Outcome(Result.TRANSIENT, code="unreachable", detail=str(error)[:500])
        except httpx.HTTPError as error:
            code = "timeout" if isinstance(error, httpx.TimeoutException) else "disconnected"
            return Outcome(Result.UNKNOWN, code=code, detail=str(error)[:500])
        return understood(answer.status_code, answer.headers.get("Retry-After"), answer.text)

    def close(self) -> None:
        self._client.close()


def slack_message(alert: Alert) -> dict[str, Any]:
    """The body for Slack: text alone, so that nothing in it is formatted, mentions anybody or is unfolded."""
    text = f"{alert.subject}\n{alert.message}"[:SLACK_LONGEST]
    for char, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, written)
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def understood(status: int, wait: str | None, body: str) -> Outcome:
    """What an endpoint's answer means; Slack's words come as plain text, others' often as ``{"message"}``."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(Result.ACCEPTED, http_status=status)
    detail = body[:500]
    with contextlib.suppress(ValueError):
        said = json.loads(body)
        detail = str(said.get("message", detail))[:500] if isinstance(said, dict) else detail
    if status in CERTAINLY_NOT_TAKEN:
        seconds = retry_after(wait, datetime.now(UTC))
        pause = None if seconds is None else timedelta(seconds=seconds)
        return Outcome(Result.TRANSIENT, http_status=status, code=str(status), detail=detail, retry_after=pause)
    unclear = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Outcome(Result.UNKNOWN if unclear else Result.REJECTED, http_status=status, code=str(status), detail=detail)
