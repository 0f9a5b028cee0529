"""How does the planner say what it found? In short exact sentences; every figure comes from a tool's answer.

Text is Markdown. What customers or products are called reaches it through ``plain``, so a name cannot become a link.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from agent.offline.reading import Command, Reading, StatsQuery
from domain.segments_english import money

Result = Mapping[str, Any]

NAME_LENGTH = 80
CHANNELS = {"email": "by email", "sms": "by SMS", "whatsapp": "on WhatsApp"}
OPENING = 80
SMALLEST_SHARE = 0.001

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
    share = f" ({_share(found / everyone)} of {everyone:,})" if everyone else ""
    channel = reading.flow.channel if reading.flow else "email"
    there = preview["reachable"].get(channel)
    reach = f"; {there:,} of them can be reached {CHANNELS[channel]}" if there is not None and there != found else ""
    text = f"**{_people(found)}**{share}{reach}.\n\n{plain(_sentence(preview['read_back']))}"
    notes = [plain(_sentence(line["note"])) for line in preview["lines"] if line["note"]]
    return text + _read_as(reading, notes) + _unused(reading)


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


def outcomes(results: Sequence[Result]) -> str:
    """What became of the cards, one line each."""
    return "\n".join(said for result in results if (said := outcome(result)))


def outcome(result: Result) -> str:
    """What became of one card."""
    subject = {"segment": "The segment", "flow": "The campaign", "activation": "The start"}.get(
        str(result["kind"]), "It"
    )
    by = f" by {plain(result['decided_by'])}" if result.get("decided_by") else ""
    note = f" {plain(_sentence(result['note']))}" if result.get("note") else ""
    match result["status"]:
        case "approved":
            return _approved(result, by)
        case "rejected":
            return f"{subject} was rejected{by}; nothing was saved or sent.{note}"
        case "void":
            return f"{subject} is void; nothing was saved or sent.{note}"
        case "shown":
            return campaign(result["proposal"]) if result["kind"] == "flow" else ""
        case "expired":
            return f"{subject} expired before anybody decided. Ask again to get a fresh card."
        case _:
            return f"{subject} still waits for a decision."


def _approved(result: Result, by: str) -> str:
    people = _people((result.get("result") or {}).get("audience_size") or 0)
    name = f"**{plain(result['name'])}**"
    if result["kind"] == "segment":
        return f"The segment was approved{by} and saved as {name}: {people}."
    return (
        f"The campaign {name} was approved{by} and is active for {people}; {_first_message(result.get('start') or {})}."
    )


def _first_message(start: Result) -> str:
    match start:
        case {"mode": "local", "date": day, "time": clock}:
            when = date.fromisoformat(day)
            return f"the first message goes out on {when:%A, %-d %B} at {clock[:5]} on each recipient's clock"
        case {"mode": "at", "at": at}:
            return f"the first message goes out at {datetime.fromisoformat(at):%-d %B %Y, %H:%M %Z}"
        case _:
            return "the first message goes out now"


def campaign(proposal: Result) -> str:
    """A drafted campaign in a few lines: name, when and why then, subjects, ideas."""
    spec, evidence = proposal["spec"], proposal["evidence"]
    sends = [step for step in spec["steps"] if step["type"] == "send"]
    texts = [str(step["subject"] or step["body"][:OPENING]).replace("`", "'").replace("\n", " ") for step in sends]
    subjects = [f"- Message {place}: `{text}`" for place, text in enumerate(texts, 1)]
    ideas = [f"- {plain(idea)}" for idea in proposal.get("ideas", ())]
    return "\n".join(
        [
            f"Campaign **{plain(spec['name'])}**: {_first_message(spec['start'])}.",
            plain(evidence["send_time"]["text"]),
            "",
            *subjects,
            *(["", "Ideas:", *ideas] if ideas else []),
        ]
    )


def failure(error: Mapping[str, Any]) -> str:
    """A tool's refusal, in its own words."""
    return " ".join(plain(_sentence(str(error[key]))) for key in ("message", "fix") if error.get(key))


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


def in_the_console(verb: str) -> str:
    """What the chat leaves to the flow's own page."""
    return f"You can {verb} a flow on its page in the console; here I only propose what then waits for your approval."


def clock(result: Result) -> str:
    """After the demo store's clock was moved."""
    return f"It is now {plain(result['now'])} in this demo store. What fell due meanwhile is being sent."


def figures(result: Result, reading: Reading) -> str:
    """The answer to a question about figures."""
    kind, currency, of = str(result["kind"]), str(result.get("currency", "")), plain(result["of"])
    label = plain(result["label"])
    about = f" of {of}" if not of.startswith("all ") else ""
    rows, spread, value = result.get("rows"), result.get("distribution"), result.get("value")
    if spread:
        marks = spread["percentiles"]
        known = [mark for mark in ("25", "50", "75", "90") if mark in marks]
        middle = ", ".join(f"{number(marks[mark], kind, currency)} ({mark}th)" for mark in known)
        text = f"**{label}** over {_people(spread['people'])}{about}. Percentiles: {middle}."
    elif rows:
        lines = [f"- {plain(row['label'])}: {number(row['value'], kind, currency)}" for row in rows]
        text = "\n".join([f"**{_capital(label)}**{_measured_by(reading.stats)}{about}:", *lines])
    elif value is None:
        text = f"There is no {label} to measure{about}."
    elif result["what"] == "share":
        text = f"**{value:.1%}** ({result['people']:,} of {_people(result['everyone'])}): {of}."
    elif result["what"] == "count":
        text = (
            f"**{_people(int(value))}**: {of}."
            if result.get("people") is not None
            else f"**{int(value):,}** {label}{about}."
        )
    else:
        over = _people(result["people"])
        text = f"The {result['what']} {label}{about} is **{number(value, kind, currency)}**, over {over}."
    return text + _read_as(reading) + _unused(reading)


