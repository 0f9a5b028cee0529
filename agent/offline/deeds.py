"""Which activity do some words describe? ``bought beans twice in March``, ``3 orders over $100``, ``last order``."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from agent.offline.amounts import Amount
from agent.offline.comparisons import comparisons
from agent.offline.dates import calendar
from agent.offline.frames import Frame, Thing, siblings, term_window, tree
from agent.offline.grammar import Alternative, Grammar
from agent.offline.lexicon import Split
from agent.offline.sentence import Said, Sentence
from agent.offline.things import Things
from agent.offline.times import Stretch
from agent.offline.trees import Leaf, Note, Tree, joined, with_notes
from domain import segments as seg
from domain.segments import Filter
from domain.windows import Window

AT_LEAST_ONE = Amount("gte", Decimal(1))
MOST_STEPS = 8
LEAST_MONEY = 15
"""A smaller bare number behind a noun counts it: "orders over 100" are worth that, "orders > 3" are so many."""

_AGAIN = frozenset(("one", "1", "it", "them", "those", "any"))
"""Words that stand for the thing spoken of before."""

_NEXT_PERIOD: dict[str, Any] = {
    "last_week": "this_week", "last_month": "this_month", "last_quarter": "this_quarter", "last_year": "this_year",
    "yesterday": "today",
}  # fmt: skip


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of activities."""
    _money(grammar)
    _quantities(grammar)
    grammar.reader("test")(_test)
    grammar.reader("doing")(_doing)
    grammar.reader("having")(_having)
    grammar.reader("agents")(_agents)
    grammar.reader("tested")(_tested_alone)
    _edges(grammar)


def said(frame: Frame, chart: Sentence) -> Said | None:
    """The frame as a condition, if the catalog can say it."""
    made = tree(frame, chart.lexicon)
    return Said(made, frame) if made else None


def described(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Frame]]:
    """The frame with all that follows and describes it further; every intermediate state too."""
    yield i, frame
    for _ in range(MOST_STEPS):
        found = max(_steps(chart, i, frame), key=lambda step: step[0], default=None)
        if found is None:
            return
        i, frame = found
        yield i, frame


