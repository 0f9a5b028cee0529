"""Is business development told about a contact now, and why not?

Words: an *episode* of a company is an unbroken run of days on each of which it had high buying intent, as its visits
and news tell it. It follows from the dates in the file alone, so it does not matter on which days somebody looked.

Rules, in the order in which they are asked; the first that speaks decides:

1. the company has high intent;
2. the contact has an address, a verdict on it that still holds, and the verdict is *valid*;
3. no other contact with the same address came first in this run;
4. the address is not on the suppression list, and sending is not stopped for the whole store;
5. nobody wrote to the contact within the last 14 days;
6. the address was not alerted in this episode, nor less than 14 days away from this day.

A call that certainly was not taken does not count as an alert; one whose end nobody saw does.
"""

import uuid
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.intent import Boundary, Contact, lies_within
from domain.verdicts import Status, Verdict

HIGH = "HIGH"
INTENT_DAYS = 7
"""A company has high intent with a visit and a publication within so many days."""

APART_DAYS = 14
"""Neither outreach nor another alert within so many days."""


REASONS: Mapping[str, str] = {
    "not_high": "The company does not have high intent on this day",
    "no_address": "There is nothing that looks like an address",
    "not_validated": "There is no verdict on the address",
    "validation_expired": "The verdict on the address is too old",
    "invalid": "Mail to the address comes back",
    "risky": "Mail to the address may arrive and should not be sent",
    "unknown": "The verification service could not tell",
    "same_address": "Another contact with the same address came first",
    "sends_stopped": "All sending is stopped",
    "suppressed": "The address is on the suppression list",
    "contacted_recently": f"Somebody wrote to the contact within the last {APART_DAYS} days",
    "in_progress": "Another run holds this alert now",
    "already_alerted": "This episode of high intent was alerted",
    "alerted_recently": f"The address was alerted less than {APART_DAYS} days away",
    "outcome_unknown": "A call for this episode may have been taken",
}
"""Why a contact is left out: a stable code, which may be followed by a colon and somebody else's word."""


class State(StrEnum):
    """Where an alert in the ledger is."""

    SENDING = "sending"
    """A run holds it and may be calling the target."""
    SENT = "sent"
    FAILED = "failed"
    """The target certainly did not take it; the next run tries again."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """A call may have been taken and nobody can tell."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger about an address: alerted as of ``alerted_on``, in the episode since ``episode_on``.

    ``held`` says that its run may still be alive.
    """

    id: uuid.UUID
    state: State
    episode_on: date
    alerted_on: date
    held: bool = False

    def same_episode(self, episode_on: date, as_of: date) -> bool:
        """Whether it belongs to the episode that is under way on ``as_of``.

        News that arrives late can move the beginning of an episode, so one day in common is enough.
        """
        return max(self.episode_on, episode_on) <= min(self.alerted_on, as_of)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one contact at the moment of deciding.

    ``contacted_on`` is the day of the last mail to the contact, not later than the day in question.
    """

    tier: str
    verdict: Verdict | None
    contacted_on: date | None
    episode_on: date | None
    suppressed: frozenset[str] = frozenset()
    sends_stopped: bool = False
    repeated: bool = False
    history: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The day in question and how to count: which boundary, and how long a verdict is believed at ``now``."""

    as_of: date
    boundary: Boundary
    now: datetime
    keep: timedelta


def refusal(contact: Contact, facts: Facts, day: Day) -> str | None:
    """Why a contact is not alerted, in a word; None if everything allows it."""
    if facts.tier != HIGH or facts.episode_on is None:
        return "not_high"
    return (
        address_refusal(contact, facts.verdict, day)
        or ("same_address" if facts.repeated else None)
        or ("sends_stopped" if facts.sends_stopped else None)
        or (f"suppressed:{min(facts.suppressed)}" if facts.suppressed else None)
        or _outreach_refusal(facts.contacted_on, day)
        or ledger_refusal(facts.history, facts.episode_on, day.as_of)
    )


def address_refusal(contact: Contact, verdict: Verdict | None, day: Day) -> str | None:
    """What is wrong with the contact's address, as far as is known."""
    if contact.email is None:
        return "no_address"
    if verdict is None:
        return "not_validated"
    if verdict.status is not Status.VALID:
        return f"{verdict.status}:{verdict.reason}"
    return "validation_expired" if day.now - verdict.checked_at > day.keep else None


def _outreach_refusal(contacted_on: date | None, day: Day) -> str | None:
    if contacted_on and lies_within(contacted_on, APART_DAYS, day.as_of, day.boundary):
        return "contacted_recently"
    return None


def ledger_refusal(history: Iterable[Entry], episode_on: date, as_of: date) -> str | None:
    """What the ledger has against an alert on ``as_of`` in the episode since ``episode_on``."""
    for entry in history:
        if entry.state is State.SENDING and entry.held:
            return "in_progress"
        if entry.state is State.FAILED:
            continue
        if entry.same_episode(episode_on, as_of):
            return "already_alerted" if entry.state is State.SENT else "outcome_unknown"
        if abs(as_of - entry.alerted_on) < timedelta(days=APART_DAYS):
            return "alerted_recently"
    return None


def episode_start(visits: Iterable[date], news: Iterable[date], as_of: date, boundary: Boundary) -> date | None:
    """The first day of the episode that is under way on ``as_of``; None if the company has no high intent then."""
    both = [sorted(set(days)) for days in (visits, news)]
    start, day = None, as_of
    while all(_has_recent(days, day, boundary) for days in both):
        start, day = day, day - timedelta(days=1)
    return start


def _has_recent(days: Sequence[date], today: date, boundary: Boundary) -> bool:
    place = bisect_right(days, today)
    return place > 0 and lies_within(days[place - 1], INTENT_DAYS, today, boundary)
