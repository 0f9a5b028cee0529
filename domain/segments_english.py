"""What does a definition say, in English? One line per condition that must hold; the planner reads the lines back."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_never

from domain import segments as seg
from domain.catalog import Attribute, Catalog
from domain.operators import OPERATORS, Kind
from domain.windows import spoken

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
CHANNELS = {"email": "email", "sms": "SMS", "whatsapp": "WhatsApp"}
CONSENTS = {
    "subscribed": "subscribed to {}",
    "pending": "waiting to confirm {}",
    "unsubscribed": "unsubscribed from {}",
    "none": "never asked about {}",
}
COUNTS = {
    "eq": "exactly {}",
    "ne": "any number but {} of",
    "gt": "more than {}",
    "gte": "at least {}",
    "lt": "fewer than {}",
    "lte": "at most {}",
    "between": "between {} and {}",
}
MEASURES = {
    "sum": "total",
    "average": "average",
    "min": "smallest",
    "max": "largest",
    "distinct": "number of different",
}


@dataclass(frozen=True)
class Line:
    """One condition in English, and what a reader might not expect of it."""

    text: str
    note: str = ""


def lines(definition: seg.Definition, catalog: Catalog, names: Mapping[int, str] | None = None) -> tuple[Line, ...]:
    """One line per condition that must hold; ``names`` are those of segments that it may refer to."""
    speaker = _Speaker(catalog, names or {})
    return tuple(Line(speaker.say(node), speaker.note(node)) for _, node in seg.paths(definition))


def sentence(definition: seg.Definition, catalog: Catalog, names: Mapping[int, str] | None = None) -> str:
    """The whole definition in one sentence."""
    return " and ".join(line.text for line in lines(definition, catalog, names))


def money(value: Decimal | float, currency: str) -> str:
    """``$1,250`` or ``$12.50``; the code stands behind the number where there is no symbol."""
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return f"{SYMBOLS[currency]}{number}" if currency in SYMBOLS else f"{number} {currency}".strip()


def ordinal(number: float) -> str:
    """``75th``, ``2nd``, ``99.5th``."""
    text = f"{number:g}"
    if "." in text or text[-2:] in {"11", "12", "13"}:
        return f"{text}th"
    return text + {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th")


@dataclass(frozen=True)
class _Speaker:
    catalog: Catalog
    names: Mapping[int, str]

    def say(self, node: seg.Leaf | seg.Group) -> str:  # noqa: C901, PLR0911, PLR0912 - one case per kind of condition
        match node:
            case seg.All():
                return " and ".join(self._inner(child) for child in node.of)
            case seg.AnyOf():
                return "either " + " or ".join(self._inner(child) for child in node.of)
            case seg.Not():
                return f"not {self._inner(node.of)}"
            case seg.AtLeast():
                return f"at least {node.n} of: " + "; ".join(self._inner(child) for child in node.of)
            case seg.Attribute():
                entry = self.catalog.attribute(node.name)
                or_unknown = " or is not known" if node.missing == "include" else ""
                return f"{entry.label} {self._comparison(node.op, entry, node.value)}{or_unknown}"
            case seg.Metric():
                return self._metric(node)
            case seg.Activity():
                return self._activity(node)
            case seg.Rank():
                size = f"{node.percent:g}%" if node.percent is not None else f"{node.count:,}"
                by = self.catalog.metric(node.metric).label
                per = f" of each {self.catalog.attribute(node.per).label}" if node.per else ""
                return f"in the {node.end} {size} by {by} among {node.among}{per}"
            case seg.Sequence():
                return self._sequence(node)
            case seg.Bucket():
                return f"in the {node.percent:g}% bucket “{node.name}”"
            case seg.Consent():
                return CONSENTS[node.state].format(CHANNELS[node.channel])
            case seg.Reachable():
                return f"reachable by {CHANNELS[node.channel]}"
            case seg.Suppressed():
                return f"suppressed on {CHANNELS[node.channel]}"
            case seg.Tagged():
                return f"tagged “{node.name}”"
            case seg.Member():
                name = self.names.get(node.id)
                return f"in the segment “{name}”" if name else f"in segment {node.id}"
            case seg.Listed():
                name = self.names.get(node.id)
                return f"on the list “{name}”" if name else f"on list {node.id}"
            case _:
                assert_never(node)

    def note(self, node: seg.Leaf | seg.Group) -> str:
        match node:
            case seg.Activity(op="none", during=during) if during is not None:
                label = self.catalog.activity(node.name).label
                return f"people without any {label}"
            case seg.Metric() if self.catalog.metric(node.name).absent is None and node.missing == "exclude":
                return f"people whose {self.catalog.metric(node.name).label} is not known are left out"
            case seg.Attribute(op=op, missing="exclude") if OPERATORS[op].operand != "none":
                return f"people whose {self.catalog.attribute(node.name).label} is not known are left out"
            case _:
                return ""

    def _inner(self, node: seg.Leaf | seg.Group) -> str:
        said = self.say(node)
        return f"({said})" if isinstance(node, seg.Group) else said

    def _metric(self, node: seg.Metric) -> str:
        entry = self.catalog.metric(node.name)
        if isinstance(node.value, seg.Percentile):
            operand = [f"the {ordinal(node.value.percentile)} percentile of {node.value.among}"]
        else:
            operand = [self._number(value, entry.kind) for value in _each(node.value)]
        during = f" {node.during.english()}" if node.during else ""
        return f"{entry.label} {OPERATORS[node.op].english.format(*operand)}{during}"

    def _activity(self, node: seg.Activity) -> str:
        entry = self.catalog.activity(node.name)
        plural = entry.plural or f"{entry.label}s"
        if node.op == "any":
            said = f"at least one {entry.label}"
        elif node.op == "none":
            said = f"no {entry.label}"
        elif node.measure == "count":
            numbers = _each(node.value)
            noun = entry.label if numbers[-1] == 1 else plural
            said = f"{COUNTS[node.op].format(*(f'{value:,}' for value in numbers))} {noun}"
        elif node.of is None:
            edge = "last" if node.measure == "days_since_last" else "first"
            numbers_said = (f"{value:,} days" for value in _each(node.value))
            said = f"time since the {edge} {entry.label} {OPERATORS[node.op].english.format(*numbers_said)}"
        else:
            of = self.catalog.property(node.name, node.of)
            kind: Kind = "integer" if node.measure == "distinct" else of.kind
            numbers_said = (self._number(value, kind) for value in _each(node.value))
            label = f"{MEASURES[node.measure]} {of.label} of {plural}"
            said = f"{label} {OPERATORS[node.op].english.format(*numbers_said)}"
        said += self._where(node.name, node.where)
        return f"{said} {node.during.english()}" if node.during else said

    def _sequence(self, node: seg.Sequence) -> str:
        said = ""
        for i, step in enumerate(node.steps):
            label = self.catalog.activity(step.name).label + self._where(step.name, step.where)
            within = f" within {spoken(step.within)}" if step.within else ""
            if i == 0:
                said = f"{label}{f' {node.during.english()}' if node.during else ''}"
            else:
                said += f", then {'no ' if step.op == 'none' else ''}{label}{within}"
        return said

    def _where(self, activity: str, tests: tuple[seg.Filter, ...]) -> str:
        entries = [(self.catalog.property(activity, test.name), test) for test in tests]
        said = " and ".join(f"{entry.label} {self._comparison(test.op, entry, test.value)}" for entry, test in entries)
        return f" where {said}" if said else ""

    def _comparison(self, op: str, entry: Attribute, value: Any) -> str:
        row = OPERATORS[op]
        if row.operand == "none":
            return row.english
        if row.operand in {"duration", "anniversary"}:
            return row.english.format(spoken(value))
        said = [self._number(item, entry.kind) for item in _each(value)]
        if row.operand == "many":
            return row.english.format(" or ".join(said))
        return row.english.format(*said)

    def _number(self, value: Any, kind: Kind) -> str:
        if kind == "money":
            return money(value, self.catalog.currency)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Decimal):
            return f"{value:,}"
        return f"“{value}”" if kind == "text" else str(value)


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
