"""How does the store stand, in a handful of figures?"""

from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from domain.messages import DELIVERY_RANK, FINAL_RANK, NOT_DELIVERED

_FIGURES = text("""
    select
        (select count(*) from customers) as customers,
        (select count(*) from consents where until_at is null and channel = 'email' and state = 'subscribed')
            as subscribed,
        (select count(*) from segments where status = 'active') as segments,
        (select count(*) from flows where status = 'active') as active,
        (select count(*) from flows where status in ('active', 'paused', 'done')) as started
""")

_DELIVERY = text("""
    select count(*) filter (where state in ('accepted', 'failed', 'dead')) as tried,
           count(*) filter (where state = 'accepted') as sent,
           count(*) filter (where state = 'accepted' and delivery = any(:arrived)) as delivered
    from messages
""")


def figures(session: Session) -> dict[str, Any]:
    """Counts of people, segments, flows and messages; ``delivered`` are part of ``sent``, those of ``tried``."""
    arrived = [word for word, rank in DELIVERY_RANK.items() if rank >= FINAL_RANK and word not in NOT_DELIVERED]
    found: RowMapping = session.execute(_FIGURES).mappings().one()
    sent: RowMapping = session.execute(_DELIVERY, {"arrived": arrived}).mappings().one()
    return {**found, **sent}
