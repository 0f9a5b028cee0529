"""How does a worker take messages so that nobody else sends them, and so that a STOP is never overtaken?

A batch goes: rows are locked (those that others hold are skipped), each recipient's advisory lock is taken, shared,
and only then, in statements that see whatever was committed meanwhile, is it decided what may go. Rows and verdicts
are committed; the provider is called with no transaction open; the results are written only where the batch still
holds the message. Whoever stops a person takes that person's lock exclusively, so the stop waits for calls under way
and every later batch sees it.

The advisory locks belong to a connection, so a worker keeps one connection for all of this: this module, besides
``db.session``, opens transactions. Locking order, by which nobody waits in a circle: whoever holds the exclusive lock
of a person never waits for a row; shared locks are never waited for at all; only a batch that writes its own results
waits for a row, and those who may hold it wait for nothing.
"""

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, RowMapping, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.messages import columns
from db.session import engine
from domain.messages import Outcome
from domain.retries import SUSPECT_DEATHS, Move

RECIPIENT_LOCKS = 1 << 61
"""Advisory lock keys of people start here; a person's key is this plus the customer id."""

STORE_LOCK = RECIPIENT_LOCKS - 1
"""Held shared by every batch, exclusively by whoever stops all sending."""

STOP_PATIENCE = "8s"
"""How long a STOP waits for provider calls under way before it is acknowledged all the same."""


class Claims:
    """A worker's own connection, for batches one after another."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    @contextlib.contextmanager
    def opened(cls, url: str | None = None) -> Iterator[Self]:
        """A connection for the length of the block; whatever locks it holds then are given back."""
        with engine(url).connect() as connection:
            yield cls(connection)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session on the connection, committed when the block ends well."""
        with self._connection.begin(), Session(self._connection, expire_on_commit=False) as session:
            yield session
            session.flush()

    def release(self) -> None:
        """Give back every advisory lock: no call of the batch is under way any more."""
        with self._connection.begin():
            self._connection.execute(text("select pg_advisory_unlock_all()"))


_DUE = text("""
    select m.customer_id, m.id, m.message_class, m.topic, m.flow_version_id, m.enrollment_id, m.step, m.variant,
           m.policy, m.trace_id, m.due_at, m.expires_at, m.attempt, m.deaths, m.unresolved, m.provider, m.first_sent_at
    from messages m
    where m.state = 'queued' and m.channel = :channel and m.due_at <= (select business_now())
    order by m.due_at limit :limit for update skip locked
""")


def due(session: Session, channel: str, limit: int) -> Sequence[RowMapping]:
    """Lock up to ``limit`` messages that are due. One at whose side workers died comes alone, the others without it."""
    found = session.execute(_DUE, {"channel": channel, "limit": limit}).mappings().all()
    quiet = [row for row in found if row["deaths"] < SUSPECT_DEATHS]
    return quiet or found[:1]


_LOCK = text("""
    select key - :base from unnest(cast(:keys as bigint[])) as key where pg_try_advisory_lock_shared(key)
""")


def lock_recipients(session: Session, customer_ids: Sequence[int]) -> set[int]:
    """Take the shared locks of these people and of the store; answer whose were to be had.

    Nobody's are while all sending is being stopped. Whoever is not in the answer is being stopped just now.
    """
    if not session.scalar(text("select pg_try_advisory_lock_shared(:key)"), {"key": STORE_LOCK}):
        return set()
    keys = [RECIPIENT_LOCKS + customer for customer in sorted(set(customer_ids))]
    return set(session.scalars(_LOCK, {"base": RECIPIENT_LOCKS, "keys": keys}))


def lock_for_stop(session: Session, key: int) -> bool:
    """Take a lock exclusively for the rest of the transaction; False when calls under way kept it for too long."""
    try:
        with session.begin_nested():
            session.execute(text(f"set local lock_timeout = '{STOP_PATIENCE}'"))
            session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": key})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
            raise
        return False
    return True


_RECIPIENTS = text("""
    select c.id, c.email, c.phone, c.time_zone, c.demo, s.state as consent
    from customers c left join consents s on s.customer_id = c.id and s.channel = :channel and s.until_at is null
    where c.id = any(:ids)
""")

_SUPPRESSED = text("""
    select address_hash, reason from suppressions where channel in (:channel, '*') and address_hash = any(:hashes)
""")


def recipients(session: Session, channel: str, customer_ids: Sequence[int]) -> Mapping[int, RowMapping]:
    """Addresses, zone, ``demo`` and consent on the channel, by customer id, as committed now."""
    found = session.execute(_RECIPIENTS, {"channel": channel, "ids": list(customer_ids)}).mappings()
    return {row["id"]: row for row in found}


def suppressed(session: Session, channel: str, hashes: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """The reasons on the suppression list, by address hash, as committed now."""
    reasons: dict[str, frozenset[str]] = {}
    for address_hash, reason in session.execute(_SUPPRESSED, {"channel": channel, "hashes": list(hashes)}):
        reasons[address_hash] = reasons.get(address_hash, frozenset()) | {reason}
    return reasons


_ORDERED = text("""
    select a.id from unnest(cast(:ids as uuid[]), cast(:customers as bigint[]), cast(:enrollments as bigint[]))
         as a (id, customer_id, enrollment_id)
    join enrollments e on e.customer_id = a.customer_id and e.id = a.enrollment_id
    join flow_versions v on v.id = e.flow_version_id and v.spec -> 'exit_on' ? 'order'
    where exists (select 1 from orders o where o.customer_id = a.customer_id and o.cancelled_at is null
                  and o.ordered_at >= e.entered_at and o.ordered_at <= :now)
""")


def ordered(session: Session, messages: Sequence[tuple[uuid.UUID, int, int]], now: datetime) -> set[uuid.UUID]:
    """Which messages' recipients have ordered since they came into a flow that ends with a purchase.

    ``messages`` are (message, customer, enrollment).
    """
    if not messages:
        return set()
    return set(session.scalars(_ORDERED, columns(messages, "ids", "customers", "enrollments") | {"now": now}))


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was decided about one message of a batch: ``provider`` for one that is sent, ``state`` for all.

    ``verdict`` is ``send``, ``defer`` or ``leave_out``.
    """

    customer_id: int
    id: uuid.UUID
    verdict: str
    reason: str
    state: str
    until: datetime | None
    provider: str | None
    facts: Mapping[str, Any]


_RULED = """
    from unnest(cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:verdict as text[]),
                cast(:reason as text[]), cast(:state as text[]), cast(:until as timestamptz[]),
                cast(:provider as text[]), cast(:facts as jsonb[]))
         as d(customer_id, id, verdict, reason, state, until_at, provider, facts)
