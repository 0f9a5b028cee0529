"""What was done, how often, to what, for how much and when? A frame collects that and becomes a condition."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from agent.offline.amounts import Amount, decided
from agent.offline.lexicon import Lexicon
from agent.offline.times import Stretch, length_text, unit_of
from agent.offline.trees import Choice, Leaf, Note, Tree, joined, negated
from domain import segments as seg
from domain.catalog import Activity, Attribute
from domain.windows import Window, spoken

QUANTITY = "quantity"

_ONE: frozenset[tuple[str, Decimal]] = frozenset({("gte", Decimal(1)), ("gt", Decimal(0))})
_NONE: frozenset[tuple[str, Decimal]] = frozenset({("eq", Decimal(0)), ("lt", Decimal(1)), ("lte", Decimal(0))})

_OPPOSITE = {"eq": "ne", "in": "not_in", "contains": "not_contains"}
_LARGE_UNITS = (("d", "days"), ("w", "weeks"), ("mo", "months"))


@dataclass(frozen=True, slots=True)
class Thing:
    """What something was done to: filters that must all hold of one row, and who has such properties.

    ``others`` are further readings of the same words.
    """

    filters: tuple[seg.Filter, ...]
    owners: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    others: tuple["Thing", ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One activity as far as it was described.

    ``heads`` are the activities that the verb or noun may mean, likeliest first. ``money`` is compared with the row's
    first amount of money, with ``sum`` its total over all rows, with ``price`` the price of the thing; ``quantity``
    counts pieces instead of rows.
    """

    heads: tuple[str, ...]
    amount: Amount | None = None
    money: Amount | None = None
    sum: bool = False
    price: bool = False
    things: tuple[Thing, ...] = ()
    joint: Literal["any", "all"] = "any"
    tests: tuple[Thing, ...] = ()
    distinct: str | None = None
    quantity: bool = False
    stretch: Stretch | None = None
    none: bool = False
    only: bool = False
    same: bool = False
    otherwise: bool = False
    notes: tuple[Note, ...] = ()


def money_property(activity: Activity, lexicon: Lexicon, *, total: bool) -> str | None:
    """The property that an amount of money is about: for a ``total`` the one that the store's revenue is made of."""
    found = [name for name, entry in activity.properties.items() if entry.kind == "money"]
    revenue = {
        term.of for metric in lexicon.catalog.metrics.values() if metric.kind == "money" for term in metric.terms
    }
    if total:
        return next((name for name in found if name in revenue), found[0] if found else None)
    return found[0] if found else None


def siblings(lexicon: Lexicon, names: tuple[str, ...]) -> tuple[str, ...]:
    """The activities and those that share a verb with them: who orders also buys items."""
    activities = lexicon.catalog.activities
    verbs = {verb for name in names for verb in activities[name].verbs}
    more = [name for name, activity in activities.items() if name not in names and verbs & set(activity.verbs)]
    return (*names, *more)


def tree(frame: Frame, lexicon: Lexicon) -> Tree | None:
    """The condition that a frame describes, or ``None`` where the catalog cannot say it."""
    if frame.stretch and (frame.stretch.lacking or frame.stretch.point):
        return _asked(frame, lexicon)
    unclear = next((i for i, thing in enumerate(frame.things) if thing.others), None)
    if unclear is not None:
        return _either(frame, unclear, lexicon)
    head = _head(frame, lexicon)
    if head is None:
        return None
    window, notes = term_window(frame.stretch, head)
    frame = _otherwise(frame) if frame.otherwise else frame
    made = _of_things(replace(frame, heads=(head,)), window, lexicon)
    if made is None:
        return None
    made = _noted(made, (*frame.notes, *notes))
    return negated(made, lexicon.catalog) if frame.none else made


def _otherwise(frame: Frame) -> Frame:
    """Never anything but this is only this; anything but this is something else."""
    if frame.none:
        return replace(frame, none=False, only=True)
    turned = tuple(
        replace(
            thing,
            filters=tuple(test.model_copy(update={"op": _OPPOSITE.get(test.op, test.op)}) for test in thing.filters),
        )
        for thing in frame.things
    )
    return replace(frame, things=turned, joint="all")


