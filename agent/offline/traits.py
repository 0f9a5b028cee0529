"""Which attribute is compared with what? ``in Texas or Ohio``, ``email ends with gmail.com``, ``no phone``."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta

from agent.offline.amounts import Amount
from agent.offline.comparisons import Compared, comparisons, of_amount, value_notes
from agent.offline.dates import calendar
from agent.offline.grammar import Alternative, Grammar
from agent.offline.lexicon import Value
from agent.offline.sentence import Said, Sentence
from agent.offline.times import Stretch
from agent.offline.tokens import Token, words
from agent.offline.trees import Choice, Leaf, Note, Tree, joined, leaves, negated
from domain import segments as seg
from domain.operators import NUMBERS, OPERATORS, TIMES
from domain.windows import Window, spoken

LEAST_LETTERS = 2


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of attributes."""
    grammar.reader("compared")(_compared)
    grammar.reader("present")(_present)
    grammar.reader("dated")(_dated)
    grammar.reader("values")(_values)
    _places(grammar)
    _ages(grammar)
    _mailboxes(grammar)


def attribute(chart: Sentence, name: str, found: Compared) -> Tree | None:
    """A comparison of an attribute as a condition, if the operator fits it."""
    kind = chart.catalog.attributes[name].kind
    if kind not in OPERATORS[found.op].kinds:
        return None
    return Leaf(seg.Attribute(name=name, op=found.op, value=found.value), found.notes)


def _primary(chart: Sentence, names: Iterable[str]) -> list[str]:
    """The attributes that a word means: special cases only where nothing else is called so."""
    listed = list(names)
    return [name for name in listed if name not in chart.lexicon.secondary] or listed


