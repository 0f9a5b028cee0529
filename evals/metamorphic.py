"""What must hold between the readings of related sentences, whatever they are?

Order does not matter; more conditions mean fewer people; a stricter number means fewer; the rest is what is left.
"""

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise

from agent.offline.parser import read
from evals.judging import Members
from evals.running import Ground

PHRASES = (
    "spent more than $200",
    "ordered in the last 90 days",
    "bought coffee beans",
    "opened an email in the last 30 days",
    "ordered at least twice",
    "live in Texas",
    "are subscribed to email",
    "have no phone number",
    "never used a coupon",
    "viewed a grinder",
)
RISING = {
    "customers who spent more than ${}": (20, 50, 100, 200, 500),
    "customers with at least {} orders": (1, 2, 3, 5, 8),
    "customers with no order in the last {} days": (7, 30, 90, 180, 365),
    "customers whose last order was more than {} days ago": (7, 30, 90, 180, 365),
    "customers with LTV above the {}th percentile": (10, 25, 50, 75, 90),
}
"""Sentences that mean fewer people with every greater number."""
EVERYONE = "all customers"


def relations(ground: Ground) -> Iterator[tuple[str, bool]]:
    """Each relation, said in words, and whether it holds in every shop."""
    people = {phrase: found(ground, f"customers who {phrase}") for phrase in PHRASES}
    everyone = found(ground, EVERYONE)
    for one, other in combinations(PHRASES, 2):
        there, back = (
            found(ground, f"customers who {one} and {other}"),
            found(ground, f"customers who {other} and {one}"),
        )
        yield f"{one} and {other} = {other} and {one}", there is not None and there == back
        both = _each(people[one], people[other], lambda a, b: a & b)
        yield f"{one} and {other} = both", there is not None and there == both
        either = _each(people[one], people[other], lambda a, b: a | b)
        yield (
            f"{one} or {other} = either",
            either is not None and found(ground, f"customers who {one} or who {other}") == either,
        )
    for phrase, members in people.items():
        rest = _each(everyone, members, lambda a, b: a - b)
        yield f"all but {phrase}", rest is not None and found(ground, f"everyone except customers who {phrase}") == rest
    for sentence, numbers in RISING.items():
        yield from _rising(ground, sentence, numbers)


def _rising(ground: Ground, sentence: str, numbers: tuple[int, ...]) -> Iterator[tuple[str, bool]]:
    sets = [found(ground, sentence.format(number)) for number in numbers]
    steps = list(zip(numbers, sets, strict=True))
    for (low, more), (high, fewer) in pairwise(steps):
        holds = more is not None and fewer is not None and all(a <= b for a, b in zip(fewer, more, strict=True))
        yield f"{sentence.format(high)} within {sentence.format(low)}", holds


def found(ground: Ground, text: str) -> list[Members] | None:
    """Whom a sentence means in each shop; ``None`` where it was not understood as people."""
    reading = read(text, ground.lexicon, today=ground.today)
    if reading.definition is None or reading.action not in {"segment", "draft"}:
        return None
    return [place.find(reading.definition) for place in ground.places]


def _each(
    one: list[Members] | None, other: list[Members] | None, join: Callable[[Members, Members], Members]
) -> list[Members] | None:
    if one is None or other is None:
        return None
    return [join(a, b) for a, b in zip(one, other, strict=True)]
