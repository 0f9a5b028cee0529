"""How does what the agent hands on appear on the screen, piece by piece?"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import chainlit as cl
from chainlit.auth.jwt import decode_jwt
from chainlit.types import ThreadDict
from sqlalchemy.orm import Session

from agent import cards
from agent.parts import Card, Notice, Part, Question, TextDelta, ToolFinished, ToolStarted
from chat import live
from db import chats, store
from domain.errors import Forbidden
from services import plans, users
from services.users import Person

CARDS = {
    "segment": "SegmentCard",
    "flow": "FlowCard",
    "activation": "FlowCard",
    "order": "ChangeCard",
    "customer": "ChangeCard",
}
"""Kind of proposal -> the file under ``public/elements`` that draws it."""

FIGURES = {"compare": "ComparisonCard", "rfm": "RfmCard"}
"""Kind of question -> the file that draws its answer; all others are drawn alike."""

_T = TypeVar("_T")


class Screen:
    """One run's output in the conversation of the current session."""

    def __init__(self) -> None:
        self.shown: list[cl.Message | cl.Step | cl.CustomElement] = []
        self._answer: cl.Message | None = None
        self._tools: dict[str, cl.Step] = {}

    async def show(self, parts: AsyncIterator[Part]) -> None:
        """Show each part as it comes."""
        try:
            async for part in parts:
                await self._show(part)
        finally:
            await self._end_text()

    async def say(self, text: str, icon: str | None = None) -> cl.Message:
        """Show a whole message; an ``icon`` (Lucide's name) stands where the assistant's picture would."""
        message = cl.Message(content=text, metadata={"icon": icon} if icon else {})
        await message.send()
        self.shown.append(message)
        return message

    async def _show(self, part: Part) -> None:
        match part:
            case TextDelta(text=text):
                await self._stream(text)
            case ToolStarted(call_id=call_id, title=title):
                await self._end_text()
                run = cl.context.current_run  # what is beside it on the screen must be beside it in the tree
                step = cl.Step(name=title, type="tool", show_input=False, parent_id=run.id if run else None)
                step.start = _now()
                await step.send()
                self._tools[call_id] = step
                self.shown.append(step)
            case ToolFinished():
                await self._finish(part)
            case Card(kind=kind, approval_id=approval_id):
                await self._end_text()
                await self._card(kind, approval_id)
            case Question(text=text, options=options):
                await self._end_text()
                message = await self.say(text)
                if options:
                    choices = [{"label": o.label, "reply": o.reply, "people": o.audience_size} for o in options]
                    await self._element("ChoiceCard", {"options": choices}, message)
            case Notice(text=text, restart=restart):
                if restart and self._answer is not None:
                    await self._answer.remove()
                    self.shown.remove(self._answer)
                    self._answer = None
                await self._end_text()
                await self.say(text, "info")

    async def _stream(self, text: str) -> None:
        if self._answer is None:
            self._answer = cl.Message(content="")
            await self._answer.send()
            self.shown.append(self._answer)
        await self._answer.stream_token(text)

    async def _end_text(self) -> None:
        if self._answer is not None:
            await self._answer.update()
            self._answer = None

    async def _finish(self, part: ToolFinished) -> None:
        step = self._tools.pop(part.call_id, None)
        if step is not None:
            step.end = _now()
            step.is_error = not part.ok
            step.name = f"{step.name} · {part.summary}" if part.summary else step.name
            await step.update()
        if part.shown and part.shown.get("kind") == "figures":
            message = cl.Message(content="")
            await message.send()
            self.shown.append(message)
            figures = part.shown["figures"]
            await self._element(FIGURES.get(figures["what"], "FiguresCard"), figures, message)

    async def _card(self, kind: str, approval_id: uuid.UUID) -> None:
        """Draw the card where it already is, else below a new message."""
        place = await in_thread(partial(_place, approval_id=approval_id))
        if place is not None:
            self.shown.append(await redraw(*place, approval_id))
            return
        props = await in_thread(partial(_drawn, approval_id=approval_id))
        message = cl.Message(content="")
        await message.send()
        self.shown.append(message)
        await self._element(CARDS.get(kind, "FlowCard"), props, message)

    async def _element(self, name: str, props: dict[str, Any], message: cl.Message) -> None:
        element = cl.CustomElement(name=name, props=props, display="inline")
        message.elements = [element]  # type: ignore[list-item]
        await element.send(for_id=message.id)
        self.shown.append(element)

    def add_to(self, thread: ThreadDict) -> None:
        """Add what was shown to a conversation that was loaded before and is about to be shown as a whole."""
        elements = {element["id"]: element for element in thread["elements"] or []}
        for shown in self.shown:
            if isinstance(shown, cl.CustomElement):
                elements[shown.id] = shown.to_dict()
            else:
                thread["steps"].append(shown.to_dict())
        thread["elements"] = list(elements.values())


async def redraw_all(approval_ids: list[uuid.UUID]) -> None:
    """Draw again, where they are in this conversation, the cards of these approvals."""
    for approval_id in approval_ids:
        place = await in_thread(partial(_place, approval_id=approval_id))
        if place is not None:
            await redraw(*place, approval_id)


async def redraw(element_id: uuid.UUID, step_id: uuid.UUID, name: str, approval_id: uuid.UUID) -> cl.CustomElement:
    """Replace what a card shows."""
    props = await in_thread(partial(_drawn, approval_id=approval_id))
    element = cl.CustomElement(id=str(element_id), name=name, props=props, for_id=str(step_id), display="inline")
    await element.update()
    return element


async def asker() -> Person:
    """The person of this session, if the sign-in it began with still stands. Raises Forbidden."""
    token_hash = decode_jwt(cl.context.session.token or "").metadata.get("sign_in", "")
    person = await in_thread(lambda session: users.holder(session, token_hash, now=datetime.now(UTC)))
    if person is None:
        raise Forbidden("signed_out", "You are signed out.", "Reload the page and sign in again.")
    return person


def thread_id() -> uuid.UUID:
    """The conversation of this session."""
    return uuid.UUID(cl.context.session.thread_id)


async def in_thread(work: Callable[[Session], _T]) -> _T:
    """Do something in a transaction without holding up the others."""

    def run() -> _T:
        with live.current().transaction() as session:
            return work(session)

    return await asyncio.to_thread(run)


def _drawn(session: Session, approval_id: uuid.UUID) -> dict[str, Any]:
    return cards.draw(session, approval_id, now=store.business_now(session))


def _place(session: Session, approval_id: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID, str] | None:
    """Where this conversation shows the proposal, or the one it came from: element, message, kind of card."""
    wanted = plans.latest(session, approval_id).id
    for row in chats.elements(session, thread_id()):
        if row.approval_id and row.step_id and plans.latest(session, row.approval_id).id == wanted:
            return row.id, row.step_id, str(row.content["name"])
    return None


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
