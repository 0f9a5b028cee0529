"""What is a message, which states does it pass through, and what do providers tell us about it?

``state`` is ours: what we decided and did. ``delivery`` is the provider's word on it, ordered by a rank that only
rises, so a receipt that comes twice, late or out of order changes nothing that was already known.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

NAMESPACE = uuid.UUID("6f0a7a5e-54a2-5d0c-9d3e-0d8f4f3d9b21")
"""Of message ids: the same decision about the same customer has the same id, for ever."""

CHANNELS = ("email", "sms", "whatsapp")
MARKETING, TRANSACTIONAL = "marketing", "transactional"


class State(StrEnum):
    """What we did with a message."""

    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CAPPED = "capped"
    EXPIRED = "expired"
    CANCELED = "canceled"
    DEAD = "dead"
    OUTCOME_UNKNOWN = "outcome_unknown"


OPEN = frozenset({State.QUEUED, State.SENDING, State.UNKNOWN})
"""States in which we still have something to do."""

_S = State
_LEFT_OUT = frozenset({_S.SUPPRESSED, _S.CAPPED, _S.EXPIRED, _S.CANCELED})

TRANSITIONS: Mapping[State, frozenset[State]] = {
    _S.QUEUED: _LEFT_OUT | {_S.SENDING, _S.DEAD, _S.OUTCOME_UNKNOWN, _S.ACCEPTED},
    _S.SENDING: frozenset({_S.ACCEPTED, _S.QUEUED, _S.FAILED, _S.UNKNOWN, _S.DEAD, _S.OUTCOME_UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.QUEUED, _S.ACCEPTED, _S.DEAD, _S.OUTCOME_UNKNOWN}),
    _S.OUTCOME_UNKNOWN: frozenset({_S.ACCEPTED}),
    _S.DEAD: frozenset({_S.QUEUED, _S.ACCEPTED}),
    _S.ACCEPTED: frozenset(),
    _S.FAILED: frozenset(),
    _S.SUPPRESSED: frozenset(),
    _S.CAPPED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.CANCELED: frozenset(),
}
"""Every allowed move. Acceptance is reached from any state a call may have been made in, because a receipt proves it;
a dead letter returns to the queue only when a person replays it."""

DELIVERY_RANK: Mapping[str, int] = {
    "accepted": 10,
    "queued": 20,
    "sending": 25,
    "sent": 30,
    "deferred": 35,
    "delivered": 60,
    "undelivered": 60,
    "failed": 60,
    "bounced": 60,
    "opened": 70,
    "clicked": 75,
    "read": 80,
}
"""The provider's words, as ranks: of two final ones (60) the first to arrive stands and the other is a conflict."""

FINAL_RANK = 60
NOT_DELIVERED = frozenset({"undelivered", "failed", "bounced"})
FLAGS = frozenset({"complained", "unsubscribed"})
"""Words that are no step on the way: they are noted whenever they come."""


class Guarantee(StrEnum):
    """What a provider offers to find out whether a call that was not answered had been accepted."""

    KEY = "key"
    """An idempotency key: the same key is accepted once, so the call is simply repeated."""
    LOOKUP = "lookup"
    """A way to ask for the message by our own id."""
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of the recipient's day in which a message may arrive: from ``opens`` until just before ``closes``."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``limit`` messages per customer in each window of ``hours``; ``name`` says what is counted."""

    name: str
    limit: int
    hours: int = 24


DEFAULT_WINDOWS: Mapping[str, Window] = {"sms": Window(time(8), time(21)), "whatsapp": Window(time(8), time(21))}
"""Hours in which a text may ring (47 CFR 64.1200(c)(1)); email rings nobody."""


