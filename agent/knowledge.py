"""What does the agent know of this store when a run begins? The planner its words, a model its data's names."""

from datetime import datetime

from sqlalchemy.orm import Session

from agent.instructions import written
from agent.offline import lexicon, parser
from agent.offline.model import OfflinePlanner
from agent.offline.reading import Reading
from domain.segments import Definition
from services import catalog, glossary, segments


def planner(session: Session, now: datetime, *, proposes: bool = True) -> OfflinePlanner:
    """The offline planner with the words this store knows now; ``now`` gives "since March" its year."""
    words = lexicon.build(
        catalog.current(session),
        glossary.terms(session),
        tags=catalog.tags(session),
        segments={saved.name: saved.id for saved in segments.listed(session)},
    )
    today = now.astimezone(segments.zone(session)).date()

    def reader(text: str, previous: Definition | None) -> Reading:
        return parser.read(text, words, today=today, previous=previous)

    return OfflinePlanner(reader=reader, today=today, proposes=proposes)


def instructions(session: Session) -> str:
    """What a model is told of this store."""
    return written(catalog.current(session), glossary.terms(session))
