"""Questions: what the person meant, when readings differ."""

from typing import Annotated, Any

from langchain_core.tools import tool
from pydantic import BaseModel, Field

from domain.segments import parse
from tools.context import Answer, Runtime
from tools.datasets import source
from tools.segments import SegmentJson


class Reading(BaseModel):
    """One way to read what was said."""

    label: str = Field(max_length=500, description="The reading in a few words; it is sent back when chosen.")
    definition: SegmentJson | None = None


@tool(response_format="content_and_artifact", return_direct=True)
def ask_person(
    question: Annotated[str, Field(max_length=1_000)],
    runtime: Runtime,
    options: Annotated[list[Reading], Field(max_length=4)] = [],  # noqa: B006 - the default is only read
) -> Answer:
    """Read: ask the person one question and end the turn; each option with a definition is shown with its live count.

    Ask only when a word has no definition in the glossary or two readings would give different people.
    """
    context = runtime.context
    shown: list[dict[str, Any]] = []
    for option in options:
        definition = parse(option.definition) if option.definition is not None else None
        raw = definition.as_json() if definition else None
        size = None
        if definition:
            with source(context, definition.dataset) as asked:
                size = asked.size(definition)
        shown.append({"label": option.label, "reply": option.label, "audience_size": size, "definition": raw})
    lines = [
        f"- {one['label']}" + (f" ({one['audience_size']:,})" if one["audience_size"] is not None else "")
        for one in shown
    ]
    text = "\n".join([question, "", *lines]) if lines else question
    return text, {"kind": "question", "question": question, "options": shown}
