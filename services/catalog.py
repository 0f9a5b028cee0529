"""What can be asked of the store right now? The catalog file, plus what its data adds."""

import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db import catalog as rows
from db import store
from db.segments_figures import vocabulary_of
from db.segments_tables import Scope
from domain.catalog import Activity, Attribute, Catalog, Place, Test, read, suggestion
from domain.errors import Invalid, NotFound
from domain.operators import Kind
from settings import settings

FOLDER = Path(__file__).resolve().parent.parent / "datasets"
STORE = "store"
FRESH_SECONDS = 300.0
GROWTH = 1.1

KINDS: dict[str, Kind] = {
    "string": "text",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "object",
    "date": "date",
    "instant": "instant",
}


@dataclass(frozen=True)
class _Known:
    read_at: float
    newest: int
    catalog: Catalog


_known: dict[str, _Known] = {}
_lock = threading.Lock()


def files() -> dict[str, Path]:
    """Every dataset's catalog file by name: those that come along and those of the store's folder, which win."""
    found = {path.stem: path for folder in (FOLDER, own()) for path in sorted(folder.glob("*.toml"))}
    return {**found, STORE: FOLDER / f"{STORE}.toml"}


def own() -> Path:
    """The folder of this store's own catalog files."""
    return settings().home / "datasets"


def file(dataset: str) -> Catalog:
    """What a dataset's catalog file says. Raises NotFound (``unknown_dataset``), Invalid (``catalog_invalid``)."""
    known = files()
    if dataset not in known:
        raise NotFound("unknown_dataset", f"there is no dataset {dataset!r}", suggestion(dataset, known), "dataset")
    return written(known[dataset])


def written(path: Path) -> Catalog:
    """The catalog in a file. Raises Invalid (``catalog_invalid``) naming the file and the entry."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=100)
def _read(path: Path, _changed_at: int) -> Catalog:
    try:
        catalog = read(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid("catalog_invalid", f"{path.name} is no TOML file: {error}", "correct it", "catalog") from None
    except Invalid as error:
        raise Invalid(error.code, f"{path.name}: {error.message}", error.fix, error.path) from None
    if catalog.dataset != path.stem:
        message = f"{path.name} describes the dataset {catalog.dataset!r}"
        raise Invalid("catalog_invalid", message, "name the file after its dataset", "dataset")
    return catalog


def current(session: Session) -> Catalog:
    """The store's catalog with custom attributes, event names, currency and frequent values.

    It is kept for five minutes, or until the store has grown by a tenth; ``forget`` drops it at once.
    """
    url = str(session.get_bind().engine.url)
    newest = rows.newest_customer(session)
    with _lock:
        found = _known.get(url)
    if found and newest <= found.newest * GROWTH and monotonic() - found.read_at < FRESH_SECONDS:
        return found.catalog
    catalog = _discovered(session, file(STORE))
    with _lock:
        _known[url] = _Known(monotonic(), newest, catalog)
    return catalog


def forget() -> None:
    """Read the data anew next time; for whoever just changed what the data is like."""
    with _lock:
        _known.clear()


def tags(session: Session) -> tuple[str, ...]:
    """Every tag that somebody carries now, in alphabetical order."""
    return rows.tags(session)


def _discovered(session: Session, base: Catalog) -> Catalog:
    attributes = _fields(rows.custom_fields(session), ())
    activities = {
        name: _activity(name, properties)
        for name, properties in rows.event_properties(session).items()
        if name not in base.activities
    }
    found = store.current(session)
    whole = base.extended(attributes=attributes, activities=activities, currency=found.currency if found else "")
    return whole.model_copy(
        update={
            "attributes": {name: _with_values(session, whole, entry, None) for name, entry in whole.attributes.items()},
            "activities": {
                name: entry.model_copy(
                    update={
                        "properties": {
                            key: _with_values(session, whole, item, name) for key, item in entry.properties.items()
                        }
                    }
                )
                for name, entry in whole.activities.items()
            },
        }
    )


def _fields(found: Mapping[tuple[str, ...], str], above: tuple[str, ...]) -> dict[str, Attribute]:
    """The attributes directly under some keys, each with what is inside it."""
    return {
        keys[-1]: Attribute(
            label=" ".join(keys).replace("_", " "),
            kind=KINDS[kind],
            at=Place(column="custom", key=keys),
            fields=_fields(found, keys) if kind == "object" else {},
        )
        for keys, kind in found.items()
        if keys[:-1] == above and kind in KINDS
    }


def _with_values(session: Session, catalog: Catalog, entry: Attribute, activity: str | None) -> Attribute:
    if entry.kind != "text" or entry.private or entry.values:
        return entry
    scope = Scope(catalog, datetime.now(UTC), ZoneInfo("UTC"), _no_segments)
    return entry.model_copy(update={"values": rows.frequent(session, vocabulary_of(entry, activity, scope).subquery())})


def _no_segments(_id: int, path: str) -> NoReturn:
    raise Invalid("no_segments", "no segment can be named here", path=path)


def _activity(name: str, properties: Mapping[str, str]) -> Activity:
    label = name.replace("_", " ")
    return Activity(
        label=label,
        verbs=(label,),
        table="events",
        entity_column="customer_id",
        time_column="at",
        where=(Test(at=Place(column="name"), equals=name),),
        properties={
            key: Attribute(label=key.replace("_", " "), kind=KINDS[kind], at=Place(column="properties", key=key))
            for key, kind in properties.items()
            if kind in KINDS
        },
    )
