"""What came after what? ``bought a grinder and then beans``, ``added to cart, then did not order within 7 days``."""

from collections.abc import Iterator

from agent.offline.frames import Frame, tree
from agent.offline.grammar import Alternative, Grammar
from agent.offline.lexicon import Lexicon
from agent.offline.sentence import Said, Sentence
from agent.offline.times import Stretch
from agent.offline.trees import Leaf, Tree
from domain import segments as seg
from domain.windows import Window

LONGEST = 6


def add(grammar: Grammar) -> None:
    """Teach a grammar sequences that are said by their nouns: checkout, then no order within 7 days."""
    grammar.reader("followed")(_followed)


def _followed(chart: Sentence, i: int) -> Iterator[Alternative]:
    for at, first in _stepped(chart, i):
        for start, during in _during(chart, at):
            yield from _chained(chart, start, (first,), during)


def _chained(chart: Sentence, i: int, steps: tuple[seg.Step, ...], during: Window | None) -> Iterator[Alternative]:
    """One more step after a "then", and so on; only the last may be one that did not follow."""
    comma = chart.past(i, "comma") if i < len(chart.stems) else i
    if comma >= len(chart.stems) or not chart.is_any(comma, "then") or len(steps) == LONGEST:
        return
    at = chart.is_any(comma, "then")
    none = bool(chart.is_any(at, "no")) if at < len(chart.stems) else False
    for end, step in _stepped(chart, chart.is_any(at, "no") if none else at):
        for last, within in _within(chart, end):
            if none and within is None:
                continue
            chain = (*steps, step.model_copy(update={"op": "none" if none else "any", "within": within}))
            yield last, Said(Leaf(seg.Sequence(steps=chain, during=during)))
            if not none:
                yield from _chained(chart, last, chain, during)


def _stepped(chart: Sentence, i: int) -> Iterator[tuple[int, seg.Step]]:
    """An activity by its name, with the properties that narrow it."""
    for end, names in chart.at("activity_noun", i) if i < len(chart.stems) else ():
        for name in names:
            yield end, seg.Step(name=name)
            for last, where in filtered(chart, end, name):
                yield last, seg.Step(name=name, where=where)


def filtered(chart: Sentence, i: int, activity: str) -> Iterator[tuple[int, tuple[seg.Filter, ...]]]:
    """The tests of an activity's properties that follow one another: where product is ... and category is ..."""
    at, found = i, ()
    while at < len(chart.stems):
        start = chart.past(at, "and") if found else at
        tests = chart.at("test", start) if start < len(chart.stems) else ()
        best = next((one for one in tests if activity in one[1].owners), None)
        if best is None:
            return
        at, found = best[0], (*found, *best[1].filters)
        yield at, found


def _during(chart: Sentence, i: int) -> Iterator[tuple[int, Window | None]]:
    yield i, None
    for end, stretch in chart.at("window", i) if i < len(chart.stems) else ():
        if isinstance(stretch, Stretch) and stretch.window and not stretch.point:
            yield end, stretch.window


def _within(chart: Sentence, i: int) -> Iterator[tuple[int, str | None]]:
    yield i, None
    if i + 1 < len(chart.stems) and chart.stems[i] in {"within", "in"}:
        yield from chart.at("length", i + 1)


def joined(before: Said, after: Said, lexicon: Lexicon) -> Tree | None:
    """Two conditions as steps in time; ``None`` where the segment language cannot say it."""
    first, second = _steps(before, lexicon), _step(after, lexicon)
    if not first or second is None:
        return None
    steps, during = first
    step, within = second
    if within is not None and (within.start or within.end or within.calendar or within.until):
        return None
    length = within.last if within else None
    if step.op == "none" and length is None:
        return None
    last = seg.Step(name=step.name, op=step.op, within=length, where=step.where)
    return Leaf(seg.Sequence(steps=(*steps, last), during=during))


def _steps(said: Said, lexicon: Lexicon) -> tuple[tuple[seg.Step, ...], Window | None] | None:
    """What came before: one deed, or a sequence already."""
    if isinstance(said.tree, Leaf) and isinstance(said.tree.node, seg.Sequence):
        return said.tree.node.steps, said.tree.node.during
    found = _step(said, lexicon)
    if found is None or found[0].op == "none":
        return None
    return (found[0],), found[1]


def _step(said: Said, lexicon: Lexicon) -> tuple[seg.Step, Window | None] | None:
    """A deed that is only done or not done, with its filters and its window."""
    frame = said.frame
    made = tree(frame, lexicon) if isinstance(frame, Frame) else None
    node = made.node if isinstance(made, Leaf) else None
    if not isinstance(node, seg.Activity) or node.op not in {"any", "none"}:
        return None
    return seg.Step(name=node.name, op="none" if node.op == "none" else "any", where=node.where), node.during
