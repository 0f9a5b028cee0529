"""What can be said about a customer? The segment language: JSON in, frozen nodes out.

A definition is ``{"version": 1, "dataset": "store", "where": <condition>}``. Every condition is a small node told
apart by ``type``; it refuses bad arguments when it is made. Whether the names it uses exist is the catalog's to say.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from domain.errors import Invalid
from domain.operators import COMPARISONS, OPERATORS
from domain.windows import Duration, Window

MAX_DEPTH = 12
MAX_NODES = 400
MAX_LIST = 1_000
MAX_TEXT = 500
MAX_PATTERN = 200

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Number = Decimal
Scalar = bool | Number | date | Text
Channel = Literal["email", "sms", "whatsapp"]
Measure = Literal["count", "sum", "average", "min", "max", "distinct", "days_since_last", "days_since_first"]
Comparison = Literal["eq", "ne", "gt", "gte", "lt", "lte", "between"]
Among = Literal["everyone", "buyers"]


class Node(BaseModel):
    """What all nodes share: frozen, and no field that the language does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, ser_json_inf_nan="strings")


class Percentile(Node):
    """A threshold read off the data when the question is asked: the Nth percentile of the same metric."""

    percentile: float = Field(gt=0, lt=100)
    among: Among = "everyone"


class Filter(Node):
    """A comparison of one property of an activity, e.g. the category of a bought item."""

    name: Name
    op: str
    value: Scalar | tuple[Scalar, ...] | None = None

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        check_operand(self.op, self.value)
        return self


class Attribute(Node):
    """Who the customer is: one attribute compared. Unknown values do not match unless ``missing`` says so."""

    type: Literal["attribute"] = "attribute"
    name: Name
    op: str
    value: Scalar | tuple[Scalar, ...] | None = None
    missing: Literal["exclude", "include"] = "exclude"

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        check_operand(self.op, self.value)
        return self


class Metric(Node):
    """A named measure of the catalog (ltv, order_count ...) compared with a number or a percentile of itself."""

    type: Literal["metric"] = "metric"
    name: Name
    op: Comparison
    value: Number | tuple[Number, Number] | Percentile
    during: Window | None = None
    missing: Literal["exclude", "include"] = "exclude"

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        check_range(self.op, self.value)
        return self


class Activity(Node):
    """What the customer did: ``any`` or ``none`` of an activity, or a measure over it compared with a number."""

    type: Literal["activity"] = "activity"
    name: Name
    op: Literal["any", "none"] | Comparison = "any"
    measure: Measure = "count"
    of: Name | None = None
    value: Number | tuple[Number, Number] | None = None
    during: Window | None = None
    where: tuple[Filter, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        if self.op in {"any", "none"}:
            if self.value is not None or self.measure != "count":
                message = f"op {self.op!r} stands alone; leave out measure and value"
                raise ValueError(message)
            return self
        check_range(self.op, self.value)
        if (self.measure in {"sum", "average", "min", "max", "distinct"}) != (self.of is not None):
            message = "of names the property to sum, average, min, max or count distinct; no other measure takes it"
            raise ValueError(message)
        return self


class Rank(Node):
    """The first or last N (or N percent) by a metric. Ties at the cut are all in; no value, no rank."""

    type: Literal["rank"] = "rank"
    metric: Name
    end: Literal["top", "bottom"] = "top"
    count: int | None = Field(default=None, gt=0)
    percent: float | None = Field(default=None, gt=0, le=100)
    among: Among = "everyone"
    per: Name | None = Field(default=None, description="An attribute: rank within each of its values.")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.count is None) == (self.percent is None):
            message = "give exactly one of count and percent"
            raise ValueError(message)
        return self


class Step(Node):
    """One step of a sequence; ``none`` as the last one says what did not follow in time."""

    name: Name
    op: Literal["any", "none"] = "any"
    within: Duration | None = Field(default=None, description="At most so long after the step before.")
    where: tuple[Filter, ...] = Field(default=(), max_length=20)


