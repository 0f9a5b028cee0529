"""Which of a property's values does a phrase of some of their words mean? People rarely type a whole product title."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.offline.tokens import tokens


@dataclass(frozen=True)
class Match:
    """How to compare: ``eq`` with a whole value, or ``contains`` each of the texts; ``count`` values match."""

    op: Literal["eq", "contains"]
    texts: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Titles:
    """The values of one property and, per word, in which of them it stands."""

    property: str
    owners: tuple[str, ...]
    values: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    places: dict[str, frozenset[int]]

    def match(self, phrase: Sequence[str]) -> Match | None:
        """What a row of stems means here: a whole value, a stretch of values, or words that stand in one together."""
        if not phrase or not any(stem.isalpha() for stem in phrase):
            return None
        with_all = self._with_all(phrase)
        if not with_all:
            return None
        whole = [i for i in with_all if self.rows[i] == tuple(phrase)]
        if whole and len(with_all) == len(whole):
            return Match("eq", (self.values[whole[0]],), 1)
        stretches = Counter(found for i in with_all if (found := self._stretch(i, phrase)) is not None)
        if stretches:
            text = min(stretches, key=len)
            same = sum(text in self.values[i].lower() for i in with_all)
            return Match("contains", (text,), same)
        return Match(
            "contains", tuple(self._word(i, stem) for stem in phrase for i in sorted(with_all)[:1]), len(with_all)
        )

    def _with_all(self, phrase: Sequence[str]) -> frozenset[int]:
        found: frozenset[int] | None = None
        for stem in phrase:
            here = self.places.get(stem, frozenset())
            found = here if found is None else found & here
            if not found:
                break
        return found or frozenset()

    def _stretch(self, i: int, phrase: Sequence[str]) -> str | None:
        """The text of the phrase as it stands in a value, in its shortest form."""
        row = self.rows[i]
        for at in range(len(row) - len(phrase) + 1):
            if row[at : at + len(phrase)] == tuple(phrase):
                kept = [token for token in tokens(self.values[i]) if token.kind != "sign"]
                text = self.values[i][kept[at].start : kept[at + len(phrase) - 1].end].lower()
                last, stem = kept[at + len(phrase) - 1].norm, phrase[-1]
                return (
                    text[: len(text) - len(last) + len(stem)] if last.startswith(stem) and text.endswith(last) else text
                )
        return None

    def _word(self, i: int, stem: str) -> str:
        """A word as it stands in a value, without its plural."""
        norm = next(token.norm for token in tokens(self.values[i]) if token.stem == stem)
        return stem if norm.startswith(stem) else norm


def are_codes(values: Sequence[str]) -> bool:
    """Whether values are order numbers, SKUs and the like, of which nobody says a part."""
    return sum(any(char.isdigit() for char in value) and " " not in value for value in values) * 2 > len(values)


def index(name: str, values: tuple[str, ...], owners: tuple[str, ...]) -> Titles:
    """Look up every word of every value."""
    rows = tuple(tuple(token.stem for token in tokens(value) if token.kind != "sign") for value in values)
    places: dict[str, set[int]] = {}
    for i, row in enumerate(rows):
        for stem in row:
            places.setdefault(stem, set()).add(i)
    return Titles(name, owners, values, rows, {stem: frozenset(found) for stem, found in places.items()})
