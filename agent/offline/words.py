"""How does the planner speak of a segment, and of what it cannot do? Every figure comes from a tool's answer."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from agent.offline.phrases import capital, cut, people, plain, read_as, sentence, share, unused
from agent.offline.reading import STORE, Command, Reading

Result = Mapping[str, Any]

LISTED = 10

CHANNELS = {"email": "by email", "sms": "by SMS", "whatsapp": "on WhatsApp"}

EXAMPLES = (
    "customers in Texas who ordered over $100 in the last 6 months",
    "high LTV customers that haven't purchased recently",
    "how many customers opened an email in the last 30 days",
)


def greeting() -> str:
    """What is said when nobody has asked anything."""
    return help_text()


def help_text() -> str:
    """What can be asked, by example."""
    lines = "\n".join(f"- {example}" for example in EXAMPLES)
    return (
        "Describe the customers you mean, or what you want to reach, in your own words. For example:\n"
        f"{lines}\n\nNothing is saved or sent before you approve its card."
    )


def refusal(reading: Reading) -> str:
    """Why nothing was done, and what would work."""
    return plain(reading.question) if reading.question else f"I did not understand that.\n\n{help_text()}"


def size(preview: Result, reading: Reading) -> str:
    """How many, who, how each vague word was read, and which words had no effect."""
    found, everyone = preview["audience_size"], preview["everyone"]
    portion = f" ({share(found / everyone)} of {everyone:,})" if everyone else ""
    channel = reading.flow.channel if reading.flow else "email"
    there = preview["reachable"].get(channel)
    reach = f"; {there:,} of them can be reached {CHANNELS[channel]}" if there is not None and there != found else ""
    text = f"**{people(found, preview.get('called'))}**{portion}{reach}.\n\n{plain(sentence(preview['read_back']))}"
    notes = [plain(sentence(line["note"])) for line in preview["lines"] if line["note"]]
    return text + read_as(reading, notes) + unused(reading)


def asked_of(dataset: str) -> str:
    """Which data answered, where it is not the store's; nothing can be proposed for it."""
    return "" if dataset == STORE else f"\n\nAsked of the dataset {plain(dataset)}."


def listed(members: Sequence[Result], called: Sequence[str], total: int) -> str:
    """The first members of a dataset's segment, each with what is known of it, and how many more there are."""
    lines = [f"- {_known(row)} ({called[0]} {row['id']})" for row in members]
    more = [f"- and {total - len(members):,} more"] if total > len(members) else []
    return "\n\n" + "\n".join([*lines, *more]) if lines else ""


def _known(row: Result) -> str:
    return ", ".join(plain(str(value)) for name, value in row.items() if value and name != "id") or "nothing on file"


def waiting(*, cards: int) -> str:
    """What the person has to do next."""
    which = "The card waits" if cards == 1 else "The segment and the campaign wait"
    return f"\n\n{which} for your decision; nothing is saved or sent before."


def no_such_start(when: str) -> str:
    """The start was named in words that mean no day and no time."""
    return f"\n\nNot used: “{plain(when)}”. The card proposes when to begin."


def nobody() -> str:
    """Why no card was opened."""
    return "\n\nNobody is in this segment, so there is nothing to propose. Which condition may be wider?"


def which_segment() -> str:
    """Asked why somebody is in a segment that was not named."""
    return "In which segment? Describe it first, then ask again."


def revised(result: Result) -> str:
    """After open cards were changed."""
    cards = len(result.get("changed", ()))
    which = "The card shows" if cards <= 1 else "Both cards show"
    return f"\n\n{which} this now and {'waits' if cards <= 1 else 'wait'} for your decision."


def failure(error: Mapping[str, Any]) -> str:
    """A tool's refusal, in its own words."""
    return " ".join(plain(sentence(str(error[key]))) for key in ("message", "fix") if error.get(key))


def unavailable(tools: Collection[str]) -> str:
    """A tool is missing from this door."""
    return f"That cannot be done here (`{'`, `'.join(sorted(tools))}` is not offered)."


def not_yet(what: str) -> str:
    """Understood, but there is no tool for it."""
    return f"I understood that you want to {plain(what)}, but I cannot do that here."


def decide_on_the_card(cards: int) -> str:
    """Decisions are taken on the card, where what is decided can be seen."""
    which = "card" if cards == 1 else "cards"
    return f"Please decide on the {which} above: a decision is bound to exactly what the card shows."


def which_flow(flows: Sequence[Mapping[str, Any]], command: Command) -> str:
    """No flow, or several, are called that."""
    rows = [f"- {row['id']}: **{plain(row['name'])}**, {row['status']}" for row in flows[:LISTED]]
    called = command.name or (f"number {command.id}" if command.id else "")
    said = f"There is no single flow {plain(called)}." if called else f"Which flow do you want to {command.verb}?"
    return "\n".join([said, *(["These are there:", *rows] if rows else ["There is no flow yet."])])


def clock(result: Result) -> str:
    """After the demo store's clock was moved."""
    return f"It is now {plain(result['now'])} in this demo store. What fell due meanwhile is being sent."


def name(preview: Result, reading: Reading) -> str:
    """A name for a segment: the person's own words for it, else what its conditions say."""
    said = "" if reading.patched else _own_words(reading)
    return capital(cut(said or ", ".join(line["text"] for line in preview["lines"])))


def renamed(before: Result, preview: Result, reading: Reading) -> str:
    """A name for a changed segment: kept for another number, extended for one more condition."""
    where = before["definition"]["where"]
    conditions = len(where["of"]) if where["type"] == "all" else 1
    if len(preview["lines"]) == conditions:
        return str(before["name"])
    more = _own_words(reading) if len(preview["lines"]) > conditions else ""
    return cut(f"{before['name']}, {more}") if more else name(preview, reading)


def _own_words(reading: Reading) -> str:
    said = [span for span in reading.spans if span.role == "condition"]
    return reading.text[said[0].start : max(span.end for span in said)].strip(" ,.;:?!") if said else ""
