"""What can be said about a customer? The segment language: JSON in, frozen nodes out.

A definition is ``{"version": 1, "dataset": "store", "where": <condition>}``. Every condition is a small node told
apart by ``type``; it refuses bad arguments when it is made. Whether the names it uses exist is the catalog's to say.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError, model_validator

from domain.errors import Invalid
from domain.operators import COMPARISONS
from domain.rfm import SCORES, Axis
from domain.segments_operands import (
    MAX_LIST,
    MAX_TEXT,
    PICKS,
    ActivityOperand,
    Among,
    AttributeOperand,
    Filter,
    Filters,
    Measure,
    MetricOperand,
    Misfit,
    Missing,
    Name,
    Node,
    Number,
    OtherAttribute,
    OtherMeasure,
    OtherMetric,
    Percentile,
    Scalar,
    SegmentMembers,
    WindowBefore,
    check_before,
    check_measure,
    check_missing,
    check_number,
    check_operand,
)
from domain.windows import Duration, Window

__all__ = [
    "Among",
    "Filter",
    "Number",
    "OtherAttribute",
    "OtherMeasure",
    "OtherMetric",
    "Percentile",
    "Scalar",
    "SegmentMembers",
    "WindowBefore",
]

RELATIVE = (Percentile, WindowBefore, OtherMetric, OtherMeasure)
"""Operands that are numbers read off the data."""

RFMGroup = Literal[
    "champions",
    "loyal",
    "potential_loyalists",
    "new",
    "promising",
    "need_attention",
    "about_to_sleep",
    "cannot_lose",
    "at_risk",
    "hibernating",
]
"""The groups of ``domain.rfm``."""

_Grade = Annotated[int, Field(ge=1, le=SCORES)]
Score = Annotated[
    Annotated[_Grade, Tag("(one)")] | Annotated[tuple[_Grade, _Grade], Tag("(list)")],
    Discriminator(lambda value: "(list)" if isinstance(value, list | tuple) else "(one)"),
]

MAX_DEPTH = 12
MAX_NODES = 400

Channel = Literal["email", "sms", "whatsapp"]
Comparison = Literal["eq", "ne", "gt", "gte", "lt", "lte", "between"]


class Attribute(Node):
    """Who the customer is: one attribute compared. Unknown values do not match unless ``missing`` says so.

    ``path`` are the keys to a value inside an attribute that is an object; each is taken as it is, sign by sign.
    """

    type: Literal["attribute"] = "attribute"
    name: Name
    path: tuple[Name, ...] = Field(default=(), max_length=8)
    measure: Literal["length"] | None = Field(default=None, description="How many entries a list has.")
    op: str
    value: AttributeOperand | None = None
    zone: Literal["store", "customer"] = Field(default="store", description="Whose calendar days are meant.")
    missing: Missing = "exclude"

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        check_operand(self.op, self.value)
        check_missing(self.op, self.missing)
        return self


class Metric(Node):
    """A named measure of the catalog (ltv, order_count ...) compared with a number or a percentile of itself."""

    type: Literal["metric"] = "metric"
    name: Name
    op: Comparison
    value: MetricOperand
    during: Window | None = None
    missing: Missing = "exclude"

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        check_number(self.op, self.value)
        check_before(self.value, self.during)
        return self


class Activity(Node):
    """What the customer did: ``any`` or ``none`` of an activity, or a measure over it compared.

    Most measures are numbers. ``first``, ``last`` and ``most_frequent`` are values of the property ``of`` and take the
    operators and operands that an attribute of its kind takes.
    """

    type: Literal["activity"] = "activity"
    name: Name
    op: str = "any"
    measure: Measure = "count"
    of: Name | None = None
    value: ActivityOperand | None = None
    during: Window | None = None
    where: Filters = ()
    missing: Missing = "exclude"

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        if self.op in {"any", "none"}:
            if self.value is not None or self.measure != "count":
                fix = f"leave out measure and value, or use one of: {', '.join(COMPARISONS)}"
                raise Misfit("op", f"{self.op!r} stands alone", fix)
            return self
        check_measure(self.measure, self.of)
        check_before(self.value, self.during)
        if self.measure in PICKS:
            check_operand(self.op, self.value)
            check_missing(self.op, self.missing)
        else:
            check_number(self.op, self.value)
        return self

    @property
    def counts(self) -> bool:
        """The measure is known of everyone: who did nothing has 0 of it."""
        return self.measure in {"count", "sum", "distinct"}


class Rank(Node):
    """The first or last N (or N percent) by a metric. Ties at the cut are all in; no value, no rank."""

    type: Literal["rank"] = "rank"
    metric: Name
    end: Literal["top", "bottom"] = "top"
    count: int | None = Field(default=None, gt=0)
    percent: float | None = Field(default=None, gt=0, le=100)
    among: Among = "everyone"
    per: Name | None = Field(default=None, description="An attribute: rank within each of its values.")
    during: Window | None = None

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
    where: Filters = ()


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


class Topic(Node):
    """What the customer said about a topic; ``none`` = nothing."""

    type: Literal["topic"] = "topic"
    name: Name
    state: Literal["subscribed", "unsubscribed", "none"] = "subscribed"


class InFlow(Node):
    """Is in a flow, at any step or at one: the step that is being waited in, the first being 1."""

    type: Literal["flow"] = "flow"
    id: int = Field(gt=0)
    step: int | None = Field(default=None, gt=0, le=1_000)


class Scored(Node):
    """Has an RFM score among all buyers: a named group, or scores from 1 to 5 (best), each one or a pair from-to."""

    type: Literal["rfm"] = "rfm"
    group: RFMGroup | None = None
    recency: Score | None = None
    frequency: Score | None = None
    monetary: Score | None = None
    missing: Missing = "exclude"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.group is None and not self.scores:
            raise Misfit("group", "neither a group nor a score is named", "give group, recency, frequency or monetary")
        for axis, (low, high) in self.scores.items():
            if low > high:
                raise Misfit(axis, "the lower score comes first", "turn the two around")
        return self

    @property
    def scores(self) -> dict[Axis, tuple[int, int]]:
        """Lowest and highest score on each axis that is named."""
        named: dict[Axis, Any] = {"recency": self.recency, "frequency": self.frequency, "monetary": self.monetary}
        return {axis: score if isinstance(score, tuple) else (score, score) for axis, score in named.items() if score}


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
    | Topic
    | Tagged
    | InFlow
    | Scored
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
        path = [str(part) for part in first["loc"] if part not in _TAGS and not str(part).startswith("(")]
        fix = _fix(first["type"])
        if isinstance(misfit := first.get("ctx", {}).get("error"), Misfit):
            path, fix = [*path, misfit.field], misfit.fix
        message = first["msg"].removeprefix("Value error, ")
        raise Invalid("segment_invalid", message, fix, ".".join(path)) from None


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
        if isinstance(value, str):
            _check_text(value, path)
        if isinstance(value, list) and len(value) > MAX_LIST:
            raise Invalid("segment_list_too_long", f"a list of {len(value):,} values", f"at most {MAX_LIST:,}", path)
        if isinstance(value, dict):
            for key in value:
                _check_text(str(key), path)
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        stack.extend((item, f"{path}.{key}".lstrip("."), depth + 1) for key, item in items)


def _check_text(text: str, path: str) -> None:
    if len(text) > MAX_TEXT:
        raise Invalid("segment_text_too_long", f"a text of {len(text):,} characters", f"at most {MAX_TEXT}", path)
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        fix = "write it without characters that stand for nothing"
        raise Invalid("segment_text_unusable", "a text that no database can hold", fix, path)


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
