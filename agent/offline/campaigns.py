"""Is something to be sent, to whom, what for, and in which steps?

The goal ("improve revenue from", "announce our grinder to") and what the message is about are the marketer's words:
they are kept for the writer of the content and are not searched for conditions.
"""

from dataclasses import dataclass, replace

from agent.offline import answers
from agent.offline.audience import Audience, audience, definition, with_everyone
from agent.offline.frames import Frame
from agent.offline.reading import FlowRequest, Option, Reading, Step
from agent.offline.sentence import Said, Sentence
from agent.offline.terms import filled
from agent.offline.trees import Group, Leaf, Note, Tree, joined, leaves, one_of
from domain import segments as seg
from domain.segments import Channel, Definition
from domain.windows import spoken

UNSURE = 0.3
MOST_BETWEEN = 6

_AUDIENCES = (
    ({"win", "winback", "lure", "bring"}, "lapsed"),
    ({"re", "reengage", "reactivate", "revive", "wake"}, "inactive"),
    ({"welcome"}, "new subscriber"),
    ({"retain", "keep", "churn"}, "at risk"),
)
_SUGGESTED = ("VIP", "lapsed", "one-time buyer")
_MOVING = frozenset(("get", "make", "turn", "convince"))
_TOWARDS = frozenset(("to", "from", "among", "for", "with", "of", "at", "targeting", "by"))
_SCHEDULE = frozenset(
    [
        "tomorrow",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "tonight",
        "noon",
        "evening",
        "morning",
        "am",
        "pm",
        "at",
        "next",
    ]
)


@dataclass(frozen=True)
class Request:
    """Where the parts of a request stand: the goal, the audience, what it is about, and the steps."""

    goal: range
    people: range
    about: range
    steps: range
    channel: Channel
    to_them: bool = False


def read(chart: Sentence, previous: Definition | None) -> Reading | None:
    """The reading of a request to send something; ``None`` where the sentence is none."""
    found = _request(chart)
    if found is None:
        return None
    people = audience(chart, found.people.start, found.people.stop, _thing(chart, found.goal))
    flow = FlowRequest(
        channel=found.channel,
        objective=_words(chart, found.goal),
        about=_words(chart, found.about),
        steps=_steps(chart, found.steps),
        when=_when(chart, found.about),
    )
    tree = people.tree or _implied(chart, found)
    if tree is None and previous is not None and (found.to_them or not people.named):
        tree = one_of(previous)
    if tree is None and people.everyone and not people.unused:
        tree = with_everyone(chart)
    if tree is None:
        return _who(chart, flow, people)
    whole = replace(people, tree=_allowed(tree, found.channel), everyone=False)
    outside = range(found.goal.start, found.goal.stop)
    return answers.segment(chart, whole, intent="flow", flow=flow, objective=outside)


def _thing(chart: Sentence, goal: range) -> Said | None:
    """The thing that a goal is about, for "bought one" to speak of."""
    found = [(end - i, value) for i in goal for end, value in chart.at("things", i) if end <= goal.stop]
    longest = max(found, key=lambda pair: pair[0], default=None)
    if longest is None:
        return None
    things = longest[1]
    return Said(joined("all", Leaf(seg.Consent(channel="email"))), Frame((), things=things.things, joint=things.joint))


def _request(chart: Sentence) -> Request | None:
    n = len(chart.tokens)
    start = chart.past(0, "lead", "comma")
    for at in sorted({0, *range(max(0, start - 3), start + 1)}):
        head = _head(chart, at)
        if head:
            break
    else:
        return None
    goal_end, channel = head
    steps = next((i for i in range(goal_end, n) if chart.is_any(i, "step") and _is_step(chart, i)), n)
    colon = next((i for i in range(goal_end, steps) if chart.tokens[i].norm == ":"), steps)
    first = _first_people(chart, goal_end, colon)
    tail = next((i for i in range(first + 1, colon) if chart.is_any(i, "tail") and not _inside(chart, i, first)), colon)
    them = first < n and bool(chart.is_any(first, "them")) and not chart.is_any(first, "entity")
    return Request(range(at, first), range(first, tail), range(tail, colon), range(colon, n), channel, to_them=them)


def _head(chart: Sentence, i: int) -> tuple[int, Channel] | None:
    """Where the words that ask for a campaign end, and on which channel it is to be sent."""
    if i >= len(chart.tokens) or (chart.tokens[i].norm.endswith("s") and chart.tokens[i].norm != chart.stems[i]):
        return None
    return _made(chart, i) or _sent(chart, i) or _aimed(chart, i) or _by_channel(chart, i)


