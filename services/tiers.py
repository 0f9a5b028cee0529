"""Who is in which tier? The sets that come along or were saved, asked of the store or of a dataset's file."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db import audit
from db import tiers as rows
from db.segments_tables import Scope
from db.segments_tiers import placed, sizes
from domain.catalog import suggestion
from domain.errors import Invalid, NotFound
from domain.glossary import Term
from domain.segments import Definition
from domain.tiers import Tiers, parse
from services import catalog as catalogs
from services import sources
from services.catalog import FOLDER, STORE
from services.sources import Source

Key = int | str
SHIPPED = FOLDER / "tiers"


@dataclass(frozen=True, slots=True)
class Placed:
    """One entity in its tier, with the attributes and figures that the set shows."""

    id: Key
    tier: str
    shown: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """A set that can be asked: one that was saved, in its latest version, or one that comes along (version 0)."""

    name: str
    version: int
    tiers: Tiers


def save(session: Session, tiers: Tiers, *, by: str, now: datetime) -> Saved:
    """Save a set as the next version of its name. Raises Invalid where its dataset cannot be asked so."""
    source = sources.of_store(session, now=now) if tiers.dataset == STORE else None
    catalog = source.catalog if source else catalogs.file(tiers.dataset)
    placed(tiers, source.scope if source else Scope(catalog, now, ZoneInfo(catalog.time_zone), _no_segments))
    before = rows.named(session, tiers.name)
    version = before.version + 1 if before else 1
    session.add(
        rows.TierSet(
            name=tiers.name,
            version=version,
            dataset=tiers.dataset,
            definition=tiers.as_json(),
            created_by=by,
            created_at=now,
        )
    )
    session.flush()
    audit.record(session, actor=by, action="tiers.saved", subject=f"tiers:{tiers.name}", detail={"version": version})
    return Saved(tiers.name, version, tiers)


def get(session: Session, name: str) -> Saved:
    """The set of that name: the latest one saved, else the one that comes along. Raises NotFound."""
    found = rows.named(session, name)
    return Saved(name, found.version, parse(found.definition)) if found else Saved(name, 0, shipped(name))


def listed(session: Session) -> list[Saved]:
    """Every set by name; one that was saved stands in place of one that comes along."""
    found = {path.stem: Saved(path.stem, 0, read(path)) for path in SHIPPED.glob("*.toml")}
    found |= {row.name: Saved(row.name, row.version, parse(row.definition)) for row in rows.latest(session)}
    return [found[name] for name in sorted(found)]


def shipped(name: str) -> Tiers:
    """A set that comes along. Raises NotFound (``unknown_tiers``)."""
    known = {path.stem: path for path in SHIPPED.glob("*.toml")}
    if name not in known:
        raise NotFound("unknown_tiers", f"there is no set of tiers {name!r}", suggestion(name, known), "tiers")
    return read(known[name])


def read(path: Path) -> Tiers:
    """The set in a TOML or JSON file. Raises Invalid (``tiers_invalid``, or as ``domain.tiers.parse``)."""
    loads = json.loads if path.suffix == ".json" else tomllib.loads
    try:
        raw = loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # what neither format's reader nor UTF-8 takes is a ValueError
        raise Invalid("tiers_invalid", f"{path.name} cannot be read: {error}", "correct it", "tiers") from None
    return parse(raw)


def terms(dataset: str) -> list[Term]:
    """What people call the tiers of a dataset, as words of its glossary."""
    return [
        Term(
            word=word,
            synonyms=tuple(synonyms),
            means=Definition(dataset=dataset, where=found.condition(tier.name)).as_json()["where"],
            explanation=f"{tier.name} in {found.label or found.name}",
        )
        for found in map(read, sorted(SHIPPED.glob("*.toml")))
        if found.dataset == dataset
        for tier in found.tiers
        if tier.synonyms
        for word, *synonyms in [tier.synonyms]
    ]


def place(source: Source, tiers: Tiers) -> list[Placed]:
    """Everyone in their tier, the best tier first. Raises Invalid for what the dataset does not have."""
    names = [tier.name for tier in tiers.tiers]
    found = source.rows(placed(tiers, source.scope))
    return [
        Placed(row["id"], names[row["tier"]], {key: row[key] for key in row if key not in {"id", "tier"}})
        for row in found
    ]


def count(source: Source, tiers: Tiers) -> dict[str, int]:
    """How many are in each tier, the best tier first."""
    found = {row["tier"]: row["size"] for row in source.rows(sizes(tiers, source.scope))}
    return {tier.name: found.get(i, 0) for i, tier in enumerate(tiers.tiers)}


def _no_segments(segment_id: int, path: str) -> NoReturn:
    fix = "write the conditions of that segment out"
    raise NotFound("unknown_segment", f"saved segments are not in the file (segment {segment_id})", fix, f"{path}.id")
