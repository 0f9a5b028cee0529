"""How is an OpenAI-compatible endpoint asked, and when is its answer believed?"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.exceptions import ModelConnectionError
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from openai import Timeout
from pydantic import SecretStr

from agent.model import MalformedError
from settings import Settings

TIMEOUT_SECONDS, CONNECT_SECONDS = 60.0, 10.0
RETRIES = 2


def configured(settings: Settings) -> "Endpoint":
    """The endpoint that the settings name, to be closed after use."""
    return Endpoint(
        model=settings.model,
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key or SecretStr("none"),
        use_responses_api=False,
        stream_usage=True,
        timeout=Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),  # an object, since for a number clients are shared
        max_retries=RETRIES,
    )


class Endpoint(ChatOpenAI):
    """``ChatOpenAI`` that believes a streamed answer only when it is whole.

    LangChain completes half a JSON object on its own, so a definition cut short would be run as if it were meant.
    """

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        whole = _Whole()
        for chunk in super()._stream(*args, **kwargs):
            whole.add(chunk)
            yield chunk
        whole.check()

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        whole = _Whole()
        async for chunk in super()._astream(*args, **kwargs):
            whole.add(chunk)
            yield chunk
        whole.check()

    def close(self) -> None:
        """Close connections of calls without a running loop."""
        self.root_client.close()

    async def aclose(self) -> None:
        """Close all connections."""
        self.root_client.close()
        await self.root_async_client.close()


class _Whole:
    """Collects what came of a stream, to see at its end whether all did."""

    def __init__(self) -> None:
        self.finished = False
        self.arguments: dict[Any, str] = {}

    def add(self, chunk: ChatGenerationChunk) -> None:
        """Take note of one chunk."""
        message = chunk.message
        info = (chunk.generation_info or {}) | message.response_metadata
        self.finished = self.finished or bool(info.get("finish_reason"))
        if isinstance(message, AIMessageChunk):
            for piece in message.tool_call_chunks:
                key = piece["index"]
                self.arguments[key] = self.arguments.get(key, "") + (piece["args"] or "")

    def check(self) -> None:
        """Raise unless the stream came to its end and every argument is a JSON object."""
        if not self.finished:
            message = "the stream ended before the answer did"
            raise ModelConnectionError(message)
        for arguments in self.arguments.values():
            try:
                found = json.loads(arguments or "{}")
            except ValueError:
                found = None
            if not isinstance(found, dict):
                message = "tool arguments are not a JSON object"
                raise MalformedError(message)
