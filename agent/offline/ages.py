"""How old are people, and where is their mailbox? ``women over 40``, ``aged 25 to 34``, ``gmail users``."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from agent.offline.amounts import Amount
from agent.offline.comparisons import of_amount
from agent.offline.grammar import Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.tokens import Token
from agent.offline.traits import attribute, is_
from agent.offline.trees import Note, Tree, joined
from domain.operators import NUMBERS

OLDEST = 120


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of ages and mailboxes."""
    _ages(grammar)
    _mailboxes(grammar)


def _ages(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "aged_in",
        ":aged [:be] [:compare_age] <count_amount> [:old]",
        "<count_amount> :old",
        "<count_amount> :old <or_more>",
        "[:be] <age_length> old",
        ":aged <age_length>",
    )
    def _(chart: Sentence, i: int, end: int, amount: Amount, *more: Any) -> Said | None:
        return _aged(chart, replace(amount, op=more[0]) if more and more[0] else amount, chart.said(i, end))

    @rule(
        "aged_in",
        "older than <count> [:old]",
        "over the age of <count>",
        "above the age of <count>",
        "aged over|above <count>",
    )
    def _(chart: Sentence, i: int, end: int, amount: Amount) -> Said | None:
        return _aged(chart, replace(amount, op="gt"), chart.said(i, end))

    @rule(
        "aged_in",
        "younger than <count> [:old]",
        "under the age of <count>",
        "below the age of <count>",
        "aged under|below <count>",
    )
    def _(chart: Sentence, i: int, end: int, amount: Amount) -> Said | None:
        return _aged(chart, replace(amount, op="lt"), chart.said(i, end))

    @rule("aged_in", "over|above|under|below <bare_count>", "<bare_count> [:or_more]")
    def _(chart: Sentence, i: int, end: int, amount: Amount) -> Said | None:
        op: Any = {"over": "gt", "above": "gt", "under": "lt", "below": "lt"}.get(chart.stems[i], amount.op)
        return _aged(chart, replace(amount, op=op), chart.said(i, end)) if op and _after_people(chart, i) else None

    @rule(
        "aged_in",
        "<count> to|- <token_length> :old",
        ":between <count> to|and <token_length> :old",
        ":aged <count> to|- <token_length> [:old]",
    )
    def _(chart: Sentence, i: int, end: int, low: Amount, high: Token) -> Said | None:
        return (
            _aged(chart, replace(low, op="between", high=high.number), chart.said(i, end)) if high.unit == "y" else None
        )

    @rule("bare_count", "<count>")
    def _(chart: Sentence, _i: int, end: int, amount: Amount) -> Amount | None:
        follows = end < len(chart.stems) and chart.is_any(end, "counted", "unit", "time_word", "or_more", "old")
        return None if follows or amount.low > OLDEST else amount

    @rule("age_length", "<compare> <token_length>", "<token_length>", "<token_length> <or_more>")
    def _(_c: Sentence, _i: int, _e: int, *found: Any) -> Amount | None:
        token = next(item for item in found if isinstance(item, Token))
        op: Any = next((item for item in found if isinstance(item, str)), None)
        return Amount(op, token.number) if token.unit == "y" else None


def _after_people(chart: Sentence, i: int) -> bool:
    """Whether a number that names nothing else can be an age: somewhere behind the people it is about."""
    return any(chart.is_any(start, "entity") or _is_person(chart, start) for start in range(i))


def _is_person(chart: Sentence, i: int) -> bool:
    """Whether a value of an attribute, as "women" is one, stands here."""
    return any(not value.owners for _, values in chart.at("value", i) for value in values)


def _aged(chart: Sentence, amount: Amount, said: str) -> Said | None:
    """An age where there is one, else a birthday so long ago."""
    if max(amount.low, amount.high or 0) > OLDEST:
        return None
    ages = [
        name for name, entry in chart.catalog.attributes.items() if entry.kind in NUMBERS and "age" in name.split("_")
    ]
    if ages:
        found = of_amount(amount, chart.catalog.attributes[ages[0]], chart)
        made = attribute(chart, ages[0], found)
        return Said(made) if made else None
    births = [name for name, entry in chart.catalog.attributes.items() if entry.kind == "date" and "birth" in name]
    return Said(_born(chart, births[0], amount, said)) if births else None


def _born(chart: Sentence, name: str, amount: Amount, said: str) -> Tree:
    """Who is 30 today was born 30 years ago or before, and after 31 years ago."""
    low = int(amount.low)
    least, most = {
        "gt": (low + 1, None), "gte": (low, None), "lt": (None, low - 1), "lte": (None, low),
        "between": (low, int(amount.high or low)),
    }.get(amount.op or "eq", (low, low))  # fmt: skip
    parts: list[Tree] = []
    note = (Note(said, f"{said}: by {chart.catalog.attributes[name].label}, on {chart.today}"),)
    if least is not None:
        parts.append(is_(name, "before", chart.today - relativedelta(years=least) + timedelta(days=1), note))
    if most is not None:
        parts.append(is_(name, "after", chart.today - relativedelta(years=most + 1), note if not parts else ()))
    return joined("all", *parts)


def _mailboxes(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "mailed",
        "[:with] [:det] <mailbox> :domain_word",
        "[:with] [:det] <mailbox> :entity",
        ":use <mailbox>",
        "on|at|from <mailbox>",
        "[:with] [:det] :email_word :end_with <mailbox>",
        "[:with] [:whose] [:email_word] [:be] <mailbox> [:domain_word]",
    )
    def _(chart: Sentence, _i: int, _e: int, part: str) -> Said | None:
        if "email" not in chart.catalog.attributes:
            return None
        return Said(is_("email", "ends_with" if not part.endswith((".", "proton")) else "contains", part))

    @rule(
        "mailed",
        "[:with] [:det] <token_domain> :domain_word",
        ":use <token_domain>",
        "from|at|on <token_domain>",
        "[:with] [:det] :domain_word at|on <token_domain>",
        "[:with] [:det] <token_domain> :entity",
    )
    def _(chart: Sentence, _i: int, _e: int, token: Token) -> Said | None:
        if "email" not in chart.catalog.attributes:
            return None
        domain = str(token.value)
        return Said(is_("email", "ends_with", domain if domain.startswith("@") else f"@{domain}"))
