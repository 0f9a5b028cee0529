"""What is the answer to one sentence, outside any conversation? For the command line and the evals."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from datetime import datetime
from functools import cache
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel
from sqlalchemy.orm import Session

from agent import model
from agent.graph import STEPS, Graph, build
from agent.knowledge import instructions, planner
from services.users import Person
from settings import settings
from tools.context import Context

NAMESPACE = uuid.UUID("c5fd1d2a-6f4e-4f8a-9a5e-2b6a4f0f7c11")
ASKER = Person(0, "command line", "viewer")

Action = Literal["segment", "clarify", "refuse", "answer", "draft"]


class Answer(BaseModel):
    """What was understood and found; ``campaign`` is a drafted flow with its evidence, ``trace`` how it was read.

    ``members`` are the first members of a segment of a dataset that is a file, with what is known of them.
    """

    action: Action
    text: str
    definition: dict[str, Any] | None = None
    read_back: str | None = None
    audience_size: int | None = None
    reachable: dict[str, int] = {}
    assumptions: list[dict[str, Any]] = []
    unused_words: list[str] = []
    question: str | None = None
    options: list[dict[str, Any]] = []
    campaign: dict[str, Any] | None = None
    figures: dict[str, Any] | None = None
    members: list[dict[str, Any]] = []
    trace: dict[str, Any] = {}


def ask(text: str, *, session: Session, now: datetime) -> Answer:
    """Answer one sentence as of ``now``, by the configured endpoint or the planner; nothing is written or proposed."""
    endpoint = model.endpoint(settings())
    if endpoint is None:
        return _asked(_offline(), text, session, now)
    with closing(endpoint):
        return _asked(build(endpoint, None), text, session, now)


@cache
def _offline() -> Graph:
    return build(None, None)


def _asked(graph: Graph, text: str, session: Session, now: datetime) -> Answer:
    context = Context(
        transaction=lambda: nullcontext(session),
        person=ASKER,
        thread_id="",
        trace_id="",
        planner=planner(session, now, proposes=False),
        instructions=instructions(session),
        as_of=now,
    )
    said = HumanMessage(text, id=uuid.uuid5(NAMESPACE, text).hex)
    one_at_a_time: RunnableConfig = {"recursion_limit": STEPS, "max_concurrency": 1}  # the session is one connection
    found = graph.invoke({"messages": [said]}, one_at_a_time, context=context)
    return answer(found["messages"])


def answer(messages: Sequence[BaseMessage]) -> Answer:
    """What a run's messages amount to."""
    nlu: dict[str, Any] = {}
    for message in messages:
        nlu = message.response_metadata.get("nlu", nlu) if isinstance(message, AIMessage) else nlu
    found = Answer(
        action="answer",
        text="\n\n".join(text for text in _texts(messages) if text),
        unused_words=nlu.get("unused_words", []),
        assumptions=nlu.get("assumptions", []),
        trace=nlu,
    )
    action: str = nlu.get("action", "")
    for shown in _shown(messages):
        match shown:
            case {"kind": "preview", "definition": definition, "preview": preview}:
                found.definition, found.read_back = definition, preview["read_back"]
                found.audience_size, found.reachable = preview["audience_size"], preview["reachable"]
                action = action or "segment"
            case {"kind": "shown", "of": "segment", "proposal": proposal}:
                found.definition = proposal["definition"]
                found.assumptions, found.unused_words = proposal["assumptions"], proposal["unused_words"]
            case {"kind": "shown", "of": "flow", "proposal": proposal}:
                found.campaign = proposal
                action = "draft" if not nlu else action
            case {"kind": "question", "question": question, "options": options}:
                found.question, found.options, action = question, options, "clarify"
            case {"kind": "figures", "figures": figures}:
                found.figures = figures
    if action in {"segment", "draft"} and found.definition is None:
        action = "refuse"
    if action == "refuse":
        found.question = found.question or found.text
    return Answer.model_validate({**found.model_dump(), "action": action or "answer"})


def _texts(messages: Sequence[BaseMessage]) -> Iterator[str]:
    for message in messages:
        if isinstance(message, AIMessage):
            yield str(message.text).strip()
    for shown in _shown(messages):
        if shown["kind"] == "question":
            options = [f"- {one['label']}{_counted(one['audience_size'])}" for one in shown["options"]]
            yield "\n".join([shown["question"], "", *options]).strip()


def _counted(size: int | None) -> str:
    return "" if size is None else f" ({size:,})"


def _shown(messages: Sequence[BaseMessage]) -> Iterator[dict[str, Any]]:
    for message in messages:
        if isinstance(message, ToolMessage) and isinstance(message.artifact, dict):
            yield message.artifact
