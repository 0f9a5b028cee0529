"""How does the planner say what a tool found: figures, customers, reasons, lists?"""

from collections.abc import Callable, Mapping
from typing import Any

from agent.offline.phrases import capital, number, people, plain, read_as, sentence, unused
from agent.offline.reading import Command, Reading
from domain.templates import readable

Result = Mapping[str, Any]

CLEAR = frozenset(("higher", "lower"))
OPENING = 80
"""Characters of a message without a subject that are shown."""

MOST_LINES = 24
"""Of a long trend the latest stretches are said; the card shows all."""


def figures(result: Result, reading: Reading) -> str:
    """The answer to a question about figures."""
    say = next((SAID[key] for key in SAID if result.get(key)), _one)
    return say(result) + read_as(reading) + unused(reading)


def _about(result: Result) -> str:
    """About whom and when, where that is not everyone and ever."""
    of, during = plain(result["of"]), plain(result.get("during", ""))
    return f"{'' if of.startswith('all ') else f' of {of}'}{f', {during}' if during else ''}"


def _spread(result: Result) -> str:
    spread, kind, currency = result["distribution"], str(result["kind"]), str(result.get("currency", ""))
    known = [(mark, spread["percentiles"][mark]) for mark in ("25", "50", "75", "90") if mark in spread["percentiles"]]
    middle = ", ".join(f"{number(value, kind, currency)} ({mark}th)" for mark, value in known)
    over = people(spread["people"], result["called"])
    return f"**{plain(result['label'])}** over {over}{_about(result)}. Percentiles: {middle}."


def _rows(result: Result) -> str:
    kind, currency = str(result["kind"]), str(result.get("currency", ""))
    lines = [
        f"- {plain(row['label'])}: {number(row['value'], kind, currency)}"
        + ("" if row.get("whole", True) else " (in part)")
        for row in result["rows"]
    ]
    counted = capital(plain(result["counted"]))
    heading = counted if result["what"] == "trend" else f"{capital(plain(result['label']))}, {counted.lower()}"
    return "\n".join([f"**{heading}**{_about(result)}:", *lines[-MOST_LINES:]])


def _one(result: Result) -> str:
    value, label, about = result.get("value"), plain(result["label"]), _about(result)
    if value is None:
        return f"There is no {label} to measure{about}."
    match result["what"]:
        case "share":
            everyone = people(result["everyone"], result["called"])
            return f"**{value:.1%}** ({result['people']:,} of {everyone}): {plain(result['of'])}."
        case "count" if result.get("everyone") is not None:
            return f"**{people(int(value), result['called'])}**: {plain(result['of'])}."
        case "count":
            by = f" by {people(result['people'], result['called'])}" if result.get("people") is not None else ""
            return f"{capital(plain(result['counted']))}{about}: **{int(value):,}**{by}."
        case what:
            found = number(value, str(result["kind"]), str(result.get("currency", "")))
            return f"The {what} {label}{about} is **{found}**, over {people(result['people'], result['called'])}."


def _compared(result: Result) -> str:
    """What differs, the clearest first; what may be chance is named together."""
    found, currency = result["comparison"], str(result.get("currency", ""))
    one, other = found["one"], found["other"]
    sides = " against ".join(
        f"**{people(side['people'], result['called'])}** ({plain(side['of'])})" for side in (one, other)
    )
    lines = [f"{sides}:"]
    metrics = [each for each in found["metrics"] if each["verdict"] in CLEAR]
    shares = [each for each in found["shares"] if each["verdict"] in CLEAR]
    lines += [
        f"- {plain(capital(each['label']))}: {each['verdict']}, median "
        + " against ".join(number(value, each["kind"], currency) for value in each["median"])
        for each in sorted(metrics, key=lambda metric: -abs(metric["delta"]))
    ]
    lines += [
        f"- {plain(capital(each['label']))}: {each['verdict']}, "
        + " against ".join(f"{part:.1%}" for part in each["share"])
        for each in sorted(shares, key=lambda share: -abs(share["difference"]))
    ]
    rest = [each["label"] for key in ("metrics", "shares") for each in found[key] if each["verdict"] not in CLEAR]
    return "\n".join([*lines, *([f"\nNo clear difference: {plain(', '.join(rest))}."] if rest else [])])


def _grid(result: Result) -> str:
    table, currency = result["rfm"], str(result.get("currency", ""))
    lines = [f"**{people(table['buyers'], result['called'])}** who bought{_about(result)}, by recency and frequency:"]
    lines += [
        f"- {plain(capital(group['label']))}: {group['people']:,} ({group['share']:.1%}), "
        f"{number(group['revenue'], 'money', currency)} in all"
        for group in table["groups"]
        if group["people"]
    ]
    return "\n".join(lines)


SAID: dict[str, Callable[[Result], str]] = {
    "distribution": _spread,
    "rows": _rows,
    "comparison": _compared,
    "rfm": _grid,
}
"""How each kind of answer is said, by the part of it that is filled; one number otherwise."""


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
    lines = [f"- {plain(capital(one['text']))}: {marks[one['holds']]}" for one in result["reasons"]]
    return "\n".join([f"Customer {result['customer_id']} **{verdict}** in this segment.", *lines])


def segments(result: Result, _command: Command) -> str:
    """The saved segments."""
    rows = [
        f"- **{plain(row['name'])}**: {people(row['audience_size'])} when saved. {plain(sentence(row['read_back']))}"
        for row in result["segments"]
    ]
    return "\n".join(rows) or "No segment is saved yet."


def flows(result: Result, _command: Command) -> str:
    """The saved flows."""
    rows = [f"- **{plain(row['name'])}** ({plain(row['status'])})" for row in result["flows"]]
    return "\n".join(rows) or "No flow is saved yet."


def templates(result: Result, _command: Command) -> str:
    """The stored templates."""
    rows = [
        f"- **{plain(row['name'])}** ({plain(row['channel'])}, version {row['version']}): "
        f"{plain(readable(row['content']['subject'] or row['content']['body'][:OPENING]))}"
        for row in result["templates"]
    ]
    return "\n".join(rows) or "No template is saved yet. Write one under Templates in the console."


def glossary(result: Result, command: Command) -> str:
    """The store's own words, or the one that was asked for."""
    wanted = (command.name or "").casefold().rstrip("s")
    entries = [
        row for row in result["glossary"] if wanted in {"", *(word.casefold().rstrip("s") for word in row["words"])}
    ]
    rows = [f"- **{plain(row['word'])}**: {plain(sentence(row['explanation']))}" for row in entries]
    return "\n".join(rows) or f"“{plain(command.name)}” is not defined in this store."
