r"""Which regular expressions may be asked? Those that every engine reads alike and answers in linear time.

That is the common part of PostgreSQL's, RE2's and Python's: no look-around, no back-references, no possessive
quantifiers, and only the escapes ``\d \w \s`` with their opposites, ``\t``, ``\n`` and signs. They are written
out, so that a digit, a letter of a word and a space are the ASCII ones everywhere.
"""

import re
from collections.abc import Iterator

MAX_PATTERN = 200
MAX_REPEATS = 250

_SETS = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f\v"}
_COUNT = re.compile(r"\{(\d{1,4})(?:,(\d{0,4}))?\}")
_SET = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ODD_IN_SET = re.compile(r"(?<!\\)\[|--|&&|~~|\|\|")


def portable(pattern: str) -> str:
    """The pattern in the words that every engine has. Raises ValueError saying what is in the way."""
    if len(pattern) > MAX_PATTERN:
        message = f"a regular expression has at most {MAX_PATTERN} characters"
        raise ValueError(message)
    written = "".join(_parts(pattern))
    try:
        re.compile(written)
    except (re.error, OverflowError, RecursionError) as error:
        message = f"{pattern!r} is not a regular expression: {error}"
        raise ValueError(message) from None
    return written


def _parts(pattern: str) -> Iterator[str]:
    i, repeats = 0, 1
    while i < len(pattern):
        rest = pattern[i:]
        taken = rest[0]
        if taken == "\\":
            taken = rest[:2]
            yield _escape(taken[1:])
        elif found := _SET.match(rest):
            taken = found[0]
            yield _set(taken)
        elif found := _COUNT.match(rest):
            taken = found[0]
            repeats *= max(1, int(found[1]), int(found[2] or 0))
            yield taken
        else:
            _check(rest)
            yield f"\\{taken}" if taken in "{}" else taken
        i += len(taken)
        if taken[-1] in "*+?}" and pattern[i : i + 1] == "+" and not taken.startswith("\\"):
            raise _foreign(f"{taken[-1]}+")
        if repeats > MAX_REPEATS:
            message = f"it repeats a part more than {MAX_REPEATS:,} times; use * or +"
            raise ValueError(message)


def _check(rest: str) -> None:
    """Raise ValueError for a beginning that not every engine has."""
    if rest[0] == "[":
        message = "a [ is never closed"
        raise ValueError(message)
    if rest.startswith("{,") or (rest.startswith("(?") and not rest.startswith("(?:")):
        raise _foreign(rest[:3])


def _set(found: str) -> str:
    start = "[^" if found.startswith("[^") else "["
    inner = found[len(start) : -1]
    if odd := _ODD_IN_SET.search(inner):
        raise _foreign(f"{odd[0]} inside [ ]")
    return start + re.sub(r"\\(.)", lambda escaped: _escape(escaped[1], in_set=True), inner, flags=re.DOTALL) + "]"


def _escape(sign: str, *, in_set: bool = False) -> str:
    if sign.lower() in _SETS and sign:
        if in_set and sign.isupper():
            raise _foreign(f"\\{sign} inside [ ]")
        signs = _SETS[sign.lower()]
        return signs if in_set else f"[{'^' if sign.isupper() else ''}{signs}]"
    if sign in {"t", "n"}:
        return f"\\{sign}"
    if not sign or sign.isalnum() or not sign.isascii():
        raise _foreign(f"\\{sign}")
    return f"\\{sign}"


def _foreign(part: str) -> ValueError:
    return ValueError(f"it uses {part!r}, which not every engine has; do without it")
