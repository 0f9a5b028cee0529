"""Who is told about which contact now, and what became of it?

``plan`` decides about every contact from what is known and writes nothing. ``send`` then takes the alerts one by one:
the address is locked, the ledger asked once more, the alert written down as being sent and committed, and only then is
the target called, with no transaction open; the end of the call is committed by itself. Whatever point a run dies at,
the next one finds the alert as claimed: once its lease is over nobody knows how its call ended, and it is repeated only
where the target honours idempotency keys, with the same key and the same words to the byte.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import structlog
from sqlalchemy.orm import Session

from db import alerts
from domain.alert_messages import Alert, write
from domain.alerts import HIGH, Day, State, refusal
from domain.messages import Guarantee, Outcome, Result
from domain.prospects import Prospect
from services.alert_claims import FENCE_MARGIN, Claimed, Known, Sending, claim, reasons_of

CALLS = 4
"""How many alerts are under way at once."""

GIVE_UP_AFTER = 5
"""So many alerts in a row that the target did not take, and the others are left for the next run."""

LEFT_OUT, WOULD_ALERT, ALERTED, FAILED, UNKNOWN = "left_out", "would_alert", "alerted", "failed", "outcome_unknown"

ENDED = {State.SENT: ALERTED, State.FAILED: FAILED, State.OUTCOME_UNKNOWN: UNKNOWN}

log = structlog.get_logger()

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Decision:
    """What was decided about one contact, and what became of it; ``reason`` is empty where all went well.

    ``alert`` is there for whoever is told about.
    """

    prospect: Prospect
    outcome: str
    reason: str = ""
    alert: Alert | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON; the alert as its target gets it."""
        contact = self.prospect.contact
        said = {
            "contact_id": contact.id,
            "company_id": contact.company_id,
            "company": self.prospect.company,
            "email": contact.email,
            "tier": self.prospect.facts.tier,
            "outcome": self.outcome,
            "reason": self.reason,
        }
        return said | ({"alert": self.alert.payload()} if self.alert else {})


def run(
    transaction: Transaction, found: Sequence[Prospect], day: Day, sending: Sending, *, dry_run: bool
) -> list[Decision]:
    """Decide about every prospect and alert those who are to be; a dry run only decides.

    ``transaction`` opens one that is committed at its end.
    """
    with transaction() as session:
        planned = plan(session, found, day, sending)
    return planned if dry_run else send(transaction, planned, day, sending)


def plan(session: Session, found: Sequence[Prospect], day: Day, sending: Sending) -> list[Decision]:
    """Decide about everybody, as things are now, and write nothing: each is left out or would be alerted."""
    emails = [one.contact.email for one in found if one.facts.tier == HIGH and one.contact.email]
    known = Known.of(session, emails)
    decisions, seen = [], set[str]()
    for prospect in found:
        email = prospect.contact.email or ""
        facts = known.about(replace(prospect.facts, repeated=email in seen), email)
        reason = refusal(prospect.contact, facts, day)
        if reason is None or (reason == "outcome_unknown" and known.repeatable(email, facts, day, sending.target)):
            seen.add(email)
            alert = write(prospect.contact, reasons_of(prospect), day.as_of, sending.sender)
            decisions.append(Decision(prospect, WOULD_ALERT, alert=alert))
        else:
            decisions.append(Decision(prospect, LEFT_OUT, reason))
    return decisions


def send(transaction: Transaction, planned: Sequence[Decision], day: Day, sending: Sending) -> list[Decision]:
    """Alert those who would be, several at once; the decisions, with what became of each, in their order."""
    run = _Run(transaction, day, sending)
    with ThreadPoolExecutor(CALLS, thread_name_prefix="alerts") as threads:
        ends = threads.map(lambda one: run.tell(one) if one.outcome == WOULD_ALERT else one, planned)
        return [_logged(end) for end in ends]


def counts(decisions: Sequence[Decision]) -> dict[str, int]:
    """How many decisions had which outcome."""
    return dict(sorted(Counter(one.outcome for one in decisions).items()))


def _logged(decision: Decision) -> Decision:
    """Say in the log what was decided about whoever is of interest, without address or name."""
    if decision.reason != "not_high":
        contact = decision.prospect.contact
        level = log.warning if decision.outcome in {FAILED, UNKNOWN} else log.info
        level(
            "alert_decided",
            contact=contact.id,
            company=contact.company_id,
            outcome=decision.outcome,
            reason=decision.reason,
        )
    return decision


class _Run:
    """The sending part of one run, shared by its threads."""

    def __init__(self, transaction: Transaction, day: Day, sending: Sending) -> None:
        self._transaction = transaction
        self._day = day
        self._sending = sending
        self._lock = Lock()
        self._not_taken = 0

    def tell(self, decision: Decision) -> Decision:
        """Claim one alert, call the target, and write down how the call ended."""
        if self._not_taken >= GIVE_UP_AFTER:
            return replace(decision, outcome=FAILED, reason="target_away")
        began = time.monotonic()
        with self._transaction() as session:
            claimed = claim(session, decision.prospect, self._day, self._sending)
        if isinstance(claimed, str):
            return Decision(decision.prospect, LEFT_OUT, claimed)
        outcome = self._call(claimed, began)
        state = _state(outcome, unresolved=claimed.unresolved)
        with self._lock:
            self._not_taken = 0 if state is State.SENT else self._not_taken + 1
        with self._transaction() as session:
            alerts.settle(session, claimed.id, claimed.attempt, state, outcome.code, outcome.detail)
        reason = "" if state is State.SENT else outcome.code or str(outcome.result)
        return replace(decision, outcome=ENDED[state], reason=reason, alert=claimed.alert)

    def _call(self, claimed: Claimed, began: float) -> Outcome:
        """Call until the target has taken it or refuses it, or it is time to give it back."""
        sending, patience = self._sending, self._sending.patience
        until = began + (sending.hold - sending.timeout - FENCE_MARGIN).total_seconds()
        unresolved, outcome = False, Outcome(Result.UNSENT)
        for attempt in range(1, patience.attempts + 1):
            if time.monotonic() >= until:
                break
            outcome = sending.target.call(claimed.id, claimed.alert)
            unresolved = unresolved or outcome.result is Result.UNKNOWN
            wait = outcome.retry_after.total_seconds() if outcome.retry_after else patience.pause(attempt)
            if not self._worth_repeating(outcome) or wait > patience.longest or time.monotonic() + wait >= until:
                break
            if attempt < patience.attempts:
                patience.sleep(wait)
        if unresolved and outcome.result is not Result.ACCEPTED:
            return replace(outcome, result=Result.UNKNOWN)
        return outcome

    def _worth_repeating(self, outcome: Outcome) -> bool:
        keyed = self._sending.target.guarantee is Guarantee.KEY
        return outcome.result is Result.TRANSIENT or (outcome.result is Result.UNKNOWN and keyed)


def _state(outcome: Outcome, *, unresolved: bool) -> State:
    if outcome.result is Result.ACCEPTED:
        return State.SENT
    return State.OUTCOME_UNKNOWN if unresolved or outcome.result is Result.UNKNOWN else State.FAILED
