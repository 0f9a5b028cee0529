"""What do the marketer's words mean here: "recently", "VIP", "lapsed"? Definitions with numbers that can be changed.

A term's meaning is a piece of the segment language with named numbers in it, e.g. ``{"last": "{days}d"}`` with
``days = 60``. What is defined is used and shown; what is known to be undecided comes with the readings to choose from.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Invalid

Kind = Literal["condition", "window", "level"]

_PLACE = re.compile(r"\{(\w+)\}")


class Entry(BaseModel):
    """What all parts of the glossary share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(Entry):
    """A number of a definition that the marketer may change."""

    value: float
    unit: str


class Term(Entry):
    """A defined word.

    ``kind`` says what it stands for: a whole ``condition``; a ``window`` per activity (``*`` = any other); or a
    ``level`` of whatever metric stands next to it, named ``{metric}`` in the meaning.
    """

    word: str = Field(min_length=1, max_length=60)
    synonyms: tuple[str, ...] = ()
    kind: Kind = "condition"
    means: Mapping[str, Any]
    numbers: Mapping[str, Number] = Field(default_factory=dict)
    explanation: str = ""
    owner: str = "shipped"
    version: int = 0

    def explained(self) -> str:
        """The explanation with its numbers."""
        return _PLACE.sub(lambda found: self._said(found[1], found[0]), self.explanation)

    def filled(self, **names: str) -> "Filled":
        """The meaning with its numbers, and with ``names`` such as the metric that a level is of."""
        places: list[tuple[str, str]] = []
        return Filled(_fill(self.means, self.numbers, names, "", places), tuple(places))

    def _said(self, name: str, otherwise: str) -> str:
        return f"{self.numbers[name].value:g}" if name in self.numbers else otherwise


@dataclass(frozen=True)
class Filled:
    """A meaning made concrete; ``places`` are dotted paths, each with the name of the number that stands there."""

    means: dict[str, Any]
    places: tuple[tuple[str, str], ...]


class Choice(Entry):
    """One possible reading of an undecided word."""

    label: str
    means: Mapping[str, Any]


class Undecided(Entry):
    """A word that people use and nobody has defined here, with the readings to offer."""

    word: str
    synonyms: tuple[str, ...] = ()
    kind: Literal["condition", "level"] = "condition"
    choices: tuple[Choice, ...] = Field(min_length=2, max_length=4)


class Glossary(Entry):
    """All terms by word, and the words still undecided."""

    terms: Mapping[str, Term]
    undecided: Mapping[str, Undecided] = Field(default_factory=dict)

    def with_terms(self, terms: Iterable[Term]) -> "Glossary":
        """The glossary with definitions added or replaced; a defined word is no longer undecided."""
        changed = {term.word: term for term in terms}
        named = {word for term in changed.values() for word in (term.word, *term.synonyms)}
        kept = {
            term.word: term.model_copy(update={"synonyms": tuple(word for word in term.synonyms if word not in named)})
            for term in self.terms.values()
            if term.word not in named
        }
        open_words = {
            key: entry.model_copy(update={"synonyms": tuple(word for word in entry.synonyms if word not in named)})
            for key, entry in self.undecided.items()
            if key not in named
        }
        return Glossary(terms={**kept, **changed}, undecided=open_words)


def check(term: Term) -> None:
    """Raise Invalid (``glossary_invalid``) unless every number is used and every place has a number."""
    places = set(_PLACE.findall(_text(term.means))) - {"metric"}
    if places != set(term.numbers):
        odd = ", ".join(sorted(places ^ set(term.numbers)))
        fix = "name each number once in the meaning and once among the numbers"
        raise Invalid("glossary_invalid", f"{term.word!r} uses or lacks: {odd}", fix, "means")


def _text(means: Any) -> str:
    if isinstance(means, Mapping):
        return " ".join(_text(value) for value in means.values())
    if isinstance(means, list | tuple):
        return " ".join(_text(value) for value in means)
    return str(means)


def _fill(
    means: Any, numbers: Mapping[str, Number], names: Mapping[str, str], path: str, places: list[tuple[str, str]]
) -> Any:
    if isinstance(means, Mapping):
        return {key: _fill(value, numbers, names, f"{path}.{key}", places) for key, value in means.items()}
    if isinstance(means, list | tuple):
        return [_fill(value, numbers, names, f"{path}.{i}", places) for i, value in enumerate(means)]
    found = _PLACE.search(means) if isinstance(means, str) else None
    if found is None:
        return means
    if found[1] in names:
        return means.replace(found[0], names[found[1]])
    places.append((path.removeprefix("."), found[1]))
    value = numbers[found[1]].value
    whole = int(value) if value == int(value) else value
    return whole if found[0] == means else means.replace(found[0], f"{value:g}")
