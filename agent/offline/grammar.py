"""How do rules become readings? A small chart parser: rules are text patterns with a function each, results are kept.

A pattern is a row of elements: ``last|past`` is one of these words, ``<length>`` a part whose value is wanted, ``:in``
a part whose value is not, ``[...]`` may be left out (its wanted values are then ``None``). The function gets the
sentence, where it begins and ends, and the wanted values in order; where it answers ``None`` the rule does not apply.
For each stretch of words the first rule that fits it counts, so the order of rules is their priority.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Alternative = tuple[int, Any]
"""Where a part ends, and what it means."""

Build = Callable[..., Any]

_ELEMENT = re.compile(r"\[|\]|<(?P<wanted>\w+)>|:(?P<silent>\w+)|(?P<words>\S+?)(?=[\[\]\s]|$)")


@dataclass(frozen=True, slots=True)
class Words:
    """One token whose stem is one of these."""

    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class Part:
    """A part that other rules describe."""

    name: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Optional:
    """Elements that may be left out; ``blanks`` is how many values are then ``None``."""

    elements: tuple["Element", ...]
    blanks: int


Element = Words | Part | Optional


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and what it means."""

    elements: tuple[Element, ...]
    build: Build


@dataclass
class Grammar:
    """Rules by the name of the part they describe; ``words`` are all that stand in a pattern."""

    rules: dict[str, list[Rule]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    readers: dict[str, Callable[..., Iterable[Alternative]]] = field(default_factory=dict)

    def rule(self, name: str, *patterns: str) -> Callable[[Build], Build]:
        """Add a rule for a part: the function builds the meaning of any of the patterns."""

        def add(build: Build) -> Build:
            for pattern in patterns:
                elements = compiled(pattern)
                self.rules.setdefault(name, []).append(Rule(elements, build))
                self.words.update(_words(elements))
            return build

        return add

    def reader(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a function that reads a part itself: from the chart and a place to its alternatives."""

        def add(read: Callable[..., Any]) -> Callable[..., Any]:
            self.readers[name] = read
            return read

        return add


class Chart:
    """One sentence being parsed. ``at`` answers from memory what it has found once."""

    def __init__(self, grammar: Grammar, stems: tuple[str, ...], classes: list[dict[str, list[Alternative]]]) -> None:
        self.grammar = grammar
        self.stems = stems
        self.classes = classes
        self._kept: dict[tuple[str, int], tuple[Alternative, ...]] = {}

    def at(self, name: str, i: int) -> tuple[Alternative, ...]:
        """The ways to read a part at a place, longest first; one per end."""
        key = (name, i)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        self._kept[key] = ()
        found: dict[int, Any] = {}
        if i < len(self.stems):
            for end, value in self._alternatives(name, i):
                found.setdefault(end, value)
        answer = tuple(sorted(found.items(), key=lambda item: -item[0]))
        self._kept[key] = answer
        return answer

    def best(self, name: str, i: int) -> Alternative | None:
        """The longest way to read a part at a place."""
        found = self.at(name, i)
        return found[0] if found else None

    def _alternatives(self, name: str, i: int) -> Iterator[Alternative]:
        yield from self.classes[i].get(name, ())
        reader = self.grammar.readers.get(name)
        if reader:
            yield from reader(self, i)
        for rule in self.grammar.rules.get(name, ()):
            for end, values in self._match(rule.elements, i, ()):
                value = rule.build(self, i, end, *values)
                if value is not None:
                    yield end, value

    def _match(
        self, elements: tuple[Element, ...], i: int, got: tuple[Any, ...]
    ) -> Iterator[tuple[int, tuple[Any, ...]]]:
        if not elements:
            yield i, got
            return
        first, rest = elements[0], elements[1:]
        if isinstance(first, Words):
            if i < len(self.stems) and self.stems[i] in first.stems:
                yield from self._match(rest, i + 1, got)
        elif isinstance(first, Part):
            for end, value in self.at(first.name, i):
                yield from self._match(rest, end, (*got, value) if first.wanted else got)
        else:
            yield from self._match(first.elements + rest, i, got)
            yield from self._match(rest, i, got + (None,) * first.blanks)


def compiled(pattern: str) -> tuple[Element, ...]:
    """A pattern as elements. Raises ValueError for brackets that do not pair."""
    open_groups: list[list[Element]] = [[]]
    for found in _ELEMENT.finditer(pattern):
        if found[0] == "[":
            open_groups.append([])
        elif found[0] == "]":
            group = tuple(open_groups.pop())
            open_groups[-1].append(Optional(group, _blanks(group)))
        else:
            open_groups[-1].append(_element(found))
    if len(open_groups) != 1:
        raise ValueError(pattern)
    return tuple(open_groups[0])


def _words(elements: tuple[Element, ...]) -> Iterator[str]:
    for element in elements:
        if isinstance(element, Words):
            yield from element.stems
        elif isinstance(element, Optional):
            yield from _words(element.elements)


def _element(found: re.Match[str]) -> Element:
    if found["wanted"]:
        return Part(found["wanted"], wanted=True)
    if found["silent"]:
        return Part(found["silent"], wanted=False)
    stems = frozenset(found["words"].split("|"))
    if any(len(stem) > 1 and stem[0] in ":<" for stem in stems):
        raise ValueError(found["words"])
    return Words(stems)


def _blanks(elements: tuple[Element, ...]) -> int:
    return sum(
        element.blanks if isinstance(element, Optional) else int(isinstance(element, Part) and element.wanted)
        for element in elements
    )
