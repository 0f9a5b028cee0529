"""With what can a condition of the segment language compare, and does an operand fit its operator?

A number, a text, a day, a list or pair of them; or something read off the data when the question is asked: another
attribute, a percentile, another measure of the same person, the same measure in the window before.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)

from domain.catalog import suggestion
from domain.operators import COMPARISONS, OPERATORS, PRESENCE
from domain.patterns import portable
from domain.windows import PERIODS, Window, checked_duration

MAX_LIST = 1_000
MAX_TEXT = 500
MAX_NUMBER = Decimal(10) ** 15
MAX_PLACES = 20

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def _number(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > MAX_NUMBER:
        message = f"{value} is beyond what can be compared; at most {MAX_NUMBER:,}"
        raise ValueError(message)
    return round(value, MAX_PLACES) if -int(value.as_tuple().exponent) > MAX_PLACES else value


def _scalar(value: object) -> bool | Decimal | date | str:
    if isinstance(value, bool) or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            message = f"a text has at most {MAX_TEXT} characters"
            raise ValueError(message)
        return value
    if isinstance(value, int | float | Decimal):
        return _number(Decimal(str(value)))
    message = f"{value!r:.50} is no value; give a text, a number, true or false"
    raise ValueError(message)


Number = Annotated[Decimal, AfterValidator(_number)]
"""A finite number, at most 10^15 either way; places behind the twentieth are rounded off."""

Scalar = Annotated[
    bool | Decimal | date | str,
    PlainValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"], "maxLength": MAX_TEXT}),
]
"""A text, a number, true or false. A day or an instant is a text in ISO 8601."""

Missing = Literal["exclude", "include"]
"""Whether people whose value is not known meet a condition."""

Measure = Literal[
    "count",
    "sum",
    "average",
    "min",
    "max",
    "distinct",
    "days_since_last",
    "days_since_first",
    "average_gap",
    "median_gap",
    "first",
    "last",
    "most_frequent",
]
OF_PROPERTY = ("sum", "average", "min", "max", "distinct", "first", "last", "most_frequent")
"""The measures of a property, named in ``of``."""

PICKS = ("first", "last", "most_frequent")
"""The measures that are one value of the property, of whatever kind that is."""


class Node(BaseModel):
    """What all nodes share: frozen, and no field that the language does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, ser_json_inf_nan="strings")


class SegmentMembers(Node):
    """The members of a saved segment, as those among whom a percentile or a rank is taken."""

    segment: int = Field(gt=0)


Among = Annotated[
    Annotated[Literal["everyone", "buyers"], Tag("(one)")] | Annotated[SegmentMembers, Tag("(segment)")],
    Discriminator(
        lambda value: "(segment)" if isinstance(value, Mapping | SegmentMembers) else "(one)",
    ),
]
"""Those among whom a percentile or a rank is taken."""


class Percentile(Node):
    """A threshold read off the data when the question is asked: the Nth percentile of the same measure."""

    percentile: float = Field(gt=0, lt=100)
    among: Among = "everyone"


class OtherAttribute(Node):
    """Another attribute of the same person."""

    attribute: Name


class Filter(Node):
    """A comparison of one property of an activity, e.g. the category of a bought item."""

    name: Name
    op: str
    value: Scalar | tuple[Scalar, ...] | None = None
    missing: Missing = "exclude"

    @model_validator(mode="after")
    def _operand_fits(self) -> Self:
        check_operand(self.op, self.value)
        check_missing(self.op, self.missing)
        return self


Filters = Annotated[tuple[Filter, ...], Field(max_length=20)]


class WindowBefore(Node):
    """The same measure in the window of the same length just before, so many times."""

    window: Literal["before"]
    times: Number = Field(default=Decimal(1), gt=0)


class OtherMetric(Node):
    """Another metric of the same person, so many times. Without ``during`` it is over all time."""

    metric: Name
    times: Number = Field(default=Decimal(1), gt=0)
    during: Window | None = None


class OtherMeasure(Node):
    """Another measure of the same person, so many times; ``name`` may be left out if the activity is the same."""

    measure: Measure
    of: Name | None = None
    name: Name | None = Field(default=None, description="Another activity than the condition's own.")
    where: Filters = ()
    during: Window | None = None
    times: Number = Field(default=Decimal(1), gt=0)

    @model_validator(mode="after")
    def _is_a_number(self) -> Self:
        check_measure(self.measure, self.of)
        if self.measure in PICKS:
            fix = "compare with a count, a sum, an average, days or a gap"
            raise Misfit("measure", f"{self.measure!r} is no number", fix)
        return self


_SHAPES = {
    "percentile": "(percentile)",
    "window": "(before)",
    "metric": "(metric)",
    "measure": "(measure)",
    "attribute": "(attribute)",
}
_NODES: dict[type, str] = {
    Percentile: "(percentile)",
    WindowBefore: "(before)",
    OtherMetric: "(metric)",
    OtherMeasure: "(measure)",
    OtherAttribute: "(attribute)",
}


