"""How is a case put to the planner, and where is its answer checked? In seeded shops, or in the store at hand."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from time import perf_counter
from typing import Self

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from agent.offline.lexicon import Lexicon, build
from agent.offline.parser import read
from agent.offline.reading import Reading
from domain.catalog import Catalog
from domain.errors import Invalid
from domain.glossary import Glossary
from domain.segments import Definition
from evals.cases import Case
from evals.judging import Members, Place, Verdict, judge
from evals.stores import NOW, SEEDS, shops
from services import catalog, glossary, segments

TIMEOUT = "30s"


@dataclass(frozen=True)
class Ground:
    """Where cases are judged: the words of the first shop, the day, and all shops."""

    lexicon: Lexicon
    today: date
    places: tuple[Place, ...]
    tags: tuple[str, ...] = ()

    def read(self, case: Case) -> tuple[Reading, float]:
        """The reading of a case and the milliseconds it took."""
        start = perf_counter()
        found = read(case.text, self.lexicon, today=self.today, previous=case.before)
        return found, (perf_counter() - start) * 1000

    def verdict(self, case: Case) -> Verdict:
        """Put a case to the planner and judge the answer."""
        reading, milliseconds = self.read(case)
        return judge(case, reading, self.places, milliseconds)

    def as_json(self) -> str:
        """The words and the day, for a process without the shops."""
        return json.dumps(
            {
                "catalog": self.lexicon.catalog.model_dump(mode="json", by_alias=True),
                "glossary": self.lexicon.glossary.model_dump(mode="json"),
                "tags": self.tags,
                "today": self.today.isoformat(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A ground without shops."""
        raw = json.loads(text)
        words = build(
            Catalog.model_validate(raw["catalog"]), Glossary.model_validate(raw["glossary"]), tags=raw["tags"]
        )
        return cls(words, date.fromisoformat(raw["today"]), ())


@contextmanager
def seeded(seeds: tuple[int, ...] = SEEDS) -> Iterator[Ground]:
    """The seeded shops."""
    with shops(seeds) as found, ExitStack() as stack:
        sessions = [stack.enter_context(shop.session()) for shop in found]
        yield ground(sessions, NOW)


def ground(sessions: Sequence[Session], now: datetime) -> Ground:
    """The ground of open sessions, asked as of an instant."""
    zone = segments.zone(sessions[0])
    places = tuple(place(session, now) for session in sessions)
    return Ground(lexicon(sessions[0]), now.astimezone(zone).date(), places, catalog.tags(sessions[0]))


def lexicon(session: Session) -> Lexicon:
    """The words of a store."""
    names = {saved.name: saved.id for saved in segments.listed(session)}
    return build(catalog.current(session), glossary.terms(session), tags=catalog.tags(session), segments=names)


def place(session: Session, now: datetime) -> Place:
    """One store; what a definition means in it is looked up once."""

    @cache
    def find(definition: Definition) -> Members:
        return frozenset(segments.member_ids(session, definition, now=now))

    @cache
    def select(sql: str) -> Members:
        return _selected(session, sql, now)

    return Place(find, select)


def _selected(session: Session, sql: str, now: datetime) -> Members:
    """The first column of a query as ids; ``:as_of`` in it stands for the instant asked about.

    Raises Invalid (``gold_sql_failed``).
    """
    statement = sa.text(sql)
    bound = {"as_of": now} if "as_of" in statement.compile().params else {}
    try:
        with session.begin_nested():
            session.execute(sa.text("select set_config('statement_timeout', :limit, true)"), {"limit": TIMEOUT})
            return frozenset(int(row[0]) for row in session.execute(statement, bound))
    except (SQLAlchemyError, ValueError, TypeError) as error:
        raise Invalid("gold_sql_failed", str(error).splitlines()[0], "correct the case's SQL", "gold_sql") from None
