"""What does a sentence ask for? One reading per sentence, always the same for the same words, lexicon and date."""

from datetime import date
from functools import cache

from agent.offline import answers, campaigns, changes, conditions, followups, requests, statistics
from agent.offline.audience import audience
from agent.offline.grammar import Grammar
from agent.offline.lexicon import Lexicon
from agent.offline.reading import Reading
from agent.offline.sentence import Sentence
from agent.offline.tokens import MAX_TEXT
from domain.segments import Definition


def read(text: str, lexicon: Lexicon, *, today: date, previous: Definition | None = None) -> Reading:
    """The reading of a sentence by the words of one dataset.

    ``previous`` is the definition that the conversation is about, if any: a sentence may change it or speak of "them".
    ``today`` is the store's day; "since March" and birthdays are reckoned from it.
    """
    found = _read(text, lexicon, today, previous)
    return found.model_copy(update={"dataset": lexicon.catalog.dataset})


def _read(text: str, lexicon: Lexicon, today: date, previous: Definition | None) -> Reading:
    if not text.strip():
        return Reading(text=text, action="answer", intent="help")
    if len(text) > MAX_TEXT:
        question = f"That is longer than {MAX_TEXT:,} characters. Please say it in fewer words."
        return Reading(text=text[:MAX_TEXT], action="refuse", intent="unknown", question=question, confidence=0.0)
    chart = Sentence(text, lexicon, grammar(), today)
    if not chart.tokens:
        return answers.refused(chart, answers.nothing(chart))
    found = _special(chart, previous)
    if found is None or (found.unused_words and found.intent in {"stats", "segment"}):
        whole = answers.segment(chart, audience(chart))
        found = whole if found is None or not whole.unused_words else found
    return found


def _special(chart: Sentence, previous: Definition | None) -> Reading | None:
    """Everything but a new segment, in the order in which the readings exclude one another."""
    if chart.at("followed", 0):
        return None  # "message sent, then message opened" says who, and asks for nothing to be sent
    whole = chart.best("condition", 0)
    changes = previous is not None or whole is None or whole[0] < len(chart.stems)
    return (
        requests.out_of_reach(chart)
        or requests.read(chart)
        or (followups.read(chart, previous) if changes else None)
        or statistics.read(chart, previous)
        or campaigns.read(chart, previous)
    )


@cache
def grammar() -> Grammar:
    """All rules: those of conditions, and those of the other things that can be asked."""
    made = conditions.grammar()
    for part in (statistics, changes, followups, requests):
        part.add(made)
    return made