def _either(frame: Frame, unclear: int, lexicon: Lexicon) -> Tree | None:
    """The frame once for each reading of a thing; readings that the activity cannot have are left out."""
    thing = frame.things[unclear]
    options = []
    for reading in (replace(thing, others=()), *thing.others):
        things = (*frame.things[:unclear], reading, *frame.things[unclear + 1 :])
        made = tree(replace(frame, things=things), lexicon)
        if made is not None:
            options.append((reading.notes[0].text if reading.notes else "", made))
    if len(options) < 2:  # noqa: PLR2004 - one reading is no choice
        return options[0][1] if options else None
    return Choice(thing.notes[0].word if thing.notes else "", tuple(options))


def _noted(made: Tree, notes: tuple[Note, ...]) -> Tree:
    """Notes about the window belong to every condition, all others to the first."""
    if isinstance(made, Leaf):
        return replace(made, notes=(*made.notes, *notes))
    if isinstance(made, Choice):
        return replace(made, options=tuple((label, _noted(option, notes)) for label, option in made.options))
    rest = tuple(note for note in notes if note.at)
    return replace(made, of=(_noted(made.of[0], notes), *(_noted(part, rest) for part in made.of[1:])))


def _head(frame: Frame, lexicon: Lexicon) -> str | None:
    """The first activity that has every property the frame is about."""
    filters = [(test.name, thing.owners) for thing in (*frame.things, *frame.tests) for test in thing.filters]
    for head in sorted(frame.heads, key=lambda name: -_variety(name, lexicon)) if frame.price else frame.heads:
        activity = lexicon.catalog.activities[head]
        has_all = all(name in activity.properties and head in owners for name, owners in filters)
        if frame.money and money_property(activity, lexicon, total=frame.sum) is None:
            continue
        if frame.distinct and frame.distinct not in activity.properties:
            continue
        if frame.quantity and QUANTITY not in activity.properties:
            continue
        if has_all:
            return head
    return None


def _variety(name: str, lexicon: Lexicon) -> int:
    """How many things an activity can be about: items have more titles than orders have coupons."""
    return max((len(titles.values) for titles in lexicon.titles if name in titles.owners), default=0)


def _of_things(frame: Frame, window: Window | None, lexicon: Lexicon) -> Tree | None:
    common = tuple(test for thing in frame.tests for test in thing.filters)
    notes = tuple(note for thing in (*frame.things, *frame.tests) for note in thing.notes)
    rows = [thing.filters for thing in _merged(frame)] or [()]
    parts: list[Tree] = []
    for row in rows:
        part = _condition(frame, (*row, *common), window, lexicon)
        if part is None or (frame.only and row and (part := _only(frame, part, row, common, window)) is None):
            return None
        parts.append(part)
    if notes:
        parts[0] = _noted(parts[0], notes)
    return joined(frame.joint, *parts)


def _merged(frame: Frame) -> list[Thing]:
    """Things that are each one equality of the same property are one thing: one of a list."""
    same = {
        thing.filters[0].name
        for thing in frame.things
        if len(thing.filters) == 1 and thing.filters[0].op in {"eq", "in"}
    }
    alike = all(len(thing.filters) == 1 and thing.filters[0].op in {"eq", "in"} for thing in frame.things)
    if frame.joint != "any" or len(frame.things) < 2 or len(same) != 1 or not alike:  # noqa: PLR2004
        return list(frame.things)
    values: list[Any] = []
    for thing in frame.things:
        value = thing.filters[0].value
        values += [item for item in (value if isinstance(value, tuple) else (value,)) if item not in values]
    merged = seg.Filter(name=same.pop(), op="in", value=tuple(values))
    return [Thing((merged,), frame.things[0].owners)]


def _condition(frame: Frame, filters: tuple[seg.Filter, ...], window: Window | None, lexicon: Lexicon) -> Tree | None:
    head = frame.heads[0]
    activity = lexicon.catalog.activities[head]
    common: dict[str, Any] = {"name": head, "during": window}
    if frame.money and frame.sum:
        op, assumed = decided(frame.money)
        of = money_property(activity, lexicon, total=True)
        node = seg.Activity(op=op, measure="sum", of=of, value=frame.money.value, where=filters, **common)
        return Leaf(node, _amount_notes(frame.money, assumed, "value", lexicon))
    notes: tuple[Note, ...] = ()
    if frame.money:
        op, assumed = decided(frame.money)
        name = money_property(activity, lexicon, total=False) or ""
        filters = (*filters, seg.Filter(name=name, op=op, value=frame.money.value))
        notes = _amount_notes(frame.money, assumed, f"where.{len(filters) - 1}.value", lexicon)
    return _counted(frame, common, filters, notes)