def _made(chart: Sentence, i: int) -> tuple[int, Channel] | None:
    """Create a campaign."""
    return next((noun for made, _ in chart.at("campaign_make", i) if (noun := _noun(chart, made))), None)


def _sent(chart: Sentence, i: int) -> tuple[int, Channel] | None:
    """Send a text."""
    end = chart.is_any(i, "send")
    return (_noun(chart, end) or (end, "email")) if end else None


def _aimed(chart: Sentence, i: int) -> tuple[int, Channel] | None:
    """Improve revenue; get them to come back."""
    end = chart.is_any(i, "goal")
    if end:
        return None if chart.stems[end : end + 1] in {("me",), ("us",)} else (end, "email")
    tail = range(i + 2, len(chart.tokens))
    return (i + 1, "email") if chart.stems[i] in _MOVING and any(chart.is_any(at, "tail") for at in tail) else None


def _by_channel(chart: Sentence, i: int) -> tuple[int, Channel] | None:
    """Email customers; a newsletter for customers."""
    channel = chart.best("channel", i) if chart.is_any(i, "send_channel") else None
    if channel and not chart.at("condition", i) and _takes_people(chart, channel[0]):
        return channel
    noun = chart.best("campaign_noun", i)
    if noun and noun[0] < len(chart.tokens) and chart.stems[noun[0]] in {"to", "for"}:
        return noun[0], _channel(chart, i, noun[0])
    return None


def _noun(chart: Sentence, i: int) -> tuple[int, Channel] | None:
    """A campaign, flow, email ... after a few words that say which."""
    for at in range(i, min(i + MOST_BETWEEN, len(chart.tokens))):
        if chart.is_any(at, "entity", "who") or chart.stems[at] in {"for", "to", "of"}:
            return None
        best = chart.best("campaign_noun", at)
        if best and not chart.is_any(best[0], "domain_word"):
            end = best[0]
            while end < len(chart.tokens) and (more := chart.is_any(end, "campaign_noun")):
                end = more
            return end, _channel(chart, i, end)
    return None


def _channel(chart: Sentence, start: int, end: int) -> Channel:
    for at in range(start, end):
        best = chart.best("channel", at)
        if best:
            channel: Channel = best[1]
            return channel
    return "email"


def _takes_people(chart: Sentence, i: int) -> bool:
    """Whether people are named right here, as in "email customers in Texas" and unlike "email ends with"."""
    return i < len(chart.tokens) and bool(
        chart.is_any(i, "det", "entity", "them", "term_condition", "undecided_condition", "agent", "who", "condition")
    ) and not chart.is_any(i, "is", "contain", "end_with", "start_with", "known", "unknown")  # fmt: skip


def _first_people(chart: Sentence, start: int, end: int) -> int:
    """The place where the goal ends and the people begin: those it is done to, or those behind "to", "from" ..."""
    direct = next((i for i in range(start, end) if _may_begin(chart, i, end)), end)
    if direct < end and _is_noun(chart, direct, end):
        return direct
    for i in range(start, end - 1):
        if chart.is_any(i, "who"):
            break
        if chart.stems[i] in _TOWARDS and _is_noun(chart, i + 1, end):
            return i + 1
    return direct


def _may_begin(chart: Sentence, i: int, end: int) -> bool:
    return bool(chart.is_any(i, "entity", "them")) or any(last <= end for last, _ in chart.at("condition", i))


def _is_noun(chart: Sentence, i: int, end: int) -> bool:
    """Whether people are named here, with no more than an article or a few adjectives before the noun."""
    i = chart.past(i, "det") if i < end and not chart.is_any(i, "them") else i
    if i >= end:
        return False
    if chart.is_any(i, "entity", "them", "agent", "subscriber"):
        return True
    return any(
        last <= end and (chart.is_any(last - 1, "entity", "agent", "subscriber") or _is_plural_term(chart, i, last))
        for last, _ in chart.at("condition", i)
    )


def _is_plural_term(chart: Sentence, i: int, end: int) -> bool:
    return chart.tokens[end - 1].norm.endswith("s") and any(last == end for last, _ in chart.at("term_condition", i))


def _inside(chart: Sentence, i: int, first: int) -> bool:
    """Whether a place lies inside a condition that began before it."""
    return any(at < i < end for at in range(first, i) for end, _ in chart.at("condition", at))


def _is_step(chart: Sentence, i: int) -> bool:
    stem = chart.stems[i]
    return stem != "then" or any(token.kind == "length" for token in chart.tokens[i:]) or "send" in chart.stems[i:]


def _words(chart: Sentence, where: range) -> str:
    return chart.said(where.start, where.stop).strip(" ,:") if where.start < where.stop else ""


