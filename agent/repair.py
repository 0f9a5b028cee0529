"""What if a tool call was never answered? The model is told so, since endpoints refuse a conversation with a gap.

Gaps come from a run that was stopped, or whose process died, between a call and its answer.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from tools.context import Context

UNANSWERED = '{"error":{"code":"interrupted","message":"This call was interrupted before it was done.","fix":""}}'


def without_gaps(messages: Sequence[BaseMessage]) -> list[Any]:
    """The messages with an answer right behind every tool call, and no answer without its call.

    An answer belongs to the nearest call of its id before it: endpoints use the same ids again in later answers.
    """
    whole: list[BaseMessage] = []
    waiting: dict[str, ToolMessage] = {}
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.tool_call_id in waiting:
                waiting[message.tool_call_id] = message
            continue
        whole += waiting.values()
        waiting = {}
        whole.append(message)
        if isinstance(message, AIMessage):
            waiting = {call["id"] or "": _interrupted(call) for call in message.tool_calls}
    return [*whole, *waiting.values()]


def _interrupted(call: ToolCall) -> ToolMessage:
    return ToolMessage(UNANSWERED, tool_call_id=call["id"] or "", name=call["name"], status="error")


class Repair(AgentMiddleware[AgentState[Any], Context]):
    """Hands every model call a conversation without gaps; what is saved stays as it was."""

    def wrap_model_call(
        self, request: ModelRequest[Context], handler: Callable[[ModelRequest[Context]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Without a running loop."""
        return handler(request.override(messages=without_gaps(request.messages)))

    async def awrap_model_call(
        self, request: ModelRequest[Context], handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """In a conversation."""
        return await handler(request.override(messages=without_gaps(request.messages)))
