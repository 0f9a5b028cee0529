"""What does a tool know that the model does not? Who asks, in which conversation, and how to reach the store."""

import json
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import BaseModel
from sqlalchemy.orm import Session

from db import store
from domain.segments import Definition
from services.users import Person

Answer = tuple[str, dict[str, Any] | None]
"""What a tool answers: JSON for the model, and something to show that the model never sees."""


@dataclass(frozen=True)
class Context:
    """One run's surroundings; never seen by the model and never saved.

    ``transaction`` opens a transaction that is committed when its block ends well. ``trace_id`` names the person's
    message in everything that follows from it. ``instructions`` is what a model is told of this store. With ``as_of``
    the run asks about that instant and proposes nothing. ``second_reading`` is what the grammar makes of a sentence,
    where a model reads it first.
    """

    transaction: Callable[[], AbstractContextManager[Session]]
    person: Person
    thread_id: str
    trace_id: str
    planner: BaseChatModel
    instructions: str = ""
    as_of: datetime | None = None
    second_reading: Callable[[str], Definition | None] | None = None

    def now(self, session: Session) -> datetime:
        """The instant this run asks about."""
        return self.as_of or store.business_now(session)


Runtime = ToolRuntime[Context, Any]


def told(value: Any) -> str:
    """What the model is told: compact JSON, so that whatever customers wrote stays inside quotes as data."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def asked(runtime: Runtime) -> str:
    """What the person wrote to start this run."""
    messages = runtime.state["messages"]
    return next((str(message.text) for message in reversed(messages) if isinstance(message, HumanMessage)), "")


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, datetime | uuid.UUID):
        return str(value)
    raise TypeError(type(value).__name__)