def _counted(frame: Frame, common: dict[str, Any], filters: tuple[seg.Filter, ...], notes: tuple[Note, ...]) -> Leaf:
    amount = frame.amount
    if amount is None and frame.distinct is None:
        return Leaf(seg.Activity(op="any", where=filters, **common), notes)
    amount = amount or Amount("gte", Decimal(1))
    op, assumed = decided(amount)
    if frame.distinct:
        node = seg.Activity(op=op, measure="distinct", of=frame.distinct, value=amount.value, where=filters, **common)
    elif frame.quantity and (op, amount.low) not in _ONE:
        node = seg.Activity(op=op, measure="sum", of=QUANTITY, value=amount.value, where=filters, **common)
    elif (op, amount.low) in _ONE:
        return Leaf(seg.Activity(op="any", where=filters, **common), notes)
    elif (op, amount.low) in _NONE:
        return Leaf(seg.Activity(op="none", where=filters, **common), notes)
    else:
        node = seg.Activity(op=op, value=amount.value, where=filters, **common)
    said = (Note(amount.text, assumed, "value", float(amount.low), "times"),) if assumed else ()
    return Leaf(node, (*notes, *said))


def _amount_notes(amount: Amount, assumed: str, at: str, lexicon: Lexicon) -> tuple[Note, ...]:
    return tuple(money_notes(amount, assumed, at, lexicon.catalog.currency))


def money_notes(amount: Amount, assumed: str, at: str, currency: str) -> list[Note]:
    """What was assumed of an amount of money: its comparison, and its currency where that is not the store's."""
    notes = [Note(amount.text, assumed, at, float(amount.low), currency)] if assumed else []
    if amount.unit and currency and amount.unit != currency and not _plain_dollars(amount, currency):
        text = f"{amount.text} taken as {amount.low:,f} {currency}, the store's currency"
        notes.append(Note(amount.text, text, at, float(amount.low), currency))
    return notes


def _plain_dollars(amount: Amount, currency: str) -> bool:
    """A dollar sign is also that of the Canadian, Australian ... dollar."""
    return amount.unit == "USD" and currency.endswith("D")


def _only(
    frame: Frame, part: Tree, row: tuple[seg.Filter, ...], common: tuple[seg.Filter, ...], window: Window | None
) -> Tree | None:
    """Nothing but this: did it with this, and never without."""
    if len(row) != 1 or row[0].op not in _OPPOSITE:
        return None
    opposite = seg.Filter(name=row[0].name, op=_OPPOSITE[row[0].op], value=row[0].value)
    return joined(
        "all", part, Leaf(seg.Activity(name=frame.heads[0], op="none", where=(opposite, *common), during=window))
    )


def term_window(stretch: Stretch | None, head: str) -> tuple[Window | None, tuple[Note, ...]]:
    """The window a stretch means for an activity, and what was assumed."""
    if stretch is None:
        return None, ()
    if stretch.term is None:
        window = stretch.window
        return window, (Note("", stretch.note),) if stretch.note else ()
    filled = stretch.term.filled()
    key = head if head in filled.means else "*"
    last = filled.means[key]["last"]
    text = f"{stretch.term.word} = in the last {spoken(last)}"
    note = Note(stretch.term.word, text, "during.last", float(last.rstrip("dhwmoy")), unit_of(last))
    return Window(**filled.means[key]), (note,)


def _asked(frame: Frame, lexicon: Lexicon) -> Tree | None:
    """A window that needs one more word: which unit, or which side of the day."""
    stretch = frame.stretch or Stretch()
    options: list[tuple[str, Stretch]] = []
    if stretch.lacking:
        for unit, name in _LARGE_UNITS:
            length = length_text(Decimal(stretch.lacking), unit)
            if length:
                options.append((f"the last {stretch.lacking} {name}", Stretch(Window(last=length))))
    elif stretch.window and stretch.window.until:
        ago = stretch.window.until
        options = [
            (f"more than {spoken(ago)} ago", Stretch(Window(until=ago))),
            (f"in the last {spoken(ago)}", Stretch(Window(last=ago))),
        ]
    found = [(label, tree(replace(frame, stretch=option), lexicon)) for label, option in options]
    kept = tuple((label, option) for label, option in found if option is not None)
    return Choice(stretch.lacking or "ago", kept) if len(kept) > 1 else None


def has_property(lexicon: Lexicon, names: tuple[str, ...], name: str) -> Attribute | None:
    """The property of that name of the first of these activities that has it."""
    for activity in names:
        entry = lexicon.catalog.activities[activity].properties.get(name)
        if entry:
            return entry
    return None
