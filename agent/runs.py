"""How does a door talk with the agent?

``open_agent`` once per process; then ``stream`` for a message and ``resume`` after a decision. Runs of one conversation
never overlap. A decision is taken by ``services.approvals``, from whatever door; this module only lets the conversation
go on from there.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphRecursionError
from langgraph.types import Command, StateSnapshot
from sqlalchemy.orm import Session

from agent import checkpoints, model
from agent.graph import STEPS, build
from agent.knowledge import instructions, planner
from agent.offline.model import OfflinePlanner
from agent.offline.outcomes import outcome as said_of
from agent.parts import Card, Notice, Part, TextDelta, ToolFinished
from agent.pieces import OUT_OF_STEPS, Imageless, parts
from db import chats, store
from db.checkpoints import Pool, alone, pool
from db.session import transaction
from domain.errors import Invalid
from services import approvals, plans
from services.approvals import Approval
from services.users import Person
from settings import settings
from tools.approvals import outcome
from tools.context import Context, told

LONGEST_MESSAGE = 2_000
WAIT_SECONDS = 90.0
RUNS = 20

Transaction = Callable[[], AbstractContextManager[Session]]


class Agent:
    """The one agent of a process: its graph, its saved conversations and the locks that keep runs apart."""

    def __init__(
        self,
        endpoint: BaseChatModel | None,
        saver: BaseCheckpointSaver[str],
        locks: Pool,
        transaction: Transaction,
        planner: Callable[[Session, datetime], OfflinePlanner],
        instructions: Callable[[Session], str],
    ) -> None:
        """``endpoint`` is asked first, if there is one; ``planner`` and ``instructions`` come of the store's data."""
        self._graph = build(endpoint, saver)
        self._has_endpoint = endpoint is not None
        self._saver = saver
        self._locks = locks
        self._transaction = transaction
        self._planner = planner
        self._instructions = instructions

    async def stream(self, thread_id: uuid.UUID, text: str, *, user: Person) -> AsyncGenerator[Part, None]:
        """Answer a message in a conversation, which is created when it is new.

        Cards still open from before stay open. Raises Forbidden for somebody else's conversation, Invalid for an empty
        or overlong message, Conflict (``conversation_busy``) when another run of it does not end in time.
        """
        said = text.strip()
        if not said:
            raise Invalid(
                "message_empty", "There is nothing to answer.", "Write what you want to know or reach.", "text"
            )
        if len(said) > LONGEST_MESSAGE:
            message = f"A message of {len(said):,} characters is too long."
            raise Invalid("message_too_long", message, f"At most {LONGEST_MESSAGE:,}.", "text")
        trace = uuid.uuid4().hex
        async with self._alone(thread_id, user):
            await self._release(thread_id)
            async for part in self._tell_decided(thread_id):
                yield part
            known = {"proposals": await asyncio.to_thread(self._proposals, thread_id)}
            asked = HumanMessage(said, id=trace, additional_kwargs=known)
            async for part in self._run(thread_id, {"messages": [asked]}, user, trace):
                yield part

    async def resume(self, thread_id: uuid.UUID, *, user: Person) -> AsyncGenerator[Part, None]:
        """Go on after decisions: say what became of each card decided since, wherever that happened.

        Yields nothing when nothing was decided or somebody else's run has said it already. Raises as ``stream``.
        """
        async with self._alone(thread_id, user):
            waiting = await self._waiting(thread_id)
            decided = {key: found for key, found in waiting.items() if found.status != "pending"}
            if decided:
                for found in decided.values():
                    yield Card(found.kind, found.id)
                go_on: Command[Any] = Command(resume=dict.fromkeys(decided, True))
                known = {found.id for found in waiting.values()}
                async for part in self._run(thread_id, go_on, user, uuid.uuid4().hex):
                    again = isinstance(part, Card) and part.approval_id in known
                    if not again and not (isinstance(part, ToolFinished) and part.approval_id):
                        yield part
            async for part in self._tell_decided(thread_id):
                yield part

    async def pending(self, thread_id: uuid.UUID, *, user: Person) -> list[uuid.UUID]:
        """The approvals this conversation waits for, oldest first. Raises Forbidden."""

        def rows() -> list[uuid.UUID]:
            with self._transaction() as session:
                chats.touch(session, thread_id, user.id)
                return [one.id for one in approvals.of_thread(session, str(thread_id)) if one.status == "pending"]

        return await asyncio.to_thread(rows)

    async def forget(self, thread_id: uuid.UUID, *, user: Person) -> None:
        """Erase what the agent remembers of a conversation. Raises Forbidden."""
        async with self._alone(thread_id, user):
            await self._saver.adelete_thread(str(thread_id))

    @asynccontextmanager
    async def _alone(self, thread_id: uuid.UUID, user: Person) -> AsyncIterator[None]:
        """No other run of this conversation, which belongs to this user, inside the block.

        Afterwards only the latest state is kept: each step saves all messages, so a long conversation would grow with
        the square of its length.
        """

        def own() -> None:
            with self._transaction() as session:
                chats.touch(session, thread_id, user.id)

        await asyncio.to_thread(own)
        async with alone(self._locks, f"conversation {thread_id}", wait_seconds=WAIT_SECONDS):
            yield
            await self._saver.aprune([str(thread_id)], strategy="keep_latest")

    async def _run(
        self, thread_id: uuid.UUID, given: dict[str, Any] | Command[Any], user: Person, trace: str
    ) -> AsyncGenerator[Part, None]:
        def surroundings() -> Context:
            with self._transaction() as session:
                planner = self._planner(session, store.business_now(session))
                return Context(
                    transaction=self._transaction,
                    person=user,
                    thread_id=str(thread_id),
                    trace_id=trace,
                    planner=planner,
                    instructions=self._instructions(session),
                    second_reading=planner.definition_of if self._has_endpoint else None,
                )

        context = await asyncio.to_thread(surroundings)
        pieces = self._graph.astream(
            given,
            _config(thread_id),
            context=context,
            version="v2",
            durability="sync",
            stream_mode=["messages", "updates", "custom"],
        )
        said = Imageless()
        try:
            async for piece in pieces:
                for part in parts(piece["type"], piece["data"]):
                    if isinstance(part, TextDelta):
                        yield TextDelta(said.next(part.text))
                        continue
                    if held := said.rest():
                        yield TextDelta(held)
                    yield part
            if held := said.rest():
                yield TextDelta(held)
        except GraphRecursionError:
            yield Notice(OUT_OF_STEPS)

    async def _waiting(self, thread_id: uuid.UUID) -> dict[str, Approval]:
        """The proposals the graph waits for, as they are now, by interrupt id."""
        state = await self._graph.aget_state(_config(thread_id))
        return await asyncio.to_thread(self._latest, state)

    def _latest(self, state: StateSnapshot) -> dict[str, Approval]:
        with self._transaction() as session:
            return {
                found.id: plans.latest(session, uuid.UUID(found.value["approval_id"])) for found in state.interrupts
            }

    def _proposals(self, thread_id: uuid.UUID) -> list[dict[str, Any]]:
        """The conversation's proposals as they are now, for the model's eyes when it reads the message."""
        with self._transaction() as session:
            return [
                {**outcome(found), "ids": [str(one) for one in ids]}
                for found, ids in plans.standing(session, str(thread_id))
            ]

    async def _release(self, thread_id: uuid.UUID) -> None:
        """Answer the calls that still wait, so that a new message can be read; their cards stay as they are."""
        state = await self._graph.aget_state(_config(thread_id))
        if not state.next:
            return
        latest = await asyncio.to_thread(self._latest, state)
        names = {
            call["id"]: call["name"]
            for message in state.values.get("messages", [])
            if isinstance(message, AIMessage)
            for call in message.tool_calls
        }
        answers: list[ToolMessage] = []
        for task in state.tasks:
            if isinstance(task.result, dict):
                answers += [found for found in task.result.get("messages", []) if isinstance(found, ToolMessage)]
            for found in task.interrupts:
                approval = latest[found.id]
                answers.append(
                    ToolMessage(
                        told(outcome(approval)),
                        tool_call_id=found.value["tool_call_id"],
                        name=names.get(found.value["tool_call_id"]),
                        artifact={"kind": "outcome", "approval_id": str(approval.id), "summary": approval.status},
                    )
                )
        await self._graph.aupdate_state(_config(thread_id), {"messages": answers}, as_node="tools")

    async def _tell_decided(self, thread_id: uuid.UUID) -> AsyncGenerator[Part, None]:
        """Say what was decided since on cards that no run waits for any more, once."""
        config = _config(thread_id)
        state = await self._graph.aget_state(config)
        if state.interrupts:
            return
        already = _told(state.values.get("messages", []))

        def rows() -> list[Approval]:
            with self._transaction() as session:
                return [found for found, _ in plans.standing(session, str(thread_id))]

        decided = [one for one in await asyncio.to_thread(rows) if one.status != "pending"]
        news = [one for one in decided if str(one.id) not in already]
        if not news:
            return
        for one in news:
            yield Card(one.kind, one.id)
        text = "\n".join(said_of(outcome(one)) for one in news)
        yield TextDelta(f"{text}\n\n")
        noted = AIMessage(text, additional_kwargs={"told": [str(one.id) for one in news]})
        await self._graph.aupdate_state(config, {"messages": [noted]}, as_node="model")


@asynccontextmanager
async def open_agent(url: str | None = None) -> AsyncIterator[Agent]:
    """The agent for the life of an application; ``url`` is the database, by default the configured one."""
    async with AsyncExitStack() as stack:
        saver = await stack.enter_async_context(checkpoints.saver(url))
        locks = await stack.enter_async_context(pool(url, size=RUNS))
        endpoint = model.endpoint(settings())
        if endpoint is not None:
            stack.push_async_callback(endpoint.aclose)
        yield Agent(endpoint, saver, locks, partial(transaction, url), planner, instructions)


def _config(thread_id: uuid.UUID) -> RunnableConfig:
    return {"configurable": {"thread_id": str(thread_id)}, "recursion_limit": STEPS}


def _told(messages: Sequence[AnyMessage]) -> set[str]:
    """The ids of the proposals whose outcome the conversation knows."""
    known: set[str] = set()
    for message in messages:
        if isinstance(message, ToolMessage) and isinstance(message.artifact, dict):
            if message.artifact.get("kind") == "outcome" and message.artifact["summary"] != "pending":
                known.add(message.artifact["approval_id"])
        elif isinstance(message, AIMessage):
            known.update(message.additional_kwargs.get("told", ()))
    return known
