"""Is a stored template named? ``send the template Come back to customers in Texas`` says which words go out."""

import re
from collections.abc import Collection

_WORD = "template"
_STANDS_FOR = "campaign"
_QUOTE = (
    "[\"'\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}]?"
)


def named(text: str, names: Collection[str]) -> tuple[str, str | None]:
    """The sentence with a campaign in the place of the template, as long as it was, and the template's name.

    Only names that are known count, the longest first; without one the sentence comes back as it is.
    """
    if _WORD not in text.lower():
        return text, None
    for name in sorted(names, key=len, reverse=True):
        found = re.search(rf"\b{_WORD}\s+{_QUOTE}{re.escape(name)}{_QUOTE}(?!\w)", text, re.IGNORECASE)
        if found:
            return text[: found.start()] + _STANDS_FOR.ljust(found.end() - found.start()) + text[found.end() :], name
    return text, None
