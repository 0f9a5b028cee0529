"""What do the marketer's words mean in this store? The shipped definitions, and those that the store made its own."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from db import audit
from db import segments as rows
from domain import segments as seg
from domain.errors import Invalid
from domain.glossary import Glossary, Kind, Number, Term, check
from domain.shipped_terms import shipped
from services import catalog as catalogs
from services import segments


def terms(session: Session) -> Glossary:
    """All definitions as they are now: the store's latest ones, and the shipped ones of all other words."""
    return shipped().with_terms(_term(row) for row in rows.latest_terms(session))


def define(
    session: Session,
    *,
    word: str,
    means: Mapping[str, Any],
    by: str,
    now: datetime,
    kind: Kind = "condition",
    numbers: Mapping[str, Number] | None = None,
    synonyms: Iterable[str] = (),
    explanation: str = "",
) -> Term:
    """Give a word a meaning, as its next version.

    ``means`` is a piece of the segment language in which ``{name}`` stands for a number of ``numbers``. Raises Invalid
    where it is none, or uses names that the store does not know.
    """
    try:
        term = Term(
            word=word.strip(),
            synonyms=tuple(synonyms),
            kind=kind,
            means=means,
            numbers=numbers or {},
            explanation=explanation,
            owner=by,
            version=rows.term_version(session, word.strip()) + 1,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise Invalid("glossary_invalid", first["msg"], "correct the definition", path) from None
    _check(session, term, now)
    meaning = term.model_dump(mode="json", include={"kind", "means", "numbers", "synonyms"})
    session.add(
        rows.GlossaryTerm(
            word=term.word,
            version=term.version,
            meaning=meaning,
            explanation=term.explanation,
            owner=by,
            created_at=now,
        )
    )
    session.flush()
    audit.record(session, actor=by, action="glossary.defined", subject=f"term:{term.word}", detail=meaning)
    return term


def _check(session: Session, term: Term, now: datetime) -> None:
    """Fill the meaning in and compile what comes of it."""
    check(term)
    if term.kind == "window":
        for name, window in term.filled().means.items():
            activity = next(iter(catalogs.current(session).activities)) if name == "*" else name
            where = {"type": "activity", "name": activity, "op": "any", "during": window}
            segments.ask(session, seg.parse({"where": where}), now=now)
        return
    metric = next(iter(catalogs.current(session).metrics))
    segments.ask(session, seg.parse({"where": term.filled(metric=metric).means}), now=now)


def _term(row: rows.GlossaryTerm) -> Term:
    return Term(word=row.word, explanation=row.explanation, owner=row.owner, version=row.version, **row.meaning)
