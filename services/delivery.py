"""How does a planned message get to its provider, once, and what becomes of it?

``send_batch`` is one round of a worker: take what is due, decide, write the letters, hand them over, note how it went.
Between its transactions nothing is open, and whatever point it dies at, ``services.aftermath`` finds what it left.
"""

import random
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from channels.provider import Provider
from channels.registry import route
from db import aftermath, claims, flows, limits, store, topics
from db.claims import Claims, Ended, Ruling
from db.outbox import OutboxEntry
from db.store import Store
from domain.consent import Allowed, Deferred, Refused, SendFacts, Verdict, explain, may_send
from domain.errors import Invalid
from domain.messages import Guarantee, Letter, Outcome, Policy, Result, State
from domain.quiet_hours import is_zone
from domain.retries import Attempt, Move, after_call
from services import consent, letters
from services.letters import Unwritten

FENCE_MARGIN = timedelta(seconds=1)
"""A call must be able to end this long before its lease does."""

PAUSED_LOOK = timedelta(minutes=1)
"""How often a message of a paused flow looks whether the flow goes on."""


@dataclass(frozen=True, slots=True)
class Courier:
    """What a worker brings along: its providers, how long it may hold messages, how long a provider call may take."""

    providers: Mapping[str, Provider]
    lease: timedelta
    timeout: timedelta
    chance: random.Random

    def until(self, taken_at: float) -> float:
        """The instant of ``time.monotonic()`` after which no call for messages taken at ``taken_at`` may start."""
        return taken_at + (self.lease - self.timeout - FENCE_MARGIN).total_seconds()

    def batch(self, channel: str) -> int:
        """How many messages of a channel are taken at once: as many as the slowest way out calls at once."""
        ways = {route(channel, demo=demo, available=self.providers) for demo in (True, False)}
        return min(self.providers[way].concurrency for way in ways)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one round did: messages looked at, and how many of them ended in which state."""

    taken: int
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A due message with what is known about its recipient."""

    row: RowMapping
    facts: SendFacts
    provider: str


def send_batch(work: Claims, channel: str, courier: Courier) -> Batch:
    """Send one batch of a channel. A batch that took nothing had nothing to do that could be done now."""
    taken_at, token = time.monotonic(), uuid.uuid4()
    with work.transaction() as session:
        rulings, held = _take(session, channel, courier, token, store.business_now(session))
    states = Counter(ruling.state for ruling in rulings if ruling.verdict != "send")
    outcomes: dict[uuid.UUID, Outcome | Invalid] = {}
    if held:
        with work.transaction() as session:
            written = letters.write(session, [_unwritten(one, channel) for one in held])
        outcomes = _hand_over(held, written, courier, courier.until(taken_at))
    work.release()
    if held:
        with work.transaction() as session:
            states += Counter(str(one.move.state) for one in _note(session, held, outcomes, courier, token))
    return Batch(len(rulings), states)


def _take(
    session: Session, channel: str, courier: Courier, token: uuid.UUID, now: datetime
) -> tuple[Sequence[Ruling], Sequence[_Candidate]]:
    """Decide about due messages and hold those to be sent; nothing while the store's sending is stopped."""
    found = claims.due(session, channel, courier.batch(channel))
    free = claims.lock_recipients(session, [row["customer_id"] for row in found]) if found else set()
    shop = store.current(session)
    if shop is None or shop.sends_stopped_at is not None:
        return (), ()
    candidates = _known([row for row in found if row["customer_id"] in free], session, channel, shop, courier)
    stopped = flows.stopped(session, {one.row["flow_version_id"] for one in candidates} - {None})
    bought = claims.ordered(session, _leaving_on_purchase(candidates), now)
    verdicts = [
        (one, Refused("ordered") if one.row["id"] in bought else _verdict(one, stopped, courier.providers, now))
        for one in candidates
    ]
    allowed = _within_rate(session, [one for one, verdict in verdicts if isinstance(verdict, Allowed)])
    held = _within_caps(session, allowed, now)
    sent, capped = {one.row["id"] for one in held}, {one.row["id"] for one in allowed}
    rulings = []
    for one, verdict in verdicts:
        if not isinstance(verdict, Allowed) or one.row["id"] in sent:
            rulings.append(_ruling(one, verdict))
        elif one.row["id"] in capped:
            rulings.append(_ruling(one, Refused("capped")))
    if rulings:
        claims.hold(session, rulings, token, courier.lease)
    return rulings, held


