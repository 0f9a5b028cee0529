"""Which activity do some words describe? ``bought beans twice in March``, ``3 orders over $100``, ``coffee buyers``."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from agent.offline.amounts import Amount
from agent.offline.arguments import described, named_behind, vocabulary
from agent.offline.frames import Frame, Thing, siblings, tree
from agent.offline.grammar import Alternative, Grammar
from agent.offline.lexicon import Split
from agent.offline.sentence import Said, Sentence
from agent.offline.times import Stretch
from agent.offline.trees import Note, joined, with_notes

AT_LEAST_ONE = Amount("gte", Decimal(1))


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of activities."""
    grammar.reader("doing")(_doing)
    grammar.reader("having")(_having)
    grammar.reader("agents")(_agents)
    grammar.reader("tested")(_tested_alone)


def said(frame: Frame, chart: Sentence) -> Said | None:
    """The frame as a condition, if the catalog can say it."""
    made = tree(frame, chart.lexicon)
    return Said(made, frame) if made else None


def _tested_alone(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A property said without its activity: used a coupon, order total above $100."""
    for end, thing in (*chart.at("test", i), *_used(chart, i), *named_behind(chart, i)):
        for owner in thing.owners:
            yield from _told(chart, end, Frame((owner,), tests=(replace(thing, owners=(owner,)),)))


def _used(chart: Sentence, i: int) -> Iterator[tuple[int, Thing]]:
    """A value that says itself what it is of: redeemed WELCOME10."""
    for start, _ in chart.at("used", i):
        yield from chart.at("category_name", start) if start < len(chart.stems) else ()


def _doing(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A verb with all that describes it; several verbs may share it: opened or clicked an email."""
    metric = chart.is_any(i, "metric")
    for end, names in chart.at("activity_verb", i):
        if metric > end:
            continue
        yield from _told(chart, end, Frame(names))
        yield from _shared(chart, end, [names])
    for end, splits in chart.at("split", i):
        for split in splits:
            yield from _around(chart, end, split)


def _told(chart: Sentence, i: int, frame: Frame) -> Iterator[Alternative]:
    for end, full in described(chart, i, frame):
        found = said(full, chart)
        if found:
            yield end, found


def _shared(chart: Sentence, i: int, heads: list[tuple[str, ...]]) -> Iterator[Alternative]:
    joint: Literal["any", "all"] | None = None
    while i < len(chart.stems):
        comma = i + (chart.tokens[i].norm == ",")
        word = chart.stems[comma] if comma < len(chart.stems) else ""
        at = comma + (word in {"or", "and", "nor", "and/or"})
        following = chart.best("activity_verb", at) if i < at < len(chart.stems) else None
        if following is None:
            return
        joint = ("all" if word == "and" else "any") if at > comma else joint
        heads.append(following[1])
        i = following[0]
        if joint:
            yield from _together(chart, i, heads, joint)


def _together(
    chart: Sentence, i: int, heads: list[tuple[str, ...]], joint: Literal["any", "all"]
) -> Iterator[Alternative]:
    for end, full in described(chart, i, Frame(tuple(name for names in heads for name in names))):
        trees = [tree(replace(full, heads=names), chart.lexicon) for names in heads]
        whole = [made for made in trees if made is not None]
        if len(whole) == len(heads):
            yield end, Said(joined(joint, *whole))


def _around(chart: Sentence, i: int, split: Split) -> Iterator[Alternative]:
    """A verb around its object: added beans to (their) cart."""
    anything = [(end, None) for end, _ in chart.at("generic", chart.past(i, "det"))]
    for at, found in (*chart.at("things", i), *anything):
        end = at
        for word in split.rest:
            end = chart.past(end, "det") if end < len(chart.stems) and chart.stems[end] != word else end
            if end >= len(chart.stems) or chart.stems[end] != word:
                break
            end += 1
        else:
            if found is None:
                yield from _told(chart, end, Frame((split.activity,)))
            elif any(split.activity in thing.owners for thing in found.things):
                yield from _told(chart, end, Frame((split.activity,), things=found.things, joint=found.joint))


def _having(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A noun with all that describes it: with at least 3 orders over $100, no purchases since May."""
    for start, none, carried in _openings(chart, i):
        for at, amount, counted in _counts(chart, start):
            for noun, frame in _modified(chart, at, Frame((), amount=amount, none=none)):
                for end, names in chart.at("activity_noun", noun):
                    whole = replace(frame, heads=siblings(chart.lexicon, names))
                    bare = not (none or carried or counted or noun > at)
                    for last, full in described(chart, end, whole):
                        found = said(full, chart) if last > end or not bare else None
                        if found:
                            yield last, found


def _openings(chart: Sentence, i: int) -> Iterator[tuple[int, bool, bool]]:
    yield i, False, False
    for part in ("light", "with"):
        for end, _ in chart.at(part, i):
            if end < len(chart.stems):
                yield end, False, True
                yield from ((last, True, True) for last, _ in chart.at("no", end) if last < len(chart.stems))
    for part in ("without", "no"):
        for end, _ in chart.at(part, i):
            if end < len(chart.stems):
                yield end, True, True


def _counts(chart: Sentence, i: int) -> Iterator[tuple[int, Amount | None, bool]]:
    """The count before a noun; an article counts nothing."""
    yield i, None, False
    for end, amount in chart.at("count_amount", i):
        yield chart.past(end, "of_word", "different", "separate"), amount, True
    for end, _ in chart.at("det", i):
        if end < len(chart.stems):
            yield end, None, False
    for end, op in chart.at("compare", i):
        last = chart.is_any(end, "a_word") if end < len(chart.stems) else 0
        if last:
            yield last, Amount(op, Decimal(1), text=chart.said(i, last)), True


def _modified(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Frame]]:
    """What stands between the count and the noun: recent orders, coffee purchases."""
    if i >= len(chart.stems):
        return
    yield i, frame
    for end, term in chart.at("term_window", i):
        yield end, replace(frame, stretch=Stretch(term=term))
    for end, thing in chart.at("thing", i):
        if end < len(chart.stems):
            yield end, replace(frame, things=(thing,))


def _agents(chart: Sentence, i: int) -> Iterator[Alternative]:
    """Who does it: buyers, recent openers, coffee buyers, buyers of coffee."""
    none = chart.stems[i] == "non"
    for at, frame in _modified(chart, i + none, Frame((), none=none)):
        for start in {at, at + 1}:
            for end, names in chart.at("agent", start) if start < len(chart.stems) else ():
                if start == at or chart.stems[at] in vocabulary(chart, names[0]):
                    yield from _told(chart, end, replace(frame, heads=siblings(chart.lexicon, names)))
        for end, _ in chart.at("entity", at) if at > i and frame.things and at < len(chart.stems) else ():
            found = said(replace(frame, heads=_buying(chart)), chart)
            if found and frame.things:
                word = chart.said(i, end)
                yield end, Said(with_notes(found.tree, Note(word, f"{word} = people who bought it")), found.frame)


def _buying(chart: Sentence) -> tuple[str, ...]:
    buyers = chart.catalog.buyers
    return siblings(chart.lexicon, (buyers,)) if buyers else ()
