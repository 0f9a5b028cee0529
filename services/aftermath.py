"""Who looks after messages whose worker died, or whose call was not answered?"""

import contextlib
import uuid
from collections.abc import Mapping

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from channels.provider import Provider
from db import aftermath, store
from db.claims import Claims
from domain.errors import Unavailable
from domain.messages import Guarantee, State
from domain.retries import Move, after_death, after_lookup
from services.delivery import attempt_of


def take_over(session: Session, limit: int, providers: Mapping[str, Provider]) -> int:
    """Move on what dead workers left behind, and answer how many messages that were."""
    now = store.business_now(session)
    moves = []
    for row in aftermath.lapsed(session, limit):
        attempt = attempt_of(row, _guarantee(row, providers), now, deaths=row["deaths"] + 1)
        moves.append((row, after_death(attempt, now)))
    if moves:
        aftermath.bury(session, moves)
        dead = [(row, move) for row, move in moves if move.state is State.DEAD]
        aftermath.set_aside(session, [(row["customer_id"], row["id"], move.reason or "", None) for row, move in dead])
    return len(moves)


def look_up(work: Claims, limit: int, providers: Mapping[str, Provider]) -> int:
    """Ask providers for messages whose call was not answered, and answer how many were settled.

    One that is not found before its provider's grace is over, or whose provider cannot tell now, is asked for again.
    """
    with work.transaction() as session:
        asked = aftermath.unanswered(session, limit)
    found: dict[uuid.UUID, str | None] = {}
    for row in asked:
        with contextlib.suppress(Unavailable):
            provider = providers.get(row["provider"])
            found[row["id"]] = provider.find(row["id"]) if provider else None
    with work.transaction() as session:
        now = store.business_now(session)
        moves: list[tuple[RowMapping, Move, str | None]] = []
        for row in asked:
            theirs, provider = found.get(row["id"]), providers.get(row["provider"])
            if provider is None:
                moves.append((row, after_death(attempt_of(row, Guarantee.NEITHER, now), now), None))
            elif row["id"] in found and (theirs is not None or row["waited"] > provider.grace):
                attempt = attempt_of(row, Guarantee.LOOKUP, now)
                moves.append((row, after_lookup(found=theirs is not None, attempt=attempt, now=now), theirs))
        aftermath.settle(session, moves)
    return len(moves)


def _guarantee(row: RowMapping, providers: Mapping[str, Provider]) -> Guarantee:
    """What the message's provider promises; one that is no longer configured can be neither asked nor repeated to."""
    provider = providers.get(row["provider"])
    return provider.guarantee if provider else Guarantee.NEITHER
