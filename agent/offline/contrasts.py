"""Are two kinds of people to be compared? ``compare VIPs with everyone``, ``gmail users vs yahoo users``."""

from collections.abc import Iterator

from agent.offline import answers
from agent.offline.audience import Audience, audience
from agent.offline.grammar import Grammar
from agent.offline.reading import Reading, StatsQuery
from agent.offline.sentence import Sentence
from agent.offline.trees import choices, one_of
from domain.segments import Definition

MIDDLES = ("versus", "beside", "joined_with")
"""What may stand between the two, the plainest first."""


def add(grammar: Grammar) -> None:
    """Teach a grammar what opens a comparison and what stands between its sides."""
    rule = grammar.rule
    rule(
        "contrast",
        "compare|contrast|benchmark",
        "[:what_is] [a|the] comparison of|between|for",
        "[:what_is] [:det] difference|differences between",
        "how do|does|did|are|is",
        "what distinguish|distinguishes|separate|separates|sets|set",
    )(lambda *_: True)
    rule(
        "versus", "vs|v|versus|against", "compared|compare|relative to|with|against", "[:be] different|differ from|to"
    )(lambda *_: True)
    rule("beside", "with|to|from", "apart from")(lambda *_: True)
    rule("joined_with", "and|or")(lambda *_: True)
    rule("closing", "differ|compare|look [like]", "[:be] different", "apart", "?")(lambda *_: True)
    rule(
        "everybody",
        "[:det] rest [of [:det] [:entity]]",
        "[:det] others",
        "everyone|everybody|anyone else",
        "[:det] other|average|typical|usual :entity",
        "[:them] [all] [:det] :entity",
        ":them",
    )(lambda *_: True)


def read(chart: Sentence, previous: Definition | None) -> Reading | None:
    """The reading of a comparison; ``None`` where none is asked for, or its sides are not understood."""
    begin = _begin(chart)
    for left, right in _halves(chart, begin):
        sides = _side(chart, *left, previous), _side(chart, *right, previous)
        if sides[0] and sides[1] and any(side.tree is not None for side in sides if side):
            return _compared(chart, sides[0], sides[1])
    alone = begin and not chart.is_any(begin - 1, "do", "be")
    whole = _side(chart, begin, _end(chart, len(chart.stems)), previous) if alone else None
    return _compared(chart, whole, _everybody()) if whole and whole.tree is not None else None


def _begin(chart: Sentence) -> int:
    """The place after the words that open a comparison, 0 where there are none."""
    starts = sorted({0, chart.past(0, "lead")})
    return max((found[0] for at in starts if (found := chart.best("contrast", at))), default=0)


def _halves(chart: Sentence, begin: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Every way to cut the sentence in two; without an opening only at a word that says nothing else."""
    for kind in MIDDLES if begin else MIDDLES[:1]:
        for at in range(max(1, begin + 1), len(chart.stems)):
            for end, _ in chart.at(kind, at):
                if end < len(chart.stems):
                    yield (begin, _end(chart, at)), (end, _end(chart, len(chart.stems)))


def _end(chart: Sentence, end: int) -> int:
    """The end of a side without the words that close the question: how do VIPs [differ] from ..."""
    starts = (at for at in range(max(0, end - 2), end) if any(last == end for last, _ in chart.at("closing", at)))
    return next(starts, end)


def _side(chart: Sentence, start: int, end: int, previous: Definition | None) -> Audience | None:
    if start >= end:
        return None
    if any(last == end for last, _ in chart.at("everybody", start)):
        pronoun = chart.stems[start] in {"them", "these", "those", "they"}
        return Audience(one_of(previous), (), (), named=True, everyone=False) if previous and pronoun else _everybody()
    found = audience(chart, start, end)
    return found if not found.unused and (found.tree is not None or found.everyone) else None


def _everybody() -> Audience:
    return Audience(None, (), (), named=True, everyone=True)


def _compared(chart: Sentence, one: Audience, other: Audience) -> Reading:
    found = [answers.segment(chart, side, intent="stats") if side.tree is not None else None for side in (one, other)]
    query = StatsQuery(what="compare")
    for side, told in zip((one, other), found, strict=True):
        if told is not None and side.tree is not None and choices(side.tree):
            return told.model_copy(update={"stats": query})
    definitions = [told.definition if told else None for told in found]
    told_of = [told for told in found if told]
    return Reading(
        text=chart.text,
        action="answer",
        intent="stats",
        definition=definitions[0],
        assumptions=tuple(dict.fromkeys(one for told in told_of for one in told.assumptions)),
        spans=tuple(span for told in told_of for span in told.spans),
        stats=query.model_copy(update={"definition": definitions[0], "other": definitions[1]}),
    )
