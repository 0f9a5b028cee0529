"""What describes an activity further? Its time, how often, to what, for how much, and with which properties."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from agent.offline.amounts import Amount
from agent.offline.comparisons import comparisons
from agent.offline.frames import Frame, Thing
from agent.offline.grammar import Alternative, Grammar
from agent.offline.sentence import Sentence
from agent.offline.things import Things
from domain.segments import Filter

MOST_STEPS = 8
LEAST_MONEY = 15
"""A smaller bare number behind a noun counts it: "orders over 100" are worth that, "orders > 3" are so many."""

_AGAIN = frozenset(("one", "1", "it", "them", "those", "any"))
"""Words that stand for the thing spoken of before."""


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of what describes an activity."""
    _money(grammar)
    _quantities(grammar)
    grammar.reader("test")(_test)


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


def named_behind(chart: Sentence, i: int) -> Iterator[tuple[int, Thing]]:
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
    start = chart.past(i, "only")
    for part, at in (
        ("things", start),
        ("things", chart.past(start, "thing_of")),
        ("known_things", chart.past(start, "thing_in")),
    ):
        if at >= len(chart.stems):
            continue
        for end, found in chart.at(part, at):
            if any(set(thing.owners) & set(frame.heads) for thing in found.things):
                yield end, replace(frame, things=found.things, joint=found.joint, only=frame.only or start > i)
        if frame.amount is None:
            yield from ((end, _with(chart, frame, more)) for end, more in chart.at("quantity_arg", at))
    yield from _other_things(chart, i, frame)


def _other_things(chart: Sentence, i: int, frame: Frame) -> Iterator[tuple[int, Frame]]:
    """Neither this nor that; nothing but this; anything but this."""
    neither = chart.is_any(i, "neither")
    if 0 < neither < len(chart.stems):
        for end, found in chart.at("things", neither):
            yield end, replace(frame, things=found.things, joint="any", none=not frame.none)
    for end, found in chart.at("nothing_but", i):
        yield end, replace(frame, things=found.things, joint=found.joint, only=True)
    for end, found in chart.at("anything_but", i):
        yield end, replace(frame, things=found.things, joint=found.joint, otherwise=True)


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
        for end, found in (*chart.at("test", at), *named_behind(chart, at)) if at < len(chart.stems) else ():
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
    known = {word for head in frame.heads for word in vocabulary(chart, head)}
    while i < len(chart.stems) and chart.stems[i] in known and not chart.is_any(i, "activity_verb", "window"):
        i += 1
    return i


def vocabulary(chart: Sentence, head: str) -> set[str]:
    """The words that an activity is called by."""
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
