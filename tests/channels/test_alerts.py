"""Does each target get an alert in its own words, and does each end of a call have its name?"""

import contextlib
import json
import re
import socket
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from channels.alerts import Endpoint, Mailbox, Slack, slack_message
from channels.registry import alert_target
from domain.alert_messages import Alert
from domain.errors import Invalid
from domain.messages import Guarantee, Outcome, Result
from settings import Settings
from tests.loopback import Handler, Loopback

ALERT = Alert("intent@example.org", "ada@acme.example", "High buying intent: acme.example", "Ada <b>&</b> Co\n.dot")
SOON = timedelta(seconds=0.3)

Reply = tuple[int, str, dict[str, str]]


class Receiver(Loopback):
    """An endpoint that keeps what it is told and answers what ``reply`` says; None hangs up."""

    def __init__(self, reply: Callable[[int], Reply | None] = lambda _: (200, "ok", {})) -> None:
        self.said: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self._lock = threading.Lock()
        receiver = self

        class Answering(Handler):
            def do_POST(self) -> None:  # noqa: N802 - http.server's name
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver._lock:
                    receiver.said.append((self.path, body, dict(self.headers)))
                    number = len(receiver.said)
                answer = reply(number)
                if answer is None:
                    return
                status, words, headers = answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(words))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(words.encode())

        super().__init__(Answering, "/alerts")


def told(receiver: Receiver, **settings: Any) -> Outcome:
    with contextlib.closing(Endpoint(receiver.url, **settings)) as target:
        return target.call(uuid.UUID(int=7), ALERT)


def test_an_endpoint_gets_exactly_four_fields_and_a_key() -> None:
    with Receiver().listening() as receiver:
        assert told(receiver, key="s3cret").result is Result.ACCEPTED
    [(path, body, headers)] = receiver.said
    assert (path, headers["Idempotency-Key"], headers["Authorization"]) == (
        "/alerts",
        str(uuid.UUID(int=7)),
        "Bearer s3cret",
    )
    assert body == {
        "from": "intent@example.org",
        "to": "ada@acme.example",
        "message": "Ada <b>&</b> Co\n.dot",
        "subject": "High buying intent: acme.example",
    }


@pytest.mark.parametrize(
    ("reply", "result", "code"),
    [
        ((204, "", {}), Result.ACCEPTED, None),
        ((302, "", {"Location": "http://127.0.0.1:1/"}), Result.REJECTED, "302"),
        ((400, '{"message": "no"}', {}), Result.REJECTED, "400"),
        ((401, "", {}), Result.TRANSIENT, "401"),
        ((429, "", {"Retry-After": "3"}), Result.TRANSIENT, "429"),
        ((503, "", {}), Result.TRANSIENT, "503"),
        ((500, "", {}), Result.UNKNOWN, "500"),
        (None, Result.UNKNOWN, "disconnected"),
    ],
)
def test_every_answer_of_an_endpoint_has_its_meaning(reply: Reply | None, result: Result, code: str | None) -> None:
    with Receiver(lambda _: reply).listening() as receiver:
        outcome = told(receiver)
    assert (outcome.result, outcome.code) == (result, code)
    assert outcome.retry_after == (timedelta(seconds=3) if reply and "Retry-After" in reply[2] else None)


def test_nobody_there_took_nothing_and_silence_leaves_it_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with contextlib.closing(Endpoint(url, timeout=SOON)) as target:
            assert target.call(uuid.uuid4(), ALERT).result is Result.UNKNOWN
    with contextlib.closing(Endpoint(url, timeout=SOON)) as target:
        assert target.call(uuid.uuid4(), ALERT).result is Result.TRANSIENT


def test_what_is_told_to_an_endpoint_says_nothing_about_its_key_in_the_ledger() -> None:
    with contextlib.closing(Endpoint("https://user:pass@example.com/T0/secret?token=1", key="k")) as target:
        assert re.fullmatch("http:example.com:[0-9a-f]{16}", target.name)
        assert target.guarantee is Guarantee.NEITHER


