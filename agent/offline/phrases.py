"""How are single things said: a number, a name from the data, a list of readings?

Text is Markdown. What customers or products are called reaches it through ``plain``, so a name cannot become a link.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from agent.offline.reading import Reading
from domain.segments_english import money

NAME_LENGTH = 80
SMALLEST_SHARE = 0.001


def plain(value: object) -> str:
    """Text from data, so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", str(value)).replace("\n", " ")


def number(value: float, kind: str, currency: str) -> str:
    """A number as its kind is written: money with its currency, whole numbers whole."""
    if kind == "money":
        return money(Decimal(str(round(value, 2))), currency)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def people(count: int, called: Sequence[str] | None = None) -> str:
    """``1 customer``, ``1,250 customers``; ``called`` is what one and several are called in another dataset."""
    one, many = called or ("customer", "customers")
    return f"{count:,} {one if count == 1 else many}"


def share(part: float) -> str:
    """A share as a percentage; a small one is not called nothing."""
    return "under 0.1%" if 0 < part < SMALLEST_SHARE else f"{part:.1%}"


def sentence(text: str) -> str:
    """As a sentence: capital first, a full stop last."""
    return capital(text) if text.endswith((".", "?")) else f"{capital(text)}."


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def cut(text: str) -> str:
    """Cut to the length of a name, at a word."""
    return text if len(text) <= NAME_LENGTH else text[: NAME_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def read_as(reading: Reading, notes: Sequence[str] = ()) -> str:
    """How words were read, and what else to know, one line each."""
    said = [plain(sentence(one.text)) for one in reading.assumptions]
    lines = "\n".join(f"- {line}" for line in dict.fromkeys((*said, *notes)))
    return f"\n\n{lines}" if lines else ""


def unused(reading: Reading) -> str:
    """The words that had no effect, if any."""
    if not reading.unused_words:
        return ""
    quoted = ", ".join(f"“{plain(word)}”" for word in reading.unused_words)
    return f"\n\nNot used: {quoted}."
