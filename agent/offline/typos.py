"""Which known word was meant by an unknown one? Only where no meaning can flip.

"unsubscribed" is close to "subscribed" and "least" to "last", so a repair keeps the first letter, changes one letter
(two in long words), never adds or drops a negating prefix, and never yields an operator, a negation or a unit: those
words are not among the targets at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

SHORTEST = 4
LONG = 9
MIDDLE = 8
LEAST_ENDING = 2
NEGATING = ("un", "in", "im", "ir", "il", "non", "dis", "de", "anti", "mis")


@dataclass
class Targets:
    """The words that a repair may yield, by first letter."""

    by_letter: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Iterable[str]) -> "Targets":
        """Targets from words of the catalog, the glossary and the data."""
        made = cls()
        for word in sorted(set(words)):
            if len(word) > SHORTEST and word.isalpha():
                made.by_letter.setdefault(word[0], []).append(word)
        return made

    def repaired(self, word: str) -> str | None:
        """The one known word that was meant, or ``None`` where there is none or more than one."""
        if word not in self.kept:
            self.kept[word] = self._nearest(word) if len(word) >= SHORTEST and word.isalpha() else None
        return self.kept[word]

    def _nearest(self, word: str) -> str | None:
        allowed = 2 if len(word) >= LONG else 1
        found: dict[int, list[str]] = {}
        for target in self.by_letter.get(word[0], ()):
            distance = OSA.distance(word, target, score_cutoff=allowed)
            if 0 < distance <= allowed and _safe(word, target, distance):
                found.setdefault(distance, []).append(target)
        if not found:
            return None
        nearest = sorted(found[min(found)], key=lambda target: (len(target) == len(word), -len(target), target))
        first = nearest[0]
        same = all(target.startswith(first[:-LEAST_ENDING]) for target in nearest)
        return (
            first
            if same or (len(first) != len(word) and all(len(other) == len(word) for other in nearest[1:]))
            else None
        )


def _safe(word: str, target: str, distance: int) -> bool:
    """Whether the repair cannot turn one good word into another: a letter replaced in a short word often does."""
    if any(word.startswith(prefix) != target.startswith(prefix) for prefix in NEGATING):
        return False
    if len(word) == SHORTEST:
        return len(target) == len(word) + 1 or sorted(word) == sorted(target)
    replaced = len(word) == len(target) and distance == 1 and sorted(word) != sorted(target)
    return not replaced or len(word) >= MIDDLE
