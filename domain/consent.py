"""May this message be sent to this person now, and which words of theirs change that?

Rules, in the order in which they are asked; the first that speaks decides:

1. a message whose time is over is not sent;
2. without an address there is nothing to send to;
3. an address that bounced, complained, was put on the list or belongs to an erased person gets nothing at all; one that
   answered STOP gets nothing on that channel; one that unsubscribed gets no marketing;
4. marketing needs a confirmed subscription to the channel and, if it has a topic, to the topic;
5. outside the allowed hours, the author's and the channel's own, the message waits for them.

Caps are counted where they are taken, in the database, once all of this has said yes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from domain.messages import DEFAULT_WINDOWS, MARKETING, Policy
from domain.quiet_hours import next_allowed_by_all

ANY_CHANNEL = "*"
SUBSCRIBED, PENDING, UNSUBSCRIBED = "subscribed", "pending", "unsubscribed"

MARKETING_ONLY = frozenset({"unsubscribe"})
"""Reasons for which an address still gets what it must get, such as a receipt for an order."""

LIFTED_BY_START = frozenset({"unsubscribe", "stop"})
"""Reasons that are the person's own word, so the person can take them back."""

STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "optout"})
"""Words that are a refusal wherever they come from (47 CFR 64.1200(a)(10); Twilio's default list)."""

START_WORDS = frozenset({"start", "yes", "unstop"})
HELP_WORDS = frozenset({"help", "info"})


@dataclass(frozen=True, slots=True)
class SendFacts:
    """What is known about a message and its recipient at the moment of sending.

    ``consent`` is the state on the channel, None if there never was one; ``suppressions`` the reasons on the list for
    the address; ``on_topic`` None for a message without a topic; ``zone`` the recipient's time zone, else the store's.
    """

    channel: str
    message_class: str
    address: str | None
    consent: str | None
    suppressions: frozenset[str]
    on_topic: bool | None
    zone: str
    expires_at: datetime
    policy: Policy


@dataclass(frozen=True, slots=True)
class Allowed:
    """Send it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Never send it; ``reason`` is a key of ``domain.messages.REASONS``."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Ask again at ``until``."""

    reason: str
    until: datetime


Verdict = Allowed | Refused | Deferred
_ALLOWED = Allowed()


def may_send(facts: SendFacts, now: datetime) -> Verdict:
    """What the rules say about a message at the instant ``now`` of business time."""
    reason = _refusal(facts, now)
    if reason:
        return Refused(reason)
    windows = [window for window in (facts.policy.window, DEFAULT_WINDOWS.get(facts.channel)) if window]
    if windows:
        try:
            until = next_allowed_by_all(now, facts.zone, windows)
        except ValueError:
            return Refused("never_allowed")
        if until > now:
            return Deferred("quiet_hours", until)
    return _ALLOWED


def _refusal(facts: SendFacts, now: datetime) -> str | None:
    if facts.expires_at <= now:
        return "expired"
    if not facts.address:
        return "no_address"
    marketing = facts.message_class == MARKETING
    listed = facts.suppressions if marketing else facts.suppressions - MARKETING_ONLY
    if listed:
        return min(listed)
    if marketing and facts.consent != SUBSCRIBED:
        return {PENDING: "pending", UNSUBSCRIBED: "unsubscribed"}.get(facts.consent or "", "not_subscribed")
    return "not_on_topic" if marketing and facts.on_topic is False else None


def explain(facts: SendFacts) -> Mapping[str, Any]:
    """The facts behind a verdict, as they are kept with it: no address, only whether there is one."""
    return MappingProxyType(
        {
            "consent": facts.consent,
            "suppressions": sorted(facts.suppressions),
            "address": bool(facts.address),
            "zone": facts.zone,
        }
    )


def command(text: str) -> str | None:
    """Whether a person's message is ``stop``, ``start`` or ``help``: the whole message, however it is written.

    Case, punctuation and spaces around do not count; a word inside a sentence is left to people.
    """
    said = " ".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())
    if said in STOP_WORDS:
        return "stop"
    if said in START_WORDS:
        return "start"
    return "help" if said in HELP_WORDS else None
