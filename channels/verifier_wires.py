"""How do the verification services we know want to be asked, and what do their answers mean?

A new service is one function pair and one line in ``WIRES``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from domain.verdicts import Answer, Finding, Status, Unanswered

OUT_OF_CREDITS = Unanswered("quota", "the account has no credits left", final=True)
KEY_REFUSED = Unanswered("key_refused", "the key was refused", final=True)

UNREADABLE = Unanswered("malformed", "the answer is not in the service's format")


@dataclass(frozen=True)
class Asking:
    """What is sent for one address: parameters of the query, and headers."""

    parameters: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Wire:
    """One service's format. ``read`` is given the status and the JSON object of an answer that was not an outage."""

    path: str
    ask: Callable[[str, str, float], Asking]
    """Given the address, the key (perhaps empty) and how many seconds the service may take."""
    read: Callable[[int, Mapping[str, Any]], Answer]


KICKBOX = {
    "deliverable": Status.VALID,
    "undeliverable": Status.INVALID,
    "risky": Status.RISKY,
    "unknown": Status.UNKNOWN,
}
"""The ``result`` of https://docs.kickbox.com/docs/single-verification-api, which says the same in other words."""

ZEROBOUNCE = {
    "valid": Status.VALID,
    "invalid": Status.INVALID,
    "catch-all": Status.RISKY,
    "spamtrap": Status.RISKY,
    "abuse": Status.RISKY,
    "do_not_mail": Status.RISKY,
    "unknown": Status.UNKNOWN,
}
"""The ``status`` of https://www.zerobounce.net/docs: mail to traps and complainers arrives, and should not be sent."""


def _ask_kickbox(email: str, key: str, seconds: float) -> Asking:
    """The key goes into a header, so that no log of addresses holds it; the service stops before we do."""
    milliseconds = str(min(int(seconds * 800), 30_000))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Asking({"email": email, "timeout": milliseconds}, headers)


def _read_kickbox(status: int, said: Mapping[str, Any]) -> Answer:
    """A refused key and an empty account are both 403 and differ in their words only."""
    message = str(said.get("message") or "")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN}:
        empty = status == HTTPStatus.PAYMENT_REQUIRED or "balance" in message.lower()
        return OUT_OF_CREDITS if empty else KEY_REFUSED
    if status != HTTPStatus.OK or said.get("success") is False:
        return Unanswered("refused", message or f"status {status}")
    result = KICKBOX.get(str(said.get("result")))
    return Finding(result, str(said.get("reason") or said["result"])) if result else UNREADABLE


def _ask_zerobounce(email: str, key: str, _seconds: float) -> Asking:
    """``ip_address`` must be there and may be empty."""
    return Asking({"api_key": key, "email": email, "ip_address": ""}, {})


def _read_zerobounce(status: int, said: Mapping[str, Any]) -> Answer:
    """One error text stands for a wrong key and for an account without credits, whatever the HTTP status."""
    error = str(said.get("error") or "")
    if "credit" in error.lower() or status == HTTPStatus.PAYMENT_REQUIRED:
        return Unanswered("quota", "the key was refused or the account has no credits left", final=True)
    if "key" in error.lower() or status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return KEY_REFUSED
    if error or status != HTTPStatus.OK:
        return Unanswered("refused", error or f"status {status}")
    found = ZEROBOUNCE.get(str(said.get("status")).lower())
    return Finding(found, str(said.get("sub_status") or said["status"])) if found else UNREADABLE


WIRES: Mapping[str, Wire] = {
    "kickbox": Wire("/v2/verify", _ask_kickbox, _read_kickbox),
    "zerobounce": Wire("/v2/validate", _ask_zerobounce, _read_zerobounce),
}
"""The names that ``PARLEY_VERIFIER`` takes."""
