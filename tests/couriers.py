"""A provider that records instead of sending and can be told how to fail, and a store with people to send to."""

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from benchmarks.rig.planting import Cohort, plant, prepare
from channels.provider import Provider
from db.claims import Claims
from db.messages import transition_guard
from db.session import transaction
from domain.messages import Guarantee, Letter, Outcome, Policy, Result
from services.delivery import Batch, Courier, send_batch

Answer = Callable[[Letter], Outcome]


def accept(letter: Letter) -> Outcome:
    """Take it."""
    return Outcome(Result.ACCEPTED, provider_id=f"p-{letter.id}", http_status=200)


@dataclass
class Recorder:
    """A provider whose calls are the list ``letters``."""

    answer: Answer = accept
    guarantee: Guarantee = Guarantee.KEY
    concurrency: int = 32
    name: str = "vendor"
    grace: timedelta = timedelta(0)
    known: dict[uuid.UUID, str] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)

    def send(self, letters: Sequence[Letter], until: float) -> list[Outcome]:
        """Record and answer."""
        assert until
        self.letters += letters
        return [self.answer(letter) for letter in letters]

    def find(self, message_id: uuid.UUID) -> str | None:
        """What a look-up knows."""
        return self.known.get(message_id)

    def close(self) -> None:
        """Nothing to close."""


def courier(provider: Provider, *, lease: float = 30.0) -> Courier:
    """A courier with one provider."""
    return Courier({"vendor": provider}, timedelta(seconds=lease), timedelta(seconds=1), random.Random(1))  # noqa: S311 - dice


def store_with(url: str, size: int = 1, *, unsubscribed_share: float = 0.0, policy: Policy | None = None) -> Cohort:
    """A store with a flow, ``size`` people and a due message for each; forbidden moves of a message raise."""
    with transaction(url) as session:
        session.execute(text(transition_guard()))
        return plant(session, prepare(session), "person", size, unsubscribed_share=unsubscribed_share, policy=policy)


def send(url: str, provider: Provider, *, channel: str = "email", lease: float = 30.0) -> list[Batch]:
    """Send until nothing more can be sent now."""
    batches = []
    with Claims.opened(url) as work:
        while (batch := send_batch(work, channel, courier(provider, lease=lease))).taken:
            batches.append(batch)
    return batches


def message(session: Session, of: Cohort, customer_id: int | None = None) -> RowMapping:
    """The message of one person, by default the first."""
    wanted = uuid.UUID(of.keys[customer_id or of.customers[0]])
    return session.execute(text("select * from messages where id = :id"), {"id": wanted}).mappings().one()


def states(url: str) -> dict[str, int]:
    """How many messages are in which state."""
    with transaction(url) as session:
        found = session.execute(text("select state, count(*) as number from messages group by 1"))
        return {row.state: row.number for row in found}
