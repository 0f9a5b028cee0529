"""How does a row of numbers become a line? Points of a picture 100 wide and 100 high, which the page stretches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

ROOM = 0.12
"""Share of the spread that is left free above and below the line."""


@dataclass(frozen=True)
class Line:
    """A line in two parts, the first looked up and the second counted at the time; and the area below both.

    ``low`` and ``high`` are what the lower and the upper edge stand for. ``places`` are the x of each point.
    """

    looked_up: str
    counted: str
    area: str
    low: int
    high: int
    places: tuple[float, ...]


def line(points: Sequence[tuple[datetime, int, bool]]) -> Line:
    """A line through points in order of time: when, how many, and whether that was counted at the time."""
    first, last = points[0][0], points[-1][0]
    span = (last - first).total_seconds() or 1
    sizes = [size for _, size, _ in points]
    spread = max(sizes) - min(sizes)
    low = max(0, round(min(sizes) - ROOM * spread)) if spread else 0
    high = round(max(sizes) + ROOM * spread) or 1
    at = [
        (100 * (when - first).total_seconds() / span, 100 - 100 * (size - low) / (high - low))
        for when, size, _ in points
    ]
    turn = next((i for i, (_, _, counted) in enumerate(points) if counted), len(points) - 1)
    return Line(
        looked_up=_path(at[: turn + 1]),
        counted=_path(at[turn:]),
        area=f"{_path(at)} L{at[-1][0]:.2f} 100 L{at[0][0]:.2f} 100 Z",
        low=low,
        high=high,
        places=tuple(x for x, _ in at),
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if i else 'M'}{x:.2f} {y:.2f}" for i, (x, y) in enumerate(points))
