"""What does the planner do for what it read? A script per intent.

A script is a generator: it yields a step (text and tool calls), is sent their results, and returns the last text.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from agent.offline import findings, outcomes, words
from agent.offline.reading import STORE, Command, CustomerQuery, FlowRequest, Reading
from agent.offline.starts import start
from domain.segments import Definition

DEFAULT_WAIT = "10d"

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool to call."""

    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """Something said, and the tools to call after it."""

    calls: tuple[Call, ...]
    text: str = ""


Script = Generator[Step, Sequence[Result], str]


@dataclass(frozen=True)
class Turn:
    """What the person said, what it was about before, what was proposed before, and whether cards can be opened.

    ``proposed`` are the proposals of the conversation as they were when the person wrote; the door notes them.
    """

    reading: Reading
    previous: Definition | None
    proposed: Sequence[Result]
    today: date
    proposes: bool

    @property
    def waiting(self) -> list[Result]:
        """What still waited for a decision when the person wrote."""
        return [found for found in self.proposed if found.get("status") == "pending"]


def script(turn: Turn) -> Script:
    """The script for what was read."""
    changes = turn.reading.patched and turn.reading.action in {"segment", "draft"}
    if changes and any(found.get("kind") == "segment" for found in turn.waiting):
        return _revise(turn)
    chosen = BY_ACTION.get(turn.reading.action) or BY_INTENT.get(turn.reading.intent, _help)
    return chosen(turn)


def _help(_turn: Turn) -> Script:
    return words.help_text()
    yield  # makes this a generator


def _refuse(turn: Turn) -> Script:
    return words.refusal(turn.reading)
    yield  # makes this a generator


def _ask(turn: Turn) -> Script:
    options = [
        {"label": option.label, "definition": option.definition.as_json() if option.definition else None}
        for option in turn.reading.options
    ]
    yield Step((Call("ask_person", {"question": turn.reading.question, "options": options}),))
    return ""


def _segment(turn: Turn) -> Script:
    definition = _definition(turn.reading)
    (preview,) = yield Step((Call("preview_segment", {"definition": definition}),))
    said = words.size(preview, turn.reading)
    if turn.reading.dataset != STORE:
        listed = words.listed(preview.get("members", ()), preview["called"], preview["audience_size"])
        return said + listed + words.asked_of(turn.reading.dataset)
    if not preview["audience_size"]:
        return said + words.nobody()
    proposal = Call("propose_segment", _proposal(turn, preview))
    decided = yield Step((proposal,), said + _wait(turn, cards=1))
    return outcomes.told(decided)


def _campaign(turn: Turn) -> Script:
    definition = _definition(turn.reading)
    if turn.reading.dataset != STORE:
        return words.not_yet(f"write to people of the dataset {turn.reading.dataset}")
    (preview,) = yield Step((Call("preview_segment", {"definition": definition}),))
    said = words.size(preview, turn.reading)
    if not preview["audience_size"]:
        return said + words.nobody()
    wishes = _wishes(turn)
    if turn.reading.flow and turn.reading.flow.when and "start" not in wishes:
        said += words.no_such_start(turn.reading.flow.when)
    calls = [Call("propose_flow", {"definition": definition, **wishes})]
    if not _saved(turn, definition):
        calls.insert(0, Call("propose_segment", _proposal(turn, preview)))
    decided = yield Step(tuple(calls), said + _wait(turn, cards=len(calls)))
    return outcomes.told(decided)


def _revise(turn: Turn) -> Script:
    definition = _definition(turn.reading)
    proposal = next(found for found in reversed(turn.waiting) if found.get("kind") == "segment")
    (preview,) = yield Step((Call("preview_segment", {"definition": definition}),))
    args = {**_proposal(turn, preview), "approval_id": proposal["approval_id"]}
    args["name"] = words.renamed(proposal, preview, turn.reading)
    (revised,) = yield Step((Call("revise_segment", args),))
    return words.size(preview, turn.reading) + words.revised(revised)


def _saved(turn: Turn, definition: dict[str, Any]) -> bool:
    """Whether the person approved exactly this segment before."""
    approved = [found for found in turn.proposed if found.get("status") == "approved"]
    return any(found.get("kind") == "segment" and found.get("definition") == definition for found in approved)


def _stats(turn: Turn) -> Script:
    query = turn.reading.stats.model_dump(mode="json", exclude_none=True) if turn.reading.stats else {}
    for side in ("definition", "other"):
        narrowed = getattr(turn.reading.stats, side, None)
        if narrowed:
            query[side] = narrowed.as_json()
    query["dataset"] = turn.reading.dataset
    (found,) = yield Step((Call("measure", query),))
    return findings.figures(found, turn.reading) + words.asked_of(turn.reading.dataset)


def _customer(turn: Turn) -> Script:
    query = turn.reading.customer
    if query is None:
        return words.help_text()
    if query.verb == "delete":
        return (yield from _erasing(query))
    who = query.model_dump(mode="json", exclude={"verb"}, exclude_none=True)
    if query.verb == "show":
        (found,) = yield Step((Call("find_customer", who),))
        return findings.customer(found)
    if query.verb == "why":
        definition = turn.reading.definition or turn.previous
        (found,) = yield Step((Call("find_customer", who),))
        if len(found["customers"]) != 1 or definition is None:
            return findings.customer(found) if definition else words.which_segment()
        args = {"customer_id": found["customers"][0]["id"], "definition": definition.as_json()}
        (reasons,) = yield Step((Call("explain_membership", args),))
        return findings.why(reasons)
    return words.not_yet(f"{query.verb} customers from the chat")