def _when(chart: Sentence, where: range) -> str:
    """What the words about the message say about its time, as typed."""
    held = [i for i in where if chart.stems[i] in _SCHEDULE]
    return chart.said(held[0], held[-1] + 2 if held[-1] + 2 <= where.stop else held[-1] + 1) if held else ""


def _steps(chart: Sentence, where: range) -> tuple[Step, ...]:
    """The messages of a flow, each with the wait before it."""
    if where.start >= where.stop:
        return ()
    steps: list[Step] = [Step()]
    wait: str | None = None
    begun = where.start
    for i in where:
        length = (
            chart.best("length", i)
            if chart.tokens[i].kind in {"length", "number"} or chart.stems[i] in {"a", "an"}
            else None
        )
        if length and length[0] <= where.stop and _is_wait(chart, i, length[0]):
            steps[-1] = steps[-1].model_copy(update={"about": steps[-1].about or _about(chart, begun, i)})
            wait, begun = length[1], length[0]
            steps.append(Step(wait=wait))
    if len(steps) > 1:
        steps[-1] = steps[-1].model_copy(update={"about": _about(chart, begun, where.stop)})
    return tuple(steps) if len(steps) > 1 else ()


def _is_wait(chart: Sentence, i: int, end: int) -> bool:
    before, after = chart.stems[max(0, i - 2) : i], chart.stems[end : end + 1]
    return bool({"wait", "after", "in"} & set(before)) or after in {("later",), ("apart",), ("after",)}


def _about(chart: Sentence, start: int, end: int) -> str:
    words = [token.text for token in chart.tokens[start:end] if token.kind != "sign"]
    drop = {
        "wait",
        "then",
        "send",
        "and",
        "later",
        "after",
        "followed",
        "by",
        "a",
        "an",
        "the",
        "them",
        "to",
        "that",
        "for",
        "in",
    }
    while words and words[0].lower() in drop:
        words.pop(0)
    while words and words[-1].lower() in drop:
        words.pop()
    return " ".join(words)


def _implied(chart: Sentence, found: Request) -> Tree | None:
    """The people a goal is about where none are named: winning back is about the lapsed."""
    stems = {chart.stems[i] for i in found.goal}
    if found.people.start < found.people.stop:
        return None
    for words, name in _AUDIENCES:
        term = chart.lexicon.glossary.terms.get(name)
        if words & stems and term:
            return filled(chart, term, word=_words(chart, found.goal))
    return None


def _allowed(tree: Tree, channel: Channel) -> Tree:
    """The audience, with consent on the channel where the sentence does not speak of it."""
    for leaf in leaves(tree):
        if isinstance(leaf.node, seg.Consent | seg.Reachable) and leaf.node.channel == channel:
            return tree
    name = {"email": "email", "sms": "SMS", "whatsapp": "WhatsApp"}[channel]
    note = Note(name, f"only people subscribed to {name}: nobody else may be sent a campaign")
    consent = Leaf(seg.Consent(channel=channel, state="subscribed"), (note,))
    parts = list(tree.of) if isinstance(tree, Group) and tree.op == "all" else [tree]
    if len(parts) == 1 and isinstance(parts[0], Leaf) and _is_everyone(parts[0]):
        return consent
    at = next((i for i, part in enumerate(parts) if _is_deed(part)), len(parts))
    return joined("all", *parts[:at], consent, *parts[at:])


def _is_everyone(leaf: Leaf) -> bool:
    return (
        isinstance(leaf.node, seg.Attribute)
        and leaf.node.op == "set"
        and any(note.word == "everyone" for note in leaf.notes)
    )


def _is_deed(part: Tree) -> bool:
    return isinstance(part, Leaf) and isinstance(part.node, seg.Activity | seg.Sequence)


def _who(chart: Sentence, flow: FlowRequest, people: Audience) -> Reading:
    """No people were named: offer a few audiences."""
    if people.unused:
        return answers.segment(chart, people, intent="flow", flow=flow)
    options = []
    for name in _SUGGESTED:
        term = chart.lexicon.glossary.terms.get(name)
        tree = filled(chart, term, word=name) if term else None
        if term and tree:
            made = answers.one(_allowed(tree, flow.channel))
            options.append(Option(label=f"{name}: {term.explained()}", definition=definition(chart, made)))
    return Reading(
        text=chart.text,
        action="clarify",
        intent="flow",
        flow=flow,
        question="Who should get it?",
        options=tuple(options),
        confidence=UNSURE,
    )


def waits(flow: FlowRequest) -> str:
    """The waits of a flow in words."""
    return ", ".join(spoken(step.wait) for step in flow.steps if step.wait)
