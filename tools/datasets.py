"""Of which data is something asked? Of the store, or of a dataset's file; a definition names its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from domain.segments import Definition
from services import datasets, segments, sources
from services.catalog import STORE
from services.segments import Preview
from services.sources import Source
from tools.context import Context

FIRST = 10


@contextmanager
def source(context: Context, dataset: str = STORE) -> Iterator[Source]:
    """The data of a dataset as of the run's instant. Raises as ``services.datasets.open_dataset``."""
    with context.transaction() as session:
        now = context.now(session)
        if dataset == STORE:
            yield sources.of_store(session, now=now)
            return
    with datasets.open_dataset(dataset) as opened:
        yield sources.of_dataset(opened, now=now)


def preview(context: Context, definition: Definition) -> tuple[Preview, tuple[str, str], list[dict[str, Any]]]:
    """What a definition means in its dataset, what one and several of its people are called, and the first of them.

    Of the store's customers there is none: the preview has its masked sample.
    """
    with context.transaction() as session:
        now = context.now(session)
        if definition.dataset == STORE:
            return segments.preview(session, definition, now=now), ("customer", "customers"), []
    with datasets.open_dataset(definition.dataset) as opened:
        entity = opened.catalog.entity
        first = datasets.described(opened, definition, now=now, limit=FIRST)
        return datasets.preview(opened, definition, now=now), (entity.label, entity.plural), first