def test_slack_gets_text_in_which_nothing_is_markup() -> None:
    with Receiver().listening() as receiver, contextlib.closing(Slack(receiver.url)) as target:
        assert target.call(uuid.uuid4(), ALERT).result is Result.ACCEPTED
    [(_, body, _)] = receiver.said
    assert body["text"] == "High buying intent: acme.example\nAda &lt;b&gt;&amp;&lt;/b&gt; Co\n.dot"
    assert (body["mrkdwn"], body["unfurl_links"], body["unfurl_media"]) == (False, False, False)
    assert "<" not in slack_message(Alert("a", "b", "s", "<!channel> <https://evil.example|click>"))["text"]


@pytest.mark.parametrize(
    ("status", "said", "result"),
    [(404, "no_service", Result.TRANSIENT), (410, "channel_is_archived", Result.REJECTED), (429, "", Result.TRANSIENT)],
)
def test_slacks_refusals_are_kept_in_its_own_words(status: int, said: str, result: Result) -> None:
    with (
        Receiver(lambda _: (status, said, {})).listening() as receiver,
        contextlib.closing(Slack(receiver.url)) as hook,
    ):
        outcome = hook.call(uuid.uuid4(), ALERT)
    assert (outcome.result, outcome.detail) == (result, said)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"alert_url": "https://example.com/hook"}, Endpoint),
        ({"alert_target": "slack", "alert_url": "https://example.com/hook"}, Slack),
        ({"alert_target": "smtp", "smtp_url": "smtp://127.0.0.1", "alert_inbox": "sales@example.org"}, Mailbox),
    ],
)
def test_the_settings_choose_who_is_told(values: dict[str, Any], kind: type) -> None:
    with contextlib.closing(alert_target(Settings(**values))) as target:
        assert isinstance(target, kind)


def test_the_endpoint_is_said_to_honour_keys_by_a_setting_alone() -> None:
    configured = Settings(alert_url=SecretStr("https://example.com/hook"), alert_guarantee="key")
    with contextlib.closing(alert_target(configured)) as target:
        assert target.guarantee is Guarantee.KEY


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, "PARLEY_ALERT_URL"),
        ({"alert_target": "slack"}, "PARLEY_ALERT_URL"),
        ({"alert_url": "mailto:ada@example.com"}, "PARLEY_ALERT_URL"),
        ({"alert_target": "smtp"}, "PARLEY_SMTP_URL"),
        ({"alert_target": "smtp", "smtp_url": "smtp://127.0.0.1"}, "PARLEY_ALERT_INBOX"),
    ],
)
def test_a_missing_setting_is_named(values: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        alert_target(Settings(**values))
    assert refused.value.path == path
    assert refused.value.fix


class Inbox:
    """A mailbox that keeps its mails."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        self.mails.append(envelope)
        return "250 OK"


def test_a_mail_goes_to_the_inbox_and_its_answer_to_the_contact() -> None:
    inbox = Inbox()
    relay = Controller(inbox, hostname="127.0.0.1", port=_free_port())
    relay.start()
    try:
        with contextlib.closing(Mailbox(f"smtp://127.0.0.1:{relay.port}", "sales@example.org")) as target:
            outcome = target.call(uuid.UUID(int=7), ALERT)
    finally:
        relay.stop()
    assert outcome.result is Result.ACCEPTED
    [mail] = inbox.mails
    assert (mail.mail_from, mail.rcpt_tos) == ("intent@example.org", ["sales@example.org"])
    text = (mail.content or b"").decode() if isinstance(mail.content, bytes) else mail.content or ""
    assert "Reply-To: ada@acme.example" in text
    assert "Subject: High buying intent: acme.example" in text
    assert "Ada <b>&</b> Co" in text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
