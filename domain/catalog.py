"""What can be asked of a dataset: which attributes, activities and metrics exist, and where do they lie?

A catalog is data (``datasets/*.toml``). The compiler, the checker, the English read-back, the planner's vocabulary, the
model's prompt and the docs all read the same entries.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import Invalid
from domain.operators import Kind

MAX_FREQUENT_VALUES = 5_000

T = TypeVar("T")

SourceKind = Literal["key", "text", "date", "instant", "number", "boolean"]
"""What a column of a dataset's file must hold; a key is a whole number or a text."""


class Entry(BaseModel):
    """What all entries share. ``label`` is how people say it; ``synonyms`` are other ways they do."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    label: str
    synonyms: tuple[str, ...] = ()
    description: str = ""


class Place(BaseModel):
    """Where a value lies: a column of the row itself, of a joined table, or inside a JSON column.

    ``key`` is its key there, or the keys on the way to it; each is taken as it is, whatever signs it has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    join: str | None = None
    key: str | tuple[str, ...] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys from the JSON column to the value; none for a column that is the value."""
        return (self.key,) if isinstance(self.key, str) else self.key or ()


class Attribute(Entry):
    """Something known of an entity. ``values`` are its frequent values, as a help and never as a limit.

    ``fields`` are what is inside an attribute that is an object. An instant that ``moves`` is overwritten by later
    ones: as of a past instant, only one that is not later is known. ``refers`` says that the value is the number of
    something that must exist. ``lowercase`` says that a text is always stored in small letters.
    """

    kind: Kind
    unit: str | None = None
    at: Place
    values: tuple[str, ...] = ()
    private: bool = False
    moves: bool = False
    refers: Literal["flow"] | None = None
    lowercase: bool = False
    fields: Mapping[str, "Attribute"] = Field(default_factory=dict)


class Test(BaseModel):
    """A fixed test that makes rows of a table count as an activity; ``is_not`` keeps rows where the value is absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Place
    equals: str | bool | None = None
    is_not: str | bool | None = None


class Join(BaseModel):
    """How a further table hangs on a row: ``on`` maps its columns to the row's; ``where`` holds fixed values.

    At most one row may match (the database's unique index says so), so a join never multiplies what it joins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    on: Mapping[str, str]
    where: Mapping[str, str | bool] = Field(default_factory=dict)


class Figures(BaseModel):
    """A table of what an activity comes to, all time, for each entity that ever did it.

    A row is true as of every instant after ``settled``. ``columns`` maps measures to columns: ``count``, ``earliest``
    and ``latest`` (the times of the first and last), and sums and the like with their property, as in ``sum total``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    settled: str
    columns: Mapping[str, str]


class Activity(Entry):
    """Something an entity does at a time. Rows are void from ``void_at`` on; ``counts`` names what a count counts.

    ``named_by`` is a column of names, such as the event's: each name found there is an activity of its own as well.
    ``counted`` is what those are called: one of them, several of them.
    """

    plural: str = ""
    verbs: tuple[str, ...] = ()
    table: str
    entity_column: str
    time_column: str
    time_kind: Literal["instant", "date"] = "instant"
    void_at: Place | None = None
    counts: str | None = None
    figures: Figures | None = None
    named_by: str | None = None
    counted: tuple[str, str] | None = None
    where: tuple[Test, ...] = ()
    joins: Mapping[str, Join] = Field(default_factory=dict)
    properties: Mapping[str, Attribute] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _figures_fit(self) -> Self:
        for measure in self.figures.columns if self.figures else ():
            _, _, of = measure.partition(" ")
            if of and of not in self.properties:
                message = f"figures.columns: {measure!r} is of no property; {suggestion(of, self.properties)}"
                raise ValueError(message)
        if self.figures and ("count" not in self.figures.columns or self.time_kind != "instant"):
            message = "figures: they need a column for the count, and an activity that has instants"
            raise ValueError(message)
        return self


