"""How does a DuckDB file become a dataset: what catalog is drafted for it, and does a catalog fit its file?"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from db import duck_tables
from db.duck import opened
from domain import drafting
from domain.drafting import Draft
from domain.errors import Conflict, Invalid
from domain.segments import parse
from services import catalog as catalogs
from services import datasets
from services.datasets import Dataset
from settings import settings


@dataclass(frozen=True)
class Finding:
    """What a check found out about one entry of a catalog; ``wrong`` where file and catalog do not fit."""

    entry: str
    text: str
    wrong: bool = False


def add(
    path: Path, *, name: str | None = None, entity: str | None = None, key: str | None = None, force: bool = False
) -> tuple[Path, Draft]:
    """Draft a catalog for a file and write it to the store's folder; returns where, and the draft.

    Raises as ``db.duck.opened`` and ``domain.drafting.draft``, Invalid (``name_impossible``), Conflict
    (``dataset_exists``) without ``force``.
    """
    name = name or re.sub(r"\W+", "_", path.stem).strip("_").lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name) or name == catalogs.STORE:
        fix = "choose another with --name: small letters, digits and _, e.g. crm"
        raise Invalid("name_impossible", f"a dataset cannot be named {name!r}", fix, "name")
    if name in catalogs.files() and not force:
        fix = "choose another with --name, or replace its catalog with --force"
        raise Conflict("dataset_exists", f"there is a dataset {name} already", fix, "name")
    draft = drafted(path, name, entity=entity, key=key)
    to = catalogs.own() / f"{name}.toml"
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(drafting.toml(draft), encoding="utf-8")
    return to, draft


def drafted(path: Path, name: str, *, entity: str | None = None, key: str | None = None) -> Draft:
    """The draft for a file. Raises as ``db.duck.opened`` and ``domain.drafting.draft``."""
    with opened(path) as file:
        schemas = duck_tables.schemas(file)
    place = path.resolve()
    home = settings().home.resolve()
    written = str(place.relative_to(home) if place.is_relative_to(home) else place)
    with opened(path, schemas) as file:
        found = partial(duck_tables.share_found, file)
        tables = duck_tables.tables(file)
        return drafting.draft(name, tables, found, file=written, schemas=schemas, entity=entity, key=key)


def check(name: str) -> list[Finding]:
    """Ask everything that a dataset's catalog names, once. Raises where its file cannot be opened or asked at all."""
    with datasets.open_dataset(name) as dataset:
        return [*_keys(dataset), *_asked(dataset), *_activities(dataset)]


def _keys(dataset: Dataset) -> list[Finding]:
    entity = dataset.catalog.entity
    unique: dict[str, tuple[str, tuple[str, ...]]] = {f"entity: {entity.table}": (entity.table, (entity.key,))}
    joins = [entity.joins, *(activity.joins for activity in dataset.catalog.activities.values())]
    for name, join in chain.from_iterable(found.items() for found in joins):
        unique[f"join {name}: {join.table}"] = (join.table, (*join.on, *join.where))
    found = []
    for entry, (table, columns) in unique.items():
        repeated = duck_tables.repeated(dataset.file, table, columns)
        what = ", ".join(columns)
        text = f"{repeated:,} values of {what} are empty or there twice" if repeated else f"{what} is unique"
        found.append(Finding(entry, text, wrong=repeated > 0))
    return found


def _asked(dataset: Dataset) -> list[Finding]:
    wheres = {
        f"attribute {name}": {"type": "attribute", "name": name, "op": "set"} for name in dataset.catalog.attributes
    } | {
        f"metric {name}": {"type": "metric", "name": name, "op": "gte", "value": -(10**12)}
        for name in dataset.catalog.metrics
    }
    found = []
    for entry, where in wheres.items():
        definition = parse({"dataset": dataset.catalog.dataset, "where": where})
        seen = datasets.preview(dataset, definition, now=datetime.now(UTC))
        found.append(Finding(entry, f"known of {seen.audience_size:,} of {seen.everyone:,}"))
    return found


def _activities(dataset: Dataset) -> list[Finding]:
    found = []
    tables: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for name, entry in dataset.catalog.activities.items():
        place = (entry.table, entry.entity_column, entry.time_column)
        if place not in tables:
            tables[place] = duck_tables.strays(dataset.file, entry, dataset.catalog.entity)
            rows, strays, timeless = tables[place]
            text = f"{rows:,} rows; {strays:,} of nobody, {timeless:,} without a time count for nobody"
            found.append(Finding(f"activity {name}: {entry.table}", text))
    return found
