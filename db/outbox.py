"""What must happen after the commit?"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class OutboxEntry(Row):
    """A promise made in a transaction and kept after it by the sweeper.

    ``attempts`` counts how often that was begun; until ``retry_at``, on the database's own clock, it is left alone.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_open", "kind", "id", postgresql_where=text("done_at is null")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    done_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    retry_at: Mapped[datetime | None]


_TAKE = text("""
    update outbox set attempts = attempts + 1,
                      retry_at = clock_timestamp()
                                 + least(interval '10 seconds' * power(2, least(attempts, 20)), interval '1 hour')
    where id = (select id from outbox
                where done_at is null and kind = any(:kinds) and (retry_at is null or retry_at <= clock_timestamp())
                order by attempts, id limit 1 for update skip locked)
    returning id
""")


def take(session: Session, kinds: Collection[str]) -> int | None:
    """The promise whose turn it is, its next turn put off: those never tried first, then by age; None without one."""
    return session.scalars(_TAKE, {"kinds": list(kinds)}).one_or_none()


def held(session: Session, promise_id: int) -> OutboxEntry | None:
    """Lock a promise that is not kept yet; None when it is, or when somebody keeps it just now."""
    wanted = select(OutboxEntry).where(OutboxEntry.id == promise_id, OutboxEntry.done_at.is_(None))
    return session.scalars(wanted.with_for_update(skip_locked=True)).one_or_none()
