"""How many people do segments share?"""

from collections.abc import Mapping
from datetime import datetime
from itertools import combinations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import segments as seg
from domain.errors import Invalid
from services import segments
from services.segments import Value

FEWEST, MOST = 2, 8


class Sized(Value):
    """A segment and how many are in it."""

    name: str
    size: int


class Pair(Value):
    """Two segments: how many are in both, in one alone, and the Jaccard index, the share both have of either.

    ``jaccard`` is ``None`` where nobody is in either.
    """

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    jaccard: float | None


class Overlap(Value):
    """Sizes, every pair, and how many are in all of them or in at least one."""

    segments: tuple[Sized, ...]
    pairs: tuple[Pair, ...]
    in_all: int
    in_any: int
    as_of: datetime


def overlap(session: Session, definitions: Mapping[str, seg.Definition], *, now: datetime) -> Overlap:
    """What two to eight definitions, by name, have in common, counted in one pass. Raises Invalid for fewer or more."""
    if not FEWEST <= len(definitions) <= MOST:
        fix = f"name {FEWEST} to {MOST} different ones"
        raise Invalid("overlap_of", f"{len(definitions)} segments to compare", fix, "segments")
    names = list(definitions)
    together = seg.All(of=tuple(one.where for one in definitions.values()))
    dataset = next(iter(definitions.values())).dataset
    sql = segments.ask(session, seg.Definition(dataset=dataset, where=together), now=now).sql
    inside = [test.label(f"in_{i}") for i, test in enumerate(sql.conjuncts)]
    once = sa.select(*inside).select_from(sql.rows).where(sql.known)
    person = once.cte("person").prefix_with("materialized")  # else each count would ask its conditions anew
    tests = [person.c[f"in_{i}"] for i in range(len(names))]
    pairs = list(combinations(range(len(names)), 2))
    wanted = [
        *tests,
        *(tests[i] & tests[j] for i, j in pairs),
        sa.and_(*tests),
        sa.or_(*tests),
    ]
    counts = sa.select(*(sa.func.count().filter(test).label(f"n{i}") for i, test in enumerate(wanted)))
    found = list(segments.run(session, counts.select_from(person)).one())
    sizes, shared = found[: len(names)], found[len(names) : -2]
    return Overlap(
        segments=tuple(Sized(name=name, size=size) for name, size in zip(names, sizes, strict=True)),
        pairs=tuple(
            _pair(names[i], names[j], sizes[i], sizes[j], both) for (i, j), both in zip(pairs, shared, strict=True)
        ),
        in_all=found[-2],
        in_any=found[-1],
        as_of=now,
    )


def of_saved(session: Session, segment_ids: list[int], *, now: datetime) -> Overlap:
    """The same for saved segments. Raises NotFound."""
    found = [segments.get(session, segment_id) for segment_id in dict.fromkeys(segment_ids)]
    return overlap(session, {one.name: seg.parse(one.definition) for one in found}, now=now)


def _pair(first: str, second: str, size: int, other: int, both: int) -> Pair:
    either = size + other - both
    return Pair(
        first=first,
        second=second,
        both=both,
        only_first=size - both,
        only_second=other - both,
        jaccard=both / either if either else None,
    )
