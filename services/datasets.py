"""What can be asked of a DuckDB file: the store's export, or any dataset that has a catalog file?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from db.datasets import prepared
from db.duck import DuckFile, opened
from db.segments_figures import described as described_members
from db.segments_sql import compiled
from db.segments_tables import Known, Scope, nothing
from domain import segments as seg
from domain.catalog import Catalog
from domain.errors import NotFound
from domain.segments_english import lines
from services import catalog as catalogs
from services import vocabulary
from services.segments import SAMPLE, Preview, Question, previewed
from settings import settings


@dataclass(frozen=True)
class Dataset:
    """An open file, what can be asked of it, and the zone its calendar days are in."""

    file: DuckFile
    catalog: Catalog
    zone: ZoneInfo
    known: Known = nothing


@contextmanager
def open_dataset(name: str, path: Path | None = None) -> Iterator[Dataset]:
    """Open a dataset's file for reading; ``path`` is another file of the same shape.

    Its catalog knows the words of the data. Raises as ``open_file``.
    """
    with open_file(name, path) as dataset:
        learned = dataset.catalog if name == catalogs.STORE else vocabulary.learned(dataset.file, dataset.catalog)
        yield replace(dataset, catalog=learned)


@contextmanager
def open_file(name: str, path: Path | None = None) -> Iterator[Dataset]:
    """Open a dataset's file for reading, without learning the words of its data, which takes a while for a large one.

    Raises as ``db.duck.opened`` and ``db.datasets.prepared``, NotFound (``unknown_dataset``) for a dataset without a
    catalog.
    """
    catalog = catalogs.file(name)
    with opened(path or place(catalog), catalog.schemas) as file:
        about = _about(file) if name == catalogs.STORE else {}
        catalog = Catalog.model_validate_json(about["catalog"]) if "catalog" in about else prepared(file, catalog)
        yield Dataset(file, catalog, ZoneInfo(about.get("time_zone", catalog.time_zone)), _known(about))


def place(catalog: Catalog) -> Path:
    """Where a dataset's file lies: in the store's folder, but for a CRM that a setting names."""
    configured = settings().intent_work if catalog.dataset == "crm" else None
    return configured or settings().home / (catalog.file or f"{catalog.dataset}.duckdb")


def preview(dataset: Dataset, definition: seg.Definition, *, now: datetime) -> Preview:
    """The same answer as ``services.segments.preview``, without the masked sample."""
    question = ask(dataset, definition, now=now)
    return previewed(question, dataset.file.rows(question.sql.matrix(sample=SAMPLE))[0])


def size(dataset: Dataset, definition: seg.Definition, *, now: datetime) -> int:
    """How many a definition means."""
    (row,) = dataset.file.rows(compiled(definition, scope(dataset, now=now)).size())
    return int(next(iter(row.values())))


def sizes(dataset: Dataset, definition: seg.Definition, instants: Sequence[datetime]) -> dict[datetime, int]:
    """How many a definition meant as of each instant: its history, looked up in the file."""
    return {as_of: size(dataset, definition, now=as_of) for as_of in instants}


def member_ids(
    dataset: Dataset,
    definition: seg.Definition,
    *,
    now: datetime,
    after: int | str | None = None,
    limit: int | None = None,
) -> Sequence[int | str]:
    """The members' ids in rising order; pages by ``after``."""
    question = ask(dataset, definition, now=now)
    return [next(iter(row.values())) for row in dataset.file.rows(question.sql.members(after=after, limit=limit))]


def described(dataset: Dataset, definition: seg.Definition, *, now: datetime, limit: int) -> list[dict[str, Any]]:
    """The first members by id, each with its ``id`` and the texts that are known of it and not private."""
    shown = [name for name, entry in dataset.catalog.attributes.items() if entry.kind == "text" and not entry.private]
    return dataset.file.rows(described_members(definition, shown, scope(dataset, now=now), limit=limit))


def ask(dataset: Dataset, definition: seg.Definition, *, now: datetime) -> Question:
    """Compile a definition for a file."""
    sql = compiled(definition, scope(dataset, now=now))
    names = {("flow", number): name for number, name in dataset.known("flow").items()}
    return Question(definition, dataset.catalog, sql, lines(definition, dataset.catalog, names), now)


def scope(dataset: Dataset, *, now: datetime) -> Scope:
    """The file's data as of ``now``, for the compiler."""
    return Scope(dataset.catalog, now, dataset.zone, _no_segments, known=dataset.known)


def _about(file: DuckFile) -> dict[str, str]:
    exists = sa.select(sa.literal(1)).select_from(sa.table("tables", schema="information_schema"))
    if not file.rows(exists.where(sa.column("table_name") == "about")):
        return {}
    about = sa.table("about", sa.column("key", sa.Text()), sa.column("value", sa.Text()))
    return {row["key"]: row["value"] for row in file.rows(sa.select(about))}


def _known(about: Mapping[str, str]) -> Known:
    """What existed beside segments when the store was exported."""
    flows = {int(number): name for number, name in json.loads(about.get("flows", "{}")).items()}
    topics = json.loads(about.get("topics", "{}"))
    return lambda kind: flows if kind == "flow" else topics


def _no_segments(segment_id: int, path: str) -> NoReturn:
    fix = "ask the store itself, or write the conditions of that segment out"
    raise NotFound("unknown_segment", f"saved segments are not in the file (segment {segment_id})", fix, path)
