"""Is the CRM asked about instead of the store? ``which companies show high buying intent``, ``firms about to buy``."""

import re

from agent.offline.reading import Reading
from agent.offline.sentence import Sentence

_INTENT = re.compile(
    r"\b(buying|purchas(e|ing))[\s-]+intent\b"
    r"|\b(compan(y|ies)|accounts?|prospects?|firms?|businesses)\b.*\b((about|ready|likely)\s+to\s+buy|intent)\b",
    re.IGNORECASE | re.DOTALL,
)
_TIERS = (
    ("LOW", re.compile(r"\b(low|no|little|without|lacking)\b", re.IGNORECASE)),
    ("MEDIUM", re.compile(r"\b(medium|moderate|some)\b", re.IGNORECASE)),
)


def read(chart: Sentence) -> Reading | None:
    """The reading of a question about companies' buying intent, where the store is what is being asked."""
    if chart.catalog.dataset != "store" or not _INTENT.search(chart.text):
        return None
    tier = next((name for name, said in _TIERS if said.search(chart.text)), "HIGH")
    return Reading(text=chart.text, action="answer", intent="companies", tier=tier)