def _known(
    rows: Sequence[RowMapping], session: Session, channel: str, shop: Store, courier: Courier
) -> Sequence[_Candidate]:
    people = claims.recipients(session, channel, [row["customer_id"] for row in rows])
    addresses = {key: row["email"] if channel == "email" else row["phone"] for key, row in people.items()}
    hashes = {key: consent.address_hash(address) for key, address in addresses.items() if address}
    listed = claims.suppressed(session, channel, list(hashes.values()))
    chosen = topics.subscribed(session, {row["topic"] for row in rows} - {None}, list(people))
    return [
        _Candidate(
            row=row,
            facts=SendFacts(
                channel=channel,
                message_class=row["message_class"],
                address=addresses[row["customer_id"]],
                consent=person["consent"],
                suppressions=listed.get(hashes.get(row["customer_id"], ""), frozenset()),
                on_topic=None if row["topic"] is None else (row["customer_id"], row["topic"]) in chosen,
                zone=person["time_zone"] if is_zone(person["time_zone"]) else shop.time_zone,
                expires_at=row["expires_at"],
                policy=Policy.from_dict(row["policy"]),
            ),
            provider=_way(row, route(channel, demo=person["demo"], available=courier.providers)),
        )
        for row in rows
        for person in [people[row["customer_id"]]]
    ]


def _way(row: RowMapping, fresh: str) -> str:
    """The provider; one whose answer is still open is asked again, and a second one never, even if it is gone."""
    before: str | None = row["provider"]
    return before if before is not None and row["unresolved"] else fresh


def _leaving_on_purchase(candidates: Sequence[_Candidate]) -> list[tuple[uuid.UUID, int, int]]:
    """Messages of flows, which may have waited for hours since their step was taken: message, customer, enrollment.

    A call whose end nobody saw was begun before, and is cleared up whatever was bought since.
    """
    rows = (one.row for one in candidates)
    return [
        (row["id"], row["customer_id"], row["enrollment_id"])
        for row in rows
        if row["enrollment_id"] is not None and not row["unresolved"]
    ]


def _verdict(one: _Candidate, stopped: Mapping[int, str], available: Collection[str], now: datetime) -> Verdict:
    if one.provider not in available:
        return Refused("provider_gone")
    status = stopped.get(one.row["flow_version_id"])
    if status == flows.ARCHIVED:
        return Refused("canceled")
    verdict = may_send(one.facts, now)
    if status == flows.PAUSED and isinstance(verdict, Allowed):
        return Deferred("paused", now + PAUSED_LOOK)
    return verdict


def _within_rate(session: Session, allowed: Sequence[_Candidate]) -> list[_Candidate]:
    """As many as the providers take now; the others stay as they are, due."""
    found: list[_Candidate] = []
    for provider in sorted({one.provider for one in allowed}):
        mine = [one for one in allowed if one.provider == provider]
        found += mine[: limits.reserve(session, provider, len(mine))]
    return found


def _within_caps(session: Session, allowed: Sequence[_Candidate], now: datetime) -> list[_Candidate]:
    """Those whose caps have room. A message counts when it is sent for the first time."""
    refused: set[uuid.UUID] = set()
    fresh = [one for one in allowed if one.row["attempt"] == 0]
    for cap in sorted({cap for one in fresh for cap in one.facts.policy.caps}, key=lambda cap: (cap.name, cap.hours)):
        asking = [one for one in fresh if cap in one.facts.policy.caps and one.row["id"] not in refused]
        while asking:
            first = {one.row["customer_id"]: one for one in reversed(asking)}
            granted = limits.take(session, cap, list(first), now)
            refused |= {one.row["id"] for customer, one in first.items() if customer not in granted}
            done = {one.row["id"] for one in first.values()}
            asking = [one for one in asking if one.row["id"] not in done]
    return [one for one in allowed if one.row["id"] not in refused]


_STATES: Mapping[str, State] = {"expired": State.EXPIRED, "capped": State.CAPPED, "canceled": State.CANCELED}
"""Where a refused message ends, by reason; ``suppressed`` for every other."""


def _ruling(one: _Candidate, verdict: Verdict) -> Ruling:
    def ruled(said: str, reason: str, state: State, *, until: datetime | None = None, way: str | None = None) -> Ruling:
        facts = explain(one.facts)
        return Ruling(one.row["customer_id"], one.row["id"], said, reason, str(state), until, way, facts)

    match verdict:
        case Allowed():
            return ruled("send", "allowed", State.SENDING, way=one.provider)
        case Deferred(reason, until):
            return ruled("defer", reason, State.QUEUED, until=until)
        case Refused(reason):
            open_end = one.row["unresolved"]  # an earlier call may have been accepted
            return ruled(
                "leave_out", reason, State.OUTCOME_UNKNOWN if open_end else _STATES.get(reason, State.SUPPRESSED)
            )


