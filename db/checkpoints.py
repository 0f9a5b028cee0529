"""Where do the agent's conversations lie, and who may run one now?

They lie in a schema of their own, so that migrations do not see tables that LangGraph keeps. A run holds an advisory
lock on a connection of its own; when its process dies, the lock is gone with the connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import Conflict, Unavailable
from settings import settings

SCHEMA = "lg"
POLL_SECONDS = 0.05

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


@asynccontextmanager
async def pool(url: str | None = None, *, size: int = 10) -> AsyncIterator[Pool]:
    """Connections to the conversations' schema, in autocommit; ``url`` is by default the configured database."""
    configured = settings().postgres_url
    address = url or (configured.get_secret_value() if configured else "")
    made: Pool = AsyncConnectionPool(
        address,
        min_size=0,
        max_size=size,
        open=False,
        check=AsyncConnectionPool.check_connection,
        reset=_reset,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 0,
            "row_factory": dict_row,
            "application_name": "parley conversations",
            "options": f"-c search_path={SCHEMA} -c timezone=UTC",
        },
    )
    async with made:
        yield made


async def create_schema(connections: Pool) -> None:
    """Make the schema if it is not there yet."""
    async with connections.connection() as connection:
        await connection.execute(f"create schema if not exists {SCHEMA}".encode())


@asynccontextmanager
async def alone(connections: Pool, name: str, *, wait_seconds: float) -> AsyncIterator[None]:
    """Hold the lock of that name inside the block.

    Raises Conflict (``conversation_busy``) when somebody else keeps it for ``wait_seconds``, Unavailable when too many
    conversations run at once. Give these locks a pool of their own: a holder that then asks the same pool for a
    connection could wait for itself.
    """
    deadline = monotonic() + wait_seconds
    try:
        async with connections.connection(timeout=wait_seconds) as connection:
            while not await _locked(connection, name):
                if monotonic() > deadline:
                    raise Conflict(
                        "conversation_busy",
                        "The last message of this conversation is still being answered.",
                        "Wait until the answer is there, then send this again.",
                    )
                await asyncio.sleep(POLL_SECONDS)
            yield
    except PoolTimeout:
        raise Unavailable("agent_busy", "Too many conversations are being answered now.", "Try again soon.") from None


async def _locked(connection: AsyncConnection[DictRow], name: str) -> bool:
    """Whether the lock was free. Waiting inside PostgreSQL would hold a snapshot, which building an index waits for."""
    found = await connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 7)) as got", [name])
    row = await found.fetchone()
    return bool(row and row["got"])


async def _reset(connection: AsyncConnection[DictRow]) -> None:
    await connection.execute("select pg_advisory_unlock_all()")
