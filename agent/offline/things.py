"""What was bought, viewed or put in the cart? Categories, whole titles, words of titles, and lists of those."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from agent.offline.frames import Thing
from agent.offline.grammar import Alternative, Grammar
from agent.offline.lexicon import Value
from agent.offline.sentence import Sentence
from agent.offline.small_words import listed
from agent.offline.titles import Match, Titles
from agent.offline.tokens import Token
from agent.offline.trees import Note
from domain.segments import Filter

LONGEST = 8
FEW = 60

_STOPS = listed("stop")
_INSIDE = listed("inside")


@dataclass(frozen=True, slots=True)
class Things:
    """Things of a list, and whether one of them is enough."""

    things: tuple[Thing, ...]
    joint: Literal["any", "all"] = "any"
    all_of: bool = False


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of things."""
    rule = grammar.rule

    @rule(
        "thing",
        "[:det] <thing_name>",
        "[:det] <thing_name> [from|in|of] [:det] category|range|collection|section|line|department",
    )
    def _(_c: Sentence, _i: int, _e: int, thing: Thing) -> Thing:
        return thing

    @rule("thing", "[:det] [:something] from|in|within|of [:det] category|range|collection|section [of] <thing_name>")
    def _(_c: Sentence, _i: int, _e: int, thing: Thing) -> Thing:
        return thing

    @rule(
        "thing",
        "[:det] :generic from|in|within|of|called|named [:det] <thing_name> "
        "[category|range|collection|section|line|department]",
    )
    def _(_c: Sentence, _i: int, _e: int, thing: Thing) -> Thing:
        return thing

    @rule(
        "thing",
        "[:det] :generic [whose] [:name_word] :contain <thing_name> [in] [the] [:name_word]",
        "[:det] :generic with <thing_name> in the|its :name_word",
    )
    def _(_c: Sentence, _i: int, _e: int, thing: Thing) -> Thing:
        return thing

    @rule("thing", "from|in|within [:det] <category_name> [category|range|collection|section|department]")
    def _(_c: Sentence, _i: int, _e: int, thing: Thing) -> Thing:
        return thing

    _readers(grammar)


def _readers(grammar: Grammar) -> None:
    @grammar.rule("known_thing", "[:det] <category_name> [category|range|collection|section|line|department]")
    def _(_c: Sentence, _i: int, _e: int, thing: Thing) -> Thing:
        return thing

    @grammar.reader("thing_name")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        yield from _known(chart, i)
        if chart.tokens[i].kind == "quoted":
            yield from _quoted(chart, i)
        else:
            yield from _words(chart, i)

    @grammar.reader("category_name")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        yield from _known(chart, i)

    @grammar.reader("things")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        yield from _listed(chart, i, "thing")

    @grammar.reader("known_things")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        yield from _listed(chart, i, "known_thing")


