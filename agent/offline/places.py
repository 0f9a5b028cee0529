"""Which spellings mean the same country, state, language or gender, and which of them does this store write?"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from domain.catalog import Attribute

FILE = Path(__file__).with_name("places.toml")

_HINTS = {
    "countries": ("country", "nation", "nationality", "location"),
    "states": ("state", "region", "province", "location"),
    "languages": ("language",),
    "genders": ("gender", "sex"),
}
_GROUPS = {"countries": "country_groups", "states": "state_groups"}
_LONGEST_CODE = 3


@dataclass(frozen=True, slots=True)
class Alias:
    """A way to say a value: ``code`` marks two or three letters, which are easily another word."""

    phrase: str
    values: tuple[str, ...]
    code: bool = False
    place: bool = False


def aliases(name: str, attribute: Attribute) -> tuple[Alias, ...]:
    """Other ways to say the values of an attribute, judged by what it is called; empty for most attributes."""
    said = {word for phrase in (name, attribute.label) for word in phrase.replace("_", " ").lower().split()}
    kinds = [kind for kind, hints in _HINTS.items() if said & set(hints)]
    return tuple(alias for kind in kinds for alias in _of_kind(kind, attribute.values))


def _of_kind(kind: str, values: tuple[str, ...]) -> Iterable[Alias]:
    names = _names(kind)
    written = _written(kind, values)
    for code, (spellings, people) in names.items():
        for spelling in (code, *spellings, *people):
            short = len(spelling.replace(".", "")) <= _LONGEST_CODE
            is_code = short and (spelling == code or spelling.isupper() or "." in spelling)
            yield Alias(spelling, (written[code],), is_code, place=kind in _GROUPS)
    for group, members in _groups(kind).items():
        yield Alias(
            group, tuple(written[code] for code in members), group.isupper() and len(group) <= _LONGEST_CODE, place=True
        )


def _written(kind: str, values: tuple[str, ...]) -> dict[str, str]:
    """How the store writes each code: as its values do; unseen ones in the form that most of its values have."""
    names = _names(kind)
    code_of = {spelling.lower(): code for code, (spellings, _) in names.items() for spelling in (*spellings, code)}
    seen: dict[str, str] = {}
    for value in values:
        code = code_of.get(value.lower())
        if code:
            seen.setdefault(code, value)
    short = sum(len(value) <= _LONGEST_CODE for value in seen.values())
    by_code = short * 2 >= len(seen) if seen else kind != "genders"
    return {
        code: seen.get(code) or (code if by_code else _full(code, spellings, kind))
        for code, (spellings, _) in names.items()
    }


def _full(code: str, spellings: tuple[str, ...], kind: str) -> str:
    """The first spelling that is a name and no code."""
    return code if kind == "genders" else next((word for word in spellings if len(word) > _LONGEST_CODE), code)


@cache
def _data() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def _names(kind: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Code to its spellings and to the words for its people and things, which also come in the plural."""
    found = {}
    for code, line in _data()[kind].items():
        spellings, _, people = line.partition("|")
        found[code] = (_listed(spellings), _listed(people))
    return found


@cache
def _groups(kind: str) -> dict[str, tuple[str, ...]]:
    """Names of groups and the codes in them; a group may be another's second name."""
    lines = _data().get(_GROUPS.get(kind, ""), {})
    return {name: _listed(lines.get(line, line)) for name, line in lines.items()}


def _listed(line: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in line.split(",") if part.strip())