def _money(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("money_arg", "<sum_amount> :single", ":single [:cost] <sum_amount>")
    def _(_c: Sentence, _i: int, _e: int, money: Amount) -> dict[str, Any]:
        return {"money": money, "single": True}

    @rule(
        "money_arg", "[:cost] <sum_amount> :worth", ":worth [:cost] <sum_amount>", "[:cost] <sum_amount> in total|all"
    )
    def _(_c: Sentence, _i: int, _e: int, money: Amount) -> dict[str, Any]:
        return {"money": money, "sum": True}

    @rule(
        "money_arg",
        "[:cost] <sum_amount>",
        "[:cost] [:det] [:value_word] [:cost] <sum_amount>",
        "[:cost] <figure_compared>",
    )
    def _(_c: Sentence, _i: int, _e: int, money: Amount) -> dict[str, Any]:
        return {"money": replace(money, money=True)}

    @rule("figure_compared", "<compare> <count>")
    def _(chart: Sentence, _i: int, end: int, op: Any, found: Amount) -> Amount | None:
        counted = end < len(chart.stems) and chart.is_any(
            end, "time_word", "counted", "unit", "thing", "different", "unit_word"
        )
        return None if counted or found.low < LEAST_MONEY else replace(found, op=op)


def _quantities(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("quantity_arg", "<count_amount> :different <kind_word>", ":compare_kinds <kind_word>")
    def _(_c: Sentence, _i: int, _e: int, *found: Any) -> dict[str, Any]:
        amount = found[0] if isinstance(found[0], Amount) else Amount("gte", Decimal(2), text="different")
        return {"amount": amount, "distinct": found[-1]}

    @rule("quantity_arg", "<count_amount> <kind_word>")
    def _(chart: Sentence, _i: int, end: int, amount: Amount, kind: str) -> dict[str, Any] | None:
        return None if chart.is_any(end - 1, "product_word") else {"amount": amount, "distinct": kind}

    @rule("quantity_arg", "<count_amount> [:unit_word] of <things>", "<count_amount> [:unit_word] <things>")
    def _(_c: Sentence, _i: int, _e: int, amount: Amount, things: Things) -> dict[str, Any]:
        return {"amount": amount, "quantity": True, "things": things.things, "joint": things.joint}

    @rule("quantity_arg", "<count_amount> :product_word", "<count_amount> :unit_word")
    def _(_c: Sentence, _i: int, _e: int, amount: Amount) -> dict[str, Any]:
        return {"amount": amount, "quantity": True}

    @rule("thing_price", "[:det] :generic <money_arg>")
    def _(_c: Sentence, _i: int, _e: int, money: dict[str, Any]) -> dict[str, Any]:
        return {**money, "price": not money.get("sum") and not money.get("single")}

    @rule("nothing_but", "nothing :but_for <things>", "no :generic :but_for <things>")
    def _(_c: Sentence, _i: int, _e: int, found: Things) -> Things:
        return found

    @rule("anything_but", ":something :but_for <things>", "[any|some|a] :generic :but_for <things>")
    def _(_c: Sentence, _i: int, _e: int, found: Things) -> Things:
        return found

    @rule("kind_word", "<property>")
    def _(chart: Sentence, _i: int, _e: int, owned: tuple[tuple[str, str], ...]) -> str | None:
        texts = [name for activity, name in owned if chart.catalog.activities[activity].properties[name].kind == "text"]
        return texts[0] if texts else None


def _test(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A property of an activity, compared: ``with coupon WELCOME10``, ``where order total is above $100``."""
    for start in sorted({i, chart.past(i, "light", "with", "used", "whose", "det", "where_word")}):
        if start >= len(chart.stems) or _is_plural_noun(chart, start):
            continue
        for end, owned in chart.at("property", start):
            yield from _tested(chart, end, owned)
            if start > i and chart.is_any(i, "used", "with"):
                yield end, _present(owned, "set")
    for start, _ in (*chart.at("without", i), *chart.at("no", i)):
        for end, owned in chart.at("property", chart.past(start, "det") if start < len(chart.stems) else start):
            yield end, _present(owned, "missing")


def _is_plural_noun(chart: Sentence, i: int) -> bool:
    """Whether several activities are spoken of: "orders total over $500" adds up, "order total over $500" does not."""
    return chart.tokens[i].norm != chart.stems[i] and bool(chart.at("activity_noun", i))


def _tested_alone(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A property said without its activity: used a coupon, order total above $100."""
    for end, thing in (*chart.at("test", i), *_used(chart, i), *_named_behind(chart, i)):
        for owner in thing.owners:
            yield from _told(chart, end, Frame((owner,), tests=(replace(thing, owners=(owner,)),)))


def _used(chart: Sentence, i: int) -> Iterator[tuple[int, Thing]]:
    """A value that says itself what it is of: redeemed WELCOME10."""
    for start, _ in chart.at("used", i):
        yield from chart.at("category_name", start) if start < len(chart.stems) else ()


def _named_behind(chart: Sentence, i: int) -> Iterator[tuple[int, Thing]]:
    """A value with its property behind it: used the WELCOME10 coupon."""
    start = chart.past(i, "light", "with", "used", "det")
    for kind in ("value", "weak", "code"):
        for end, values in chart.at(kind, start) if start < len(chart.stems) else ():
            for last, owned in chart.at("property", end) if end < len(chart.stems) else ():
                for value in values:
                    owners = tuple(owner for owner, name in owned if name == value.name and owner in value.owners)
                    if owners and len(value.values) == 1:
                        yield last, Thing((Filter(name=value.name, op="eq", value=value.values[0]),), owners)


def _present(owned: tuple[tuple[str, str], ...], op: str) -> Thing:
    return Thing((Filter(name=owned[0][1], op=op),), tuple(activity for activity, name in owned if name == owned[0][1]))


def _tested(chart: Sentence, i: int, owned: tuple[tuple[str, str], ...]) -> Iterator[Alternative]:
    for activity, name in owned:
        entry = chart.catalog.activities[activity].properties[name]
        for end, found in comparisons(chart, i, entry, name, activity):
            owners = tuple(other for other, key in owned if key == name)
            yield end, Thing((Filter(name=name, op=found.op, value=found.value),), owners, found.notes)


def _steps(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Frame]]:
    """Every way to describe a frame further at a place."""
    if i >= len(chart.stems):
        return
    start = i
    if chart.tokens[i].norm == "," and chart.is_any(i + 1, "window", "times_amount"):
        start = i + 1
    if frame.stretch is None:
        yield from ((end, replace(frame, stretch=found)) for end, found in chart.at("window", start))
    if frame.amount is None:
        yield from ((end, replace(frame, amount=found)) for end, found in chart.at("times_amount", start))
        yield from _pieces(chart, start, frame)
    if start == i:
        yield from _things(chart, i, frame)
        yield from _figures(chart, i, frame)
        yield from ((end, replace(frame, tests=(*frame.tests, found))) for end, found in _tests(chart, i, frame))
        echo = _echo(chart, i, frame)
        if echo > i:
            yield echo, frame
        if chart.tokens[i].norm in _AGAIN and not frame.things:
            yield i + 1, replace(frame, same=True)
        if chart.is_any(i, "none") and not frame.things:
            yield i + 1, replace(frame, same=chart.stems[i] == "none", none=not frame.none)


def _pieces(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Frame]]:
    """A count of what the verb is about: opened 3 emails, clicked at least one link."""
    for end, amount in chart.at("count_amount", i):
        last = _named_again(chart, end, frame)
        if last > end:
            yield last, replace(frame, amount=amount)


def _things(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Frame]]:
    if frame.things:
        return
    if neither := chart.is_any(i, "neither"):
        for end, found in chart.at("things", neither) if neither < len(chart.stems) else ():
            yield end, replace(frame, things=found.things, joint="any", none=not frame.none)
    for end, found in chart.at("nothing_but", i):
        yield end, replace(frame, things=found.things, joint=found.joint, only=True)
    for end, found in chart.at("anything_but", i):
        yield end, replace(frame, things=found.things, joint=found.joint, otherwise=True)
    only = bool(chart.is_any(i, "only"))
    start = chart.past(chart.past(i, "only"), "thing_prep")
    for at in sorted({i, start}):
        for end, found in chart.at("things", at) if at < len(chart.stems) else ():
            if any(set(thing.owners) & set(frame.heads) for thing in found.things):
                yield end, replace(frame, things=found.things, joint=found.joint, only=frame.only or (only and at > i))
    if frame.amount is None:
        for at in sorted({i, start}):
            for end, more in chart.at("quantity_arg", at) if at < len(chart.stems) else ():
                yield end, _with(chart, frame, more)


