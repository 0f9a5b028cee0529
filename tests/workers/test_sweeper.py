"""Does the sweeper find everything that would otherwise be left lying, with a broker and without?"""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

from channels import registry
from db.session import engine
from settings import settings
from tests.channels.test_vendor import eventually, vendor
from tests.couriers import states, store_with
from workers import sweeper
from workers.app import QUEUE, app, broker_url
from workers.drain import drain


@pytest.fixture
def configured(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of a store on the test's database, with a stand-in and no broker."""
    with vendor(tmp_path / "journal") as (port, _):
        monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
        monkeypatch.setenv("PARLEY_VENDOR_PORT", str(port))
        settings.cache_clear()
        registry.providers.cache_clear()
        yield
        for provider in registry.providers().values():
            provider.close()
        registry.providers.cache_clear()
        settings.cache_clear()
        sweeper.watchdog.first = None


@pytest.mark.usefixtures("configured")
def test_without_a_broker_the_sweeper_sends(database: str) -> None:
    store_with(database, 100)
    sweeper.sweep()
    assert states(database) == {"accepted": 100}


@pytest.mark.usefixtures("configured")
def test_with_a_broker_workers_are_told_no_more_often_than_there_are_workers(
    database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_REDIS_URL", redis_url)
    settings.cache_clear()
    monkeypatch.setattr(app.conf, "broker_url", broker_url(redis_url))
    store_with(database, 500)
    with redis.Redis.from_url(redis_url) as client, app.connection_for_write(broker_url(redis_url)) as connection:
        monkeypatch.setattr(sweeper, "publish", lambda: drain.apply_async(connection=connection, retry=False))
        for _ in range(3):
            sweeper.sweep()
        assert client.llen(QUEUE) == settings().drains
        client.flushall()
        sweeper.sweep()
        assert client.llen(QUEUE) == settings().drains
    assert states(database) == {"queued": 500}


@pytest.mark.usefixtures("configured")
def test_a_job_that_fails_does_not_keep_the_others_from_being_done(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(sweeper, "JOBS", {"broken": fail} | dict(sweeper.JOBS))
    store_with(database, 3)
    sweeper.sweep()
    assert states(database) == {"accepted": 3}
    assert "job_failed" in capsys.readouterr().out


def test_the_watchdog_bites_when_the_same_message_stays_the_first() -> None:
    dog, one, other = sweeper.Watchdog(), uuid.uuid4(), uuid.uuid4()
    assert not dog.bites(one, 0.0)
    assert not dog.bites(one, sweeper.IDLE_SECONDS)
    assert dog.bites(one, sweeper.IDLE_SECONDS + 0.1)
    assert not dog.bites(other, sweeper.IDLE_SECONDS + 0.2)


@pytest.mark.usefixtures("configured")
def test_one_of_two_sweepers_leads_until_it_is_gone() -> None:
    with sweeper.leading() as first:
        assert first()
        with sweeper.leading() as second:
            assert not second()
            assert first()
    with sweeper.leading() as third:
        assert third()
    with engine().connect() as connection:
        assert connection.scalar(text("select count(*) from pg_locks where locktype = 'advisory'")) == 0


@pytest.mark.usefixtures("configured")
def test_a_stop_ends_the_sweeper_between_two_rounds(database: str) -> None:
    store_with(database, 5)
    stop = threading.Event()
    thread = threading.Thread(target=sweeper.run, args=(stop,))
    thread.start()
    try:
        assert eventually(lambda: states(database) == {"accepted": 5})
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def test_a_socket_address_is_spelled_as_the_broker_wants_it() -> None:
    assert broker_url("unix://:a%40b@/run/redis.sock") == "redis+socket://:a%40b@/run/redis.sock"
    assert broker_url("redis://example.com:6379/0") == "redis://example.com:6379/0"
