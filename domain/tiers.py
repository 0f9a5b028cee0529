"""Into which of several tiers does somebody fall? Ordered segments: the first that matches wins, the last is the rest.

A set of tiers is data, like a segment: JSON, or a TOML file under ``datasets/tiers``. Every entity is in exactly one.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from domain import segments as seg
from domain.errors import Invalid
from domain.segments import Condition, Definition
from domain.segments_operands import Name, Node
from domain.windows import Window

MAX_TIERS = 20


class Tier(Node):
    """One tier; without ``where`` it takes everyone whom no tier before it took."""

    name: Name
    synonyms: tuple[Name, ...] = Field(default=(), description="What people call whoever is in it.")
    where: Condition | None = None


class Figure(Node):
    """A figure that is shown beside the tier: a metric of the dataset, of all time or ``during`` a window."""

    name: Name
    metric: Name
    during: Window | None = None


class Tiers(Node):
    """A whole set, the best tier first. ``figures`` and ``attributes`` are what is shown of each entity."""

    version: Literal[1] = 1
    name: Name
    label: str = ""
    dataset: Name = "store"
    tiers: tuple[Tier, ...] = Field(min_length=2, max_length=MAX_TIERS)
    attributes: tuple[Name, ...] = ()
    figures: tuple[Figure, ...] = ()

    @model_validator(mode="after")
    def _everyone_is_in_one(self) -> Self:
        names = [tier.name for tier in self.tiers]
        if len(set(names)) < len(names):
            message = "two tiers have the same name"
            raise ValueError(message)
        if self.tiers[-1].where is not None or any(tier.where is None for tier in self.tiers[:-1]):
            message = "every tier but the last has a condition, and the last has none: it takes everyone else"
            raise ValueError(message)
        shown = [*self.attributes, *(figure.name for figure in self.figures), "id", "tier"]
        if len(set(shown)) < len(shown):
            message = "every attribute and figure needs a name of its own, and id and tier are taken"
            raise ValueError(message)
        return self

    @property
    def conditions(self) -> tuple[tuple[str, Definition], ...]:
        """The tiers that have a condition, with it as a definition of its own."""
        return tuple(
            (tier.name, Definition(dataset=self.dataset, where=tier.where)) for tier in self.tiers if tier.where
        )

    def condition(self, name: str) -> Condition:
        """What being in a tier means, apart from the set: its own condition, and none of those before it."""
        before: list[Condition] = []
        for tier in self.tiers:
            if tier.name == name:
                others = [seg.Not(of=where) for where in before]
                own = [tier.where] if tier.where else []
                parts: list[Condition] = [*own, *others]
                return parts[0] if len(parts) == 1 else seg.All(of=tuple(parts))
            before += [tier.where] if tier.where else []
        raise KeyError(name)

    def as_json(self) -> dict[str, Any]:
        """The canonical JSON form, conditions as ``Definition.as_json`` writes them."""
        conditions = {name: definition.as_json()["where"] for name, definition in self.conditions}
        plain = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"tiers"})
        tiers = [
            tier.model_dump(mode="json", exclude_defaults=True, exclude={"where"})
            | ({"where": conditions[tier.name]} if tier.where else {})
            for tier in self.tiers
        ]
        return {"version": self.version, **plain, "dataset": self.dataset, "tiers": tiers}


def parse(raw: object) -> Tiers:
    """Read a set of tiers from JSON data.

    Raises Invalid: ``tiers_invalid``, or as ``domain.segments.parse`` for a condition, whose ``path`` begins with its
    tier (``tiers.0.where.of.1.op``).
    """
    if isinstance(raw, Mapping) and isinstance(raw.get("tiers"), list):
        for i, tier in enumerate(raw["tiers"]):
            if isinstance(tier, Mapping) and tier.get("where") is not None:
                _check_condition(tier["where"], f"tiers.{i}")
    try:
        return Tiers.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise Invalid("tiers_invalid", message, "correct the set of tiers", path) from None


def inclusive(tiers: Tiers) -> Tiers:
    """The same tiers where "within the last N days" counts the day exactly N days ago too."""
    return parse(_inclusive(tiers.as_json()))


def _inclusive(value: Any) -> Any:
    if isinstance(value, list):
        return [_inclusive(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _inclusive(item) for key, item in value.items()}
    during = changed.get("during")
    return {**changed, "during": {**during, "inclusive": True}} if during and "last" in during else changed


def _check_condition(where: object, path: str) -> None:
    try:
        seg.parse({"where": where})
    except Invalid as error:
        raise Invalid(error.code, error.message, error.fix, f"{path}.{error.path}") from None
