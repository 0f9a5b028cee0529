"""What does a DuckDB file add to its catalog: the names of its activities, and the values that are frequent?"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple, NoReturn
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from db.duck import DuckFile
from db.segments_figures import vocabulary_of
from db.segments_tables import Scope
from domain.catalog import MAX_FREQUENT_VALUES, Activity, Attribute, Catalog, Place, Test
from domain.errors import Invalid

MAX_NAMES = 500
LONGEST_NAME = 100


class _Learned(NamedTuple):
    written: Catalog
    changed_at: int
    size: int
    catalog: Catalog


_known: dict[str, _Learned] = {}
_lock = Lock()


def learned(file: DuckFile, catalog: Catalog) -> Catalog:
    """The catalog with what its file adds, read once for every state of both. Raises Invalid as ``DuckFile.rows``."""
    state = file.path.stat()
    with _lock:
        found = _known.get(str(file.path))
        if found is None or found[:3] != (catalog, state.st_mtime_ns, state.st_size):
            whole = _with_values(file, _with_activities(file, catalog))
            found = _Learned(catalog, state.st_mtime_ns, state.st_size, whole)
            _known[str(file.path)] = found
    return found.catalog


def _with_activities(file: DuckFile, catalog: Catalog) -> Catalog:
    """Each name in an activity's column of names becomes an activity; what the catalog file writes itself wins."""
    found: dict[str, Activity] = {}
    for entry in catalog.activities.values():
        if entry.named_by:
            found.update(_named(file, entry, entry.named_by))
    return catalog.model_copy(update={"activities": {**found, **catalog.activities}})


def _named(file: DuckFile, entry: Activity, column: str) -> Iterator[tuple[str, Activity]]:
    name = sa.column(column, sa.Text())
    rows = sa.select(name.label("name")).select_from(sa.table(entry.table)).where(name != "").group_by(name)
    for row in file.rows(rows.order_by(sa.func.count().desc(), name).limit(MAX_NAMES)):
        if len(row["name"]) <= LONGEST_NAME:
            label = row["name"].replace("_", " ").lower()
            test = Test(at=Place(column=column), equals=row["name"])
            what = {"label": label, "plural": "", "verbs": (label,), "description": "", "synonyms": ()}
            yield row["name"], entry.model_copy(update={**what, "named_by": None, "where": (*entry.where, test)})


def _with_values(file: DuckFile, catalog: Catalog) -> Catalog:
    activities = {
        name: entry.model_copy(update={"properties": _valued(file, catalog, entry.properties, name)})
        for name, entry in catalog.activities.items()
    }
    attributes = _valued(file, catalog, catalog.attributes, None)
    return catalog.model_copy(update={"attributes": attributes, "activities": activities})


def _valued(
    file: DuckFile, catalog: Catalog, entries: Mapping[str, Attribute], activity: str | None
) -> dict[str, Attribute]:
    scope = Scope(catalog, datetime.now(UTC), ZoneInfo(catalog.time_zone), _no_segments)
    return {
        name: entry
        if entry.kind != "text" or entry.private or entry.values
        else entry.model_copy(update={"values": _frequent(file, vocabulary_of(entry, activity, scope).subquery())})
        for name, entry in entries.items()
    }


def _frequent(file: DuckFile, found: sa.Subquery) -> tuple[str, ...]:
    rows = sa.select(found.c.value).where(found.c.value.is_not(None)).group_by(found.c.value)
    rows = rows.order_by(sa.func.count().desc(), found.c.value).limit(MAX_FREQUENT_VALUES)
    return tuple(str(row["value"]) for row in file.rows(rows))


def _no_segments(_id: int, path: str) -> NoReturn:
    raise Invalid("no_segments", "no segment can be named here", path=path)
