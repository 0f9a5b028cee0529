"""How fast may a provider be called, and how often may a person be written to?

Both counts live in PostgreSQL, so neither a restart nor an emptied Redis lets anything through twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Double, ForeignKey, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from domain.messages import Cap

OPEN_AFTER_FAILURES = 20
"""So many provider calls in a row without an answer of use, and the provider is left alone for a while."""

REST = timedelta(seconds=10)
"""How long; then one call tries whether it is back."""


class RateBucket(Row):
    """A token bucket, and the health of what it leads to. ``capacity`` empty = no limit on the rate."""

    __tablename__ = "rate_buckets"

    scope: Mapped[str] = mapped_column(primary_key=True)
    capacity: Mapped[float | None] = mapped_column(Double)
    refill_per_second: Mapped[float | None] = mapped_column(Double)
    tokens: Mapped[float] = mapped_column(Double, server_default=text("0"))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    open_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class CapUse(Row):
    """How many messages a customer got in a window that a cap counts; windows are counted from 1970-01-01 UTC."""

    __tablename__ = "cap_ledger"
    __table_args__ = ({"postgresql_with": {"fillfactor": 80}},)

    customer_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True
    )
    rule: Mapped[str] = mapped_column(primary_key=True)
    window_start_at: Mapped[datetime] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(SmallInteger)


def set_rate(session: Session, scope: str, per_second: float, burst: float) -> None:
    """Limit a provider to ``per_second`` calls with at most ``burst`` at once; a new bucket starts empty."""
    session.execute(
        text("""
            insert into rate_buckets (scope, capacity, refill_per_second) values (:scope, :burst, :rate)
            on conflict (scope) do update
                set capacity = excluded.capacity, refill_per_second = excluded.refill_per_second
        """),
        {"scope": scope, "burst": burst, "rate": per_second},
    )


_RESERVE = text("""
    with found as (
        select scope, capacity, failures, open_until,
               least(capacity, tokens + refill_per_second
                               * extract(epoch from clock_timestamp() - updated_at)) as tokens
        from rate_buckets where scope = :scope for update
    ), granted as (
        select *, case when open_until > clock_timestamp() then 0
                       when failures >= :broken then least(1, coalesce(floor(tokens), 1))
                       else least(:wanted, coalesce(floor(tokens), :wanted)) end as n
        from found
    )
    update rate_buckets b
    set tokens = coalesce(g.tokens - g.n, b.tokens), updated_at = clock_timestamp(),
        open_until = case when g.failures >= :broken and g.n > 0 then clock_timestamp() + :rest else g.open_until end
    from granted g where b.scope = g.scope
    returning cast(g.n as int)
""")


def reserve(session: Session, scope: str, wanted: int) -> int:
    """How many of ``wanted`` calls may be made now; a provider without a bucket takes them all."""
    found: int | None = session.scalar(
        _RESERVE, {"scope": scope, "wanted": wanted, "broken": OPEN_AFTER_FAILURES, "rest": REST}
    )
    return wanted if found is None else found


def note_health(session: Session, scope: str, *, answered: bool, failures: int) -> None:
    """Count ``failures`` calls without an answer of use; an ``answered`` one among them closes the account."""
    if answered:
        statement = "update rate_buckets set failures = 0, open_until = null where scope = :scope and failures > 0"
        session.execute(text(statement), {"scope": scope})
    elif failures:
        session.execute(
            text("""
                insert into rate_buckets as b (scope, failures) values (:scope, :n)
                on conflict (scope) do update set failures = b.failures + :n,
                    open_until = case when b.failures + :n >= :broken then clock_timestamp() + :rest end
            """),
            {"scope": scope, "n": failures, "broken": OPEN_AFTER_FAILURES, "rest": REST},
        )


_TAKE = text("""
    insert into cap_ledger as l (customer_id, rule, window_start_at, used)
    select id, :rule, :start, 1 from unnest(cast(:ids as bigint[])) as id order by id
    on conflict (customer_id, rule, window_start_at) do update set used = l.used + 1 where l.used < :cap
    returning customer_id
""")


def take(session: Session, cap: Cap, customer_ids: Sequence[int], now: datetime) -> set[int]:
    """Count one more message for each customer (no one twice) and answer for whom the cap allowed it.

    Rows are locked in the order of customers, so two takers never wait for each other in a circle.
    """
    if cap.limit < 1:
        return set()
    length = cap.hours * 3600
    start = datetime.fromtimestamp(now.timestamp() // length * length, tz=now.tzinfo)
    found = session.scalars(_TAKE, {"rule": cap.name, "start": start, "ids": list(customer_ids), "cap": cap.limit})
    return set(found)
