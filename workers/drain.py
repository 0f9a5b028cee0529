"""What does a worker do when it is told that there is work? It sends until nothing is due."""

import random
import time
from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError

from channels.registry import providers
from db.claims import Claims
from domain.errors import Unavailable
from domain.messages import CHANNELS
from services.delivery import Courier, send_batch
from settings import settings
from workers.app import app

LONGEST = 5.0
"""Seconds after which a task ends, so that a worker asked to stop need not be killed; more hints are waiting."""

log = structlog.get_logger()


@app.task(name="workers.drain")  # type: ignore[untyped-decorator]
def drain() -> None:
    """Send what is due."""
    try:
        drain_now(LONGEST)
    except (Unavailable, OperationalError) as error:  # whoever sweeps next tells us again
        log.warning("drain_interrupted", error=str(error).splitlines()[0])


def courier() -> Courier:
    """What the workers of this process bring along."""
    configured = settings()
    return Courier(
        providers=providers(),
        lease=timedelta(seconds=configured.lease_seconds),
        timeout=timedelta(seconds=configured.provider_timeout_seconds),
        chance=random.SystemRandom(),
    )


def drain_now(seconds: float) -> int:
    """Send on every channel until nothing can be sent now, or for about ``seconds``; answer how many were taken."""
    deadline, brought, total = time.monotonic() + seconds, courier(), 0
    with Claims.opened() as work:
        for channel in CHANNELS:
            while time.monotonic() < deadline:
                batch = send_batch(work, channel, brought)
                if not batch.taken:
                    break
                total += batch.taken
                log.info("batch_sent", channel=channel, taken=batch.taken, **batch.states)
    return total
