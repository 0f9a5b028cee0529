"""What does the agent know of the data when a run begins? The planner its words, a model its names."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from agent.instructions import written
from agent.offline import kept, lexicon, parser
from agent.offline.lexicon import Lexicon
from agent.offline.model import OfflinePlanner
from agent.offline.reading import STORE, Reading
from domain.catalog import Catalog
from domain.errors import ParleyError
from domain.segments import Definition
from domain.shipped_terms import shipped
from services import catalog, datasets, glossary, segments, templates, tiers


def planner(session: Session, now: datetime, *, proposes: bool = True) -> OfflinePlanner:
    """The offline planner with the words the data knows now; ``now`` gives "since March" its year.

    A sentence is about the store, unless the conversation is about another dataset already or only the words of one
    explain it.
    """
    home = _of_store(session)
    today = now.astimezone(segments.zone(session)).date()
    kept_names = [one.name for one in templates.listed(session)]

    def reader(text: str, previous: Definition | None) -> Reading:
        said, template = kept.named(text, kept_names)
        found = read(said, previous)
        if template is None or found.flow is None:
            return found
        return found.model_copy(update={"text": text, "flow": found.flow.model_copy(update={"template": template})})

    def read(text: str, previous: Definition | None) -> Reading:
        before = previous.dataset if previous else STORE
        spoken_of = home if before == STORE else _of_file(before)
        found = parser.read(text, spoken_of, today=today, previous=previous)
        if not found.unused_words and found.action != "refuse":
            return found
        others = (parser.read(text, other, today=today) for other in _others(session, before))
        return next((other for other in others if _is_whole(other)), found)

    return OfflinePlanner(reader=reader, today=today, proposes=proposes)


def words(known: Catalog) -> Lexicon:
    """The words of a dataset in a file: its catalog's, its values', and what its tiers are called."""
    return lexicon.build(known, shipped().with_terms(tiers.terms(known.dataset)))


def instructions(session: Session) -> str:
    """What a model is told of this store."""
    return written(catalog.current(session), glossary.terms(session))


def _of_store(session: Session) -> Lexicon:
    return lexicon.build(
        catalog.current(session),
        glossary.terms(session),
        tags=catalog.tags(session),
        segments={saved.name: saved.id for saved in segments.listed(session)},
    )


def _of_file(dataset: str) -> Lexicon:
    with datasets.open_dataset(dataset) as opened:
        return words(opened.catalog)


def _others(session: Session, asked: str) -> Iterator[Lexicon]:
    """The words of every other dataset that can be asked now; a file that cannot be opened is nobody's answer here."""
    for name in sorted(catalog.files()):
        try:
            if name == STORE and asked != STORE:
                yield _of_store(session)
            elif name not in {STORE, asked} and datasets.place(catalog.file(name)).exists():
                yield _of_file(name)
        except ParleyError:
            continue


def _is_whole(found: Reading) -> bool:
    """Whether every word was understood, as people or as a question about them."""
    return found.action in {"segment", "answer"} and found.intent in {"segment", "stats"} and not found.unused_words
