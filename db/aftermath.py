"""What is left of calls that nobody saw end: messages of dead workers, unanswered calls, messages set apart?"""

import uuid
from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from db.messages import columns
from domain.retries import Move

_LAPSED = text("""
    select customer_id, id, message_class, attempt, deaths, provider, first_sent_at, unresolved
    from messages where state = 'sending' and lease_until < clock_timestamp()
    order by lease_until limit :limit for update skip locked
""")

_BURY = text("""
    update messages m set state = d.state, reason = d.reason, due_at = coalesce(d.due_at, m.due_at),
                          deaths = m.deaths + 1, unresolved = true, lease_token = null, lease_until = null
    from unnest(cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:state as text[]), cast(:reason as text[]),
                cast(:due as timestamptz[])) as d(customer_id, id, state, reason, due_at)
    where m.customer_id = d.customer_id and m.id = d.id
""")


def lapsed(session: Session, limit: int) -> Sequence[RowMapping]:
    """Lock messages whose batch did not come back before its lease ended."""
    return session.execute(_LAPSED, {"limit": limit}).mappings().all()


def bury(session: Session, moves: Sequence[tuple[RowMapping, Move]]) -> None:
    """Move messages on that ``lapsed`` has locked; what their worker did is not known."""
    rows = [(row["customer_id"], row["id"], str(move.state), move.reason, move.due_at) for row, move in moves]
    session.execute(_BURY, columns(rows, "customer_id", "id", "state", "reason", "due"))


_UNANSWERED = text("""
    select m.customer_id, m.id, m.message_class, m.attempt, m.provider, m.first_sent_at, m.unresolved,
           clock_timestamp() - a.started_at as waited
    from messages m join send_attempts a
      on a.customer_id = m.customer_id and a.message_id = m.id and a.number = m.attempt
    where m.state = 'unknown' and m.due_at <= (select business_now())
    order by m.due_at limit :limit
""")

_SETTLE = text("""
    update messages m set
        state = d.state, reason = d.reason, due_at = coalesce(d.due_at, m.due_at), unresolved = d.unresolved,
        provider_id = coalesce(m.provider_id, d.theirs),
        accepted_at = case when d.state = 'accepted' then coalesce(m.accepted_at, (select business_now())) end,
        delivery = case when d.state = 'accepted' then coalesce(m.delivery, 'accepted') end,
        delivery_rank = case when d.state = 'accepted' then greatest(m.delivery_rank, 10) else m.delivery_rank end
    from unnest(cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:number as smallint[]),
                cast(:state as text[]), cast(:reason as text[]), cast(:due as timestamptz[]),
                cast(:unresolved as boolean[]), cast(:theirs as text[]))
        as d(customer_id, id, number, state, reason, due_at, unresolved, theirs)
    where m.customer_id = d.customer_id and m.id = d.id and m.state = 'unknown' and m.attempt = d.number
""")


def unanswered(session: Session, limit: int) -> Sequence[RowMapping]:
    """Messages whose provider is to be asked what became of the last call, begun ``waited`` ago."""
    return session.execute(_UNANSWERED, {"limit": limit}).mappings().all()


def settle(session: Session, moves: Sequence[tuple[RowMapping, Move, str | None]]) -> None:
    """Move messages on that nobody has moved since; the text is the provider's id of one it knows."""
    rows = [
        (
            row["customer_id"],
            row["id"],
            row["attempt"],
            str(move.state),
            move.reason,
            move.due_at,
            move.unresolved,
            theirs,
        )
        for row, move, theirs in moves
    ]
    if rows:
        names = ("customer_id", "id", "number", "state", "reason", "due", "unresolved", "theirs")
        session.execute(_SETTLE, columns(rows, *names))


_SET_ASIDE = text("""
    insert into dead_letters as d (customer_id, message_id, reason, error)
    select * from unnest(cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:reason as text[]),
                         cast(:error as text[]))
    on conflict (customer_id, message_id) do update
        set reason = excluded.reason, error = excluded.error, times = d.times + 1, replayed_at = null
""")


def set_aside(session: Session, rows: Sequence[tuple[int, uuid.UUID, str, str | None]]) -> None:
    """List messages as dead letters: customer, message, reason, error."""
    if rows:
        session.execute(_SET_ASIDE, columns(rows, "customer_id", "id", "reason", "error"))
