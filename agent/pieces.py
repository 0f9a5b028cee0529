"""What does a piece of the graph's stream mean to a person watching?"""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, ToolMessage

from agent.parts import Card, Notice, Option, Part, Question, TextDelta, ToolFinished, ToolStarted

TITLES = {
    "preview_segment": "Counting the segment",
    "propose_segment": "Proposing the segment",
    "revise_segment": "Changing the proposal",
    "draft_campaign": "Drafting the campaign",
    "propose_flow": "Proposing the campaign",
    "propose_activation": "Proposing the start",
    "propose_flow_order": "Proposing the order",
    "list_flows": "Listing the flows",
    "list_templates": "Listing the templates",
    "explain_membership": "Looking at the conditions",
    "list_segments": "Listing the segments",
    "inspect_segment": "Looking into the segment",
    "find_customer": "Looking up the customer",
    "propose_customer": "Proposing the change",
    "measure": "Measuring",
    "research_products": "Looking at what sells",
    "advance_clock": "Moving the demo store's clock",
    "describe_data": "Looking up the data",
    "ask_person": "Comparing the readings",
}
"""What a tool does, said to people."""

OUT_OF_STEPS = "This took too many steps, so I stopped. Please ask for one thing at a time."


def parts(kind: str, data: Any) -> Iterator[Part]:
    """The parts that a piece of ``astream(version="v2")`` in the modes messages, updates and custom stands for."""
    if kind == "messages":
        message, about = data
        if isinstance(message, AIMessage | AIMessageChunk) and about.get("langgraph_node") == "model" and message.text:
            yield TextDelta(str(message.text))
    elif kind == "custom":
        yield Notice(data["notice"], restart=True)
    elif kind == "updates":
        for node, update in data.items():
            if node == "__interrupt__":
                for found in update:
                    yield Card(found.value["kind"], uuid.UUID(found.value["approval_id"]))
            elif isinstance(update, dict):
                yield from _updated(node, update.get("messages") or ())


class Imageless:
    """Turns Markdown images into links, piece by piece: drawing an image would tell its host that it was read."""

    def __init__(self) -> None:
        self._held = ""

    def next(self, text: str) -> str:
        """The next piece; a last ``!`` is held back until it is known what follows it."""
        whole = self._held + text
        self._held = "!" if whole.endswith("!") else ""
        return whole.removesuffix("!").replace("![", "[") if self._held else whole.replace("![", "[")

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return held


def _updated(node: str, messages: Sequence[AnyMessage]) -> Iterator[Part]:
    for message in messages:
        if isinstance(message, ToolMessage):
            yield from _finished(message)
        elif isinstance(message, AIMessage) and node == "model":
            for call in message.tool_calls:
                title = TITLES.get(call["name"], call["name"].replace("_", " ").capitalize())
                yield ToolStarted(call["id"] or "", call["name"], title)
        elif isinstance(message, AIMessage):
            yield Notice(OUT_OF_STEPS)


def _finished(message: ToolMessage) -> Iterator[Part]:
    shown = message.artifact if isinstance(message.artifact, dict) else None
    ok = message.status != "error"
    summary = str(shown.get("summary", "")) if shown else "" if ok else "refused"
    yield ToolFinished(message.tool_call_id, message.name or "", ok, summary, shown)
    match shown:
        case {"kind": "question", "question": question, "options": options}:
            offered = (Option(one["label"], one["reply"], one["audience_size"]) for one in options)
            yield Question(question, tuple(offered))
        case {"kind": "revised", "cards": cards}:
            for card in cards:
                yield Card(card["kind"], uuid.UUID(card["approval_id"]))
        case _:
            return