class Term(BaseModel):
    """One measure over an activity, as a part of a metric."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    activity: str
    measure: str
    of: str | None = None
    sign: Literal[1, -1] = 1


class Metric(Entry):
    """A named number per entity: the sum of ``terms``. ``absent`` is its value for who has no such activity, if any."""

    kind: Kind
    unit: str | None = None
    terms: tuple[Term, ...] = Field(min_length=1)
    absent: int | None = None


class Entity(Entry):
    """What the dataset is about. ``since`` is when an entity came to be known, for questions about the past.

    Its key is a whole number or a text; where ``since`` is empty, the entity has always been known.
    ``zone`` is the attribute that says in which time zone it lives.
    """

    plural: str
    table: str
    key: str
    key_kind: Literal["integer", "text"] = "integer"
    since: str | None = None
    since_kind: Literal["instant", "date"] = "instant"
    zone: str | None = None
    joins: Mapping[str, Join] = Field(default_factory=dict)


class Catalog(BaseModel):
    """One dataset.

    ``file`` is the DuckDB file it is asked of, relative to the store's folder; without one it is named after the
    dataset. ``schemas`` are where its tables are looked for, in this order; calendar days are those of ``time_zone``.
    ``sources`` are the tables and columns that its file must have, and ``views`` the queries that bring them into the
    shape the entries speak of, in DuckDB's SQL; a view may build on those before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    label: str = ""
    description: str = ""
    file: str = ""
    schemas: tuple[str, ...] = ("main",)
    time_zone: str = "UTC"
    currency: str = ""
    sources: Mapping[str, Mapping[str, SourceKind]] = Field(default_factory=dict)
    views: Mapping[str, str] = Field(default_factory=dict)
    entity: Entity
    buyers: str | None = None
    attributes: Mapping[str, Attribute]
    activities: Mapping[str, Activity] = Field(default_factory=dict)
    metrics: Mapping[str, Metric] = Field(default_factory=dict)

    def attribute(self, name: str, path: str = "", keys: Iterable[str] = ()) -> Attribute:
        """The attribute of that name, or what lies in it under ``keys``.

        Raises Invalid (``unknown_attribute``, ``unknown_field``).
        """
        found = _known(self.attributes, name, "attribute", path)
        for key in keys:
            found = _known(found.fields, key, f"field of {found.label}", path.removesuffix("name") + "path", "field")
        return found

    def activity(self, name: str, path: str = "") -> Activity:
        """The activity of that name. Raises Invalid (``unknown_activity``)."""
        return _known(self.activities, name, "activity", path)

    def metric(self, name: str, path: str = "") -> Metric:
        """The metric of that name. Raises Invalid (``unknown_metric``)."""
        return _known(self.metrics, name, "metric", path)

    def property(self, activity: str, name: str, path: str = "") -> Attribute:
        """The property of an activity. Raises Invalid (``unknown_property``)."""
        return _known(self.activity(activity, path).properties, name, f"property of {activity}", path, "property")

    def extended(
        self, *, attributes: Mapping[str, Attribute], activities: Mapping[str, Activity], currency: str
    ) -> "Catalog":
        """The catalog with what was discovered in the data added; what is written in the file wins."""
        return self.model_copy(
            update={
                "attributes": {**attributes, **self.attributes},
                "activities": {**activities, **self.activities},
                "currency": currency,
            }
        )


def read(raw: Mapping[str, Any]) -> Catalog:
    """A catalog from its file's data. Raises Invalid (``catalog_invalid``) naming the entry."""
    try:
        return Catalog.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise Invalid("catalog_invalid", first["msg"], "correct the catalog file", path) from None


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: the nearest known one, or the list of them."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names[:40]) or 'none'}"


def _known(entries: Mapping[str, T], name: str, what: str, path: str, code: str | None = None) -> T:
    found = entries.get(name)
    if found is None:
        raise Invalid(f"unknown_{code or what}", f"there is no {what} {name!r}", suggestion(name, entries), path)
    return found