class Sequence(Node):
    """One activity, then another, in order; ``during`` is when the first happened.

    Each step comes strictly after the one before it. A last step that must not follow holds once its time has passed.
    """

    type: Literal["sequence"] = "sequence"
    steps: tuple[Step, ...] = Field(min_length=2, max_length=6)
    during: Window | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.steps[0].within is not None:
            message = "the first step comes after nothing; leave out within there and use during"
            raise ValueError(message)
        if any(step.op == "none" for step in self.steps[:-1]):
            message = "only the last step may be one that did not happen"
            raise ValueError(message)
        if self.steps[-1].op == "none" and self.steps[-1].within is None:
            message = "say within which time the last step did not happen"
            raise ValueError(message)
        return self


class Bucket(Node):
    """A random share of everyone that always has the same people; another ``name`` gives an independent share."""

    type: Literal["bucket"] = "bucket"
    name: Name
    percent: float = Field(gt=0, lt=100)


class Consent(Node):
    """The consent state on a channel; ``none`` = never asked."""

    type: Literal["consent"] = "consent"
    channel: Channel
    state: Literal["subscribed", "pending", "unsubscribed", "none"] = "subscribed"


class Reachable(Node):
    """May be written to on a channel: has an address, is subscribed, is not suppressed."""

    type: Literal["reachable"] = "reachable"
    channel: Channel


class Suppressed(Node):
    """Must not be written to on a channel, whatever the consent says."""

    type: Literal["suppressed"] = "suppressed"
    channel: Channel


class Tagged(Node):
    """Carries a tag."""

    type: Literal["tag"] = "tag"
    name: Name


class Member(Node):
    """Is in another saved segment."""

    type: Literal["segment"] = "segment"
    id: int = Field(gt=0)


class Listed(Node):
    """Is on a list: the segment of that id was made of the people who were in another at one instant."""

    type: Literal["list"] = "list"
    id: int = Field(gt=0)


class All(Node):
    """Every one of the conditions holds."""

    type: Literal["all"] = "all"
    of: tuple["Condition", ...] = Field(min_length=1, max_length=MAX_LIST)


class AnyOf(Node):
    """One of the conditions holds, or more."""

    type: Literal["any"] = "any"
    of: tuple["Condition", ...] = Field(min_length=1, max_length=MAX_LIST)


class Not(Node):
    """The condition does not hold; where it is unknown, this holds."""

    type: Literal["not"] = "not"
    of: "Condition"


class AtLeast(Node):
    """``n`` or more of the conditions hold."""

    type: Literal["at_least"] = "at_least"
    n: int = Field(gt=0)
    of: tuple["Condition", ...] = Field(min_length=1, max_length=MAX_LIST)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.n > len(self.of):
            message = f"at least {self.n} of {len(self.of)} conditions can never hold"
            raise ValueError(message)
        return self


Leaf = (
    Attribute
    | Metric
    | Activity
    | Sequence
    | Rank
    | Bucket
    | Consent
    | Reachable
    | Suppressed
    | Tagged
    | Member
    | Listed
)
Group = All | AnyOf | Not | AtLeast
Condition = Annotated[Leaf | Group, Field(discriminator="type")]


class Definition(Node):
    """A whole segment."""

    version: Literal[1] = 1
    dataset: Name = "store"
    where: Condition

    def as_json(self) -> dict[str, Any]:
        """The canonical JSON form: defaults left out, numbers as numbers."""
        plain: dict[str, Any] = _plain(self)
        return plain


def parse(raw: object) -> Definition:
    """Read a definition from JSON data.

    Raises Invalid (``segment_invalid``) whose ``path`` is the dotted place of the mistake, e.g. ``where.of.0.op``.
    """
    _check_size(raw)
    try:
        return Definition.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"] if part not in _TAGS)
        raise Invalid(
            "segment_invalid", first["msg"].removeprefix("Value error, "), _fix(first["type"]), path
        ) from None


