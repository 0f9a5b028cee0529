"""What did providers tell us, and has it been applied?

Everything told is kept as it came (``inbox``) before the provider hears a yes; it is applied afterwards, many at once.
Applying never waits for a message that somebody else holds: what it cannot have now it takes in the next round.
"""

import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, CursorResult, Identity, Index, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from db.messages import columns
from domain.messages import DELIVERY_RANK, FINAL_RANK, FLAGS, NOT_DELIVERED, TRANSITIONS, Receipt, State

HARD = "5.1."
"""How the enhanced status codes of addresses that do not exist begin (RFC 3463, class 5, subject 1)."""


PROVEN_BY_RECEIPT = [state for state, moves in TRANSITIONS.items() if State.ACCEPTED in moves]
"""States in which a receipt is news: it proves that a call was accepted."""


class InboxEntry(Row):
    """One thing a provider told us, raw and in our words. ``result`` is what came of it, where that was unusual."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_message", "message_id"),)

    event_key: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    message_id: Mapped[uuid.UUID | None]
    provider_id: Mapped[str | None]
    status: Mapped[str | None]
    code: Mapped[str | None]
    said_at: Mapped[datetime | None]
    raw: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    result: Mapped[str | None]


class WaitingReceipt(Row):
    """An entry of the inbox that has not been applied yet: a queue, so that the inbox itself is only added to."""

    __tablename__ = "receipts_waiting"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_key: Mapped[str]
    message_id: Mapped[uuid.UUID | None]
    provider_id: Mapped[str | None]
    status: Mapped[str | None]
    code: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    retry_at: Mapped[datetime | None]


_KEEP = text("""
    with kept as (
        insert into inbox (event_key, provider, message_id, provider_id, status, code, said_at, raw)
        select * from json_to_recordset(cast(:told as json))
            as t (event_key text, provider text, message_id uuid, provider_id text, status text, code text,
                  said_at timestamptz, raw jsonb)
        order by event_key
        on conflict do nothing
        returning event_key, message_id, provider_id, status, code
    )
    insert into receipts_waiting (event_key, message_id, provider_id, status, code) select * from kept
""")


def keep(session: Session, receipts: Sequence[Receipt]) -> int:
    """Store what is new among the receipts; answer how many those were."""
    rows = [
        {
            "event_key": one.event_key,
            "provider": one.provider,
            "message_id": str(one.message_id) if one.message_id else None,
            "provider_id": one.provider_id,
            "status": one.status,
            "code": one.code,
            "said_at": one.said_at.isoformat() if one.said_at else None,
            "raw": dict(one.raw),
        }
        for one in receipts
    ]
    return cast("CursorResult[Any]", session.execute(_KEEP, {"told": json.dumps(rows)})).rowcount


@dataclass(frozen=True, slots=True)
class Applied:
    """What one round did: ``taken`` entries were looked at, ``results`` counts what came of them.

    ``flagged`` are the messages whose recipient must not be written to again: customer, channel, why.
    """

    taken: int
    results: Mapping[str, int]
    flagged: Sequence[tuple[int, str, str]]


_WAITING = text("""
    select id, event_key, message_id, provider_id, status, code,
           received_at < clock_timestamp() - interval '7 days' as old
    from receipts_waiting where retry_at is null or retry_at <= clock_timestamp()
    order by id limit :limit for update skip locked
""")

_TARGETS = text("""
    select customer_id, id, channel, provider_id, delivery, delivery_rank, error_code
    from messages where attempt > 0 and (id = any(:ids) or provider_id = any(:provider_ids))
    order by id for update skip locked