@dataclass(frozen=True)
class Policy:
    """What the author of a message asks for besides the channel's own hours: hours and caps."""

    window: Window | None = None
    caps: tuple[Cap, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON kept on the message."""
        hours = [self.window.opens.isoformat(), self.window.closes.isoformat()] if self.window else None
        return {"window": hours, "caps": [[cap.name, cap.limit, cap.hours] for cap in self.caps]}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any] | None) -> Self:
        """The inverse of :meth:`as_dict`; None is the default policy."""
        if not said:
            return cls()
        hours = said.get("window")
        return cls(
            window=Window(*map(time.fromisoformat, hours)) if hours else None,
            caps=tuple(Cap(*cap) for cap in said.get("caps", ())),
        )


@dataclass(frozen=True)
class PlannedMessage:
    """The decision that one customer gets one step once. ``decision_key`` is unique for the customer, for ever.

    ``due_at`` and ``expires_at`` are instants of business time; a message that could not leave before ``expires_at``
    is not sent at all.
    """

    decision_key: str
    customer_id: int
    channel: str
    due_at: datetime
    expires_at: datetime
    trace_id: str
    message_class: str = MARKETING
    flow_version_id: int | None = None
    step: int = 0
    variant: str | None = None
    enrollment_id: int | None = None
    topic: str | None = None
    policy: Policy = field(default_factory=Policy)

    @cached_property
    def id(self) -> uuid.UUID:
        """The message's id, which the provider also gets as its idempotency key."""
        return message_id(self.customer_id, self.decision_key)


def message_id(customer_id: int, decision_key: str) -> uuid.UUID:
    """The id of the message that a decision about a customer leads to."""
    return uuid.uuid5(NAMESPACE, f"{customer_id}:{decision_key}")


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything a provider needs for one message. Equal letters make byte-identical calls.

    ``sender`` is ``Name <address>``; a phone gets ``text`` only.
    """

    id: uuid.UUID
    customer_id: int
    channel: str
    attempt: int
    sender: str
    recipient: str
    subject: str
    preview: str
    text: str
    html: str
    headers: Mapping[str, str]

    @property
    def sender_address(self) -> str:
        """The sender without a name."""
        return self.sender.rpartition("<")[2].rstrip(">")


class Result(StrEnum):
    """How one provider call ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """The provider will never take it."""
    TRANSIENT = "transient"
    """It was not taken now and may be later; certainly not accepted."""
    UNKNOWN = "unknown"
    """The call went out and no answer came back."""
    UNSENT = "unsent"
    """The call was not made, because the lease was about to end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one provider call. ``suppress`` names why this address must not be written to again, if so."""

    result: Result
    provider_id: str | None = None
    http_status: int | None = None
    code: str | None = None
    detail: str | None = None
    retry_after: timedelta | None = None
    suppress: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One thing a provider told us about one message. ``event_key`` is the same each time the same thing is told.

    ``status`` is one of our words (a key of ``DELIVERY_RANK`` or a flag), or None where the provider's word is unknown
    to us; ``raw`` keeps what it said.
    """

    event_key: str
    provider: str
    message_id: uuid.UUID | None
    provider_id: str | None
    status: str | None
    code: str | None
    said_at: datetime | None
    raw: Mapping[str, Any]


REASONS: Mapping[str, str] = {
    "allowed": "Everything allowed it",
    "no_address": "There is no address to send to",
    "unsubscribed": "Unsubscribed from this channel",
    "not_subscribed": "Never subscribed to this channel",
    "pending": "Has not confirmed the subscription yet",
    "not_on_topic": "Not subscribed to this topic",
    "unsubscribe": "This address unsubscribed",
    "stop": "This address answered STOP",
    "hard_bounce": "This address does not exist",
    "complaint": "The recipient reported a message as spam",
    "manual": "This address was put on the suppression list by hand",
    "erased": "This person's data was erased",
    "quiet_hours": "It was outside the hours in which this person may be written to",
    "never_allowed": "Its author's hours and the channel's own have none in common",
    "paused": "The flow it belongs to is paused",
    "capped": "This person already got as many messages as allowed",
    "expired": "It could not leave before its time was over",
    "canceled": "It was called off",
    "exited": "The person left the flow first",
    "ordered": "Ordered in the meantime",
    "provider_gone": "An earlier call may have been accepted by a provider that is no longer configured",
    "rejected": "The provider refused it",
    "attempts_exhausted": "It failed too many times",
    "render_failed": "The message could not be rendered for this person",
    "crashed": "The worker died each time it handled this message",
    "lease_expired": "The worker that held it died",
    "no_answer": "The provider did not answer and cannot be asked",
    "key_too_old": "The provider did not answer and its idempotency key has lapsed",
}
"""Why a message is where it is: a stable code and the words for it."""


def in_words(reason: str | None) -> str:
    """The words for a reason code; an unknown one is shown as it is."""
    return "" if reason is None else REASONS.get(reason, reason.replace("_", " "))
