"""May mail to this address be expected to arrive, who said so, and for how long is that believed?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Status(StrEnum):
    """What a verifier's many words come down to. Only ``VALID`` addresses are written to."""

    VALID = "valid"
    INVALID = "invalid"
    RISKY = "risky"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verifier's answer about one address; ``reason`` is the provider's own word."""

    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding with who made it and when."""

    email: str
    status: Status
    reason: str
    checked_at: datetime
    provider: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why there is no finding. ``final`` says that asking for further addresses is of no use now."""

    code: str
    detail: str = ""
    final: bool = False


Answer = Finding | Unanswered


def key(email: str) -> str:
    """What makes two spellings the same address here: case and surrounding space do not count."""
    return email.strip().lower()


def to_ask(
    emails: Iterable[str], known: Mapping[str, Verdict], provider: str, now: datetime, keep: timedelta
) -> list[str]:
    """Which addresses have no verdict of ``provider`` that still holds, each once, in order.

    A verdict holds for ``keep``; ``unknown`` is no verdict, so it is asked again each time (providers do not charge
    for it).
    """
    asked: dict[str, None] = {}
    for email in map(key, emails):
        verdict = known.get(email)
        if verdict is None or verdict.provider != provider or not _holds(verdict, now, keep):
            asked[email] = None
    return list(asked)


def _holds(verdict: Verdict, now: datetime, keep: timedelta) -> bool:
    return verdict.status is not Status.UNKNOWN and now - verdict.checked_at <= keep
