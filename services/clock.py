"""What time is it in the store, and who may move it?"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from db import audit, store
from db.store import Store
from domain.errors import Forbidden, Invalid
from domain.windows import length

FURTHEST = timedelta(days=366)


def advance(session: Session, delta: timedelta, *, now: datetime, by: str) -> datetime:
    """Move the demo store's clock ahead and return the time it shows then; ``now`` is the time it shows before.

    Waits that end in between are over, so a ten-day pause is watched in seconds. The clock never goes back. Raises
    Forbidden (``clock_is_real``) for a store that is not the demo one, Invalid for no way ahead or more than a year.
    """
    if not timedelta() < delta <= FURTHEST:
        raise Invalid("clock_step", "The clock moves ahead, at most a year at once.", "For example 10d.", "duration")
    found = store.current(session)
    if found is None or not found.demo:
        raise Forbidden(
            "clock_is_real",
            "Only the demo store's clock can be moved.",
            "Run a demo store beside this one: set PARLEY_HOME to another folder.",
        )
    session.execute(update(Store).where(Store.id == found.id).values(clock_offset=Store.clock_offset + delta))
    session.expire(found)
    audit.record(
        session, actor=by, action="clock.advanced", subject="store:1", detail={"seconds": int(delta.total_seconds())}
    )
    return now + delta


def ahead(duration: str, *, now: datetime) -> timedelta:
    """How long ``10d``, ``2w`` or ``1mo`` is from ``now`` on. Raises Invalid (``clock_step``)."""
    try:
        return (now + length(duration)) - now
    except ValueError:
        fix = "Write for example 10d, 12h, 2w or 1mo."
        raise Invalid("clock_step", f"{duration!r} is not a length of time.", fix, "duration") from None
