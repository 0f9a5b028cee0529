"""How is a promise made in a transaction kept after it?

In two transactions: the first takes the promise and puts its next turn off, the second keeps it. One that cannot be
kept waits, longer each time, and the others go on.
"""

import contextlib
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import outbox
from domain.errors import NotFound
from services import consent

KINDS = ("suppress",)


def take(session: Session) -> int | None:
    """The promise whose turn it is, None when there is nothing to do; commit, then ``keep`` it."""
    return outbox.take(session, KINDS)


def keep(session: Session, promise_id: int, now: datetime) -> bool:
    """Keep a promise that was taken; False when it is kept already. Whatever it raises, it has another turn later."""
    entry = outbox.held(session, promise_id)
    if entry is None:
        return False
    said = entry.payload
    with contextlib.suppress(NotFound):  # erased since, and so on the list already
        consent.suppress(session, said["customer_id"], said["channel"], said["reason"], f"outbox:{entry.id}", now)
    entry.done_at = session.scalars(select(func.clock_timestamp())).one()
    return True