def check_operand(op: str, value: object) -> None:
    """Raise ValueError unless the operator exists and the operand has its shape."""
    row = OPERATORS.get(op)
    if row is None:
        message = f"unknown operator {op!r}; known: {', '.join(OPERATORS)}"
        raise ValueError(message)
    many = isinstance(value, tuple)
    fits = {
        "none": value is None,
        "one": value is not None and not many,
        "many": isinstance(value, tuple) and 0 < len(value) <= MAX_LIST,
        "pair": isinstance(value, tuple) and len(value) == 2,  # noqa: PLR2004
        "duration": isinstance(value, str),
        "anniversary": isinstance(value, str),
        "pattern": isinstance(value, str) and len(value) <= MAX_PATTERN,
    }[row.operand]
    if not fits:
        needs = {
            "none": "takes no value",
            "one": "takes one value",
            "many": "takes a list of values",
            "pair": "takes a pair of values",
            "duration": "takes a length of time such as 60d",
            "anniversary": "takes a length of time such as 7d",
            "pattern": f"takes a regular expression of at most {MAX_PATTERN} characters",
        }[row.operand]
        message = f"{op!r} {needs}"
        raise ValueError(message)


def check_range(op: str, value: object) -> None:
    """Raise ValueError unless a comparison has one number, or ``between`` an ordered pair."""
    if op not in COMPARISONS or value is None:
        message = f"{op!r} needs a number to compare with"
        raise ValueError(message)
    if (op == "between") != isinstance(value, tuple):
        message = "between takes a pair of numbers; every other comparison takes one"
        raise ValueError(message)
    if isinstance(value, tuple) and value[0] > value[1]:
        message = "between takes the lower number first"
        raise ValueError(message)


def walk(node: Leaf | Group) -> Iterator[Leaf | Group]:
    """The condition and everything below it, depth first."""
    yield node
    match node:
        case Not():
            yield from walk(node.of)
        case All() | AnyOf() | AtLeast():
            for child in node.of:
                yield from walk(child)
        case _:
            return


def paths(definition: Definition) -> list[tuple[str, Leaf | Group]]:
    """The conditions that must all hold, each with its path: the members of a top-level ``all``, else the one."""
    if isinstance(definition.where, All):
        return [(f"where.of.{i}", node) for i, node in enumerate(definition.where.of)]
    return [("where", definition.where)]


_TAGS = {tag for node in get_args(Leaf | Group) for tag in get_args(node.model_fields["type"].annotation)}
"""The words that tell conditions apart; they also turn up in the paths of Pydantic's errors."""


def _fix(kind: str) -> str:
    return {
        "missing": "add the field",
        "extra_forbidden": "remove the field, or check its spelling",
        "too_short": "name at least one condition: an empty group would mean everyone",
        "union_tag_invalid": f"use one of the condition types: {', '.join(sorted(_TAGS))}",
        "union_tag_not_found": 'give every condition a "type"',
    }.get(kind, "correct the value")


def _check_size(raw: object) -> None:
    """Refuse what is too deep or too large before anything recursive looks at it."""
    nodes, stack = 0, [(raw, "", 0)]
    while stack:
        value, path, depth = stack.pop()
        nodes += isinstance(value, dict)
        if nodes > MAX_NODES * 3 or depth > MAX_DEPTH * 3:
            fix = (
                f"at most {MAX_NODES} conditions, nested at most {MAX_DEPTH} deep; put parts into segments of their own"
            )
            raise Invalid("segment_too_large", "the definition is too large", fix, path)
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise Invalid("segment_text_too_long", f"a text of {len(value):,} characters", f"at most {MAX_TEXT}", path)
        if isinstance(value, list) and len(value) > MAX_LIST:
            raise Invalid("segment_list_too_long", f"a list of {len(value):,} values", f"at most {MAX_LIST:,}", path)
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        stack.extend((item, f"{path}.{key}".lstrip("."), depth + 1) for key, item in items)


_ALWAYS_SAID = {"type", "version", "dataset", "op", "state", "among"}
"""Fields that stand in the canonical form even where they have their default."""


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        kept = {name: item for name, item in value if name in _ALWAYS_SAID or item != fields[name].default}
        return {fields[name].alias or name: _plain(item) for name, item in kept.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal | float):
        return int(value) if value == int(value) else float(value)
    return value.isoformat() if isinstance(value, date) else value
