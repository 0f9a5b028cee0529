"""What did providers tell us, and has it been applied?

Everything told is kept as it came (``inbox``) before the provider hears a yes; it is applied afterwards, many at once.
Applying never waits for a message that somebody else holds: what it cannot have now it takes in the next round.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, CursorResult, Identity, Index, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from db.messages import columns
from domain.messages import DELIVERY_RANK, FINAL_RANK, FLAGS, TRANSITIONS, Receipt, State

HARD = "5.1."
"""How the enhanced status codes of addresses that do not exist begin (RFC 3463, class 5, subject 1)."""


PROVEN_BY_RECEIPT = [state for state, moves in TRANSITIONS.items() if State.ACCEPTED in moves]
"""States in which a receipt is news: it proves that a call was accepted."""


class InboxEntry(Row):
    """One thing a provider told us: raw, in our words, and what came of it."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index("ix_inbox_open", "id", postgresql_where=text("applied_at is null")),
        Index("ix_inbox_message", "message_id"),
        {"postgresql_with": {"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02}},
    )

    event_key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity())
    provider: Mapped[str]
    message_id: Mapped[uuid.UUID | None]
    provider_id: Mapped[str | None]
    status: Mapped[str | None]
    code: Mapped[str | None]
    said_at: Mapped[datetime | None]
    raw: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    retry_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    result: Mapped[str | None]


_KEEP = text("""
    insert into inbox (event_key, provider, message_id, provider_id, status, code, said_at, raw)
    select * from unnest(cast(:event_key as text[]), cast(:provider as text[]), cast(:message_id as uuid[]),
                         cast(:provider_id as text[]), cast(:status as text[]), cast(:code as text[]),
                         cast(:said_at as timestamptz[]), cast(:raw as jsonb[])) as told(event_key)
    order by event_key
    on conflict do nothing
""")


def keep(session: Session, receipts: Sequence[Receipt]) -> int:
    """Store what is new among the receipts; answer how many those were."""
    rows = [
        (
            one.event_key,
            one.provider,
            one.message_id,
            one.provider_id,
            one.status,
            one.code,
            one.said_at,
            json.dumps(dict(one.raw)),
        )
        for one in receipts
    ]
    names = ("event_key", "provider", "message_id", "provider_id", "status", "code", "said_at", "raw")
    return cast("CursorResult[Any]", session.execute(_KEEP, columns(rows, *names))).rowcount


@dataclass(frozen=True, slots=True)
class Applied:
    """What one round did: ``taken`` entries were looked at, ``results`` counts what came of them.

    ``flagged`` are the messages whose recipient must not be written to again: customer, channel, why.
    """

    taken: int
    results: Mapping[str, int]
    flagged: Sequence[tuple[int, str, str]]


_OPEN = text("""
    select id, message_id, provider_id, status, code, received_at < clock_timestamp() - interval '7 days' as old
    from inbox where applied_at is null and (retry_at is null or retry_at <= clock_timestamp())
    order by id limit :limit for update skip locked
""")

_TARGETS = text("""
    select customer_id, id, channel, provider_id, delivery, delivery_rank
    from messages where attempt > 0 and (id = any(:ids) or provider_id = any(:provider_ids))
    order by id for update skip locked
""")

_PRESENT = text("select id from messages where attempt > 0 and (id = any(:ids) or provider_id = any(:provider_ids))")

_RAISE = text("""
    update messages m set
        delivery = case when d.rank > m.delivery_rank then d.word else m.delivery end,
        delivery_rank = greatest(m.delivery_rank, d.rank),
        delivered_at = case when d.word = 'delivered' or d.rank > :final
                            then coalesce(m.delivered_at, business_now()) else m.delivered_at end,
        error_code = coalesce(d.code, m.error_code),
        provider_id = coalesce(m.provider_id, d.provider_id),
        complained = m.complained or d.complained,
        unsubscribed = m.unsubscribed or d.unsubscribed,
        state = case when m.state = any(:open) then 'accepted' else m.state end,
        reason = case when m.state = any(:open) then null else m.reason end,
        accepted_at = coalesce(m.accepted_at, business_now()),
        unresolved = false, lease_until = null
    from unnest(cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:word as text[]), cast(:rank as smallint[]),
                cast(:code as text[]), cast(:provider_id as text[]), cast(:complained as boolean[]),
                cast(:unsubscribed as boolean[]))
         as d(customer_id, id, word, rank, code, provider_id, complained, unsubscribed)
    where m.customer_id = d.customer_id and m.id = d.id
""")