def _measured_by(query: StatsQuery | None) -> str:
    match query:
        case StatsQuery(what="trend"):
            return f" per {query.interval or 'month'}"
        case StatsQuery(what="top", end="bottom"):
            return ", least first"
        case StatsQuery(what="top"):
            return ", most first"
        case StatsQuery(what="average" | "median" | "total" | "minimum" | "maximum"):
            return f", {query.what}"
        case _:
            return ", how many"


def number(value: float, kind: str, currency: str) -> str:
    """A number as its kind is written: money with its currency, whole numbers whole."""
    if kind == "money":
        return money(Decimal(str(round(value, 2))), currency)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def customer(result: Result) -> str:
    """Who was found."""
    found = result["customers"]
    if not found:
        return "Nobody like that is in this store."
    return "\n".join(
        f"- **{plain(one['name'])}** (customer {one['id']}), {plain(one['email']) or 'no email'}"
        f"{', ' + plain(one['city']) if one['city'] else ''}; LTV {one['ltv']:,.2f}"
        f"{'; last order ' + one['last_order_at'][:10] if one['last_order_at'] else '; no order yet'}"
        for one in found
    )


def why(result: Result) -> str:
    """Why one customer is in a segment or not."""
    verdict = "is" if result["member"] else "is not"
    marks = {True: "yes", False: "no", None: "not known"}
    lines = [f"- {plain(_capital(one['text']))}: {marks[one['holds']]}" for one in result["reasons"]]
    return "\n".join([f"Customer {result['customer_id']} **{verdict}** in this segment.", *lines])


def segments(result: Result, _command: Command) -> str:
    """The saved segments."""
    rows = [
        f"- **{plain(row['name'])}**: {_people(row['audience_size'])} when saved. {plain(_sentence(row['read_back']))}"
        for row in result["segments"]
    ]
    return "\n".join(rows) or "No segment is saved yet."


def flows(result: Result, _command: Command) -> str:
    """The saved flows."""
    rows = [f"- **{plain(row['name'])}** ({plain(row['status'])})" for row in result["flows"]]
    return "\n".join(rows) or "No flow is saved yet."


def glossary(result: Result, command: Command) -> str:
    """The store's own words, or the one that was asked for."""
    wanted = (command.name or "").casefold().rstrip("s")
    entries = [
        row for row in result["glossary"] if wanted in {"", *(word.casefold().rstrip("s") for word in row["words"])}
    ]
    rows = [f"- **{plain(row['word'])}**: {plain(_sentence(row['explanation']))}" for row in entries]
    return "\n".join(rows) or f"“{plain(command.name)}” is not defined in this store."


def name(preview: Result, reading: Reading) -> str:
    """A name for a segment: the person's own words for it, else what its conditions say."""
    said = "" if reading.patched else _own_words(reading)
    return _capital(_cut(said or ", ".join(line["text"] for line in preview["lines"])))


def renamed(before: Result, preview: Result, reading: Reading) -> str:
    """A name for a changed segment: kept for another number, extended for one more condition."""
    where = before["definition"]["where"]
    conditions = len(where["of"]) if where["type"] == "all" else 1
    if len(preview["lines"]) == conditions:
        return str(before["name"])
    more = _own_words(reading) if len(preview["lines"]) > conditions else ""
    return _cut(f"{before['name']}, {more}") if more else name(preview, reading)


def _own_words(reading: Reading) -> str:
    said = [span for span in reading.spans if span.role == "condition"]
    return reading.text[said[0].start : max(span.end for span in said)].strip(" ,.;:?!") if said else ""


def _cut(text: str) -> str:
    return text if len(text) <= NAME_LENGTH else text[: NAME_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def plain(value: object) -> str:
    """Text from data, so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", str(value)).replace("\n", " ")


def _read_as(reading: Reading, notes: Sequence[str] = ()) -> str:
    said = [plain(_sentence(one.text)) for one in reading.assumptions]
    lines = "\n".join(f"- {line}" for line in dict.fromkeys((*said, *notes)))
    return f"\n\n{lines}" if lines else ""


def _unused(reading: Reading) -> str:
    if not reading.unused_words:
        return ""
    quoted = ", ".join(f"“{plain(word)}”" for word in reading.unused_words)
    return f"\n\nNot used: {quoted}."


def _share(share: float) -> str:
    return "under 0.1%" if 0 < share < SMALLEST_SHARE else f"{share:.1%}"


def _people(number: int) -> str:
    return f"{number:,} customer{'' if number == 1 else 's'}"


def _sentence(text: str) -> str:
    return _capital(text) if text.endswith((".", "?")) else f"{_capital(text)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
