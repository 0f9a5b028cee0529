"""Is it an order about something that exists? ``list my segments``, ``pause flow 3``, ``save it as "Texans"``."""

import re

from agent.offline.reading import Command, Reading
from agent.offline.sentence import Sentence
from agent.offline.small_words import listed, table
from agent.offline.tokens import Token

MOST_WORDS = 6
LONGEST_NAME = 12

_SMALL = listed("command_small")
_VERBS = table("command_verbs")
_NOUNS = table("command_nouns")
_AFRESH = re.compile(
    r"^\W*(please\s+)?(start\s+(over|again|afresh|from\s+scratch)|reset(\s+(it|everything|the\s+segment))?|new\s+segment|clear\s+(it|everything|all))\W*$",
    re.IGNORECASE,
)
_MEANING = re.compile(
    r"^\W*(what\s+(do|does)\s+(you\s+mean\s+by\s+)?(.+?)\s*(mean)?|define\s+(.+?)|what\s+is\s+(meant\s+by|the\s+definition\s+of)\s+(.+?))\W*$",
    re.IGNORECASE,
)
_POINTING = frozenset(("it", "that", "this", "last", "1", "change"))
_TO_FLOWS = frozenset(("pause", "resume", "stop", "delete"))
_ALONE = frozenset(("undo", "save", "approve", "reject", "activate"))


def read(chart: Sentence) -> Reading | None:
    """The reading of an order; ``None`` where the sentence is none."""
    command = _afresh(chart) or _ordered(chart) or _meaning(chart)
    return Reading(text=chart.text, action="answer", intent="command", command=command) if command else None


def _afresh(chart: Sentence) -> Command | None:
    return Command(verb="reset", noun="segment") if _AFRESH.match(chart.text) else None


def _ordered(chart: Sentence) -> Command | None:
    """A verb and what it is about, and nothing else: anything more is for another reading."""
    if {"a", "an", "new"} & {token.norm for token in chart.tokens}:
        return None
    words = [token for token in chart.tokens if token.kind != "sign" and token.norm not in _SMALL]
    named_flow = _order_to_flow(chart)
    if named_flow:
        return named_flow
    if not words or words[0].norm not in _VERBS or len(words) > MOST_WORDS:
        return None
    named = next((i for i, token in enumerate(words) if i and _begins_name(token)), len(words))
    plain = words[1:named]
    nouns = [_NOUNS[token.stem] for token in plain if token.stem in _NOUNS]
    numbers = [int(token.number) for token in plain if token.kind == "number" and nouns]
    known = len(nouns) + len(numbers) + sum(token.norm in _POINTING for token in plain)
    if known < len(plain) or len(nouns) > 1:
        return None
    name = _name(chart, words, named)
    verb = _VERBS[words[0].norm]
    if not nouns and (verb == "list" or (not name and not plain and verb not in _ALONE)):
        return None
    return Command.model_validate(
        {
            "verb": "show" if verb == "list" and numbers else verb,
            "noun": nouns[0] if nouns else "it",
            "id": numbers[0] if numbers else None,
            "name": name,
        }
    )


def _order_to_flow(chart: Sentence) -> Command | None:
    """An order to a flow by its name: pause the flow Spring beans."""
    words = [token for token in chart.tokens if token.kind != "sign"]
    at = next((i for i, token in enumerate(words[:4]) if _NOUNS.get(token.stem) in {"flow", "campaign"}), None)
    before = [token for token in words[:at] if token.norm not in _SMALL]
    verb = _VERBS.get(before[0].norm) if at and len(before) == 1 else None
    behind = words[(at or 0) + 1 :]
    if verb not in _TO_FLOWS or not behind or behind[0].kind == "number" or len(behind) > LONGEST_NAME:
        return None
    behind = behind[1:] if behind[0].norm in {"named", "called"} and len(behind) > 1 else behind
    quoted = str(behind[0].value) if len(behind) == 1 and behind[0].kind == "quoted" else None
    name = quoted or chart.text[behind[0].start : behind[-1].end]
    return Command.model_validate({"verb": verb, "noun": _NOUNS[words[at or 0].stem], "name": name})


def _begins_name(token: Token) -> bool:
    return token.kind == "quoted" or token.norm in {"as", "named", "called", "to"}


def _name(chart: Sentence, words: list[Token], at: int) -> str | None:
    """What something is to be called: a quoted text, or all that follows "as"."""
    if at >= len(words):
        return None
    if words[at].kind == "quoted":
        return str(words[at].value)
    if at + 1 >= len(words):
        return None
    first = words[at + 1]
    return str(first.value) if first.kind == "quoted" else chart.text[first.start : words[-1].end]


def _meaning(chart: Sentence) -> Command | None:
    """What a word of the glossary means here."""
    found = _MEANING.match(chart.text)
    if not found:
        return None
    for i in range(len(chart.tokens)):
        for kind in ("term_condition", "term_window", "term_level"):
            best = chart.best(kind, i)
            if best and all(
                token.kind == "sign" or token.norm in {"mean", "here", "exactly"} for token in chart.tokens[best[0] :]
            ):
                return Command(verb="show", noun="glossary", name=best[1].word)
    return None
