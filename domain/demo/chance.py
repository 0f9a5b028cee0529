"""How is something drawn? By these two, which are quicker than what ``random`` offers and used millions of times."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def happens(share: float, random: Random) -> bool:
    """Whether something that happens in this share of cases (0 to 1) happens now."""
    return random.random() < share


def one_of(values: Sequence[T], random: Random) -> T:
    """One of the values, each as likely as the other."""
    return values[int(random.random() * len(values))]
