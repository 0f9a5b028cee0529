"""How does the planner say what became of a proposal, and what a drafted campaign holds?"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from agent.offline.phrases import people, plain, sentence
from domain.templates import readable

Result = Mapping[str, Any]

OPENING = 80

SUBJECTS = {
    "segment": "The segment",
    "flow": "The campaign",
    "activation": "The start",
    "order": "The order",
    "customer": "The change",
}


def told(results: Sequence[Result]) -> str:
    """What became of the cards, one line each."""
    return "\n".join(said for result in results if (said := outcome(result)))


def outcome(result: Result) -> str:
    """What became of one card."""
    subject = SUBJECTS.get(str(result["kind"]), "It")
    by = f" by {plain(result['decided_by'])}" if result.get("decided_by") else ""
    note = f" {plain(sentence(result['note']))}" if result.get("note") else ""
    match result["status"]:
        case "approved":
            return _approved(result, by)
        case "rejected":
            return f"{subject} was rejected{by}; nothing was saved or sent.{note}"
        case "void":
            return f"{subject} is void; nothing was saved or sent.{note}"
        case "shown":
            return campaign(result["proposal"]) if result["kind"] == "flow" else words_of(result)
        case "expired":
            return f"{subject} expired before anybody decided. Ask again to get a fresh card."
        case _:
            return f"{subject} still waits for a decision."


def words_of(result: Result) -> str:
    """What would be proposed, where nothing can be: on the command line."""
    action = result["proposal"].get("order") or result["proposal"].get("action")
    return f"I would put this on a card for approval: {plain(action)}." if action else ""


def _approved(result: Result, by: str) -> str:
    reached = people((result.get("result") or {}).get("audience_size") or 0)
    name = f"**{plain(result['name'])}**"
    made = result.get("result") or {}
    if result["kind"] == "order":
        return f"{name} is {plain(made.get('status', 'changed'))} now, approved{by}."
    if result["kind"] == "customer":
        return f"The customer was erased, approved{by}." if "erased" in made else f"{name} was saved, approved{by}."
    if result["kind"] == "segment":
        return f"The segment was approved{by} and saved as {name}: {reached}."
    begins = _first_message(result.get("start") or {})
    return f"The campaign {name} was approved{by} and is active for {reached}; {begins}."


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
    texts = [readable(str(step["subject"] or step["body"][:OPENING]).replace("\n", " ")) for step in sends]
    subjects = [f"- Message {place}: {plain(text)}" for place, text in enumerate(texts, 1)]
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
