"""When was an activity done last, or for the first time? ``last order over 90 days ago``, ``first bought in May``."""

from datetime import timedelta
from typing import Any

from agent.offline.dates import calendar, window
from agent.offline.deeds import said
from agent.offline.frames import Frame, term_window
from agent.offline.grammar import Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.times import Stretch
from agent.offline.trees import Leaf, Tree, joined
from domain import segments as seg
from domain.windows import Window

_NEXT_PERIOD: dict[str, Any] = {
    "last_week": "this_week",
    "last_month": "this_month",
    "last_quarter": "this_quarter",
    "last_year": "this_year",
    "yesterday": "today",
}


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of first and last times."""
    rule = grammar.rule
    rule("edge", ":edge_last")(lambda *_: "last")
    rule("edge", ":edge_first")(lambda *_: "first")

    @rule(
        "edged",
        "[:whose] [:light] [:det] <edge> <activity_noun> [date|day|time] [:was] [:was] [:only] <window>",
        ":with [:det] <edge> <activity_noun> [date|day|time] [:was] <window>",
        "[:have] <edge> <activity_verb> [:something] <window>",
        "[:have] <activity_verb> [:something] for the <edge> time [:ever] <window>",
    )
    def _(chart: Sentence, _i: int, _e: int, *found: Any) -> Said | None:
        edge = next(item for item in found if isinstance(item, str))
        names = next(item for item in found if isinstance(item, tuple))
        return edged(chart, edge, names[0], found[-1])

    @rule(
        "edged",
        "[:it_is] [:been] [<compare>] <length> [<or_more>] [:have] [:passed] :since_word [:det] <edge> <activity_noun>",
        "[:it_is] [:been] [<compare>] <length> [<or_more>] [:have] [:passed] :since_word [:who] <edge> <activity_verb>",
    )
    def _(
        chart: Sentence,
        _i: int,
        _e: int,
        op: str | None,
        length: str,
        more: str | None,
        edge: str,
        names: tuple[str, ...],
    ) -> Said | None:
        closed = (op or more or "gt") in {"lt", "lte"}
        return edged(chart, edge, names[0], Stretch(Window(last=length) if closed else Window(until=length)))

    @rule(
        "edged",
        "[:be] gone|went|been|go [:compare] <length> without [:ever] <activity_verb>",
        "[:be] gone|went|been|go [:compare] <length> without [:det] <activity_noun>",
    )
    def _(chart: Sentence, _i: int, _e: int, length: str, names: tuple[str, ...]) -> Said | None:
        return said(Frame(names, stretch=Stretch(Window(last=length)), none=True), chart)


def edged(chart: Sentence, edge: str, name: str, stretch: Stretch) -> Said | None:
    """The last (or first) time of an activity lay in a window: it happened there, and not after (or before) it."""
    if stretch.lacking or (stretch.window is None and stretch.term is None):
        return None
    during, notes = term_window(stretch, name)
    if during is None:
        return None
    happened: Tree = Leaf(seg.Activity(name=name, op="any", during=during), notes)
    beyond = _after(during) if edge == "last" else _before(during, chart)
    if beyond is None:
        return Said(happened)
    none = Leaf(seg.Activity(name=name, op="none", during=beyond))
    if during.until and not during.last and edge == "last":
        happened = Leaf(seg.Activity(name=name, op="any"))
    return Said(joined("all", happened, none))


def only_then(chart: Sentence, name: str, during: Window) -> Tree:
    """It happened at that time and at no other: only in 2025."""
    beyond = [window for window in (_before(during, chart), _after(during)) if window is not None]
    times = [("any", during), *(("none", window) for window in beyond)]
    return joined("all", *(Leaf(seg.Activity(name=name, op=op, during=window)) for op, window in times))


def _after(found: Window) -> Window | None:
    """What comes after a window, up to now."""
    if found.until:
        return Window(last=found.until)
    if found.calendar:
        following = _NEXT_PERIOD.get(found.calendar)
        return Window(calendar=following) if following else None
    return window(start=found.end + timedelta(days=1)) if found.end else None


def _before(found: Window, chart: Sentence) -> Window | None:
    """What comes before a window."""
    if found.last:
        return Window(until=found.last)
    if found.calendar:
        return window(end=calendar(chart.today, found.calendar).first - timedelta(days=1))
    return window(end=found.start - timedelta(days=1)) if found.start else None
