"""What does the planner hold while it reads one sentence? The tokens, the lexicon, the date, and the chart of parts."""

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from agent.offline.grammar import Chart, Grammar
from agent.offline.lexicon import Lexicon
from agent.offline.tokens import Token, tokens
from agent.offline.trees import Note, Tree

if TYPE_CHECKING:
    from agent.offline.frames import Frame


@dataclass(frozen=True, slots=True)
class Said:
    """A condition that was said.

    ``frame`` is the activity behind it, for what follows to borrow from; ``denied`` where a "not" came first, ``bare``
    where nothing came before its verb, so that a "not" further left may still reach it; ``permission`` is the consent
    it speaks of.
    """

    tree: Tree
    frame: "Frame | None" = None
    denied: bool = False
    bare: bool = False
    permission: str = ""


class Sentence(Chart):
    """One sentence being read."""

    def __init__(self, text: str, lexicon: Lexicon, grammar: Grammar, today: date) -> None:
        self.text = text
        self.lexicon = lexicon
        self.catalog = lexicon.catalog
        self.today = today
        self.repairs: list[Note] = []
        self.lost: list[Said] = []
        self.used: set[int] = set()
        self.known = grammar.words
        self.tokens = tuple(self._repaired(token) for token in tokens(text))
        super().__init__(grammar, tuple(token.stem for token in self.tokens), lexicon.senses(self.tokens))

    def said(self, start: int, end: int) -> str:
        """The words between two places, as typed."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters between two places."""
        return self.tokens[start].start, self.tokens[end - 1].end

    def is_any(self, i: int, *names: str) -> int:
        """Where the longest of these parts ends, or 0 where none of them is here."""
        return max((found[0] for name in names if (found := self.best(name, i))), default=0)

    def past(self, i: int, *names: str) -> int:
        """The place after any number of these parts."""
        while end := self.is_any(i, *names):
            i = end
        return i

    def _repaired(self, token: Token) -> Token:
        """The token, with its spelling mended where that is safe."""
        if token.kind != "word" or token.stem in self.lexicon.known or token.stem in self.known or token.text.isupper():
            return token
        meant = self.lexicon.targets.repaired(token.stem) or self.lexicon.targets.repaired(token.norm)
        if meant is None:
            return token
        self.repairs.append(Note(token.text, f"read “{token.text}” as “{meant}”"))
        return replace(token, stem=meant)
