"""Where are figures read off? The store's database, or a dataset's DuckDB file, as of one instant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.segments_figures import Rows
from db.segments_sql import compiled
from db.segments_tables import Scope
from domain.catalog import Catalog
from domain.segments import Definition
from domain.segments_english import sentence
from services import datasets, segments
from services.datasets import Dataset

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Data to be asked as of ``scope.as_of``.

    ``rows`` runs a statement; ``called`` gives people's masked names by id; ``names`` those of segments and flows.
    """

    scope: Scope
    rows: Callable[[Rows], list[Row]]
    called: Callable[[Sequence[Any]], dict[Any, str]]
    names: Mapping[Any, str]

    @property
    def catalog(self) -> Catalog:
        """What can be asked of it."""
        return self.scope.catalog

    def row(self, statement: Rows) -> Row:
        """The only row of a statement."""
        (found,) = self.rows(statement)
        return found

    def size(self, definition: Definition) -> int:
        """How many a definition means."""
        return int(next(iter(self.row(compiled(definition, self.scope).size()).values())))

    def said(self, definition: Definition | None) -> str:
        """A definition in English; ``None`` is everyone."""
        if definition is None:
            return f"all {self.catalog.entity.plural}"
        return sentence(definition, self.catalog, self.names)


def of_store(session: Session, *, now: datetime) -> Source:
    """The store itself."""

    def called(ids: Sequence[Any]) -> dict[Any, str]:
        return {one.id: f"{one.name} (customer {one.id})" for one in segments.masked(session, ids, now=now)}

    def found(statement: Rows) -> list[Row]:
        return [dict(row) for row in segments.run(session, statement).mappings()]

    return Source(segments.scope(session, now=now), found, called, segments.names(session))


def of_dataset(dataset: Dataset, *, now: datetime) -> Source:
    """An open DuckDB file; its people are known by number only."""

    def called(ids: Sequence[Any]) -> dict[Any, str]:
        return {one: f"{dataset.catalog.entity.label} {one}" for one in ids}

    return Source(datasets.scope(dataset, now=now), dataset.file.rows, called, {})
