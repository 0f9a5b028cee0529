"""Who sees to it that nothing is left lying? ``python -m workers.sweeper``.

Several may run; one leads, and even two leaders would do no harm. Each round moves on what dead workers left, applies
receipts, keeps promises, takes the next steps of flows, and tells the workers when something is due. Without Redis it
sends by itself.
"""

import contextlib
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event

import redis
import structlog
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from channels.registry import providers
from db import store
from db.claims import Claims
from db.session import engine, transaction
from domain.errors import Unavailable
from services import aftermath, enrollments, messages, outbox, receipts, segments_refresh
from settings import settings
from workers.app import QUEUE, SEGMENTS
from workers.drain import drain, drain_now
from workers.segments import refresh, refresh_now

TICK_SECONDS = 0.25
LEADER = 7_215_005
"""Advisory lock of the sweeper that leads."""

ROUNDS = 20
"""How often a job is repeated within one tick while it has work, so that one full job does not starve the others."""

HELPING_SECONDS = 5.0
"""How long the sweeper sends by itself before it looks after its other jobs again."""

IDLE_SECONDS = 1.0
"""How long the same message may be the first in the queue before the sweeper helps."""

SEGMENTS_SECONDS = 5.0
"""How often the sweeper looks whether saved segments have to be counted anew."""

LOOK_UPS = 100
"""Calls of a round that ask providers what became of a message; they are made one after another."""

log = structlog.get_logger()


def main() -> None:
    """Sweep until told to stop."""
    stop = Event()
    for reason in (signal.SIGTERM, signal.SIGINT):
        signal.signal(reason, lambda *_: stop.set())
    run(stop)


def run(stop: Event) -> None:
    """Sweep, as long as this process leads, until ``stop`` is set; a database that is away is waited for."""
    while not stop.is_set():
        try:
            with leading() as leads:
                while not stop.is_set() and leads():
                    sweep()
                    stop.wait(TICK_SECONDS)
        except (Unavailable, OperationalError) as error:
            log.warning("sweep_interrupted", error=str(error).splitlines()[0])
        stop.wait(TICK_SECONDS)


@contextlib.contextmanager
def leading() -> Iterator[Callable[[], bool]]:
    """Ask whether this process leads; the lock belongs to one connection, and is asked for again each time."""
    with engine().execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        held = False

        def leads() -> bool:
            nonlocal held
            question = "select true" if held else f"select pg_try_advisory_lock({LEADER})"
            held = bool(connection.scalar(text(question)))
            return held

        yield leads


def sweep() -> None:
    """One round. A job that fails is reported and does not keep the others from being done."""
    for name, job in JOBS.items():
        try:
            _while_busy(job)
        except (Unavailable, OperationalError):
            raise
        except Exception:
            log.exception("job_failed", job=name)
    with Claims.opened() as work:
        aftermath.look_up(work, LOOK_UPS, providers())
    with transaction() as session:
        waiting, first = messages.due(session), messages.first_due(session)
    if waiting:
        tell_workers(waiting)
    if first is not None and watchdog.bites(first, time.monotonic()):
        log.warning("workers_idle", waiting=waiting, first=str(first))
        drain_now(HELPING_SECONDS)
    if segment_watch.again(time.monotonic()):
        look_after_segments()


@dataclass
class Watchdog:
    """Notices that nobody takes what is due although the workers have been told."""

    first: uuid.UUID | None = None
    since: float = 0.0

    def bites(self, first: uuid.UUID, now: float) -> bool:
        """Whether the same message has been the first in the queue for too long; ``now`` in monotonic seconds."""
        if first != self.first:
            self.first, self.since = first, now
        bites = now - self.since > IDLE_SECONDS
        if bites:
            self.since = now  # and not again at once
        return bites


watchdog = Watchdog()


@dataclass
class Every:
    """Lets something happen once in so many ``seconds``."""

    seconds: float
    last: float = float("-inf")

    def again(self, now: float) -> bool:
        """Whether it is time again; ``now`` in monotonic seconds."""
        again = now - self.last >= self.seconds
        if again:
            self.last = now
        return again


segment_watch = Every(SEGMENTS_SECONDS)


def _whole(work: Callable[[Session, datetime], int]) -> Callable[[], int]:
    """A job that is one transaction."""

    def job() -> int:
        with transaction() as session:
            return work(session, store.business_now(session))

    return job


def keep_promise() -> int:
    """Keep the promise whose turn it is; one that fails lets the next one go first."""
    with transaction() as session:
        promise = outbox.take(session)
    if promise is None:
        return 0
    with transaction() as session:
        outbox.keep(session, promise, store.business_now(session))
    return 1


JOBS: Mapping[str, Callable[[], int]] = {
    "take over": _whole(lambda session, _: aftermath.take_over(session, 1_000, providers())),
    "apply receipts": _whole(lambda session, _: receipts.apply(session).total()),
    "keep promises": keep_promise,
    "advance flows": _whole(lambda session, now: enrollments.advance(session, now, 1_000)),
}
"""What is done in each round, each until it answers that there was nothing to do."""


def _while_busy(job: Callable[[], int]) -> None:
    for _ in range(ROUNDS):
        if not job():
            return


def tell_workers(waiting: int) -> None:
    """Fill the queue of hints up to one per worker process; send here when there is no broker to tell."""
    wanted = min(settings().drains, 1 + waiting // 50)
    url = settings().redis_url
    try:
        if url is None:
            raise redis.ConnectionError
        with redis.Redis.from_url(url.get_secret_value(), socket_timeout=1, socket_connect_timeout=1) as client:
            queued = client.llen(QUEUE)
        for _ in range(wanted - int(queued)):
            publish()
    except (redis.RedisError, BrokerError) as error:
        log.warning("no_broker", error=type(error).__name__)
        started = time.monotonic()
        sent = drain_now(HELPING_SECONDS)
        log.info("sent_without_broker", taken=sent, seconds=round(time.monotonic() - started, 2))


def look_after_segments() -> None:
    """Tell one worker when saved segments are due; count one here when there is no broker to tell."""
    with transaction() as session:
        if not segments_refresh.due(session, now=store.business_now(session), limit=1):
            return
    url = settings().redis_url
    try:
        if url is None:
            raise redis.ConnectionError
        with redis.Redis.from_url(url.get_secret_value(), socket_timeout=1, socket_connect_timeout=1) as client:
            if not client.llen(SEGMENTS):
                refresh.apply_async(retry=False)
    except (redis.RedisError, BrokerError):
        refresh_now(0)


def publish() -> None:
    """Tell one worker, without waiting for a broker that does not answer."""
    drain.apply_async(retry=False)


if __name__ == "__main__":
    main()
