"""How much do some words say? ``at least 3``, ``over $100``, ``between 2 and 5``, ``twice``, ``more than once``."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from agent.offline.grammar import Chart, Grammar
from agent.offline.tokens import Token

Comparison = Literal["eq", "ne", "gt", "gte", "lt", "lte", "between"]


@dataclass(frozen=True, slots=True)
class Amount:
    """A number to compare with, or two for ``between``. ``op`` is ``None`` where it was left open ("3 orders")."""

    op: Comparison | None
    low: Decimal
    high: Decimal | None = None
    money: bool = False
    unit: str = ""
    text: str = ""

    @property
    def value(self) -> Any:
        """The operand in the segment language."""
        return self.low if self.high is None else (self.low, self.high)


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of amounts."""
    _numbers(grammar)
    _amounts(grammar)
    _times(grammar)


def decided(amount: Amount) -> tuple[Comparison, str]:
    """The comparison, and what was assumed where the words left it open: one means exactly one, more mean at least."""
    if amount.op:
        return amount.op, ""
    if not amount.money and amount.low <= 1:
        return "eq", f"{amount.text} = exactly {amount.low:f}"
    return "gte", f"{amount.text} = at least {amount.low:,f}"


def _numbers(grammar: Grammar) -> None:
    @grammar.rule("count", "<token_number>")
    def _(_c: Chart, _i: int, _e: int, token: Token) -> Amount | None:
        return None if token.unit else Amount("gte" if token.plus else None, token.number, text=token.text)

    @grammar.rule("sum", "<token_money>")
    def _(_c: Chart, _i: int, _e: int, token: Token) -> Amount:
        return Amount("gte" if token.plus else None, token.number, money=True, unit=token.unit, text=token.text)

    grammar.rule("figure", "<count>", "<sum>")(lambda _c, _i, _e, found: found)


def _amounts(grammar: Grammar) -> None:
    for name in ("count", "sum", "figure"):
        _amounts_of(grammar, name)

    @grammar.rule("count_amount", "<many>")
    def _(chart: Any, i: int, end: int, least: str) -> Amount:
        return Amount("gte", Decimal(least), text=chart.said(i, end))

    @grammar.rule(
        "day_amount",
        "<compare> <token_length>",
        "<token_length> [<or_more>]",
        ":between <token_length> :to <token_length>",
        ":between <count> :to <token_length>",
    )
    def _(_c: Chart, _i: int, _e: int, *found: Any) -> Amount | None:
        lengths = [_in_days(item) for item in found if not isinstance(item, str) and item is not None]
        op: Any = next((item for item in found if isinstance(item, str)), None)
        days = [length for length in lengths if length is not None]
        if len(days) < len(lengths):
            return None
        return _range(*days) if len(days) > 1 else replace(days[0], op=op)


def _amounts_of(grammar: Grammar, kind: str) -> None:
    name = f"{kind}_amount"

    @grammar.rule(name, f"<compare> <{kind}>", f"<compare> a total of <{kind}>", f"<compare> the|a|an <{kind}>")
    def _(_c: Chart, _i: int, _e: int, op: Comparison, found: Amount) -> Amount:
        return replace(found, op=op)

    @grammar.rule(name, f"<{kind}> <or_more>", f"a total of <{kind}> <or_more>")
    def _(_c: Chart, _i: int, _e: int, found: Amount, op: Comparison) -> Amount:
        return replace(found, op=op)

    @grammar.rule(name, f":between <{kind}> :to <{kind}>", f"<{kind}> to|- <{kind}>")
    def _(_c: Chart, _i: int, _e: int, low: Amount, high: Amount) -> Amount | None:
        return _range(low, high)

    @grammar.rule(name, f"<{kind}> or <{kind}>")
    def _(_c: Chart, _i: int, _e: int, low: Amount, high: Amount) -> Amount | None:
        return _range(low, high) if high.low == low.low + 1 else None

    @grammar.rule(name, f"<compare> <{kind}> but|and <compare> <{kind}>", f"<compare> <{kind}> <compare> <{kind}>")
    def _(_c: Chart, _i: int, _e: int, op: str, low: Amount, other: str, high: Amount) -> Amount | None:
        return _range(low, high) if (op, other) == ("gte", "lte") else None

    @grammar.rule(name, f"<{kind}>", f"a total of <{kind}>", f"of <{kind}>")
    def _(_c: Chart, _i: int, _e: int, found: Amount) -> Amount:
        return found


def _range(low: Amount, high: Amount) -> Amount | None:
    if low.op or high.op or (low.money and not high.money and high.unit):
        return None
    first, last = sorted((low.low, high.low))
    return replace(low, op="between", low=first, high=last, money=low.money or high.money, unit=low.unit or high.unit)


def _in_days(found: Amount | Token) -> Amount | None:
    """A length in days; months and years have no fixed number of them."""
    if isinstance(found, Amount):
        return found
    days = {"d": 1, "w": 7}.get(found.unit)
    return Amount(None, found.number * days, text=found.text) if days else None


def _times(grammar: Grammar) -> None:
    @grammar.reader("times")
    def _(chart: Any, i: int) -> list[tuple[int, str]]:
        token = chart.tokens[i]
        return [(i + 1, f"{token.number:f}")] if token.unit == "times" else []

    @grammar.rule("times_amount", "[:in_all] [:only_once] <times>")
    def _(chart: Any, i: int, end: int, count: str) -> Amount:
        only = bool(chart.at("only", i)) and end > i + 1
        return Amount("eq" if only else None, Decimal(count), text=chart.said(i, end))

    @grammar.rule("times_amount", "<compare> <times>")
    def _(chart: Any, i: int, end: int, op: Comparison, count: str) -> Amount:
        return Amount(op, Decimal(count), text=chart.said(i, end))

    @grammar.rule("times_amount", "<times> <or_more>")
    def _(chart: Any, i: int, end: int, count: str, op: Comparison) -> Amount:
        return Amount(op, Decimal(count), text=chart.said(i, end))

    @grammar.rule("times_amount", "<times> or <times>")
    def _(_c: Chart, _i: int, _e: int, low: str, high: str) -> Amount:
        return Amount("between", Decimal(low), Decimal(high))

    @grammar.rule("times_amount", "<times> or <count> :time_word")
    def _(_c: Chart, _i: int, _e: int, low: str, high: Amount) -> Amount:
        return Amount("between", Decimal(low), high.low)

    @grammar.rule("times_amount", "<count_amount> :time_word", "[on] <count_amount> [:different] :time_word")
    def _(_c: Chart, _i: int, _e: int, found: Amount) -> Amount:
        return found
