"""What does the chat need of the application that runs it?

Chainlit loads its script by path, as a module nobody else can import, so the two meet here.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from agent.runs import Agent
from domain.errors import Unavailable


@dataclass(frozen=True)
class Live:
    """The agent of this process and the way to the database."""

    agent: Agent
    transaction: Callable[[], AbstractContextManager[Session]]


_live: Live | None = None


@contextmanager
def running(live: Live) -> Iterator[None]:
    """Let the chat use this for as long as the block runs."""
    global _live  # noqa: PLW0603 - one process serves one chat
    _live = live
    try:
        yield
    finally:
        _live = None


def current() -> Live:
    """What runs now. Raises Unavailable while the application starts or stops."""
    if _live is None:
        raise Unavailable("chat_starting", "Parley is starting.", "Try again in a moment.")
    return _live
