"""How does a conversation survive a restart? In PostgreSQL, as plain data: a checkpoint can name no class to import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from db import checkpoints

SETUP_SECONDS = 60.0


@asynccontextmanager
async def saver(url: str | None = None) -> AsyncIterator[AsyncPostgresSaver]:
    """The checkpointer, its tables made if they are not there yet; closed with the block."""
    async with checkpoints.pool(url) as pool:
        made = AsyncPostgresSaver(pool, serde=serializer())
        async with checkpoints.alone(pool, "agent setup", wait_seconds=SETUP_SECONDS):
            await checkpoints.create_schema(pool)
            await made.setup()
        yield made


def serializer() -> JsonPlusSerializer:
    """Writes and reads checkpoints; of stored classes only LangChain's messages and plain values come back to life."""
    return JsonPlusSerializer(allowed_msgpack_modules=None)
