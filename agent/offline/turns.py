"""What does the planner say next? It replays the script of what it read over what the tools have answered so far.

It holds no state: each call replays the script from the start, and a step whose results are all there is passed over.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.offline import words
from agent.offline.reading import Assumption, Reading
from agent.offline.scripts import Call, Result, Turn, script
from domain.errors import Invalid
from domain.segments import Definition, parse

NAMESPACE = uuid.UUID("6f0f2c0e-5d0c-4b43-9d3c-3f0b9a2f8f52")

Read = Callable[[str, Definition | None], Reading]
"""Reads a sentence, given the definition that the conversation was about before it."""


def next_message(
    messages: Sequence[BaseMessage], read: Read, offered: frozenset[str], *, today: date, proposes: bool = True
) -> AIMessage:
    """The planner's next message: a pure function of the conversation. Calls only tools that are ``offered``."""
    at = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=None)
    if at is None:
        return AIMessage(words.greeting())
    asked = messages[at]
    proposed = asked.additional_kwargs.get("proposals", [])
    previous = definition_before(messages[:at], proposed)
    reading = _chosen(messages[:at], str(asked.text), read) or read(str(asked.text), previous)
    nlu = {"nlu": {"action": reading.action, "intent": reading.intent, **reading.trace()}}
    results = {
        message.tool_call_id: _result(message) for message in messages[at + 1 :] if isinstance(message, ToolMessage)
    }
    steps = script(Turn(reading, previous, proposed, today, proposes))
    try:
        step = next(steps)
        number = 0
        while True:
            ids = [_call_id(asked, number, i, call) for i, call in enumerate(step.calls)]
            missing = {call.name for call in step.calls} - offered
            if missing:
                return AIMessage(words.unavailable(missing), response_metadata=nlu)
            if not all(call_id in results for call_id in ids):
                calls = [
                    {"name": call.name, "args": dict(call.args), "id": call_id}
                    for call, call_id in zip(step.calls, ids, strict=True)
                    if call_id not in results
                ]
                return AIMessage(step.text, tool_calls=calls, response_metadata=nlu)
            found = [results[call_id] for call_id in ids]
            failed = next((result["error"] for result in found if "error" in result), None)
            if failed:
                return AIMessage(words.failure(failed), response_metadata=nlu)
            step = steps.send(found)
            number += 1
    except StopIteration as end:
        return AIMessage(str(end.value), response_metadata=nlu)


def _chosen(before: Sequence[BaseMessage], reply: str, read: Read) -> Reading | None:
    """The sentence that was asked back about, read as the option says that the person chose; ``None`` for no option."""
    asked = max((i for i, message in enumerate(before) if isinstance(message, HumanMessage)), default=None)
    if asked is None:
        return None
    calls = [call for message in before[asked:] if isinstance(message, AIMessage) for call in message.tool_calls]
    options = [option for call in calls if call["name"] == "ask_person" for option in call["args"].get("options", ())]
    said = next((option for option in options if option["label"].casefold() == reply.strip().casefold()), None)
    if said is None or said.get("definition") is None:
        return None
    first = read(str(before[asked].text), definition_before(before[:asked]))
    definition = parse(said["definition"])
    meant = [Assumption(word=found.text, text=f"{found.text} = {said['label']}") for found in first.ambiguities[:1]]
    changes: dict[str, Any] = {"definition": definition, "assumptions": (*first.assumptions, *meant), "question": ""}
    if first.stats is not None:
        changes |= {"action": "answer", "stats": first.stats.model_copy(update={"definition": definition})}
    else:
        changes["action"] = "draft" if first.flow else "segment"
    return first.model_copy(update=changes)


def definition_before(messages: Sequence[BaseMessage], proposed: Sequence[Result] = ()) -> Definition | None:
    """The definition the conversation was about last: as a tool told it, else as a tool was asked for it.

    Where that is a proposal's, it is the proposal's definition as it is now: the person may have changed the card.
    """
    now = {known: found["definition"] for found in proposed for known in found["ids"]}
    for message in reversed(messages):
        found: list[Any] = []
        if isinstance(message, ToolMessage):
            result = _result(message)
            found = [now.get(str(result.get("approval_id")), result.get("definition"))]
        elif isinstance(message, AIMessage):
            found = [call["args"].get("definition") for call in reversed(message.tool_calls)]
        for raw in found:
            if isinstance(raw, dict):
                try:
                    return parse(raw)
                except Invalid:
                    continue
    return None


def _call_id(asked: BaseMessage, step: int, index: int, call: Call) -> str:
    return f"call_{uuid.uuid5(NAMESPACE, f'{asked.id or asked.text}:{step}:{index}:{call.name}').hex}"


def _result(message: ToolMessage) -> dict[str, Any]:
    try:
        found = json.loads(str(message.text))
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if message.status == "error":
        return {"error": {"message": "The tool refused the call.", "fix": ""}}
    return {"text": str(message.text)}
