"""How does a door talk with the agent?

``open_agent`` once per process; then ``stream`` for a message and ``resume`` after a decision. Runs of one conversation
never overlap. A decision is taken by ``services.approvals``, from whatever door; this module only lets the conversation
go on from there.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from agent.parts import Part
from services.users import Person


class Agent:
    """The one agent of a process: its graph, its saved conversations and the locks that keep runs apart."""

    def stream(self, thread_id: uuid.UUID, text: str, *, user: Person) -> AsyncIterator[Part]:
        """Answer a message in a conversation, which is created when it is new.

        Cards still open from before stay open. Raises Forbidden for somebody else's conversation, Invalid for an empty
        or overlong message, Conflict (``conversation_busy``) when another run of it does not end in time.
        """
        raise NotImplementedError

    def resume(self, thread_id: uuid.UUID, *, user: Person) -> AsyncIterator[Part]:
        """Go on after decisions: say what became of each card decided since, wherever that happened.

        Yields nothing when nothing was decided or somebody else's run has said it already. Raises as ``stream``.
        """
        raise NotImplementedError

    async def pending(self, thread_id: uuid.UUID, *, user: Person) -> list[uuid.UUID]:
        """The approvals this conversation waits for, oldest first. Raises Forbidden."""
        raise NotImplementedError

    async def forget(self, thread_id: uuid.UUID, *, user: Person) -> None:
        """Erase what the agent remembers of a conversation. Raises Forbidden."""
        raise NotImplementedError


@asynccontextmanager
async def open_agent(url: str | None = None) -> AsyncIterator[Agent]:
    """The agent for the life of an application; ``url`` is the database, by default the configured one."""
    raise NotImplementedError
    yield Agent()


class Answer(BaseModel):
    """What ``ask`` found: the JSON of ``parley ask --json``."""

    action: str
    text: str
    definition: dict[str, Any] | None = None
    read_back: str | None = None
    audience_size: int | None = None
    assumptions: list[dict[str, Any]] = []
    unused_words: list[str] = []
    question: str | None = None
    options: list[dict[str, Any]] = []
    campaign: dict[str, Any] | None = None


def ask(text: str, *, session: Session, now: datetime) -> Answer:
    """Answer one message without a conversation; nothing is written, so nothing can be approved."""
    raise NotImplementedError
