"""What does a definition say, in English? One line per condition that must hold; the planner reads the lines back."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_never

from domain import segments as seg
from domain.catalog import Activity, Catalog
from domain.operators import OPERATORS, PRESENCE, Kind
from domain.rfm import GROUPS
from domain.segments_operands import PICKS
from domain.windows import spoken

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
CHANNELS = {"email": "email", "sms": "SMS", "whatsapp": "WhatsApp"}
CONSENTS = {
    "subscribed": "subscribed to {}",
    "pending": "waiting to confirm {}",
    "unsubscribed": "unsubscribed from {}",
    "none": "never asked about {}",
}
TOPICS = {
    "subscribed": "subscribed to the topic “{}”",
    "unsubscribed": "unsubscribed from the topic “{}”",
    "none": "without a word on the topic “{}”",
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
    "count": "number of {activities}",
    "sum": "total {property} of {activities}",
    "average": "average {property} of {activities}",
    "min": "smallest {property} of {activities}",
    "max": "largest {property} of {activities}",
    "distinct": "number of different {property} of {activities}",
    "days_since_last": "time since the last {activity}",
    "days_since_first": "time since the first {activity}",
    "average_gap": "average time between {activities}",
    "median_gap": "usual (median) time between {activities}",
    "first": "{property} of the first {activity}",
    "last": "{property} of the last {activity}",
    "most_frequent": "most frequent {property} of {activities}",
}
OF_THEIR_OWN = (seg.WindowBefore, seg.OtherMetric, seg.OtherMeasure)
"""Operands that have words of their own about when and which; those of the condition are said before them."""

IN_DAYS = ("days_since_last", "days_since_first", "average_gap", "median_gap")
SAID_TIMES = {Decimal(2): "twice", Decimal("0.5"): "half"}


@dataclass(frozen=True)
class Line:
    """One condition in English, and what a reader might not expect of it."""

    text: str
    note: str = ""


def lines(definition: seg.Definition, catalog: Catalog, names: Mapping[Any, str] | None = None) -> tuple[Line, ...]:
    """One line per condition that must hold; ``names`` are those of segments by id, of flows by ("flow", id)."""
    speaker = _Speaker(catalog, names or {})
    return tuple(Line(speaker.say(node), speaker.note(node)) for _, node in seg.paths(definition))


def sentence(definition: seg.Definition, catalog: Catalog, names: Mapping[Any, str] | None = None) -> str:
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
    names: Mapping[Any, str]

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
                return self._attribute(node)
            case seg.Metric():
                return self._metric(node)
            case seg.Activity():
                return self._activity(node)
            case seg.Rank():
                return self._rank(node)
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
            case seg.Topic():
                return TOPICS[node.state].format(node.name)
            case seg.InFlow():
                step = f" at step {node.step}" if node.step else ""
                return f"in {self._flow(node.id)}{step}"
            case seg.Scored():
                return self._scored(node)
            case seg.Tagged():
                return f"tagged “{node.name}”"
            case seg.Member():
                return f"in {self._segment(node.id)}"
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
            case seg.Activity() if node.op != "any" and not node.counts and node.missing == "exclude":
                return f"people whose {self._measure(node.measure, node.name, node.of)} is not known are left out"
            case seg.Attribute(op=op, missing="exclude") if op not in PRESENCE:
                label = self.catalog.attribute(node.name, "", node.path).label
                return f"people whose {label} is not known are left out"
            case _:
                return ""

    def _inner(self, node: seg.Leaf | seg.Group) -> str:
        said = self.say(node)
        return f"({said})" if isinstance(node, seg.Group) else said

    def _attribute(self, node: seg.Attribute) -> str:
        entry = self.catalog.attribute(node.name, "", node.path)
        label, kind = entry.label, entry.kind
        if node.measure == "length":
            label, kind = f"number of entries in {label}", "integer"
        zone = " (in their own time zone)" if node.zone == "customer" else ""
        return f"{label} {self._comparison(node.op, kind, node.value)}{zone}{_or_unknown(node.missing)}"

    def _metric(self, node: seg.Metric) -> str:
        entry = self.catalog.metric(node.name)
        during = f" {node.during.english()}" if node.during else ""
        said = OPERATORS[node.op].english.format(*self._amounts(node.value, entry.kind, node.name))
        said = f"{during} {said}" if isinstance(node.value, OF_THEIR_OWN) else f" {said}{during}"
        return f"{entry.label}{said}{_or_unknown(node.missing)}"

    def _rank(self, node: seg.Rank) -> str:
        size = f"{node.percent:g}%" if node.percent is not None else f"{node.count:,}"
        by = self.catalog.metric(node.metric).label
        per = f" of each {self.catalog.attribute(node.per).label}" if node.per else ""
        during = f" {node.during.english()}" if node.during else ""
        return f"in the {node.end} {size} by {by}{during} among {self._among(node.among)}{per}"

    def _activity(self, node: seg.Activity) -> str:
        entry = self.catalog.activity(node.name)
        during = f" {node.during.english()}" if node.during else ""
        about = self._where(node.name, node.where) + during
        if node.op in {"any", "none"}:
            said = f"at least one {entry.label}" if node.op == "any" else f"no {entry.label}"
        elif node.measure == "count" and not isinstance(node.value, seg.RELATIVE):
            numbers = _each(node.value)
            one, many = entry.counted or (entry.label, _plural(entry))
            noun = one if numbers[-1] == 1 else many
            said = f"{COUNTS[node.op].format(*(f'{value:,}' for value in numbers))} {noun}"
        else:
            said, compared = self._measure(node.measure, node.name, node.of), self._measured(node)
            if isinstance(node.value, OF_THEIR_OWN):
                return f"{said}{about} {compared}{_or_unknown(node.missing)}"
            said = f"{said} {compared}"
        return said + about + _or_unknown(node.missing)

    def _measured(self, node: seg.Activity) -> str:
        if node.of and node.measure in PICKS:
            return self._comparison(node.op, self.catalog.property(node.name, node.of).kind, node.value)
        amounts = self._amounts(node.value, self._kind(node), node.name)
        unit = " days" if node.measure in IN_DAYS and not isinstance(node.value, seg.RELATIVE) else ""
        return OPERATORS[node.op].english.format(*(f"{amount}{unit}" for amount in amounts))

    def _kind(self, node: seg.Activity) -> Kind:
        of_property = node.of is not None and node.measure != "distinct"
        return self.catalog.property(node.name, node.of or "").kind if of_property else "number"

    def _measure(self, measure: str, activity: str, of: str | None) -> str:
        entry = self.catalog.activity(activity)
        label = self.catalog.property(activity, of).label if of else ""
        return MEASURES[measure].format(activity=entry.label, activities=_plural(entry), property=label)

    def _amounts(self, value: Any, kind: Kind, name: str) -> list[str]:
        """What a number is compared with: numbers, or what is read off the data."""
        match value:
            case seg.Percentile():
                return [f"the {ordinal(value.percentile)} percentile of {self._among(value.among)}"]
            case seg.WindowBefore():
                return [f"{_times(value.times)}what it was in the window before"]
            case seg.OtherMetric():
                during = f" {value.during.english()}" if value.during else ""
                return [f"{_times(value.times)}their {self.catalog.metric(value.metric).label}{during}"]
            case seg.OtherMeasure():
                activity = value.name or name
                during = f" {value.during.english()}" if value.during else ""
                label = self._measure(value.measure, activity, value.of)
                return [f"{_times(value.times)}their {label}{self._where(activity, value.where)}{during}"]
            case _:
                return [self._number(item, kind) for item in _each(value)]

    def _among(self, among: seg.Among) -> str:
        return self._segment(among.segment) if isinstance(among, seg.SegmentMembers) else among

    def _scored(self, node: seg.Scored) -> str:
        parts = [f"in the RFM group “{GROUPS[node.group].label}”"] if node.group else []
        for axis, (low, high) in node.scores.items():
            parts.append(f"RFM {axis} score {low}" if low == high else f"RFM {axis} score {low} to {high}")
        return " and ".join(parts) + _or_unknown(node.missing)

    def _flow(self, flow_id: Any) -> str:
        name = self.names.get(("flow", int(flow_id)))
        return f"the flow “{name}”" if name else f"flow {flow_id}"

    def _segment(self, segment_id: int) -> str:
        name = self.names.get(segment_id)
        return f"the segment “{name}”" if name else f"segment {segment_id}"

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
        said = []
        for test in tests:
            entry = self.catalog.property(activity, test.name)
            compared = self._comparison(test.op, entry.kind, test.value, entry.refers)
            said.append(f"{entry.label} {compared}{_or_unknown(test.missing)}")
        return f" where {' and '.join(said)}" if said else ""

    def _comparison(self, op: str, kind: Kind, value: Any, refers: str | None = None) -> str:
        row = OPERATORS[op]
        match row.operand:
            case "none":
                return row.english
            case "duration":
                return row.english.format(spoken(value))
            case "period":
                return row.english.format(value.replace("_", " "))
        if isinstance(value, seg.OtherAttribute):
            return row.english.format(f"their {self.catalog.attribute(value.attribute).label}")
        said = [self._flow(item) if refers == "flow" else self._number(item, kind) for item in _each(value)]
        if row.operand == "many":
            return row.english.format((" and " if op == "has_all" else " or ").join(said))
        return row.english.format(*said)

    def _number(self, value: Any, kind: Kind) -> str:
        if kind == "money":
            return money(value, self.catalog.currency)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Decimal):
            return f"{value:,}"
        return f"“{value}”" if kind in {"text", "list"} else str(value)


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _or_unknown(missing: str) -> str:
    return " or is not known" if missing == "include" else ""


def _times(times: Decimal) -> str:
    """How many times, in front of what is multiplied: ``twice ``, ``0.5 times ``, nothing for once."""
    return "" if times == 1 else f"{SAID_TIMES.get(times, f'{times:f} times')} "


def _plural(entry: Activity) -> str:
    return entry.plural or f"{entry.label}s"
