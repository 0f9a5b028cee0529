"""Who is in which tier? The sets that come along or were saved, asked of the store or of a dataset's file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.segments_tiers import placed, sizes
from domain.catalog import suggestion
from domain.errors import Invalid, NotFound
from domain.glossary import Term
from domain.segments import Definition
from domain.tiers import Tiers, parse
from services.catalog import FOLDER
from services.sources import Source

Key = int | str
SHIPPED = FOLDER / "tiers"


@dataclass(frozen=True, slots=True)
class Placed:
    """One entity in its tier, with the attributes and figures that the set shows."""

    id: Key
    tier: str
    shown: Mapping[str, Any]


def shipped(name: str) -> Tiers:
    """A set that comes along. Raises NotFound (``unknown_tiers``)."""
    known = {path.stem: path for path in SHIPPED.glob("*.toml")}
    if name not in known:
        raise NotFound("unknown_tiers", f"there is no set of tiers {name!r}", suggestion(name, known), "tiers")
    return read(known[name])


def read(path: Path) -> Tiers:
    """The set in a TOML file. Raises Invalid (``tiers_invalid``, or as ``domain.tiers.parse``) naming the place."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid("tiers_invalid", f"{path.name} is no TOML file: {error}", "correct it", "tiers") from None
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
