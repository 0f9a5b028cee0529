"""How does the planner say what a tool found: figures, customers, reasons, lists?"""

from collections.abc import Mapping
from typing import Any

from agent.offline.phrases import capital, number, people, plain, read_as, sentence, unused
from agent.offline.reading import Command, Reading, StatsQuery

Result = Mapping[str, Any]


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
        text = f"**{label}** over {people(spread['people'])}{about}. Percentiles: {middle}."
    elif rows:
        lines = [f"- {plain(row['label'])}: {number(row['value'], kind, currency)}" for row in rows]
        text = "\n".join([f"**{capital(label)}**{_measured_by(reading.stats)}{about}:", *lines])
    elif value is None:
        text = f"There is no {label} to measure{about}."
    elif result["what"] == "share":
        text = f"**{value:.1%}** ({result['people']:,} of {people(result['everyone'])}): {of}."
    elif result["what"] == "count":
        whose = result.get("people") is not None
        text = f"**{people(int(value))}**: {of}." if whose else f"{capital(label)}{about}: **{int(value):,}**."
    else:
        over = people(result["people"])
        text = f"The {result['what']} {label}{about} is **{number(value, kind, currency)}**, over {over}."
    return text + read_as(reading) + unused(reading)


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


def glossary(result: Result, command: Command) -> str:
    """The store's own words, or the one that was asked for."""
    wanted = (command.name or "").casefold().rstrip("s")
    entries = [
        row for row in result["glossary"] if wanted in {"", *(word.casefold().rstrip("s") for word in row["words"])}
    ]
    rows = [f"- **{plain(row['word'])}**: {plain(sentence(row['explanation']))}" for row in entries]
    return "\n".join(rows) or f"“{plain(command.name)}” is not defined in this store."
