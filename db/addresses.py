"""Which PostgreSQL and which Redis does this process use? Those configured, and embedded ones for the rest."""

import contextlib
import os
from collections.abc import Iterator

from db import migrations
from db.embedded import Addresses, servers
from settings import settings


@contextlib.contextmanager
def opened() -> Iterator[Addresses]:
    """Have both servers running and the database migrated inside the block.

    The addresses become settings of this process, so ``db.session.transaction()`` and the processes it starts find them
    without being told. Raises Unavailable when a server cannot be started or reached.
    """
    configured = settings()
    postgres, redis = configured.postgres_url, configured.redis_url
    with contextlib.ExitStack() as stack:
        if postgres and redis:
            found = Addresses(postgres.get_secret_value(), redis.get_secret_value())
        else:
            embedded = stack.enter_context(servers(configured.home))
            found = Addresses(
                postgres.get_secret_value() if postgres else embedded.postgres_url,
                redis.get_secret_value() if redis else embedded.redis_url,
            )
            stack.enter_context(_as_settings(found))
        migrations.upgrade(found.postgres_url)
        yield found


@contextlib.contextmanager
def _as_settings(found: Addresses) -> Iterator[None]:
    before = os.environ.copy()
    os.environ["PARLEY_POSTGRES_URL"] = found.postgres_url
    os.environ["PARLEY_REDIS_URL"] = found.redis_url
    settings.cache_clear()
    try:
        yield
    finally:
        for name in ("PARLEY_POSTGRES_URL", "PARLEY_REDIS_URL"):
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]
        settings.cache_clear()
