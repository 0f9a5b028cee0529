"""Which regular expressions are let through, and do they mean the same in Python as the person wrote?"""

import re

import pytest

from domain.patterns import portable


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^\d{3}-\w+$", "123-ab_9", True),
        (r"^\d{3}-\w+$", "١٢٣-ab", False),
        (r"\S\s\S", "a\tb", True),
        (r"[\w.-]+@x\.com", "a.b-c@x.com", True),
        (r"[^\d]", "12", False),
        ("a{", "a{", True),
        ("(?:a|b)+c", "abc", True),
        ("[]x]", "]", True),
    ],
)
def test_what_every_engine_has_keeps_its_meaning(pattern: str, text: str, found: bool) -> None:  # noqa: FBT001
    assert bool(re.search(portable(pattern), text)) == found


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)", "(?!a)", "(?<=a)", "(?P<n>a)", "(?i)a", r"(a)\1", r"\bword", r"\p{L}", r"\x41", "a++", "a*+", "a{,3}",
        "[[:alpha:]]", r"[\D]", "[a--b]", "a{300}", "((a{20}){20}){20}", "(a", "[a", "*a", "\\", "a" * 201,
    ],
)  # fmt: skip
def test_what_some_engine_lacks_or_reads_otherwise_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        portable(pattern)


@pytest.mark.parametrize("pattern", ["(" * 200, "[" * 200, "\\" * 199, "[^]" * 60, "(a+)+" * 60])
def test_the_oddest_pattern_is_refused_and_not_pondered(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        portable(pattern)
