"""How does a test talk with the agent? On a real database, with a planner that reads a few sentences by heart."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from agent import checkpoints, model
from agent.offline.model import OfflinePlanner
from agent.offline.reading import Ambiguity, FlowRequest, Option, Reading
from agent.parts import Card, Notice, Part, Question, TextDelta, ToolFinished
from agent.runs import Agent
from db import store
from db.checkpoints import pool
from db.session import transaction
from domain.segments import Definition, parse
from services import approvals, users
from services.approvals import Approval
from services.users import Person
from settings import Settings
from tests.planted import Planted

PASSWORD = "correct horse battery"


def lapsed(days: int) -> Definition:
    """Above the 75th percentile of LTV and no order in so many days."""
    ltv = {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 75}}
    order = {"type": "activity", "name": "order", "op": "none", "during": {"last": f"{days}d"}}
    return parse({"where": {"type": "all", "of": [ltv, order]}})


SENTENCES = {
    "high ltv, lapsed": Reading(text="", action="segment", intent="segment", definition=lapsed(60)),
    "make it 90 days": Reading(text="", action="segment", intent="segment", definition=lapsed(90), patched=True),
    "improve revenue": Reading(
        text="", action="draft", intent="flow", definition=lapsed(60), flow=FlowRequest(objective="improve revenue")
    ),
    "write to them tomorrow at 9": Reading(
        text="", action="draft", intent="flow", definition=lapsed(60), flow=FlowRequest(when="tomorrow at 9")
    ),
    "write to them at full moon": Reading(
        text="", action="draft", intent="flow", definition=lapsed(60), flow=FlowRequest(when="at full moon")
    ),
    "good customers": Reading(
        text="",
        action="clarify",
        intent="segment",
        question="What does “good” mean here?",
        ambiguities=(Ambiguity(start=0, end=4, text="good", options=()),),
        options=(Option(label="No order in 60 days", definition=lapsed(60)), Option(label="Something else")),
    ),
    "go ten days ahead": Reading(text="", action="answer", intent="clock", clock="10d"),
    "help": Reading(text="", action="answer", intent="help"),
}


def read(text: str, previous: Definition | None) -> Reading:
    """The reading known by heart; anything else is refused."""
    del previous
    found = SENTENCES.get(text)
    return found.model_copy(update={"text": text}) if found else Reading(text=text, action="refuse", intent="unknown")


Planner = Callable[[Session, datetime], OfflinePlanner]


@dataclass
class Talk:
    """One person's conversation with an agent."""

    agent: Agent
    url: str
    person: Person
    thread_id: uuid.UUID = field(default_factory=uuid.uuid4)

    async def say(self, text: str) -> list[Part]:
        """Send a message; all that comes back."""
        return [part async for part in self.agent.stream(self.thread_id, text, user=self.person)]

    async def go_on(self) -> list[Part]:
        """Resume after decisions."""
        return [part async for part in self.agent.resume(self.thread_id, user=self.person)]

    async def waiting(self) -> list[uuid.UUID]:
        """The cards that wait."""
        return await self.agent.pending(self.thread_id, user=self.person)

    def approval(self, approval_id: uuid.UUID) -> Approval:
        """A card's row."""
        with transaction(self.url) as session:
            return approvals.get(session, approval_id)

    def decide(self, approval_id: uuid.UUID, decision: approvals.Decision = "approve") -> Approval:
        """Decide a card as it is now, as any door does."""
        with transaction(self.url) as session:
            digest = approvals.get(session, approval_id).digest
            now = store.business_now(session)
            return approvals.decide(session, approval_id, digest, decision, by=self.person, now=now).approval


@asynccontextmanager
async def talking(
    url: str, person: Person, endpoint_url: str | None = None, planner: Planner | None = None
) -> AsyncIterator[Talk]:
    """An agent of its own, as a process has it; with ``endpoint_url`` it asks that endpoint first.

    Without a ``planner`` it reads the sentences known by heart.
    """
    endpoint = model.endpoint(Settings.model_validate({"OPENAI_BASE_URL": endpoint_url})) if endpoint_url else None
    try:
        async with checkpoints.saver(url) as saver, pool(url, size=5) as locks:
            opened = Agent(
                endpoint,
                saver,
                locks,
                partial(transaction, url),
                planner=planner or (lambda _, now: OfflinePlanner(reader=read, today=now.date())),
                instructions=lambda _: "You are Parley.",
            )
            yield Talk(opened, url, person)
    finally:
        if endpoint is not None:
            await endpoint.aclose()


def planted(url: str) -> Person:
    """Four people who ordered long ago, each for more than the one before, and a marketer, who is answered."""
    with transaction(url) as session:
        shop = Planted.store(session)
        for spent, name in enumerate(("Ann", "Bob", "Cid", "Dee"), 1):
            shop.person(name)
            shop.consent(name, "subscribed", timedelta(days=400))
            shop.order(name, 100 * spent, timedelta(days=1), items={f"Kettle {spent}": "Kitchen"})
        return users.add(session, "mara", PASSWORD, "marketer", actor="test")


def text_of(parts: Sequence[Part]) -> str:
    """What the person reads in the end: a notice that restarts voids the text before it."""
    said = ""
    for part in parts:
        if isinstance(part, Notice) and part.restart:
            said = ""
        elif isinstance(part, TextDelta):
            said += part.text
    return said


def cards(parts: Sequence[Part]) -> list[uuid.UUID]:
    """The approvals of all cards, in order."""
    return [part.approval_id for part in parts if isinstance(part, Card)]


def notices(parts: Sequence[Part]) -> list[str]:
    """What was said about the run itself."""
    return [part.text for part in parts if isinstance(part, Notice)]


def finished(parts: Sequence[Part]) -> list[tuple[str, bool]]:
    """Tools that ended, and whether well."""
    return [(part.name, part.ok) for part in parts if isinstance(part, ToolFinished)]


def questions(parts: Sequence[Part]) -> list[Question]:
    """What the person was asked."""
    return [part for part in parts if isinstance(part, Question)]