def _erasing(query: CustomerQuery) -> Script:
    """One customer, if there is exactly one like that, on a card."""
    who = query.model_dump(mode="json", exclude={"verb"}, exclude_none=True)
    (found,) = yield Step((Call("find_customer", who),))
    if len(found["customers"]) != 1:
        return findings.customer(found)
    proposal = Call("propose_customer", {"action": "delete", "customer_id": found["customers"][0]["id"]})
    decided = yield Step((proposal,))
    return outcomes.told(decided)


def _clock(turn: Turn) -> Script:
    (found,) = yield Step((Call("advance_clock", {"duration": turn.reading.clock}),))
    return words.clock(found)


def _command(turn: Turn) -> Script:
    command = turn.reading.command or Command(verb="help")
    match command.verb, command.noun:
        case "list" | "show", noun if noun in LISTS:
            call, say = LISTS[noun]
            (found,) = yield Step((call,))
            said = say(found, command)
        case "activate", "flow" | "campaign" if command.id is not None:
            proposal = Call("propose_activation", {"flow_id": command.id})
            decided = yield Step((proposal,), _wait(turn, cards=1).strip())
            said = outcomes.told(decided)
        case "pause" | "resume" | "stop" | "delete", "flow" | "campaign":
            said = yield from _order(turn, command)
        case "approve" | "reject", _ if turn.waiting:
            said = words.decide_on_the_card(len(turn.waiting))
        case _:
            said = words.not_yet(f"{command.verb} {command.noun}")
    return said


def _order(turn: Turn, command: Command) -> Script:
    """An order to a flow, which is named by its number or its name."""
    (found,) = yield Step((Call("list_flows", {}),))
    name = (command.name or "").casefold()
    meant = [row for row in found["flows"] if row["id"] == command.id or (name and row["name"].casefold() == name)]
    if len(meant) != 1:
        return words.which_flow(found["flows"], command)
    proposal = Call("propose_flow_order", {"flow_id": meant[0]["id"], "order": command.verb})
    decided = yield Step((proposal,), _wait(turn, cards=1).strip())
    return outcomes.told(decided)


LISTS: dict[str, tuple[Call, Callable[[Result, Command], str]]] = {
    "segment": (Call("list_segments", {}), findings.segments),
    "flow": (Call("list_flows", {}), findings.flows),
    "campaign": (Call("list_flows", {}), findings.flows),
    "template": (Call("list_templates", {}), findings.templates),
    "glossary": (Call("describe_data", {"topic": "glossary"}), findings.glossary),
}
BY_ACTION: dict[str, Callable[[Turn], Script]] = {
    "clarify": _ask,
    "refuse": _refuse,
    "segment": _segment,
    "draft": _campaign,
}
BY_INTENT: dict[str, Callable[[Turn], Script]] = {
    "stats": _stats,
    "customer": _customer,
    "clock": _clock,
    "command": _command,
}


def _wait(turn: Turn, *, cards: int) -> str:
    return words.waiting(cards=cards) if turn.proposes else ""


def _definition(reading: Reading) -> dict[str, Any]:
    if reading.definition is None:
        raise ValueError(reading.action)
    return reading.definition.as_json()


def _proposal(turn: Turn, preview: Result) -> dict[str, Any]:
    reading = turn.reading
    return {
        "name": words.name(preview, reading),
        "definition": _definition(reading),
        "assumptions": [assumption.model_dump(mode="json") for assumption in reading.assumptions],
        "unused_words": list(reading.unused_words),
    }


def _wishes(turn: Turn) -> dict[str, Any]:
    """What was said about the campaign; the rest is drafted from data."""
    flow = turn.reading.flow or FlowRequest()
    wishes: dict[str, Any] = {"channel": flow.channel}
    about = " ".join(part for part in (flow.about, *(step.about for step in flow.steps)) if part)
    about = about.replace(flow.when, " ").strip().removeprefix("about ") if flow.when else about
    begins = start(flow.when, turn.today)
    if begins:
        wishes["start"] = begins
    if flow.objective:
        wishes["objective"] = flow.objective
    if about:
        wishes["about"] = about
    if flow.template:
        wishes |= {"messages": [{"template": flow.template}], "name": flow.template}
    elif flow.steps:
        wishes["waits"] = [_iso(step.wait or DEFAULT_WAIT) for step in flow.steps[1:]]
    return wishes


def _iso(duration: str) -> str:
    """``10d`` as flows write it: ``P10D``; months and years in days, as flows count no longer than days and weeks."""
    number, unit = int(duration.rstrip("hdwmoy")), duration.lstrip("0123456789")
    days = {"mo": 30, "y": 365}
    if unit in days:
        return f"P{number * days[unit]}D"
    return f"PT{number}H" if unit == "h" else f"P{number}{unit.upper()}"
