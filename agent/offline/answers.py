"""Which reading follows from what was understood: show it, ask, or refuse and name what is missing?"""

from agent.offline.audience import Audience, ambiguities, assumptions, definition, spans, with_everyone
from agent.offline.reading import STORE, FlowRequest, Intent, Option, Reading
from agent.offline.sentence import Sentence
from agent.offline.trees import Built, Tree, built, choices, settled
from domain import segments as seg
from domain.segments import MAX_NODES, Definition, walk
from domain.segments_english import sentence

EXAMPLES = (
    "high LTV customers that haven't purchased recently",
    "customers in Texas who spent more than $500 in the last year",
    "email subscribers who bought twice but not in the last 90 days",
)
MOST_NAMED = 6


def nothing(chart: Sentence) -> str:
    """What can be asked of this data, by example, or by what it has."""
    if chart.catalog.dataset == STORE:
        shown = "; ".join(f"“{example}”" for example in EXAMPLES)
        return f"I can find customers by who they are, what they did and what they spent, for example: {shown}."
    catalog = chart.catalog
    known = [entry.label for entry in (*catalog.attributes.values(), *catalog.activities.values())]
    return f"I can find {catalog.entity.plural} by {', '.join(known[:MOST_NAMED])} and more."


def refused(chart: Sentence, question: str, unused: tuple[str, ...] = (), intent: Intent = "unknown") -> Reading:
    """A refusal that says what is missing."""
    return Reading(
        text=chart.text, action="refuse", intent=intent, question=question, unused_words=unused, confidence=0.0
    )


def segment(
    chart: Sentence,
    found: Audience,
    *,
    intent: Intent = "segment",
    flow: FlowRequest | None = None,
    objective: range = range(0),
    patched: bool = False,
) -> Reading:
    """A segment, or a campaign's audience, as far as the words decide it."""
    tree = found.tree
    if tree is None and found.everyone and not found.unused:
        tree = with_everyone(chart)
    if tree is None:
        return _nothing(chart, found, intent, flow)
    made = built(settled(tree)[0][1])
    if sum(1 for _ in walk(made.where)) > MAX_NODES:
        return refused(chart, "That is more than one segment can hold; please ask for a part of it.", intent=intent)
    reading = Reading(
        text=chart.text,
        action="segment" if intent == "segment" else "draft",
        intent=intent,
        definition=definition(chart, settled(tree)[0][1]),
        patched=patched,
        assumptions=assumptions(chart, made),
        unused_words=found.unused,
        ambiguities=ambiguities(chart, tree),
        spans=spans(chart, found.items, made, objective=objective),
        flow=flow,
        confidence=confidence(chart, found, made, len(choices(tree))),
    )
    return _unused(reading) if found.unused else _open(chart, reading, tree)


def _unused(reading: Reading) -> Reading:
    """Ask what the words mean that had no effect, and offer to leave them out."""
    several = len(reading.unused_words) > 1
    option = Option(label="Leave those out" if several else "Leave that out", definition=reading.definition)
    question = f"I did not use: {named(reading.unused_words)}. What do you mean by {'them' if several else 'it'}?"
    return reading.model_copy(
        update={"action": "clarify", "definition": None, "question": question, "options": (option,)}
    )


def _open(chart: Sentence, reading: Reading, tree: Tree) -> Reading:
    """Ask which reading is meant where there are several."""
    unclear = choices(tree)
    if not unclear:
        return reading
    options = tuple(Option(label=label, definition=definition(chart, option)) for label, option in settled(tree))
    question = f"“{unclear[0].word.strip()}” can be read in {len(options)} ways. Which do you mean?"
    return reading.model_copy(
        update={"action": "clarify", "definition": None, "question": question, "options": options}
    )


def _nothing(chart: Sentence, found: Audience, intent: Intent, flow: FlowRequest | None) -> Reading:
    if found.unused:
        question = f"I know no condition for {named(found.unused)} in this data. {nothing(chart)}"
        return refused(chart, question, found.unused, intent)
    if intent == "flow":
        return Reading(
            text=chart.text, action="clarify", intent="flow", flow=flow, question="Who should get it?", confidence=0.3
        )
    return refused(chart, nothing(chart), (), intent)


def named(words: tuple[str, ...]) -> str:
    """Words in quotes, joined for a sentence."""
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def confidence(chart: Sentence, found: Audience, made: Built, open_choices: int) -> float:
    """Between 0 and 1: the share of words used, less for each repair, assumption and open choice."""
    total = len(chart.tokens) or 1
    unknown = sum(item.end - item.start for item in found.items if item.kind == "unknown")
    score = (1 - unknown / total) * 0.9 ** len(chart.repairs) * 0.98 ** len(made.notes) * 0.5**open_choices
    return round(score * (0.5 if unknown else 1.0), 3)


def described(chart: Sentence, node: seg.Leaf) -> str:
    """A condition in English."""
    return sentence(Definition(dataset=chart.catalog.dataset, where=node), chart.catalog)


def one(tree: Tree) -> Tree:
    """The first settled reading of a tree."""
    return settled(tree)[0][1]
