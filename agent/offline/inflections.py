"""Which other forms has a verb of the catalog? ``bought`` gives ``buy``, ``buys``, ``buying`` and ``buyer``.

Where the infinitive cannot be told (``rated``: rat or rate) both are taken: a form nobody uses does no harm.
"""

from collections.abc import Iterator

from agent.offline.small_words import table

_PAST = table("past")
_WHOLE = {
    "be": ("was", "were", "been", "being", "is", "are"),
    "have": ("have", "has", "had", "having"),
    "put": ("put", "puts", "putting"),
    "get": ("get", "gets", "getting", "got"),
    "begin": ("begin", "begins", "beginning"),
}
_DOUBLING = "pgtnmbr"
_VOWELS = "aeiou"
_SHORTEST = 2


def forms(verb: str) -> frozenset[str]:
    """The verb in all its forms."""
    made = {verb}
    for base in bases(verb):
        made |= {base, *_made(base), *(past for past, found in _PAST.items() if found == base)}
    return frozenset(made)


def agents(verb: str) -> frozenset[str]:
    """Who does it: ``bought`` gives ``buyer``, ``visited`` gives ``visitor``."""
    made = set()
    for base in bases(verb):
        if base.endswith("e"):
            made.add(f"{base}r")
        else:
            made |= {f"{_doubled(base)}er", f"{base}or"}
    return frozenset(made)


def bases(verb: str) -> tuple[str, ...]:
    """The infinitives that a verb in any form may come from."""
    if verb in _PAST:
        return (_PAST[verb],)
    for ending in ("ing", "ed"):
        cut = verb.removesuffix(ending)
        if cut != verb and len(cut) > _SHORTEST:
            return tuple(_without_ending(cut))
    return (verb,)


def _without_ending(cut: str) -> Iterator[str]:
    if cut.endswith("i"):
        yield f"{cut[:-1]}y"
        return
    if cut[-1] == cut[-2] and cut[-1] in _DOUBLING:
        yield cut[:-1]
        return
    yield cut
    yield f"{cut}e"


def _made(base: str) -> Iterator[str]:
    if base in _WHOLE:
        yield from _WHOLE[base]
        return
    to_y = base.endswith("y") and base[-2:-1] not in _VOWELS
    stem = base[:-1] if base.endswith("e") else _doubled(base)
    yield f"{base[:-1]}ies" if to_y else f"{base}es" if base.endswith(("s", "x", "ch", "sh", "z")) else f"{base}s"
    yield f"{stem}ing"
    if base not in _PAST.values():
        yield f"{base[:-1]}ied" if to_y else f"{stem}ed"


def _doubled(base: str) -> str:
    """``shop`` doubles its last letter before an ending, ``open`` and ``visit`` are too long to."""
    vowels = [char in _VOWELS for char in base[-3:]]
    return f"{base}{base[-1]}" if len(base) <= 4 and vowels == [False, True, False] and base[-1] in _DOUBLING else base  # noqa: PLR2004