def _figures(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Frame]]:
    if frame.money is None:
        for part in ("money_arg", "thing_price"):
            for end, more in chart.at(part, i):
                yield end, _with(chart, frame, more)


def _with(chart: Sentence, frame: Frame, more: dict[str, Any]) -> Frame:
    """The frame with what an argument said; quantities are summed where the catalog has them."""
    changes = {key: value for key, value in more.items() if key not in {"single", "quantity"}}
    if more.get("quantity"):
        changes["quantity"] = any("quantity" in chart.catalog.activities[head].properties for head in frame.heads)
    return replace(frame, **changes)


def _tests(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Thing]]:
    start = chart.past(i, "and") if frame.tests else i
    for at in sorted({i, start}):
        for end, found in (*chart.at("test", at), *_named_behind(chart, at)) if at < len(chart.stems) else ():
            owners = tuple(owner for owner in found.owners if owner in frame.heads)
            if owners:
                yield end, replace(found, owners=owners)


def _echo(chart: Sentence, i: int, frame: Frame) -> int:
    """The place after words that only name the activity again: opened *an email*, bought *something* *from us*."""
    start = chart.past(i, "ever")
    at = chart.past(start, "det", "echo_prep")
    end = _named_again(chart, at, frame)
    if end > at:
        return end
    anything = chart.is_any(at, "something")
    return anything or start


