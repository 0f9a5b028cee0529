"""Who is in a segment of any dataset: how many, some of them, all of them page by page?"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from db.segments_sql import Compiled, compiled
from domain.errors import Invalid
from domain.segments import Definition
from domain.segments_english import lines
from domain.windows import YEARS
from services.segments import SAMPLE, Preview, Question, previewed
from services.sources import Source

Id = int | str

DIGEST = 16


@dataclass(frozen=True)
class Cursor:
    """Where a page ended: the last id, and what every further page has in common with the first."""

    after: Id
    as_of: datetime
    total: int
    digest: str

    def __str__(self) -> str:
        """As it travels."""
        said = json.dumps([self.after, self.as_of.isoformat(), self.total, self.digest])
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Page:
    """Some members in rising order; ``next`` leads to the others."""

    member_ids: list[Id]
    total: int
    next: Cursor | None


def preview(source: Source, definition: Definition) -> Preview:
    """How many a definition means, condition by condition, with a few of them."""
    sql = _sql(source, definition)
    said = lines(definition, source.catalog, source.names)
    question = Question(definition, source.catalog, sql, said, source.scope.as_of)
    return previewed(question, source.row(sql.matrix(sample=SAMPLE)))


def page(source: Source, definition: Definition, *, limit: int, cursor: Cursor | None = None) -> Page:
    """The first ``limit`` members, or those after a cursor. Ask ``source`` as of the cursor's instant.

    Raises Invalid (``cursor_foreign``) for another definition's cursor.
    """
    digest = _digest(definition)
    if cursor and cursor.digest != digest:
        raise Invalid("cursor_foreign", "the cursor belongs to another definition", "begin without it", "cursor")
    total = cursor.total if cursor else source.size(definition)
    found = ids(source, definition, after=cursor.after if cursor else None, limit=limit + 1)
    more = found[limit - 1 : limit] if len(found) > limit else []
    onward = Cursor(more[0], source.scope.as_of, total, digest) if more else None
    return Page(found[:limit], total, onward)


def ids(source: Source, definition: Definition, *, after: Id | None = None, limit: int | None = None) -> list[Id]:
    """The members' ids in rising order, from the first above ``after``."""
    statement = _sql(source, definition).members(after=after, limit=limit)
    return [next(iter(row.values())) for row in source.rows(statement)]


def cursor(text: str) -> Cursor:
    """Read a cursor. Raises Invalid (``cursor_invalid``)."""
    try:
        said: Any = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        after, as_of, total, digest = said
        if isinstance(after, int | str) and isinstance(total, int) and isinstance(digest, str):
            at = datetime.fromisoformat(as_of)
            if at.tzinfo and at.year in YEARS:
                return Cursor(after, at, total, digest)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise Invalid("cursor_invalid", "this is no cursor", "use next_cursor as it came, or leave it out", "cursor")


def _sql(source: Source, definition: Definition) -> Compiled:
    return compiled(definition, source.scope)


def _digest(definition: Definition) -> str:
    return sha256(json.dumps(definition.as_json(), sort_keys=True).encode()).hexdigest()[:DIGEST]
