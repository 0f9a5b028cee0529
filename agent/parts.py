"""What does a run of the agent hand to the chat, piece by piece?

A door shows parts in the order they come. Cards carry an approval's id and nothing else: the card is drawn from the
approval's row, whenever and wherever it is shown.
"""

import uuid
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer's text (Markdown without images or raw HTML)."""

    text: str


@dataclass(frozen=True)
class ToolStarted:
    """A tool begins. ``title`` says to people what it does, e.g. ``Counting the segment``."""

    call_id: str
    name: str
    title: str


@dataclass(frozen=True)
class ToolFinished:
    """A tool ended. ``shown`` is for the screen and never reached the model: ``{"kind": ..., ...}``."""

    call_id: str
    name: str
    ok: bool
    summary: str
    shown: dict[str, Any] | None = None

    @property
    def approval_id(self) -> uuid.UUID | None:
        """The proposal whose outcome this is, if it is one."""
        found = (self.shown or {}).get("approval_id")
        return uuid.UUID(found) if found else None


@dataclass(frozen=True)
class Card:
    """Something waits for a person, or was just decided: draw the approval's card, in place if it is there already.

    ``kind`` is the approval's: ``segment``, ``flow``, ``activation``, ``order`` or ``customer``.
    """

    kind: str
    approval_id: uuid.UUID


@dataclass(frozen=True)
class Option:
    """One way to answer a question. ``reply`` is what to send as the next message when it is chosen."""

    label: str
    reply: str
    audience_size: int | None = None


@dataclass(frozen=True)
class Question:
    """The agent needs to know something first; the turn ends here."""

    text: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Notice:
    """Something about the run itself, e.g. that the model did not answer and the planner took over.

    ``restart`` = what was streamed of this turn's text is void; the text starts anew after the notice.
    """

    text: str
    restart: bool = False


Part = TextDelta | ToolStarted | ToolFinished | Card | Question | Notice
