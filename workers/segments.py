"""What does a worker do when it is told that saved segments have grown old? It counts them, one transaction each."""

import time

import structlog

from db import store
from db.session import transaction
from domain.errors import Conflict, ParleyError, Unavailable
from services import segments_refresh
from workers.app import app

LONGEST = 5.0
"""Seconds after which a task begins no further segment, so that sending gets its turn; more hints follow."""

LONGEST_TASK = 1_000
"""Seconds after which a task is killed: more than the first count of a very large segment may take."""

log = structlog.get_logger()


@app.task(name="workers.segments.refresh", time_limit=LONGEST_TASK)  # type: ignore[untyped-decorator]
def refresh() -> None:
    """Count what is due."""
    try:
        refresh_now(LONGEST)
    except Unavailable as error:  # whoever sweeps next tells us again
        log.warning("refresh_interrupted", error=error.message)


def refresh_now(seconds: float) -> int:
    """Count the segments that are due, for about ``seconds``; at least one; answer how many were counted."""
    deadline, done = time.monotonic() + seconds, 0
    with transaction() as session:
        waiting = segments_refresh.due(session, now=store.business_now(session))
    for segment_id in waiting:
        done += _refreshed(segment_id)
        if time.monotonic() > deadline:
            break
    if done:
        with transaction() as session:
            segments_refresh.forget(session)
    return done


def _refreshed(segment_id: int) -> bool:
    try:
        with transaction() as session:
            found = segments_refresh.refresh(session, segment_id, now=store.business_now(session))
    except Unavailable:
        raise
    except Conflict:  # another worker is at it, or it was deleted meanwhile
        return False
    except Exception as error:
        log.exception("refresh_failed", segment=segment_id)
        said = str(error) if isinstance(error, ParleyError) else f"it could not be counted ({type(error).__name__})"
        with transaction() as session:
            segments_refresh.failed(session, segment_id, said)
        return False
    told = found.model_dump(include={"size", "entered", "exited"})
    log.info("segment_refreshed", segment=segment_id, **told)
    return True
