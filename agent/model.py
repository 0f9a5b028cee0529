"""Which model answers? An OpenAI-compatible endpoint when one is configured, and the offline planner otherwise.

The planner also takes over for a turn in which the endpoint fails, and a notice says so.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.exceptions import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, SystemMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from langgraph.config import get_stream_writer
from openai import Timeout
from pydantic import SecretStr

from settings import Settings
from tools.context import Context

TIMEOUT_SECONDS, CONNECT_SECONDS = 60.0, 10.0
RETRIES = 2
ATTEMPTS = 2


class MalformedError(ModelError):
    """The model wrote tool arguments that are not JSON."""


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


def endpoint(settings: Settings) -> Endpoint | None:
    """The configured endpoint's model, to be closed after use; ``None`` when there is none."""
    if settings.openai_api_key is None and settings.openai_base_url is None:
        return None
    return Endpoint(
        model=settings.model,
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key or SecretStr("none"),
        use_responses_api=False,
        stream_usage=True,
        timeout=Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),  # an object, since for a number clients are shared
        max_retries=RETRIES,
    )


class Choice(AgentMiddleware[AgentState[Any], Context]):
    """Sends each model call to the endpoint, and to the planner when there is no endpoint or it fails."""

    def __init__(self, endpoint: BaseChatModel | None) -> None:
        """``endpoint`` is the model to ask first, if any."""
        super().__init__()
        self.attempts = (endpoint,) * ATTEMPTS if endpoint else ()

    def wrap_model_call(
        self, request: ModelRequest[Context], handler: Callable[[ModelRequest[Context]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Without a running loop (command line, evals)."""
        for attempt, endpoint in enumerate(self.attempts):
            try:
                return handler(_told(request, endpoint))
            except ModelError as error:
                if not _again(error, attempt):
                    break
        return handler(request.override(model=request.runtime.context.planner))

    async def awrap_model_call(
        self, request: ModelRequest[Context], handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """In a conversation."""
        for attempt, endpoint in enumerate(self.attempts):
            try:
                return await handler(_told(request, endpoint))
            except ModelError as error:
                if not _again(error, attempt):
                    break
        return await handler(request.override(model=request.runtime.context.planner))


def _told(request: ModelRequest[Context], endpoint: BaseChatModel) -> ModelRequest[Context]:
    return request.override(model=endpoint, system_message=SystemMessage(request.runtime.context.instructions))


def _again(error: ModelError, attempt: int) -> bool:
    """Whether to ask the endpoint once more. Tells the person; what was streamed of this answer so far is void."""
    again = isinstance(error, MalformedError) and attempt + 1 < ATTEMPTS
    if again:
        text = "The model's answer was malformed; asking once more."
    else:
        text = f"{_said(error)} The offline planner answers this instead."
    get_stream_writer()({"notice": text})
    return again


def _said(error: ModelError) -> str:
    match error:
        case ModelTimeoutError():
            return "The model did not answer in time."
        case ModelRateLimitError():
            return "The model refuses more requests for now."
        case ModelAuthenticationError():
            return "The model's endpoint does not accept the configured key."
        case ModelConnectionError():
            return "The connection to the model broke."
        case MalformedError():
            return "The model's answer was malformed twice."
        case _:
            return "The model's endpoint failed."
