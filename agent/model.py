"""Which model answers? An OpenAI-compatible endpoint when one is configured, and the offline planner otherwise.

The planner also takes over for a turn in which the endpoint fails, and a notice says so.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.exceptions import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import SystemMessage
from langgraph.config import get_stream_writer

from settings import Settings
from tools.context import Context

if TYPE_CHECKING:
    from agent.endpoint import Endpoint

ATTEMPTS = 2


class MalformedError(ModelError):
    """The model wrote tool arguments that are not JSON."""


def endpoint(settings: Settings) -> "Endpoint | None":
    """The configured endpoint's model, to be closed after use; ``None`` when there is none."""
    if settings.openai_api_key is None and settings.openai_base_url is None:
        return None
    from agent.endpoint import configured  # noqa: PLC0415 - a second of imports that only an endpoint needs

    return configured(settings)


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
