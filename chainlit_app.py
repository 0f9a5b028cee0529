"""What happens in the chat? A message is answered, a card is decided or changed, a conversation goes on where it was.

Whatever goes wrong is said in words a person can act on; nothing of the inside of the program reaches the screen.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

import chainlit as cl
import structlog
from chainlit.types import ThreadDict
from pydantic import BaseModel, ValidationError

from agent import cards, edits
from agent.edits import Change
from chat import following, live
from chat.history import ChatHistory
from chat.screen import Screen, asker, in_thread, redraw_all, thread_id
from db import store
from domain.errors import NotFound, ParleyError
from services import approvals
from services.approvals import Decision
from services.users import Person

log = structlog.get_logger()

STARTERS = (
    (
        "Win back high-value customers",
        "I want to improve revenue from high LTV customers that haven't purchased recently",
    ),
    ("Texans who have not tried a grinder", "Customers in Texas who never bought a grinder"),
    ("How LTV is spread", "How is LTV distributed?"),
    ("What sells best", "What are the top 10 product categories?"),
)

Result = dict[str, Any]


class Decided(BaseModel):
    """What pressing a button of a card sends; believed only as far as the row agrees."""

    approval_id: uuid.UUID
    digest: str
    decision: Decision


class Edited(BaseModel):
    """What changing something on a card sends."""

    approval_id: uuid.UUID
    digest: str
    changes: list[Change]


@cl.data_layer
def history() -> ChatHistory:
    """Keep conversations in our own tables."""

    def draw(session: Any, approval_id: uuid.UUID) -> Result | None:
        try:
            return cards.draw(session, approval_id, now=store.business_now(session))
        except NotFound:
            return None

    async def forget(chat_id: uuid.UUID, person: Person) -> None:
        await live.current().agent.forget(chat_id, user=person)

    return ChatHistory(lambda: live.current().transaction(), draw, forget)


@cl.set_starters
async def starters(_user: cl.User | None, _language: str | None = None) -> list[cl.Starter]:
    """Four ways to begin."""
    return [cl.Starter(label=label, message=message) for label, message in STARTERS]


def _in_words(answer: Callable[..., Awaitable[None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """Say what went wrong as a message of the conversation."""

    @wraps(answer)
    async def answering(*args: Any) -> None:
        try:
            await answer(*args)
        except ParleyError as error:
            await Screen().say(f"{error.message} {error.fix}".strip(), "triangle-alert")
        except Exception:
            reference = uuid.uuid4().hex[:8]
            log.exception("chat_failed", reference=reference)
            await Screen().say(
                f"That failed on our side, and nothing was changed. Try again; if it stays, the log has it as "
                f"{reference}.",
                "triangle-alert",
            )

    return answering


@cl.on_message
@_in_words
async def on_message(message: cl.Message) -> None:
    """Answer what somebody said; the page learns the address of the conversation, so that a reload comes back to it."""
    await cl.send_window_message({"conversation": cl.context.session.thread_id})
    following.begin(_go_on)
    await Screen().show(live.current().agent.stream(thread_id(), message.content, user=await asker()))


@cl.on_chat_resume
async def on_chat_resume(thread: ThreadDict) -> None:
    """Go on where the conversation was: its cards are drawn anew, and what was decided elsewhere is told."""
    screen = Screen()

    @_in_words
    async def catch_up() -> None:
        await screen.show(live.current().agent.resume(thread_id(), user=await asker()))

    await catch_up()
    screen.add_to(thread)
    following.begin(_go_on)


@cl.action_callback("decide")
async def decide(action: cl.Action) -> Result:
    """Approve or reject what a card shows."""

    async def work() -> None:
        said, person = Decided.model_validate(action.payload), await asker()
        try:
            await in_thread(
                lambda session: approvals.decide(
                    session,
                    said.approval_id,
                    said.digest,
                    said.decision,
                    by=person,
                    now=store.business_now(session),
                )
            )
        finally:
            await redraw_all([said.approval_id])

    answer = await _answer(work)
    if not answer:
        _later(_go_on())
    return answer


@cl.action_callback("edit")
async def edit(action: cl.Action) -> Result:
    """Change what a card proposes; the proposal that was shown is replaced by one that says the new."""

    async def work() -> None:
        said, person = Edited.model_validate(action.payload), await asker()
        made = await in_thread(
            lambda session: edits.edit(
                session, said.approval_id, said.digest, said.changes, by=person, now=store.business_now(session)
            )
        )
        await redraw_all([approval.id for approval in made])

    return await _answer(work)


async def _answer(work: Callable[[], Awaitable[None]]) -> Result:
    """What the card hears: nothing when it went well, else why not."""
    try:
        await work()
    except ParleyError as error:
        return {"error": f"{error.message} {error.fix}".strip()}
    except ValidationError:
        return {"error": "This card is from an earlier version of Parley. Reload the page."}
    except Exception:
        log.exception("card_failed")
        return {"error": "That failed on our side, and nothing was changed. Try again."}
    return {}


@_in_words
async def _go_on() -> None:
    """Let the agent go on after a decision."""
    emitter = cl.context.emitter
    await emitter.task_start()
    try:
        await Screen().show(live.current().agent.resume(thread_id(), user=await asker()))
    finally:
        await emitter.task_end()


_running: set[asyncio.Task[None]] = set()


def _later(work: Coroutine[Any, Any, None]) -> None:
    """Do it after the button has been answered."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
