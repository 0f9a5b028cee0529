"""How does the planner stand in for a model? As a chat model whose answer is a pure function of the messages."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, SkipValidation

from agent.offline.turns import Read, next_message
from domain.segments import Definition


class OfflinePlanner(BaseChatModel):
    """Reads the last message with the grammar and calls tools by the script of what it read.

    ``today`` is the store's day, from which "tomorrow" is reckoned.
    ``proposes`` is false where nobody could decide a card, so that the answer does not speak of one.
    """

    reader: SkipValidation[Read] = Field(exclude=True)
    today: date
    proposes: bool = True
    offered: frozenset[str] = frozenset()

    @property
    def _llm_type(self) -> str:
        return "parley-offline-planner"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        **_kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """A planner that may call these tools."""
        names = frozenset(
            tool.name if isinstance(tool, BaseTool) else convert_to_openai_tool(tool)["function"]["name"]
            for tool in tools
        )
        return self.model_copy(update={"offered": names})

    def definition_of(self, text: str) -> Definition | None:
        """What a sentence means on its own, where the grammar is sure; ``None`` for anything else."""
        return self.reader(text, None).definition

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        del stop
        said = self._next(messages)
        for word in re.findall(r"\S*\s*", said.text):
            if word:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=word))
                if run_manager:
                    run_manager.on_llm_new_token(word, chunk=chunk)
                yield chunk
        pieces = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=i)
            for i, call in enumerate(said.tool_calls)
        ]
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="", tool_call_chunks=pieces, response_metadata=said.response_metadata, chunk_position="last"
            )
        )

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        return next_message(messages, self.reader, self.offered, today=self.today, proposes=self.proposes)