"""

_HOLD = text(f"""
    with ruled as (select * {_RULED}), moved as (
        update messages m set
            state = r.state, reason = case when r.verdict = 'send' then null else r.reason end,
            due_at = coalesce(r.until_at, m.due_at), provider = coalesce(r.provider, m.provider),
            attempt = m.attempt + (r.verdict = 'send')::int,
            first_sent_at = case when r.verdict = 'send' then coalesce(m.first_sent_at, (select business_now()))
                                 else m.first_sent_at end,
            lease_token = case when r.verdict = 'send' then cast(:token as uuid) end,
            lease_until = case when r.verdict = 'send' then clock_timestamp() + cast(:lease as interval) end
        from ruled r where m.customer_id = r.customer_id and m.id = r.id
        returning m.customer_id, m.id, m.attempt, m.lease_token, m.provider
    ), judged as (
        insert into decisions (customer_id, message_id, verdict, reason, until_at, facts, at)
        select customer_id, id, verdict, reason, until_at, facts, (select business_now()) from ruled
    )
    insert into send_attempts (customer_id, message_id, number, token, provider)
    select customer_id, id, attempt, lease_token, provider from moved where lease_token is not null
""")  # noqa: S608 - no value of anybody's is in it


def hold(session: Session, rulings: Sequence[Ruling], token: uuid.UUID, lease: timedelta) -> None:
    """Write down what was decided; messages to be sent belong to ``token`` for as long as the lease runs."""
    rows = [
        (
            one.customer_id,
            one.id,
            one.verdict,
            one.reason,
            one.state,
            one.until,
            one.provider,
            json.dumps(dict(one.facts)),
        )
        for one in rulings
    ]
    names = ("customer_id", "id", "verdict", "reason", "state", "until", "provider", "facts")
    session.execute(_HOLD, columns(rows, *names) | {"token": token, "lease": lease})


@dataclass(frozen=True, slots=True)
class Ended:
    """How one call of a batch ended, and where that takes the message."""

    customer_id: int
    id: uuid.UUID
    attempt: int
    outcome: Outcome
    move: Move


_FINISH_NAMES = (
    "customer_id", "id", "number", "state", "reason", "due", "unresolved", "provider_id", "outcome",
    "http_status", "code", "detail",
)  # fmt: skip

_FINISH = text("""
    with ended as (
        select * from unnest(
            cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:number as smallint[]), cast(:state as text[]),
            cast(:reason as text[]), cast(:due as timestamptz[]), cast(:unresolved as boolean[]),
            cast(:provider_id as text[]), cast(:outcome as text[]), cast(:http_status as int[]), cast(:code as text[]),
            cast(:detail as text[]))
        as e(customer_id, id, number, state, reason, due_at, unresolved, provider_id, outcome, http_status, code,
             detail)
    ), closed as (
        update send_attempts a set finished_at = clock_timestamp(), outcome = e.outcome, http_status = e.http_status,
                                   error_code = e.code, error_detail = e.detail
        from ended e
        where a.customer_id = e.customer_id and a.message_id = e.id and a.number = e.number
    )
    update messages m set
        state = case when m.state = 'sending' then e.state else m.state end,
        reason = case when m.state = 'sending' then e.reason else m.reason end,
        unresolved = m.state = 'sending' and e.unresolved,
        due_at = case when m.state = 'sending' then coalesce(e.due_at, m.due_at) else m.due_at end,
        accepted_at = case when e.outcome = 'accepted' then coalesce(m.accepted_at, (select business_now()))
                           else m.accepted_at end,
        provider_id = coalesce(m.provider_id, e.provider_id),
        delivery = case when e.outcome = 'accepted' and m.delivery_rank = 0 then 'accepted' else m.delivery end,
        delivery_rank = case when e.outcome = 'accepted' then greatest(m.delivery_rank, 10) else m.delivery_rank end,
        error_code = coalesce(e.code, m.error_code),
        lease_token = null, lease_until = null
    from ended e
    where m.customer_id = e.customer_id and m.id = e.id and m.lease_token = cast(:token as uuid)
    returning m.id
""")


def finish(session: Session, ended: Sequence[Ended], token: uuid.UUID) -> set[uuid.UUID]:
    """Write how the calls ended, where the batch still holds the message; answer for which it did.

    A message that a receipt has proved accepted in the meantime stays so and only learns the provider's id.
    """
    rows = [
        (
            one.customer_id,
            one.id,
            one.attempt,
            str(one.move.state),
            one.move.reason,
            one.move.due_at,
            one.move.unresolved,
            one.outcome.provider_id,
            str(one.outcome.result),
            one.outcome.http_status,
            one.outcome.code,
            one.outcome.detail,
        )
        for one in ended
    ]
    return set(session.scalars(_FINISH, columns(rows, *_FINISH_NAMES) | {"token": token}))