_DONE = text("""
    update inbox i set result = d.result,
                       applied_at = case when d.result = 'orphan' then null else clock_timestamp() end,
                       retry_at = case when d.result = 'orphan' then clock_timestamp() + interval '10 seconds' end
    from unnest(cast(:id as bigint[]), cast(:result as text[])) as d(id, result) where i.id = d.id
""")


@dataclass
class _Target:
    """A message that this round holds, and what the round has learnt about it so far."""

    customer_id: int
    id: uuid.UUID
    channel: str
    provider_id: str | None
    word: str | None
    rank: int
    code: str | None = None
    flags: frozenset[str] = frozenset()
    changed: bool = False


def apply(session: Session, limit: int) -> Applied:
    """Apply up to ``limit`` entries in the order in which they came.

    A result is ``applied``, ``stale`` (known already), ``conflict`` (two final words), ``mismatch`` (the provider's id
    is not the one it gave us), ``unknown_status``, ``orphan`` (no such message yet; tried again for 7 days, then
    ``abandoned``) or, uncounted, held by somebody else just now.
    """
    opened = session.execute(_OPEN, {"limit": limit}).all()
    if not opened:
        return Applied(0, {}, ())
    wanted = {
        "ids": [one.message_id for one in opened if one.message_id],
        "provider_ids": [one.provider_id for one in opened if one.provider_id and not one.message_id],
    }
    held = [_Target(*row) for row in session.execute(_TARGETS, wanted)]
    present = set(session.scalars(_PRESENT, wanted)) if len(held) < len({one.message_id for one in opened}) else set()
    by_id = {target.id: target for target in held}
    by_provider_id = {target.provider_id: target for target in held if target.provider_id}
    results: list[tuple[int, str]] = []
    for entry in opened:
        target = by_id.get(entry.message_id) if entry.message_id else by_provider_id.get(entry.provider_id)
        if target:
            results.append((entry.id, _learn(target, entry.status, entry.code, entry.provider_id)))
        elif entry.message_id not in present:
            results.append((entry.id, "abandoned" if entry.old else "orphan"))
    changed = [target for target in held if target.changed]
    if changed:
        session.execute(_RAISE, _raised(changed) | {"final": FINAL_RANK, "open": PROVEN_BY_RECEIPT})
    session.execute(_DONE, columns(results, "id", "result"))
    counts: dict[str, int] = {}
    for _, result in results:
        counts[result] = counts.get(result, 0) + 1
    return Applied(len(opened), counts, [flag for target in changed for flag in _flags(target)])


def _learn(target: _Target, status: str | None, code: str | None, provider_id: str | None) -> str:
    if provider_id and target.provider_id and provider_id != target.provider_id:
        return "mismatch"
    if status in FLAGS:
        known = status in target.flags
        target.flags |= {status}
        target.changed = True
        return "stale" if known else "applied"
    rank = DELIVERY_RANK.get(status or "")
    if rank is None:
        return "unknown_status"
    target.provider_id = target.provider_id or provider_id
    if rank > target.rank:
        target.word, target.rank, target.code, target.changed = status, rank, code or target.code, True
        return "applied"
    return "conflict" if rank == target.rank == FINAL_RANK and status != target.word else "stale"


def _raised(changed: Sequence[_Target]) -> dict[str, list[Any]]:
    rows = [
        (
            one.customer_id,
            one.id,
            one.word,
            one.rank,
            one.code,
            one.provider_id,
            *(flag in one.flags for flag in sorted(FLAGS)),
        )
        for one in changed
    ]
    return columns(rows, "customer_id", "id", "word", "rank", "code", "provider_id", *sorted(FLAGS))


def _flags(target: _Target) -> list[tuple[int, str, str]]:
    why = [{"complained": "complaint", "unsubscribed": "unsubscribe"}[flag] for flag in sorted(target.flags)]
    if target.word == "bounced" and (target.code or HARD).startswith(HARD):
        why.append("hard_bounce")
    return [(target.customer_id, target.channel, reason) for reason in why]
