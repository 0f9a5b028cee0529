"""What does the agent know of this store when a run begins? The planner its words, a model its data's names."""

from sqlalchemy.orm import Session

from agent.offline.model import OfflinePlanner
from agent.offline.reading import Reading
from domain.segments import Definition


def planner(session: Session, *, proposes: bool = True) -> OfflinePlanner:
    """The offline planner with the words this store knows now."""
    del session
    return OfflinePlanner(reader=_unread, proposes=proposes)


def instructions(session: Session) -> str:
    """What a model is told of this store."""
    del session
    return ""


def _unread(text: str, previous: Definition | None) -> Reading:
    del previous
    return Reading(text=text, action="refuse", intent="unknown", question="The planner knows no words yet.")
