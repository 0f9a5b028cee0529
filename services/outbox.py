"""How is a promise made in a transaction kept after it?"""

import contextlib
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.outbox import OutboxEntry
from domain.errors import NotFound
from services import consent


def keep_one(session: Session, now: datetime) -> bool:
    """Keep the oldest promise of a kind known here; False when there is none. One transaction keeps one."""
    oldest = (
        select(OutboxEntry)
        .where(OutboxEntry.done_at.is_(None), OutboxEntry.kind.in_(("suppress",)))
        .order_by(OutboxEntry.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    entry = session.scalars(oldest).one_or_none()
    if entry is None:
        return False
    said = entry.payload
    entry.done_at = session.scalars(select(func.clock_timestamp())).one()
    with contextlib.suppress(NotFound):  # erased since, and so on the list already
        consent.suppress(session, said["customer_id"], said["channel"], said["reason"], f"outbox:{entry.id}", now)
    return True
