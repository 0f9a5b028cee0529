"""How is mail handed to an SMTP relay, and how much can be known about a call that broke?

SMTP has neither keys nor a way to ask. A connection that breaks before the final dot certainly sent nothing; one that
breaks after it leaves the matter open (RFC 1047), and then the outcome is unknown.
"""

import contextlib
import smtplib
import ssl
import time
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

from channels.provider import TIMEOUT, Calls
from domain.errors import Unavailable
from domain.messages import Guarantee, Letter, Outcome, Result

CONCURRENCY = 8
WIRE = SMTP.clone(max_line_length=998)

_OK = 250
_WILL_FORWARD = 251
_GO_AHEAD = 354
_PERMANENT = 500


class Smtp:
    """A relay at ``smtp://user:password@host:port``, or ``smtps://`` for TLS from the first byte.

    With ``smtp://`` the connection is encrypted when the relay offers it, and always before a password is sent.
    """

    name = "smtp"
    guarantee = Guarantee.NEITHER
    grace = timedelta(0)

    def __init__(self, url: str, *, timeout: timedelta = TIMEOUT, concurrency: int = CONCURRENCY) -> None:
        self.concurrency = concurrency
        self._url = urlsplit(url)
        self._timeout = timeout.total_seconds()
        self._calls = Calls(concurrency)
        self._kept: deque[smtplib.SMTP] = deque()

    def send(self, letters: Sequence[Letter], until: float) -> list[Outcome]:
        """See ``Provider.send``."""
        return self._calls.each(self._call, letters, until)

    def find(self, message_id: uuid.UUID) -> str | None:
        """Raise Unavailable: a relay cannot be asked."""
        raise Unavailable("relay_is_silent", f"A relay cannot be asked for {message_id}.")

    def close(self) -> None:
        """See ``Provider.close``."""
        self._calls.close()
        while self._kept:
            self._kept.pop().close()

    def _call(self, letter: Letter) -> Outcome:
        deadline = time.monotonic() + self._timeout
        try:
            addresses, mail = (ascii_address(letter.sender_address), ascii_address(letter.recipient)), wire(letter)
        except ValueError as error:
            return Outcome(Result.REJECTED, code="address_invalid", detail=str(error)[:500])
        try:
            relay = self._relay()
        except (OSError, smtplib.SMTPException) as error:
            return Outcome(Result.TRANSIENT, code="unreachable", detail=str(error)[:500])
        wrote = False
        try:
            outcome = _announced(relay, letter, addresses, deadline)
            if outcome is None:
                _in_time(relay, deadline)
                wrote = True
                relay.send(_dotted(mail))
                _in_time(relay, deadline)
                outcome = _understood(letter, *relay.getreply())
        except (OSError, smtplib.SMTPException) as error:
            relay.close()
            result = Result.UNKNOWN if wrote else Result.TRANSIENT
            return Outcome(result, code="disconnected", detail=str(error)[:500])
        self._kept.append(relay)
        return outcome

    def _relay(self) -> smtplib.SMTP:
        """A connection that answers: a kept one, else a new one."""
        while self._kept:
            kept = self._kept.pop()
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if kept.rset()[0] == _OK:
                    return kept
            kept.close()
        made = self._connected()
        try:
            made.ehlo_or_helo_if_needed()
            if self._url.username:
                made.login(unquote(self._url.username), unquote(self._url.password or ""))
        except (OSError, smtplib.SMTPException):
            made.close()
            raise
        return made

    def _connected(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port or 465, timeout=self._timeout, context=ssl.create_default_context())
        made = smtplib.SMTP(host, port or 587, timeout=self._timeout)
        made.ehlo()
        if made.has_extn("starttls"):
            made.starttls(context=ssl.create_default_context())
        elif self._url.username:
            made.close()
            raise smtplib.SMTPNotSupportedError("the relay offers no encryption for the password")
        return made


def _in_time(relay: smtplib.SMTP, deadline: float) -> None:
    """Give the next word what is left of the call's time; all words together take no longer than the call may."""
    left = deadline - time.monotonic()
    if left <= 0 or relay.sock is None:
        raise TimeoutError("the call took too long")
    relay.sock.settimeout(left)


def _announced(relay: smtplib.SMTP, letter: Letter, addresses: tuple[str, str], deadline: float) -> Outcome | None:
    """Say who writes to whom; None when the relay wants to hear the mail."""
    for say, address in zip((relay.mail, relay.rcpt), addresses, strict=True):
        _in_time(relay, deadline)
        code, said = say(address)
        if code > _WILL_FORWARD:
            return _understood(letter, code, said)
    _in_time(relay, deadline)
    code, said = relay.docmd("DATA")
    return None if code == _GO_AHEAD else _understood(letter, code, said)


def mime(letter: Letter) -> EmailMessage:
    """The mail itself: plain text and HTML, with a Message-ID that is the same each time."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = letter.sender, ascii_address(letter.recipient), letter.subject
    mail["Message-ID"] = f"<{letter.id}@{letter.sender_address.rpartition('@')[2]}>"
    mail["X-Entity-Ref-ID"] = str(letter.id)
    for name, value in letter.headers.items():
        mail[name] = value
    mail.set_content(letter.text)
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    return mail


def ascii_address(address: str) -> str:
    """The address as every relay takes it, its domain in IDNA. Raises ValueError for a local part that is not ASCII."""
    local, _, domain = address.rpartition("@")
    local.encode("ascii")
    return f"{local}@{domain.encode('idna').decode()}"


def wire(letter: Letter) -> bytes:
    """The mail as bytes. Raises ValueError for a header that breaks its line.

    Header lines may be as long as RFC 5322 allows: folded, an unsubscribe address would no longer be one.
    """
    return mime(letter).as_bytes(policy=WIRE)


def _dotted(mail: bytes) -> bytes:
    lines = mail.replace(b"\r\n.", b"\r\n..")
    return (b"." if lines.startswith(b".") else b"") + lines.removesuffix(b"\r\n") + b"\r\n.\r\n"


def _understood(letter: Letter, code: int, said: bytes) -> Outcome:
    if code == _OK:
        return Outcome(Result.ACCEPTED, provider_id=str(letter.id), http_status=code)
    words = said.decode(errors="replace")
    enhanced = words.split(" ", 1)[0] if words[:2] in {"4.", "5."} else None
    suppress = "hard_bounce" if enhanced in {"5.1.1", "5.1.10"} else None
    result = Result.REJECTED if code >= _PERMANENT else Result.TRANSIENT
    return Outcome(result, http_status=code, code=enhanced or str(code), detail=words[:500], suppress=suppress)
