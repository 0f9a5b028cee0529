"""Which of a property's values does a phrase of some of their words mean? People rarely type a whole product title."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.offline.tokens import tokens

MOST_KEPT = 20_000


@dataclass(frozen=True)
class Match:
    """How to compare: ``eq`` with a whole value, or ``contains`` each of the texts; ``count`` values match."""

    op: Literal["eq", "contains"]
    texts: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Titles:
    """The values of one property and, per word, in which of them it stands.

    ``rows`` are the stems of each value and ``words`` the same words as they stand there, each with its place.
    """

    property: str
    owners: tuple[str, ...]
    values: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[tuple[tuple[int, int, str], ...], ...]
    places: dict[str, frozenset[int]]
    kept: dict[tuple[str, ...], Match | None] = field(default_factory=dict)

    def match(self, phrase: tuple[str, ...]) -> Match | None:
        """What a row of stems means here: a whole value, a stretch of values, or words that stand in one together."""
        if phrase not in self.kept:
            if len(self.kept) > MOST_KEPT:
                self.kept.clear()
            self.kept[phrase] = self._matched(phrase)
        return self.kept[phrase]

    def _matched(self, phrase: tuple[str, ...]) -> Match | None:
        if not any(stem.isalpha() for stem in phrase):
            return None
        with_all = self._with_all(phrase)
        if not with_all:
            return None
        whole = [i for i in with_all if self.rows[i] == phrase]
        if whole and len(with_all) == len(whole):
            return Match("eq", (self.values[whole[0]],), 1)
        stretches = {found for i in with_all if (found := self._stretch(i, phrase)) is not None}
        if stretches:
            text = min(stretches, key=lambda found: (len(found), found))
            return Match("contains", (text,), sum(text in self.values[i].lower() for i in with_all))
        first = min(with_all)
        return Match("contains", tuple(self._word(first, stem) for stem in phrase), len(with_all))

    def _with_all(self, phrase: tuple[str, ...]) -> frozenset[int]:
        rare_first = sorted((self.places.get(stem, frozenset()) for stem in phrase), key=len)
        found = rare_first[0] if rare_first else frozenset()
        for places in rare_first[1:]:
            if not found:
                break
            found &= places
        return found

    def _stretch(self, i: int, phrase: tuple[str, ...]) -> str | None:
        """The text of the phrase as it stands in a value, in its shortest form."""
        row, size = self.rows[i], len(phrase)
        for at in range(len(row) - size + 1):
            if row[at : at + size] == phrase:
                start = self.words[i][at][0]
                _, end, last = self.words[i][at + size - 1]
                text = self.values[i][start:end].lower()
                short = last.startswith(phrase[-1]) and text.endswith(last)
                return text[: len(text) - len(last) + len(phrase[-1])] if short else text
        return None

    def _word(self, i: int, stem: str) -> str:
        """A word as it stands in a value, without its plural."""
        norm = self.words[i][self.rows[i].index(stem)][2]
        return stem if norm.startswith(stem) else norm


def are_codes(values: Sequence[str]) -> bool:
    """Whether values are order numbers, SKUs and the like, of which nobody says a part."""
    return sum(any(char.isdigit() for char in value) and " " not in value for value in values) * 2 > len(values)


def index(name: str, values: tuple[str, ...], owners: tuple[str, ...]) -> Titles:
    """Look up every word of every value."""
    found = [[token for token in tokens(value) if token.kind != "sign"] for value in values]
    rows = tuple(tuple(token.stem for token in row) for row in found)
    words = tuple(tuple((token.start, token.end, token.norm) for token in row) for row in found)
    places: dict[str, set[int]] = {}
    for i, row in enumerate(rows):
        for stem in row:
            places.setdefault(stem, set()).add(i)
    return Titles(name, owners, values, rows, words, {stem: frozenset(found) for stem, found in places.items()})
