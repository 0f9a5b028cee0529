"""Which number of the data is something compared with? ``twice their average``, ``half of what it was before``."""

from decimal import Decimal
from typing import Any, cast

from agent.offline.aggregates import Aggregate
from agent.offline.grammar import Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.times import Stretch
from agent.offline.trees import Leaf
from domain import segments as seg
from domain.windows import Window

Relative = seg.WindowBefore | seg.OtherMetric | seg.OtherMeasure


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of what is read off the data."""
    _operands(grammar)
    _conditions(grammar)


def _operands(grammar: Grammar) -> None:
    rule = grammar.rule
    rule("so_often", "<times>")(lambda _c, _i, _e, times: Decimal(times))
    rule("so_often", "<count> :time_word")(lambda _c, _i, _e, found: None if found.op else found.low)
    rule("so_often", "half [of]")(lambda *_: Decimal("0.5"))
    rule("so_often", "double")(lambda *_: Decimal(2))

    @rule(
        "relative",
        "[<so_often>] [as] [much|many] [as] [what it was|were] in the window before",
        "[<so_often>] in the <length> before that",
        "[<so_often>] [what they did] in the period|time|window before",
    )
    def _(_c: Sentence, _i: int, _e: int, times: Decimal | None, _length: str | None = None) -> Relative:
        return seg.WindowBefore(window="before", times=times or Decimal(1))

    @rule("relative", "[<so_often>] their|his|her [own] <metric> [<window>]")
    def _(_c: Sentence, _i: int, _e: int, times: Decimal | None, name: str, found: Stretch | None) -> Relative | None:
        if found and found.window is None:
            return None
        return seg.OtherMetric(metric=name, times=times or Decimal(1), during=found.window if found else None)

    @rule("relative", "[<so_often>] their|his|her [own] <measure_said> [<window>]")
    def _(
        _c: Sentence, _i: int, _e: int, times: Decimal | None, found: Aggregate, stretch: Stretch | None
    ) -> Relative | None:
        if found.picks or (stretch and stretch.window is None):
            return None
        slots: dict[str, Any] = {"measure": found.measure, "of": found.of, "name": found.activity}
        return seg.OtherMeasure(**slots, times=times or Decimal(1), during=stretch.window if stretch else None)


def _conditions(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "measured",
        "[:with] [:det] <metric> [:be] <compare> <relative> [<window>]",
        "<metric_verb> [:something] <compare> <relative> [<window>]",
        "<metric_verb> [:something] <window> <compare> <relative>",
        "[:with] [:det] <metric> <window> [:be] <compare> <relative>",
    )
    def _(_c: Sentence, _i: int, _e: int, name: str, *found: Any) -> Said | None:
        """A metric against another number of the same person; against the window before it needs one of its own."""
        op = next(item for item in found if isinstance(item, str))
        other = next(item for item in found if isinstance(item, Relative))
        stretch = next((item for item in found if isinstance(item, Stretch)), None)
        if isinstance(other, seg.OtherMeasure) or (stretch and (stretch.window is None or stretch.point)):
            return None
        during = stretch.window if stretch else None
        try:
            return Said(Leaf(seg.Metric(name=name, op=cast("Any", op), value=other, during=during)))
        except ValueError:
            return None

    @rule(
        "measured",
        "<metric_verb> [:something] <compare> :in [the] <length> before [that]",
        "<metric_verb> [:something] <less_or_more> :in the last|past <length> than :in [the] <length> before [that]",
        "<metric_verb> [:something] <less_or_more> :in the last|past <length> than before [that]",
    )
    def _(_c: Sentence, _i: int, _e: int, name: str, op: str, length: str, other: str | None = None) -> Said | None:
        """Spent less than in the 90 days before: in the last 90 days, against those before them."""
        if other not in {None, length}:
            return None
        before = seg.WindowBefore(window="before")
        return Said(Leaf(seg.Metric(name=name, op=cast("Any", op), value=before, during=Window(last=length))))

    rule("less_or_more", "less|fewer")(lambda *_: "lt")
    rule("less_or_more", "more")(lambda *_: "gt")