def _shape(value: object) -> str | None:
    """Which operand is meant: told by the key that only it has, so that an error speaks of that one alone."""
    if isinstance(value, Mapping):
        return next((shape for key, shape in _SHAPES.items() if key in value), None)
    if isinstance(value, list | tuple):
        return "(list)"
    return _NODES.get(type(value), "(one)")


def _told_apart(takes: str) -> Discriminator:
    return Discriminator(_shape, custom_error_type="operand", custom_error_message=takes)


_Scalars = Annotated[Scalar, Tag("(one)")] | Annotated[tuple[Scalar, ...], Tag("(list)")]
_Numbers = Annotated[Number, Tag("(one)")] | Annotated[tuple[Number, Number], Tag("(list)")]
_Percentile = Annotated[Percentile, Tag("(percentile)")]
_Before = Annotated[WindowBefore, Tag("(before)")]

AttributeOperand = Annotated[
    _Scalars | Annotated[OtherAttribute, Tag("(attribute)")],
    _told_apart('takes a value, a list of values or {"attribute": NAME}'),
]
MetricOperand = Annotated[
    _Numbers | _Percentile | _Before | Annotated[OtherMetric, Tag("(metric)")],
    _told_apart('takes a number, a pair, {"percentile": 75}, {"window": "before"} or {"metric": NAME}'),
]
ActivityOperand = Annotated[
    _Scalars | _Percentile | _Before | Annotated[OtherMeasure, Tag("(measure)")],
    _told_apart('takes a value, a list, {"percentile": 75}, {"window": "before"} or {"measure": MEASURE}'),
]


class Misfit(ValueError):
    """What is wrong with a condition as a whole, in which of its fields, and how to mend it."""

    def __init__(self, field: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.field, self.fix = field, fix


def check_operand(op: str, value: object) -> None:
    """Raise Misfit unless the operator exists and the operand has its shape."""
    row = OPERATORS.get(op)
    if row is None:
        raise Misfit("op", f"unknown operator {op!r}", suggestion(op, OPERATORS))
    plain = value is not None and not isinstance(value, tuple | Node)
    fits = {
        "none": value is None,
        "one": plain or isinstance(value, OtherAttribute),
        "many": isinstance(value, tuple) and 0 < len(value) <= MAX_LIST,
        "pair": isinstance(value, tuple) and len(value) == 2,  # noqa: PLR2004
        "duration": isinstance(value, str),
        "period": value in PERIODS if isinstance(value, str) else False,
        "pattern": isinstance(value, str),
    }[row.operand]
    needs = {
        "none": "no value",
        "one": "one value",
        "many": f"a list of 1 to {MAX_LIST:,} values",
        "pair": "a pair of values, the lower one first",
        "duration": "a length of time such as 60d",
        "period": f"one of: {', '.join(PERIODS)}",
        "pattern": "a regular expression",
    }[row.operand]
    if not fits:
        raise Misfit("value", f"{op!r} takes {needs}", f"give {needs}")
    if isinstance(value, str) and row.operand in _CHECKS:
        try:
            _CHECKS[row.operand](value)
        except ValueError as error:
            raise Misfit("value", str(error), f"give {needs}") from None
    if isinstance(value, tuple) and row.operand == "pair":
        _check_order(*value)


_CHECKS = {"duration": checked_duration, "pattern": portable}


def check_number(op: str, value: object) -> None:
    """Raise Misfit unless a number is compared with one number, ``between`` with an ordered pair."""
    if op not in COMPARISONS:
        raise Misfit("op", f"{op!r} does not compare numbers", f"use one of: {', '.join(COMPARISONS)}")
    numbers = value if isinstance(value, tuple) else (value,)
    takes = "between takes a pair of numbers, every other comparison takes one"
    if len(numbers) != 1 + (op == "between") or (op == "between") != isinstance(value, tuple):
        raise Misfit("value", takes, "give a pair" if op == "between" else "give one number")
    if not all(isinstance(number, Decimal | Node) for number in numbers):
        raise Misfit("value", f"{op!r} compares with a number; {value!r:.50} is none", "give a number")
    if isinstance(value, tuple):
        _check_order(*value)


def check_measure(measure: str, of: str | None) -> None:
    """Raise Misfit unless a property is named exactly where the measure is one of a property."""
    if (measure in OF_PROPERTY) != (of is not None):
        needs = f"{measure!r} takes no property" if of else f"{measure!r} is of a property"
        raise Misfit("of", needs, "leave of out" if of else "name the property in of")


def check_missing(op: str, missing: Missing) -> None:
    """Raise Misfit where something is said about missing values that the operator itself asks about."""
    if missing == "include" and op in PRESENCE:
        raise Misfit("missing", f"{op!r} asks whether the value is known", "leave out missing")


def check_before(value: object, during: Window | None) -> None:
    """Raise Misfit where the window before is meant and there is no window that begins."""
    if isinstance(value, WindowBefore) and (during is None or not during.begins):
        fix = 'give a window with a beginning, for example {"last": "30d"}'
        raise Misfit("during", "there is no window for one to be before", fix)


def _check_order(low: object, high: object) -> None:
    if type(low) is type(high) and low > high:  # type: ignore[operator]
        raise Misfit("value", "between takes the lower value first", "turn the two around")