def _known(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A whole value of a property, as the lexicon has it; where several properties have it, the likeliest."""
    for kind in ("value", "code", "weak"):
        for end, values in chart.at(kind, i):
            found = [value for value in values if value.owners]
            if found:
                yield end, _one(chart, chart.said(i, end), min(found, key=lambda value: _breadth(chart, value)))


def _breadth(chart: Sentence, value: Value) -> int:
    """How many values a property has: a category is meant rather than a product of the same name."""
    return len(chart.catalog.activities[value.owners[0]].properties[value.name].values)


def _one(chart: Sentence, said: str, value: Value) -> Thing:
    """A whole value; of many values that contain one another all are meant, as one name for all of them."""
    entry = chart.catalog.activities[value.owners[0]].properties[value.name]
    whole = value.values[0]
    wider = sum(whole.lower() in other.lower() for other in entry.values) if len(entry.values) > FEW else 1
    if wider > 1:
        note = Note(said, f"{said} = {entry.label} contains “{whole.lower()}” ({wider} of them)")
        return Thing((Filter(name=value.name, op="contains", value=whole.lower()),), value.owners, (note,))
    notes = (Note(said, f"{said} = the {entry.label} “{whole}”"),) if said.lower() != whole.lower() else ()
    return Thing((Filter(name=value.name, op="eq", value=whole),), value.owners, notes)


def _quoted(chart: Sentence, i: int) -> Iterator[Alternative]:
    """A quoted text is meant as it stands: a whole value where there is one, else a part of one."""
    token = chart.tokens[i]
    text = str(token.value)
    owned = [titles for titles in chart.lexicon.titles if text]
    for titles in sorted(owned, key=lambda titles: len(titles.values)):
        whole = [value for value in titles.values if value.lower() == text.lower()]
        if whole:
            yield i + 1, Thing((Filter(name=titles.property, op="eq", value=whole[0]),), titles.owners)
            return
    for titles in sorted(owned, key=lambda titles: -len(titles.values)):
        if any(text.lower() in value.lower() for value in titles.values):
            yield i + 1, Thing((Filter(name=titles.property, op="contains", value=text),), titles.owners)
            return


def _words(chart: Sentence, i: int) -> Iterator[Alternative]:
    """Words that stand together in values, the longest row of them first."""
    last = i
    while last < min(i + LONGEST, len(chart.tokens)) and _may_name(chart, last, first=last == i):
        last += 1
    for end in range(last, i, -1):
        if chart.stems[end - 1] in _INSIDE or chart.tokens[end - 1].kind == "sign":
            continue
        if end == i + 1 and _is_function(chart.tokens[i]):
            continue
        stems = tuple(stem for stem in chart.stems[i:end] if stem not in {"-", ",", "/"})
        thing = _of_one_property(chart, chart.said(i, end), stems) or _of_two_properties(
            chart, chart.said(i, end), stems
        )
        if thing:
            yield end, thing


def _of_one_property(chart: Sentence, said: str, stems: tuple[str, ...]) -> Thing | None:
    found = [(titles, match) for titles in chart.lexicon.titles if (match := titles.match(stems))]
    narrow = [pair for pair in found if len(pair[0].values) <= FEW and _is_heading(pair[0], stems)]
    wide = sorted((pair for pair in found if pair not in narrow), key=lambda pair: -len(pair[0].values))
    headed = [pair for pair in narrow if _is_head(pair[0], stems)]
    settled = headed or (narrow if not wide else [])
    chosen = settled[:1] if settled else [*wide[:1], *narrow[:1]]
    things = [_matched(chart, said, titles, match, found) for titles, match in chosen]
    return replace(things[0], others=tuple(things[1:])) if things else None


def _is_heading(titles: Titles, stems: tuple[str, ...]) -> bool:
    """Whether the words are part of the name of a category about one thing ("Gift Sets", not "Mugs and Cups")."""
    return any(set(stems) <= set(row) and not {"and", "&"} & set(row) for row in titles.rows)


def _is_head(titles: Titles, stems: tuple[str, ...]) -> bool:
    """Whether the words are what such a category is: "beans" of "Coffee Beans"."""
    return any(row[-len(stems) :] == stems and not {"and", "&"} & set(row) for row in titles.rows)


def _of_two_properties(chart: Sentence, said: str, stems: tuple[str, ...]) -> Thing | None:
    """A product of a category: ``espresso beans`` are beans whose title says espresso."""
    for cut in range(len(stems) - 1, 0, -1):
        first, second = _of_one_property(chart, said, stems[:cut]), _of_one_property(chart, said, stems[cut:])
        if not first or not second or first.filters[0].name == second.filters[0].name:
            continue
        owners = tuple(name for name in first.owners if name in second.owners)
        if owners:
            return Thing((*first.filters, *second.filters), owners, (*first.notes, *second.notes))
    return None


def _may_name(chart: Sentence, i: int, *, first: bool) -> bool:
    token = chart.tokens[i]
    if token.kind == "sign":
        return not first and token.norm in {"-", "&"}
    if token.kind not in {"word", "number"} or (token.kind == "number" and first):
        return False
    return token.stem not in _STOPS or (not first and token.stem in _INSIDE)


def _is_function(token: Token) -> bool:
    return token.kind != "word" or token.stem in _STOPS


def _matched(chart: Sentence, said: str, titles: Titles, match: Match, found: list[tuple[Titles, Match]]) -> Thing:
    owners = tuple(name for other, _ in found if other.property == titles.property for name in other.owners)
    label = chart.catalog.activities[titles.owners[0]].properties[titles.property].label
    filters = tuple(Filter(name=titles.property, op=match.op, value=text) for text in match.texts)
    if match.op == "eq":
        return Thing(filters, owners, (Note(said, f"{said} = the {label} “{match.texts[0]}”"),))
    texts = " and ".join(f"“{text}”" for text in match.texts)
    return Thing(filters, owners, (Note(said, f"{said} = {label} contains {texts} ({match.count} of them)"),))


def _listed(chart: Sentence, i: int, part: str) -> Iterator[Alternative]:
    """One thing, or a list of them: ``coffee or tea``, ``both coffee and tea``, ``coffee, tea and cups``."""
    both = bool(chart.is_any(i, "both"))
    start = chart.past(i, "either", "both")
    first = chart.best(part, start) if start < len(chart.stems) else None
    if first is None:
        return
    rows: list[tuple[int, Thing]] = [first]
    joints: list[str] = []
    yield first[0], Things((first[1],))
    while True:
        joint, at = _connective(chart, rows[-1][0])
        following = chart.best(part, chart.past(at, "not_again")) if at else None
        if following is None or not joint:
            break
        rows.append(following)
        joints.append(joint)
        settled = next((joint for joint in reversed(joints) if joint != "comma"), None)
        if settled and not {"and", "or"} <= set(joints):
            kind: Literal["any", "all"] = "all" if settled == "and" or both else "any"
            yield rows[-1][0], Things(tuple(thing for _, thing in rows), kind, all_of=both)


def _connective(chart: Sentence, i: int) -> tuple[str, int]:
    at = i
    comma = chart.is_any(at, "comma")
    if comma and chart.tokens[at].norm == ",":
        at = comma
    word = next((name for name in ("or", "and") if at < len(chart.stems) and chart.is_any(at, name)), "")
    if word and chart.stems[at] in {"and", "or", "&", "nor"}:
        return word, at + 1 if not (word == "or" and chart.is_any(at, "or") > at + 1) else chart.is_any(at, "or")
    return ("comma", at) if at > i else ("", 0)
