"""What is the Celery application, and what may it be trusted with?

With nothing: a task says only that there is work, and PostgreSQL knows which. A task that is lost, repeated or late
changes nothing, so tasks are acknowledged when they start, and no state, result or waiting time lives in the broker.
"""

import signal
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init
from kombu.entity import Queue

import logs
from db.embedded.process import dies_with_us
from db.session import engine
from settings import Settings, settings

QUEUE, SEGMENTS = "drain", "segments"
"""Hints that something is to be sent, and that segments are to be counted; every worker takes both."""

ALERTS = "workers.alerts"
"""The task that validates and alerts on the configured CRM."""

_end_with_parent = dies_with_us(signal.SIGKILL)  # made here, where the parent is known

logs.configure(settings().log_level)


def broker_url(redis_url: str) -> str:
    """A Redis address as Celery wants it; ``unix://:password@/path`` is spelled differently there."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    login = f":{quote(unquote(parts.password), safe='')}@" if parts.password else ""
    return f"redis+socket://{login}{parts.path}"


def _configured() -> str:
    url = settings().redis_url
    return broker_url(url.get_secret_value()) if url else "redis://127.0.0.1:1"  # nobody listens: the sweeper sends


def schedule(configured: Settings) -> dict[str, Any]:
    """What Celery beat starts, and when: once a day, in UTC, if a CRM is configured."""
    if configured.intent_work is None:
        return {}
    hour, minute = map(int, configured.intent_at.split(":"))
    return {"alerts": {"task": ALERTS, "schedule": crontab(hour=hour, minute=minute), "options": {"expires": 3_600}}}


app = Celery("parley", broker=_configured(), include=["workers.alerts", "workers.drain", "workers.segments"])
app.conf.update(
    task_default_queue=QUEUE,
    task_queues=[Queue(name) for name in (QUEUE, SEGMENTS)],  # type: ignore[no-untyped-call]
    task_routes={"workers.segments.*": {"queue": SEGMENTS}},
    task_acks_late=False,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_concurrency=settings().drains,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    worker_max_tasks_per_child=500,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    task_time_limit=120,
    timezone="UTC",
    beat_schedule=schedule(settings()),
    broker_connection_max_retries=None,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 120,
        "socket_timeout": 10,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "max_retries": 1,  # who publishes a hint does not wait for a broker that is away
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.2,
    },
)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _begun(**_: Any) -> None:
    """Forget the database connections a child was born with, and end with the parent, however it ends."""
    _end_with_parent()
    engine().dispose(close=False)