def _named_again(chart: Sentence, i: int, frame: Frame) -> int:
    """The place after words that stand in the names of the activity."""
    known = {word for head in frame.heads for word in _vocabulary(chart, head)}
    while i < len(chart.stems) and chart.stems[i] in known and not chart.is_any(i, "activity_verb", "window"):
        i += 1
    return i


def _vocabulary(chart: Sentence, head: str) -> set[str]:
    activity = chart.catalog.activities[head]
    phrases = (activity.label, *activity.synonyms, *activity.verbs)
    return {word.lower().rstrip("s") for phrase in phrases for word in phrase.split()} - {
        "a",
        "the",
        "an",
        "in",
        "to",
        "at",
    }


def _doing(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A verb with all that describes it; several verbs may share it: opened or clicked an email."""
    for end, names in chart.at("activity_verb", i):
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
                if start == at or chart.stems[at] in _vocabulary(chart, names[0]):
                    yield from _told(chart, end, replace(frame, heads=siblings(chart.lexicon, names)))
        for end, _ in chart.at("entity", at) if at > i and frame.things and at < len(chart.stems) else ():
            found = said(replace(frame, heads=_buying(chart)), chart)
            if found and frame.things:
                word = chart.said(i, end)
                yield end, Said(with_notes(found.tree, Note(word, f"{word} = people who bought it")), found.frame)


def _buying(chart: Sentence) -> tuple[str, ...]:
    buyers = chart.catalog.buyers
    return siblings(chart.lexicon, (buyers,)) if buyers else ()


def _edges(grammar: Grammar) -> None:
    rule = grammar.rule
    rule("edge", ":edge_last")(lambda *_: "last")
    rule("edge", ":edge_first")(lambda *_: "first")

    @rule(
        "edged",
        "[:whose] [:light] [:det] <edge> <activity_noun> [date|day|time] [:was] [:was] [:only] <window>",
        ":with [:det] <edge> <activity_noun> [date|day|time] [:was] <window>",
        "[:have] <edge> <activity_verb> [:something] <window>",
    )
    def _(chart: Sentence, _i: int, _e: int, edge: str, names: tuple[str, ...], stretch: Stretch) -> Said | None:
        return edged(chart, edge, names[0], stretch)

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
    window, notes = term_window(stretch, name, chart.lexicon)
    if window is None:
        return None
    happened: Tree = Leaf(seg.Activity(name=name, op="any", during=window), notes)
    beyond = _after(window) if edge == "last" else _before(window, chart)
    if beyond is None:
        return Said(happened)
    none = Leaf(seg.Activity(name=name, op="none", during=beyond))
    if window.until and not window.last and edge == "last":
        happened = Leaf(seg.Activity(name=name, op="any"))
    return Said(joined("all", happened, none))


def _after(window: Window) -> Window | None:
    """What comes after a window, up to now."""
    if window.until:
        return Window(last=window.until)
    if window.calendar:
        following = _NEXT_PERIOD.get(window.calendar)
        return Window(calendar=following) if following else None
    return Window(start=window.end + timedelta(days=1)) if window.end else None


def _before(window: Window, chart: Sentence) -> Window | None:
    """What comes before a window."""
    if window.last:
        return Window(until=window.last)
    if window.calendar:
        return Window(end=calendar(chart.today, window.calendar).first - timedelta(days=1))
    return Window(end=window.start - timedelta(days=1)) if window.start else None
