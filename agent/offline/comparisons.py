"""How is a value compared, once it is clear which? ``is Texas or Ohio``, ``ends with gmail.com``, ``is unknown``."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agent.offline.amounts import Amount, decided
from agent.offline.frames import money_notes
from agent.offline.lexicon import Value
from agent.offline.sentence import Sentence
from agent.offline.small_words import listed
from agent.offline.trees import Note
from domain.catalog import Attribute
from domain.operators import NUMBERS

LONGEST = 4

_TEXT_CLASSES = (
    ("end_with", "ends_with", "ends_with"),
    ("start_with", "starts_with", "starts_with"),
    ("not_contain", "not_contains", "not_contains"),
    ("contain", "contains", "contains"),
    ("none_of", "ne", "not_in"),
    ("is_not", "ne", "not_in"),
    ("one_of", "eq", "in"),
    ("is", "eq", "in"),
)
_STOPS = listed("stop")


@dataclass(frozen=True, slots=True)
class Compared:
    """An operator with its operand, and what was assumed."""

    op: str
    value: Any = None
    notes: tuple[Note, ...] = ()


def comparisons(
    chart: Sentence, i: int, entry: Attribute, name: str, owner: str = ""
) -> Iterator[tuple[int, Compared]]:
    """The comparisons that may follow the name of an attribute, or of a property of the activity ``owner``."""
    if i >= len(chart.tokens):
        return
    yield from _presence(chart, i)
    if entry.kind == "text":
        yield from _texts(chart, i, name, owner)
    elif entry.kind in NUMBERS:
        yield from _numbers(chart, i, entry)
    elif entry.kind == "boolean":
        yield from _booleans(chart, i)
    elif entry.kind == "list":
        yield from _lists(chart, i, name, owner)


def _presence(chart: Sentence, i: int) -> Iterator[tuple[int, Compared]]:
    for end, _ in chart.at("known", i):
        yield end, Compared("set")
    for end, _ in chart.at("unknown", i):
        yield end, Compared("missing")


def _numbers(chart: Sentence, i: int, entry: Attribute) -> Iterator[tuple[int, Compared]]:
    for start in sorted({i, chart.past(i, "is", "be")}, reverse=True):
        for end, amount in chart.at("figure_amount", start):
            if entry.kind == "money" or not amount.money:
                yield end, of_amount(amount, entry, chart)


def of_amount(amount: Amount, entry: Attribute, chart: Sentence) -> Compared:
    """An amount as a comparison; a bare amount of money is a least one, any other bare number is meant exactly."""
    op, assumed = decided(amount) if entry.kind == "money" else (amount.op or "eq", "")
    notes = money_notes(amount, assumed, "value", chart.catalog.currency) if entry.kind == "money" else []
    return Compared(op, amount.value, tuple(notes))


def _booleans(chart: Sentence, i: int) -> Iterator[tuple[int, Compared]]:
    start = chart.past(i, "is", "be")
    for end, sense in chart.at("sense", start):
        yield end, Compared("eq", sense == "yes")
    for end, _ in chart.at("is_not", i):
        for last, sense in chart.at("sense", end):
            yield last, Compared("eq", sense != "yes")


def _lists(chart: Sentence, i: int, name: str, owner: str) -> Iterator[tuple[int, Compared]]:
    for kind in ("contain", "is"):
        for start, _ in chart.at(kind, i):
            for end, values, _ in single(chart, start, name, owner, free=True):
                yield end, Compared("has", values[0])


def _texts(chart: Sentence, i: int, name: str, owner: str) -> Iterator[tuple[int, Compared]]:
    for kind, one, many in _TEXT_CLASSES:
        for start, _ in chart.at(kind, i):
            for end, values, notes in values_at(
                chart, start, name, owner, free=kind != "is" or chart.stems[i] not in {"of", "as"}
            ):
                if one == many and len(values) > 1:
                    continue
                yield end, Compared(one if len(values) == 1 else many, values[0] if len(values) == 1 else values, notes)
    for end, values, notes in values_at(chart, i, name, owner, free=_is_literal(chart, i)):
        yield end, Compared("eq" if len(values) == 1 else "in", values[0] if len(values) == 1 else values, notes)


def _is_literal(chart: Sentence, i: int) -> bool:
    """Whether what stands here can only be a value: a number, or a name that is no word of ours."""
    token = chart.tokens[i]
    return token.kind == "number" or (token.text[:1].isupper() and token.stem not in chart.lexicon.known)


def values_at(
    chart: Sentence, i: int, name: str, owner: str, *, free: bool
) -> Iterator[tuple[int, tuple[str, ...], tuple[Note, ...]]]:
    """One value, or a list of them, with its end; ``free`` also takes words that no customer has as a value."""
    start = chart.past(i, "either", "both") if i < len(chart.tokens) else i
    for end, values, notes in single(chart, start, name, owner, free=free):
        yield end, values, notes
        last, found, said = end, list(values), list(notes)
        while (at := _joint(chart, last)) and (
            more := next(iter(single(chart, at, name, owner, free=free and _is_literal(chart, at))), None)
        ):
            last = more[0]
            found += [value for value in more[1] if value not in found]
            said += more[2]
            yield last, tuple(found), tuple(said)


def _joint(chart: Sentence, i: int) -> int:
    """The place after what joins two values, or 0."""
    at = i
    if at < len(chart.stems) and chart.tokens[at].norm == ",":
        at += 1
    if at < len(chart.stems) and chart.stems[at] in {"or", "and", "nor", "&", "/"}:
        at += 1
    return chart.past(at, "not_again") if i < at < len(chart.stems) else 0


def single(
    chart: Sentence, i: int, name: str, owner: str, *, free: bool
) -> Iterator[tuple[int, tuple[str, ...], tuple[Note, ...]]]:
    """One value of an attribute or property, longest first."""
    if i >= len(chart.tokens):
        return
    token = chart.tokens[i]
    if token.kind in {"quoted", "email", "domain", "date"}:
        yield i + 1, (str(token.value),), ()
        return
    found = [
        (end, value)
        for kind in ("value", "code", "weak")
        for end, values in chart.at(kind, i)
        for value in values
        if value.name == name and (owner in value.owners if owner else not value.owners)
    ]
    for end, value in sorted(found, key=lambda pair: -pair[0]):
        yield end, value.values, value_notes(chart, i, end, value)
    if not found and free:
        yield from _free(chart, i)


def value_notes(chart: Sentence, i: int, end: int, value: Value) -> tuple[Note, ...]:
    """What a value was taken for, where it is written in another way here."""
    said = chart.said(i, end)
    if value.group:
        return (Note(said, f"{said} = {', '.join(value.values)}"),)
    return () if said.lower() == value.values[0].lower() else (Note(said, f"{said} = “{value.values[0]}”"),)


def _free(chart: Sentence, i: int) -> Iterator[tuple[int, tuple[str, ...], tuple[Note, ...]]]:
    """A word as it stands, or several capitalised ones."""
    token = chart.tokens[i]
    if (
        token.kind == "sign"
        and token.norm == "+"
        and i + 1 < len(chart.tokens)
        and chart.tokens[i + 1].kind == "number"
    ):
        yield i + 2, (f"+{chart.tokens[i + 1].norm}",), ()
        return
    if token.kind in {"number", "phone"}:
        yield i + 1, (str(token.value) if token.kind == "phone" else token.text.rstrip("+"),), ()
        return
    if token.kind != "word" or token.stem in _STOPS:
        return
    end = i + 1
    while (
        end < min(len(chart.tokens), i + LONGEST)
        and chart.tokens[end].kind == "word"
        and chart.tokens[end].text[0].isupper()
        and token.text[0].isupper()
    ):
        end += 1
    text = chart.said(i, end)
    yield end, (text,), (Note(text, f"“{text}” is taken as written"),)


def as_decimal(amount: Amount) -> Decimal:
    """The lower bound of an amount."""
    return amount.low
