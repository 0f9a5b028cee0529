"""Which small words of English does the grammar know? Those of ``words.toml``: classes, patterns and tables."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("words.toml")


@cache
def small_words() -> Mapping[str, Any]:
    """Everything in ``words.toml``."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def listed(name: str) -> frozenset[str]:
    """One of its lists of words."""
    return frozenset(small_words()["lists"][name])


@cache
def table(name: str) -> Mapping[str, str]:
    """One of its tables, from each word to what it stands for."""
    return {word: meaning for meaning, words in small_words()["tables"][name].items() for word in words}
