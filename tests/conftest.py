"""What do tests stand on? One real PostgreSQL and one real Redis per run, and a clean database for whoever asks."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from db.embedded import Addresses, servers
from db.migrations import upgrade
from db.session import engine
from services import catalog
from settings import Settings, settings


@pytest.fixture(scope="session")
def addresses() -> Iterator[Addresses]:
    """The servers of this run. They may lose data in a power cut, so they are fast."""
    home = Path(tempfile.mkdtemp(prefix="parley-test-"))
    home.chmod(0o711)  # as root the servers run as another user, whose data lies below
    try:
        with servers(home, durable=False) as found:
            yield found
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(addresses: Addresses) -> str:
    """Address of a migrated, empty database that nobody is connected to."""
    url = _create_database(addresses.postgres_url, "template_of_tests", "template0")
    upgrade(url)
    engine(url).dispose()
    return url


@pytest.fixture
def database(addresses: Addresses, template: str) -> Iterator[str]:
    """Address of a migrated, empty database of this test's own, for tests that commit or use several processes."""
    name = f"test_{uuid.uuid4().hex}"
    url = _create_database(addresses.postgres_url, name, "template_of_tests")
    yield url
    engine(url).dispose()
    with psycopg.connect(addresses.postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def shared(addresses: Addresses, template: str) -> str:
    """Address of a migrated database for tests whose rows are undone; its sequences go on, unlike the template's."""
    return _create_database(addresses.postgres_url, "shared_by_tests", make_url(template).database or "")


@pytest.fixture
def session(shared: str) -> Iterator[Session]:
    """A session on an empty, migrated database; whatever the test writes is undone, commits included."""
    with _undone(shared) as found:
        yield found


@pytest.fixture(scope="module")
def lasting(shared: str) -> Iterator[Session]:
    """The same for all tests of a module that read what was planted once; none of them may ask for ``session`` too."""
    with _undone(shared) as found:
        yield found


@contextmanager
def _undone(url: str) -> Iterator[Session]:
    patience = {"options": "-c lock_timeout=60s"}  # two tests that plant the same at once fail and do not hang
    made = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=patience)
    with made.connect() as connection, connection.begin() as outer:
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as found:
            yield found
        outer.rollback()


@pytest.fixture
def redis_url(addresses: Addresses) -> str:
    """Address of an empty Redis."""
    with redis.Redis.from_url(addresses.redis_url) as client:
        client.flushall()
    return addresses.redis_url


@pytest.fixture
def configured(database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of the database of ``database``, which with Redis is the one that is configured."""
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    monkeypatch.setenv("PARLEY_REDIS_URL", redis_url)
    settings.cache_clear()
    return database


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a store of this test's own, where the servers' user can reach it."""
    base = Path(tempfile.mkdtemp(prefix="parley-test-"))
    base.chmod(0o711)
    yield base / "var"
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_memories_of_other_databases() -> None:
    """What is kept in memory of a store's data belongs to the test before."""
    catalog.forget()


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Tests see the defaults, whatever the environment or an ``.env`` file says."""
    for name in list(os.environ):
        if name.startswith(("PARLEY_", "OPENAI_", "TAVILY_")):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path / "var"))
    settings.cache_clear()
    yield
    settings.cache_clear()


def _create_database(server: str, name: str, template: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}".encode())
    return make_url(server).set(database=name).render_as_string(hide_password=False)
