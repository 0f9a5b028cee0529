"""Which parts, side by side, explain the sentence best? Those that leave the fewest words over and are the fewest."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.offline.sentence import Sentence

CONDITION, FRAGMENT, BARE = 1.0, 3.0, 1.4
BEYOND = 0.9
"""What is understood and cannot be said in the segment language must not be read as something that can."""
MARK, FILLER, ASK, UNKNOWN = 0.3, 0.45, 0.4, 10.0
SIGN, LEFT_OVER_SIGN, LONGER = 0.1, 0.5, 0.01

MARKS = (
    "but",
    "except",
    "then",
    "or",
    "and",
    "comma",
    "either",
    "neither",
    "both",
    "not",
    "who",
    "whose",
    "entity",
    "them",
)
_SILENT = {"?", "!", "-", ".", "/", "&", "+"}
_BRACKETS = {"(": "open", ")": "close"}


@dataclass(frozen=True, slots=True)
class Item:
    """A stretch of tokens and what it is: a condition, a fragment, a mark of the logic, filler, or unknown."""

    kind: str
    start: int
    end: int
    value: Any = None


def cover(
    chart: Sentence, start: int = 0, end: int | None = None, *, extra: tuple[tuple[str, float], ...] = ()
) -> list[Item]:
    """The cheapest row of items from one place to another; ``extra`` are further parts and their price."""
    last = len(chart.tokens) if end is None else end
    best: list[tuple[float, int, Item | None]] = [(float("inf"), 0, None)] * (last + 1)
    best[start] = (0.0, 0, None)
    for i in range(start, last):
        cost, count, _ = best[i]
        if cost == float("inf"):
            continue
        for price, item in _items(chart, i, start, extra):
            if item.end <= last and (cost + price, count + 1) < best[item.end][:2]:
                best[item.end] = (cost + price, count + 1, item)
    row: list[Item] = []
    at = last
    while at > start:
        chosen = best[at][2]
        if chosen is None:
            break
        row.append(chosen)
        at = chosen.start
    return row[::-1]


def _items(chart: Sentence, i: int, start: int, extra: tuple[tuple[str, float], ...]) -> Iterator[tuple[float, Item]]:
    """All that may stand at a place, each with its price; one unknown word always may."""
    for kind, price in extra:
        yield from ((price, Item(kind, i, end, value)) for end, value in chart.at(kind, i))
    # a single word that is a condition by itself must not win against its being part of a mark or a request
    yield from (
        (BARE if end == i + 1 else CONDITION, Item("condition", i, end, said)) for end, said in chart.at("condition", i)
    )
    if i > start:
        yield from ((FRAGMENT, Item("fragment", i, end, found)) for end, found in chart.at("fragment", i))
    yield from _marks(chart, i)
    yield from _fillers(chart, i)
    yield from ((BEYOND, Item("unknown", i, end)) for end, _ in chart.at("single", i))
    yield UNKNOWN, Item("unknown", i, i + 1)


def _marks(chart: Sentence, i: int) -> Iterator[tuple[float, Item]]:
    norm = chart.tokens[i].norm
    if norm in _BRACKETS:
        yield SIGN, Item(_BRACKETS[norm], i, i + 1)
    yield from ((MARK, Item("n_of", i, end, least)) for end, least in chart.at("n_of", i))
    for kind in MARKS:
        yield from ((MARK + LONGER * (end - i), Item(kind, i, end, chart.stems[i])) for end, _ in chart.at(kind, i))


def _fillers(chart: Sentence, i: int) -> Iterator[tuple[float, Item]]:
    for kind, price in (("filler", FILLER), ("ask", ASK)):
        yield from ((price, Item("filler", i, end, kind)) for end, _ in chart.at(kind, i))
    if chart.tokens[i].kind == "sign":
        yield SIGN if chart.tokens[i].norm in _SILENT else LEFT_OVER_SIGN, Item("filler", i, i + 1, "sign")
