"""What happens with what providers tell us?"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.orm import Session

from db import receipts
from domain.messages import Receipt
from services.delivery import suppression

AT_ONCE = 1_000


def keep(session: Session, told: Sequence[Receipt]) -> int:
    """Store receipts as they came, and answer how many are new. Only after the commit may the provider hear a yes."""
    unique = {one.event_key: one for one in told}
    return receipts.keep(session, list(unique.values())) if unique else 0


def apply(session: Session, limit: int = AT_ONCE) -> Counter[str]:
    """Apply up to ``limit`` stored receipts, and answer how many came to what; empty = there was nothing to do.

    Complaints, hard bounces and unsubscribes leave a promise in the outbox, because leaving somebody alone takes that
    person's lock, for which nobody who holds messages may wait.
    """
    applied = receipts.apply(session, limit)
    session.add_all(suppression(*flagged) for flagged in applied.flagged)
    return Counter(applied.results)