def _unwritten(one: _Candidate, channel: str) -> Unwritten:
    row = one.row
    return Unwritten(
        id=row["id"],
        customer_id=row["customer_id"],
        attempt=row["attempt"] + 1,
        channel=channel,
        message_class=row["message_class"],
        flow_version_id=row["flow_version_id"],
        step=row["step"],
        variant=row["variant"],
        recipient=one.facts.address or "",
    )


def _hand_over(
    held: Sequence[_Candidate], written: Mapping[uuid.UUID, Letter | Invalid], courier: Courier, until: float
) -> dict[uuid.UUID, Outcome | Invalid]:
    """Make the calls, provider by provider, and answer how each message's went."""
    found: dict[uuid.UUID, Outcome | Invalid] = {}
    for provider in sorted({one.provider for one in held}):
        ready = []
        for one in held:
            if one.provider == provider:
                letter = written[one.row["id"]]
                if isinstance(letter, Letter):
                    ready.append(letter)
                else:
                    found[one.row["id"]] = letter
        outcomes = courier.providers[provider].send(ready, until)
        found |= {letter.id: outcome for letter, outcome in zip(ready, outcomes, strict=True)}
    return found


def _note(
    session: Session,
    held: Sequence[_Candidate],
    outcomes: Mapping[uuid.UUID, Outcome | Invalid],
    courier: Courier,
    token: uuid.UUID,
) -> list[Ended]:
    """Write how it went, for as long as the messages are still ours."""
    now = store.business_now(session)
    ended, dead = [], []
    for one in held:
        row, outcome = one.row, outcomes[one.row["id"]]
        attempt = attempt_of(row, courier.providers[one.provider].guarantee, now, number=row["attempt"] + 1)
        if isinstance(outcome, Invalid):
            move, said = Move(State.DEAD, "render_failed"), str(outcome)
            outcome = Outcome(Result.UNSENT, code=outcome.code, detail=said)
        else:
            move, said = after_call(outcome, attempt, now, courier.chance.random()), outcome.detail or ""
        if move.state is State.DEAD:
            dead.append((row["customer_id"], row["id"], move.reason or "", said))
        ended.append(Ended(row["customer_id"], row["id"], attempt.number, outcome, move))
    ours = claims.finish(session, ended, token)
    aftermath.set_aside(session, [letter for letter in dead if letter[1] in ours])
    _follow_up(session, held, ended)
    for provider in {one.provider for one in held}:
        results = [outcome for one in held if one.provider == provider for outcome in [outcomes[one.row["id"]]]]
        _note_health(session, provider, [each for each in results if isinstance(each, Outcome)])
    return ended


def _follow_up(session: Session, held: Iterable[_Candidate], ended: Sequence[Ended]) -> None:
    """Leave word of addresses the provider says must be left alone; a later transaction takes the person's lock."""
    channels = {one.row["id"]: one.facts.channel for one in held}
    session.add_all(
        suppression(one.customer_id, channels[one.id], one.outcome.suppress)
        for one in ended
        if one.outcome.suppress is not None
    )


def suppression(customer_id: int, channel: str, reason: str) -> OutboxEntry:
    """The promise to leave a person alone on a channel, to be added to the transaction that learnt why."""
    payload: dict[str, Any] = {"customer_id": customer_id, "channel": channel, "reason": reason}
    return OutboxEntry(kind="suppress", payload=payload)


def _note_health(session: Session, provider: str, outcomes: Sequence[Outcome]) -> None:
    answered = any(one.result in {Result.ACCEPTED, Result.REJECTED} for one in outcomes)
    failures = sum(one.result in {Result.TRANSIENT, Result.UNKNOWN} for one in outcomes)
    limits.note_health(session, provider, answered=answered, failures=failures)


def attempt_of(
    row: RowMapping, guarantee: Guarantee, now: datetime, *, number: int | None = None, deaths: int = 0
) -> Attempt:
    """What the rules of retrying want to know about a message; ``number`` and ``deaths`` where its row is behind."""
    return Attempt(
        number=number or row["attempt"],
        first_at=row["first_sent_at"] or now,
        guarantee=guarantee,
        message_class=row["message_class"],
        deaths=deaths,
        unresolved=row["unresolved"],
    )
