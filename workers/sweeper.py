"""Who sees to it that nothing is left lying? ``python -m workers.sweeper``.

Several may run; one leads, and even two leaders would do no harm. Each round moves on what dead workers left, applies
receipts, keeps promises, takes the next steps of flows, and tells the workers when something is due. Without Redis it
sends by itself.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from threading import Event

import redis
import structlog
from kombu.exceptions import OperationalError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from channels.registry import providers
from db import store
from db.session import engine, transaction
from domain.errors import ParleyError
from services import delivery, enrollments, messages, outbox, receipts
from settings import settings
from workers.app import QUEUE
from workers.drain import drain, drain_now

TICK_SECONDS = 0.25
LEADER = 7_215_002
"""Advisory lock of the sweeper that leads."""

ROUNDS = 20
"""How often a job is repeated within one tick while it has work, so that one full job does not starve the others."""

BROKERLESS_SECONDS = 5.0

log = structlog.get_logger()


def main() -> None:
    """Sweep until told to stop."""
    stop = Event()
    for reason in (signal.SIGTERM, signal.SIGINT):
        signal.signal(reason, lambda *_: stop.set())
    while not stop.is_set():
        try:
            with _leading() as leads:
                while not stop.is_set() and leads():
                    sweep()
                    stop.wait(TICK_SECONDS)
        except (ParleyError, DBAPIError) as error:
            log.warning("sweep_interrupted", error=type(error).__name__)
        stop.wait(TICK_SECONDS)


@contextlib.contextmanager
def _leading() -> Iterator[Callable[[], bool]]:
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
    """One round."""
    _while_busy(lambda session, _: delivery.take_over(session, 1_000, providers()))
    _while_busy(lambda session, _: receipts.apply(session).total())
    _while_busy(outbox.keep_one)
    _while_busy(lambda session, now: enrollments.advance(session, now, 1_000))
    with transaction() as session:
        waiting = messages.due(session)
    if waiting:
        tell_workers(waiting)


def _while_busy(job: Callable[[Session, datetime], int]) -> None:
    for _ in range(ROUNDS):
        with transaction() as session:
            if not job(session, store.business_now(session)):
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
            drain.apply_async(retry=False, expires=TICK_SECONDS * 40)
    except (redis.RedisError, OperationalError) as error:
        log.warning("no_broker", error=type(error).__name__)
        started = time.monotonic()
        sent = drain_now(BROKERLESS_SECONDS)
        log.info("sent_without_broker", taken=sent, seconds=round(time.monotonic() - started, 2))


if __name__ == "__main__":
    main()
