"""May this alert be sent now, and which run holds it?

The ledger and the suppression list are asked as they are at this moment, with the address locked, so nobody else
decides about it meanwhile.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from channels.alerts import Target
from channels.patience import Patience
from db import alerts, claims, store
from db.alerts import AlertRow
from domain.alert_messages import Alert, Reasons, write
from domain.alerts import Day, Entry, Facts, State, refusal
from domain.messages import Guarantee
from domain.prospects import Prospect
from domain.retries import KEY_LIFETIME
from services import consent
from settings import Settings

FENCE_MARGIN = timedelta(seconds=1)
"""A call must be able to end this long before its lease does."""


@dataclass(frozen=True)
class Sending:
    """What a run brings along: who is told and as whom, how long an alert may be held and a call may take."""

    target: Target
    sender: str
    lease: timedelta
    timeout: timedelta
    patience: Patience
    new_id: Callable[[], uuid.UUID] = uuid.uuid4

    @classmethod
    def configured(cls, target: Target, configured: Settings) -> Self:
        """As the settings have it."""
        return cls(
            target,
            configured.alert_from,
            timedelta(seconds=configured.lease_seconds),
            timedelta(seconds=configured.provider_timeout_seconds),
            Patience(),
        )

    @property
    def hold(self) -> timedelta:
        """How long an alert is held: at least long enough for one call."""
        return max(self.lease, self.timeout + 2 * FENCE_MARGIN)


@dataclass(frozen=True)
class Claimed:
    """An alert that this run holds; ``unresolved`` says that an earlier call of it may have been taken."""

    id: uuid.UUID
    attempt: int
    alert: Alert
    unresolved: bool


def claim(session: Session, prospect: Prospect, day: Day, sending: Sending) -> Claimed | str:
    """Hold an alert, or the reason why it must not be sent after all."""
    contact, email = prospect.contact, prospect.contact.email or ""
    alerts.lock(session, email)
    alerts.expire(session, email)
    known = Known.of(session, [email])
    facts = known.about(prospect.facts, email)
    reason = refusal(contact, facts, day)
    if reason == "outcome_unknown" and (row := known.repeatable(email, facts, day, sending.target)):
        attempt = alerts.claim_again(session, row["id"], sending.hold)
        return Claimed(row["id"], attempt, Alert.of(row["payload"]), unresolved=True)
    if reason is not None or facts.episode_on is None:
        return reason or "not_high"
    alert = write(contact, reasons_of(prospect), day.as_of, sending.sender)
    fresh = AlertRow(
        id=sending.new_id(),
        email=email,
        company=prospect.company,
        episode_on=facts.episode_on,
        alerted_on=day.as_of,
        target=sending.target.name,
        payload=alert.payload(),
    )
    attempt = alerts.claim(session, fresh, sending.hold, known.failed(email, facts, day))
    return Claimed(fresh.id, attempt, alert, unresolved=False)


def reasons_of(prospect: Prospect) -> Reasons:
    """Why now; a company of high intent has reasons."""
    if prospect.reasons is None:
        raise ValueError("a company of high intent has reasons")
    return prospect.reasons


@dataclass(frozen=True)
class Known:
    """What this product's own database knows about addresses."""

    stopped: bool
    suppressed: Mapping[str, frozenset[str]]
    rows: Mapping[str, Sequence[RowMapping]]

    @classmethod
    def of(cls, session: Session, emails: Sequence[str]) -> Self:
        """As committed now."""
        hashes = {consent.address_hash(email): email for email in emails}
        found = claims.suppressed(session, "email", list(hashes))
        rows: dict[str, list[RowMapping]] = {}
        for row in alerts.history(session, emails):
            rows.setdefault(row["email"], []).append(row)
        shop = store.current(session)
        stopped = shop is not None and shop.sends_stopped_at is not None
        return cls(stopped, {hashes[address]: reasons for address, reasons in found.items()}, rows)

    def about(self, facts: Facts, email: str) -> Facts:
        """The facts about an address, completed."""
        history = [_entry(row) for row in self.rows.get(email, ())]
        suppressed = self.suppressed.get(email, frozenset())
        return replace(facts, suppressed=suppressed, sends_stopped=self.stopped, history=history)

    def repeatable(self, email: str, facts: Facts, day: Day, target: Target) -> RowMapping | None:
        """The alert of this episode whose call can be repeated without harm, if nobody knows how it ended."""
        if target.guarantee is not Guarantee.KEY:
            return None
        for row in self.rows.get(email, ()):
            entry = _entry(row)
            unknown = entry.state in {State.OUTCOME_UNKNOWN, State.SENDING} and not entry.held
            keyed = row["target"] == target.name and row["age"] < KEY_LIFETIME
            if unknown and keyed and facts.episode_on and entry.same_episode(facts.episode_on, day.as_of):
                return row
        return None

    def failed(self, email: str, facts: Facts, day: Day) -> uuid.UUID | None:
        """The alert of this episode that was not taken, if there is one."""
        entries = [entry for row in self.rows.get(email, ()) if (entry := _entry(row)).state is State.FAILED]
        same = [entry for entry in entries if facts.episode_on and entry.same_episode(facts.episode_on, day.as_of)]
        same.sort(key=lambda entry: entry.episode_on != facts.episode_on)
        return same[0].id if same else None


def _entry(row: RowMapping) -> Entry:
    return Entry(row["id"], State(row["state"]), row["episode_on"], row["alerted_on"], row["held"])