def _starts(chart: Sentence, i: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    for start in sorted({i, chart.past(i, "with", "whose", "det", "where_word")}):
        if start < len(chart.stems):
            for end, names in chart.at("attribute", start):
                yield end, tuple(_primary(chart, names))


def _compared(chart: Sentence, i: int) -> Iterator[Alternative]:
    """An attribute that is named, and compared; a number may stand before its name."""
    yield from _counted(chart, i)
    for end, name in chart.at("flag", i):
        yield end, Said(Leaf(seg.Attribute(name=name, op="eq", value=True)))
    for end, names in _starts(chart, i):
        for name in names:
            entry = chart.catalog.attributes[name]
            for last, found in comparisons(chart, end, entry, name):
                made = attribute(chart, name, found)
                if made:
                    yield last, Said(made)


def _counted(chart: Sentence, i: int) -> Iterator[Alternative]:
    start = chart.past(i, "with")
    for at in sorted({i, start}):
        for end, amount in chart.at("figure_amount", at) if at < len(chart.stems) else ():
            for last, names in chart.at("attribute", end) if end < len(chart.stems) else ():
                numeric = [name for name in names if chart.catalog.attributes[name].kind in NUMBERS]
                if numeric:
                    found = of_amount(amount, chart.catalog.attributes[numeric[0]], chart)
                    made = attribute(chart, numeric[0], replace(found, op=found.op if amount.op else "gte"))
                    if made:
                        yield last, Said(made)


def _present(chart: Sentence, i: int) -> Iterator[Alternative]:
    """An attribute that is there or not: with a phone number, no birthday, without first or last name."""
    for part, op in (("without", "missing"), ("no", "missing"), ("with", "set")):
        for start, _ in chart.at(part, i):
            yield from _presence(chart, start, op)
            if op == "set" and start < len(chart.stems):
                for again, _ in chart.at("no", start):
                    yield from _presence(chart, again, "missing")


def _presence(chart: Sentence, i: int, op: str) -> Iterator[Alternative]:
    at = chart.past(i, "det", "known_word") if i < len(chart.stems) else i
    trees: list[Tree] = []
    joint: Any = "all"
    while at < len(chart.stems):
        best = chart.best("attribute", at)
        if best is None:
            return
        end, names = best
        trees.append(Leaf(seg.Attribute(name=_primary(chart, names)[0], op=op)))
        last = chart.past(end, "on_file")
        yield last, Said(joined(joint, *trees))
        if last >= len(chart.stems) or chart.stems[last] not in {"or", "and", "nor"}:
            return
        joint = "any" if chart.stems[last] == "or" and op == "set" else "all"
        at = chart.past(last + 1, "det", "no") if last + 1 < len(chart.stems) else last + 1


def _dated(chart: Sentence, i: int) -> Iterator[Alternative]:
    """An attribute that is a time: signed up last month, birthday before 1990, first seen more than a year ago."""
    for start, names in _starts(chart, i):
        for name in (name for name in names if chart.catalog.attributes[name].kind in TIMES):
            at = chart.past(start, "date_word", "be", "was")
            for end, stretch in chart.at("window", at) if at < len(chart.stems) else ():
                made = dated(chart, name, stretch)
                if made:
                    yield end, Said(made)
                    yield from _or_then(chart, end, name, made)
            yield from _coming(chart, at, name)


def _or_then(chart: Sentence, i: int, name: str, before: Tree) -> Iterator[Alternative]:
    """Another time that would do as well: joined in 2024 or 2025."""
    while i + 1 < len(chart.stems) and chart.stems[i] == "or":
        found = chart.best("window", i + 1) or chart.best("days", i + 1)
        if found is None:
            return
        i, when = found
        stretch = when if isinstance(when, Stretch) else Stretch(Window(start=when.first, end=when.last))
        made = dated(chart, name, stretch)
        if made is None:
            return
        before = joined("any", before, made)
        yield i, Said(before)


def _coming(chart: Sentence, i: int, name: str) -> Iterator[Alternative]:
    for end, length in chart.at("next_length", i) if i < len(chart.stems) else ():
        yearly = chart.catalog.attributes[name].kind == "date"
        yield end, Said(Leaf(seg.Attribute(name=name, op="anniversary_in_next" if yearly else "in_next", value=length)))


def dated(chart: Sentence, name: str, stretch: Stretch) -> Tree | None:
    """A time that lies in a window."""
    if stretch.term is not None:
        return _recent(name, stretch)
    if stretch.window is None:
        return None
    if stretch.point and stretch.window.until:
        ago = stretch.window.until
        return Choice(
            "ago",
            (
                (f"more than {spoken(ago)} ago", _is(name, "older_than", ago)),
                (f"in the last {spoken(ago)}", _is(name, "in_last", ago)),
            ),
        )
    notes = (Note("", stretch.note),) if stretch.note else ()
    return _in_window(chart, name, stretch.window, notes)


def _recent(name: str, stretch: Stretch) -> Tree | None:
    assert stretch.term is not None  # noqa: S101 - the caller looked
    last = stretch.term.filled().means["*"]["last"]
    note = Note(
        stretch.term.word, f"{stretch.term.word} = in the last {spoken(last)}", "value", float(last[:-1]), "days"
    )
    return Leaf(seg.Attribute(name=name, op="in_last", value=last), (note,))


def _is(name: str, op: str, value: Any, notes: tuple[Note, ...] = ()) -> Leaf:
    return Leaf(seg.Attribute(name=name, op=op, value=value), notes)


def _in_window(chart: Sentence, name: str, window: Window, notes: tuple[Note, ...]) -> Tree:
    parts: list[Tree] = []
    if window.until:
        parts.append(_is(name, "older_than", window.until, notes))
    if window.last:
        parts.append(_is(name, "in_last", window.last, notes if not parts else ()))
    start, end = window.start, window.end
    if window.calendar:
        days = calendar(chart.today, window.calendar)
        start, end = days.first, days.last
        notes = (Note(days.said, f"{days.said} = {start} to {end}"),)
    if start:
        parts.append(_is(name, "since", start, notes))
    if end:
        parts.append(_is(name, "before", end + timedelta(days=1), notes if not start else ()))
    return joined("all", *parts)


def _values(chart: Sentence, i: int) -> Iterator[Alternative]:
    """One value of some attribute, or a list of them, each with the attributes that it may be a value of."""
    start = chart.past(i, "either", "both", "det")
    rows: list[list[Value]] = []
    texts: list[Note] = []
    joint, at = "", start
    while at < len(chart.stems):
        best = _one_value(chart, at)
        if best is None:
            return
        end, values = best
        end, values = _past_label(chart, end, values)
        rows.append(values)
        texts += [note for value in values[:1] for note in value_notes(chart, at, end, value)]
        made = _of_values(chart, rows, joint, tuple(texts), chart.said(i, end))
        if made:
            yield end, Said(made)
        word, at = _joint(chart, end)
        joint = word or joint
        if not at:
            return


def _past_label(chart: Sentence, i: int, values: list[Value]) -> tuple[int, list[Value]]:
    """The place after a word that says what the value is of, and the values it leaves: dark roast, New York City."""
    if i >= len(chart.stems):
        return i, values
    named = [value for value in values if chart.stems[i] in words(chart.catalog.attributes[value.name].label)]
    return (i + 1, named) if named else (i, values)


def _joint(chart: Sentence, i: int) -> tuple[str, int]:
    at = i
    if at < len(chart.stems) and chart.tokens[at].norm == ",":
        at += 1
    word = chart.stems[at] if at < len(chart.stems) else ""
    if word in {"or", "and", "nor", "&", "/", "plus"}:
        return ("or" if word in {"or", "nor", "/"} else "and"), chart.past(at + 1, "in_again")
    return ("comma" if at > i else ""), at if i < at < len(chart.stems) else 0


def _is_favourite(chart: Sentence, node: seg.Leaf) -> bool:
    """Whether an attribute says what people like."""
    if not isinstance(node, seg.Attribute):
        return False
    label = chart.catalog.attributes[node.name].label.lower()
    return any(word in label for word in ("favo", "prefer", "interest", "like"))


def _is_named(chart: Sentence, node: seg.Leaf) -> bool:
    """Whether a value can stand alone: places, languages and genders do, "espresso" as a grind does not."""
    return isinstance(node, seg.Attribute) and node.name in chart.lexicon.spoken


def _tenure(chart: Sentence, stretch: Stretch) -> Said | None:
    """How long somebody has been a customer: customers since 2024, customers for more than two years."""
    names = since_names(chart)
    window = stretch.window
    if window is None or not names:
        return None
    if stretch.bare and window.last:
        return Said(_is(names[0], "older_than", window.last))
    made = dated(chart, names[0], stretch) if window.start and not window.end else None
    return Said(made) if made else None


def since_names(chart: Sentence) -> list[str]:
    """The attributes that say since when somebody is known."""
    since = chart.catalog.entity.since
    attributes = chart.catalog.attributes.items()
    return [name for name, entry in attributes if since and entry.at.column == since and entry.at.join is None]


def _one_value(chart: Sentence, i: int) -> tuple[int, list[Value]] | None:
    """The longest value here; two-letter codes only where they are written as such or stand behind a preposition."""
    kinds = ["value"]
    if i > 0 and chart.stems[i - 1] in _BEFORE_CODES and set(chart.classes[i]) <= {"code"}:
        kinds.append("code")
    found = [
        (end, [value for value in values if not value.owners and value.name not in chart.lexicon.languages])
        for kind in kinds
        for end, values in chart.at(kind, i)
    ]
    return max(((end, values) for end, values in found if values), key=lambda pair: pair[0], default=None)


_BEFORE_CODES = frozenset(("in", "from", "or", "and", "to", "of", ","))
"""Behind these a code may be typed in small letters, where it is no other word."""


def _of_values(chart: Sentence, rows: list[list[Value]], joint: str, notes: tuple[Note, ...], said: str) -> Tree | None:
    shared = set.intersection(*({value.name for value in row} for row in rows))
    if shared:
        options = []
        for name in (name for name in chart.catalog.attributes if name in shared):
            values = tuple(
                dict.fromkeys(text for row in rows for value in row if value.name == name for text in value.values)
            )
            options.append((name, _equal(name, values, notes)))
        plain = {value.name for row in rows for value in row if not value.alias and len(said) > LEAST_LETTERS + 1}
        written = [(name, leaf) for name, leaf in options if name in plain]
        seen = [(name, leaf) for name, leaf in options if _is_seen(chart, leaf)]
        options = written or seen or options
        if len(options) == 1:
            return options[0][1]
        labelled = tuple((f"{chart.catalog.attributes[name].label} is {said}", tree) for name, tree in options)
        return Choice(said, labelled)
    parts = [_equal(row[0].name, row[0].values, notes if not i else ()) for i, row in enumerate(rows)]
    return joined("any" if joint == "or" else "all", *parts)


def _is_seen(chart: Sentence, leaf: Leaf) -> bool:
    """Whether somebody has one of the values: of two places of the same name that one is meant."""
    assert isinstance(leaf.node, seg.Attribute)  # noqa: S101 - made here
    known = {value.lower() for value in chart.catalog.attributes[leaf.node.name].values}
    values = leaf.node.value if isinstance(leaf.node.value, tuple) else (leaf.node.value,)
    return any(str(value).lower() in known for value in values)


def _equal(name: str, values: tuple[str, ...], notes: tuple[Note, ...]) -> Leaf:
    if len(values) == 1:
        return _is(name, "eq", values[0], notes)
    return _is(name, "in", values, notes)


def _places(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "placed",
        ":live [:live] <values>",
        "<values> :based",
        "<values> :entity",
        ":live [:live] <values> :based",
    )
    def _(_c: Sentence, _i: int, _e: int, found: Said) -> Said:
        return found

    @rule("placed", ":like <values>")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said | None:
        return found if all(_is_favourite(chart, leaf.node) for leaf in leaves(found.tree)) else None

    @rule("placed", "<values>")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said | None:
        return found if all(_is_named(chart, leaf.node) for leaf in leaves(found.tree)) else None

    @rule("placed", ":outside <values>", "non <values>", "non <values> :entity")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said:
        return Said(negated(found.tree, chart.catalog))

    @rule(
        "placed",
        "[:whose] [:det] <attribute> is|are neither <values>",
        ":live neither <values>",
        "neither :live <values>",
    )
    def _(chart: Sentence, _i: int, _e: int, *found: Any) -> Said:
        return Said(negated(found[-1].tree, chart.catalog))

    @rule("placed", "non <language> :speaker")
    def _(chart: Sentence, _i: int, _e: int, found: Said) -> Said:
        return Said(negated(found.tree, chart.catalog))

    @rule("placed", ":speak <language>", "<language> :speaker")
    def _(_c: Sentence, _i: int, _e: int, found: Said) -> Said:
        return found

    @grammar.reader("language")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        for kind in ("value", "weak", "code"):
            for end, values in chart.at(kind, i):
                names = [value for value in values if value.name == "language" and not value.owners]
                if names:
                    yield end, Said(_equal("language", names[0].values, value_notes(chart, i, end, names[0])))

    @rule("placed", ":named <free_name>")
    def _(chart: Sentence, _i: int, _e: int, name: str) -> Said | None:
        return Said(_is("first_name", "eq", name)) if "first_name" in chart.catalog.attributes else None

    @grammar.reader("free_name")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        token = chart.tokens[i]
        if token.kind == "quoted" or (token.kind == "word" and token.text[0].isupper()):
            yield i + 1, str(token.value or token.text)

    @rule("tenured", ":signed_up")
    def _(chart: Sentence, i: int, _e: int) -> Said | None:
        names = since_names(chart)
        best = chart.best("attribute", i)
        return Said(_is(names[0], "set", None)) if best and set(names) & set(best[1]) else None

    @rule("tenured", "[:be] [:det] :entity <window>", "[:be] [:det] :entity for <window>")
    def _(chart: Sentence, _i: int, _e: int, stretch: Stretch) -> Said | None:
        return _tenure(chart, stretch)

    @rule(
        "next_length",
        "[:be] [coming] [up] in|within|during [the] next|coming|following|upcoming <length>",
        "[:be] [coming] [up] in|within <length>",
    )
    def _(_c: Sentence, _i: int, _e: int, length: str) -> str:
        return length

    @rule("next_length", "[:be] [coming] [up] in|within|during the next|coming <unit>", "[:be] next <unit>")
    def _(_c: Sentence, _i: int, _e: int, unit: tuple[int, str]) -> str:
        return f"{unit[0]}{unit[1]}"


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
        return None if follows or amount.low > 120 else amount  # noqa: PLR2004 - nobody is older

    @rule("age_length", "<compare> <token_length>", "<token_length>", "<token_length> <or_more>")
    def _(_c: Sentence, _i: int, _e: int, *found: Any) -> Amount | None:
        token = next(item for item in found if isinstance(item, Token))
        op = next((item for item in found if isinstance(item, str)), None)
        return Amount(op, token.number) if token.unit == "y" else None  # type: ignore[arg-type] - a comparison's key


def _after_people(chart: Sentence, i: int) -> bool:
    """Whether a number that names nothing else can be an age: somewhere behind the people it is about."""
    return any(chart.is_any(start, "entity") or _is_person(chart, start) for start in range(i))


def _is_person(chart: Sentence, i: int) -> bool:
    """Whether a value of an attribute, as "women" is one, stands here."""
    return any(not value.owners for _, values in chart.at("value", i) for value in values)


def _aged(chart: Sentence, amount: Amount, said: str) -> Said | None:
    """An age where there is one, else a birthday so long ago."""
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
        parts.append(_is(name, "before", chart.today - relativedelta(years=least) + timedelta(days=1), note))
    if most is not None:
        parts.append(_is(name, "after", chart.today - relativedelta(years=most + 1), note if not parts else ()))
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
        return Said(_is("email", "ends_with" if not part.endswith((".", "proton")) else "contains", part))

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
        return Said(_is("email", "ends_with", domain if domain.startswith("@") else f"@{domain}"))


def decimal(value: Any) -> Decimal:
    """A number of the segment language."""
    return Decimal(str(value))