""")

_PRESENT = text("select id from messages where attempt > 0 and (id = any(:ids) or provider_id = any(:provider_ids))")

_RAISE = text("""
    update messages m set
        delivery = case when d.rank > m.delivery_rank then d.word else m.delivery end,
        delivery_rank = greatest(m.delivery_rank, d.rank),
        delivered_at = case when d.word = 'delivered' or d.rank > :final
                            then coalesce(m.delivered_at, (select business_now())) else m.delivered_at end,
        opened_at = case when d.rank >= :opened then coalesce(m.opened_at, (select business_now()))
                         else m.opened_at end,
        clicked_at = case when d.word = 'clicked' then coalesce(m.clicked_at, (select business_now()))
                          else m.clicked_at end,
        failed_at = case when d.word = any(:not_delivered) and d.rank > m.delivery_rank
                         then coalesce(m.failed_at, (select business_now())) else m.failed_at end,
        error_code = coalesce(d.code, m.error_code),
        provider_id = coalesce(m.provider_id, d.provider_id),
        complained = m.complained or d.complained,
        unsubscribed = m.unsubscribed or d.unsubscribed,
        state = case when m.state = any(:open) then 'accepted' else m.state end,
        reason = case when m.state = any(:open) then null else m.reason end,
        accepted_at = coalesce(m.accepted_at, (select business_now())),
        unresolved = false, lease_until = null
    from unnest(cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:word as text[]), cast(:rank as smallint[]),
                cast(:code as text[]), cast(:provider_id as text[]), cast(:complained as boolean[]),
                cast(:unsubscribed as boolean[]))
         as d(customer_id, id, word, rank, code, provider_id, complained, unsubscribed)
    where m.customer_id = d.customer_id and m.id = d.id
""")

_DONE = text("delete from receipts_waiting where id = any(:ids)")

_LATER = text("""
    update receipts_waiting set retry_at = clock_timestamp() + interval '10 seconds' where id = any(:ids)
""")

_REMARK = text("""
    update inbox i set result = d.result from unnest(cast(:event_key as text[]), cast(:result as text[]))
        as d(event_key, result)
    where i.event_key = d.event_key
""")

RANKS = {
    "final": FINAL_RANK,
    "open": PROVEN_BY_RECEIPT,
    "opened": DELIVERY_RANK["opened"],
    "not_delivered": sorted(NOT_DELIVERED),
}

USUAL = frozenset({"applied", "stale"})
"""Results that are not noted on the entry."""


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
    waiting = session.execute(_WAITING, {"limit": limit}).all()
    if not waiting:
        return Applied(0, {}, ())
    wanted = {
        "ids": [one.message_id for one in waiting if one.message_id],
        "provider_ids": [one.provider_id for one in waiting if one.provider_id and not one.message_id],
    }
    held = [_Target(*row) for row in session.execute(_TARGETS, wanted)]
    present = set(session.scalars(_PRESENT, wanted)) if len(held) < len({one.message_id for one in waiting}) else set()
    by_id = {target.id: target for target in held}
    by_provider_id = {target.provider_id: target for target in held if target.provider_id}
    results: list[tuple[int, str, str]] = []
    for entry in waiting:
        target = by_id.get(entry.message_id) if entry.message_id else by_provider_id.get(entry.provider_id)
        if target:
            result = _learn(target, entry.status, entry.code, entry.provider_id)
            results.append((entry.id, entry.event_key, result))
        elif entry.message_id not in present:
            results.append((entry.id, entry.event_key, "abandoned" if entry.old else "orphan"))
    changed = [target for target in held if target.changed]
    if changed:
        session.execute(_RAISE, _raised(changed) | RANKS)
    _settle(session, results)
    counts = dict(Counter(result for _, _, result in results))
    return Applied(len(waiting), counts, [flag for target in changed for flag in _flags(target)])


def _settle(session: Session, results: Sequence[tuple[int, str, str]]) -> None:
    orphans = [place for place, _, result in results if result == "orphan"]
    session.execute(_DONE, {"ids": [place for place, _, result in results if result != "orphan"]})
    if orphans:
        session.execute(_LATER, {"ids": orphans})
    remarks = [(key, result) for _, key, result in results if result not in USUAL]
    if remarks:
        session.execute(_REMARK, columns(remarks, "event_key", "result"))


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
        target.word, target.rank, target.code, target.changed = status, rank, code, True
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
