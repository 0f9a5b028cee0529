"""Segments: count one, explain it, list those saved."""

from collections.abc import Collection
from typing import Annotated, Any
from uuid import UUID

from langchain_core.tools import tool
from pydantic import BaseModel, Field

from domain.segments import parse
from services import segments, segments_history, segments_refresh, segments_why
from tools.approvals import propose, revise
from tools.context import Answer, Runtime, asked, told
from tools.datasets import preview

NAMES_TRIED = 100

SegmentJson = Annotated[
    dict[str, Any],
    Field(description='The segment language: {"version": 1, "dataset": "store", "where": <condition>}.'),
]


class Assumption(BaseModel):
    """A word of the request that could be read in several ways, and the reading chosen."""

    word: str = Field(max_length=500)
    text: str = Field(max_length=500, description="The reading, e.g. LTV above the 75th percentile of everyone.")
    path: str | None = Field(default=None, description="Place of its number, e.g. where.of.2.during.last.")
    value: float | None = None
    unit: str = ""


@tool(response_format="content_and_artifact")
def preview_segment(definition: SegmentJson, runtime: Runtime) -> Answer:
    """Read: count who a definition means, say it back in English, and show how many meet each condition.

    Always preview before proposing, and take every figure you state from the answer. ``reachable`` is how many may be
    written to per channel; ``unknown`` is how many were left out because a value is not known. With a
    ``second_reading``, the store's grammar reads the person's words otherwise: check yours, and name the difference.
    """
    context = runtime.context
    wanted = parse(definition)
    found, called, first = preview(context, wanted)
    told_of = found.model_dump(mode="json", exclude={"sample", "sample_customer_ids"})
    other = context.second_reading(asked(runtime)) if context.second_reading else None
    if first:
        told_of["members"] = first
    if other and other != wanted:
        second, *_ = preview(context, other)
        told_of["second_reading"] = {"read_back": second.read_back, "audience_size": second.audience_size}
    one, many = called
    shown = {
        "kind": "preview",
        "definition": wanted.as_json(),
        "preview": told_of,
        "summary": f"{found.audience_size:,} {one if found.audience_size == 1 else many}",
    }
    return told({"definition": wanted.as_json(), "called": called, **told_of}), shown


@tool(response_format="content_and_artifact")
def propose_segment(
    name: Annotated[str, Field(max_length=120, description="A short name that says who they are.")],
    definition: SegmentJson,
    runtime: Runtime,
    assumptions: Annotated[list[Assumption], Field(max_length=50)] = [],  # noqa: B006 - the default is only read
    unused_words: Annotated[list[str], Field(max_length=200, description="Words that had no effect.")] = [],  # noqa: B006
) -> Answer:
    """Write: propose a segment on a card and wait for a person to approve, change or reject it. Saves nothing itself.

    Put every vague word with the reading you chose into ``assumptions``, and each word of the request that had no
    effect into ``unused_words``. For a campaign call propose_flow in the same step, so that both cards appear together.
    """
    wanted = parse(definition).as_json()
    return propose(
        runtime,
        "segment",
        lambda session: {
            "name": _free_name(name, {saved.name for saved in segments.listed(session)}),
            "definition": wanted,
            "assumptions": [one.model_dump(mode="json") for one in assumptions],
            "unused_words": unused_words,
            "prompt": asked(runtime),
        },
    )


@tool(response_format="content_and_artifact")
def revise_segment(
    approval_id: Annotated[UUID, Field(description="The open card, as propose_segment told it.")],
    definition: SegmentJson,
    runtime: Runtime,
    name: Annotated[str | None, Field(max_length=120)] = None,
    assumptions: Annotated[list[Assumption] | None, Field(max_length=50)] = None,
    unused_words: Annotated[list[str] | None, Field(max_length=200)] = None,
) -> Answer:
    """Draft: change a segment card that still waits; a campaign proposed with it follows to the new audience.

    The old card is void, the new one waits for a person.
    """
    changes: dict[str, Any] = {"definition": parse(definition).as_json()}
    if name is not None:
        changes["name"] = name
    if assumptions is not None:
        changes["assumptions"] = [one.model_dump(mode="json") for one in assumptions]
    if unused_words is not None:
        changes["unused_words"] = unused_words
    return revise(runtime, approval_id, changes)


@tool(response_format="content_and_artifact")
def explain_membership(
    customer_id: Annotated[int, Field(description="The customer's id, as find_customer gives it.")],
    runtime: Runtime,
    definition: SegmentJson | None = None,
    segment_id: Annotated[int | None, Field(description="A saved segment, instead of a definition.")] = None,
) -> Answer:
    """Read: say why one customer is in a segment or not: each condition, the fact it rests on, and when that was.

    Of a saved segment also since when they are in it, and when they were before (``stays``).
    """
    context = runtime.context
    with context.transaction() as session:
        raw = definition if definition is not None else segments.get(session, segment_id or 0).definition
        found = segments_why.why(session, parse(raw), customer_id, now=context.now(session))
        stays = segments_history.stays(session, segment_id, customer_id) if segment_id and definition is None else []
    summary = "in the segment" if found.member else "not in the segment"
    said = {**found.model_dump(mode="json"), **({"stays": stays} if stays else {})}
    return told(said), {"kind": "why", "why": found.model_dump(mode="json"), "summary": summary}


@tool(response_format="content_and_artifact")
def list_segments(runtime: Runtime) -> Answer:
    """Read: the saved segments, latest first, with their size when saved, and as last ``counted``."""
    with runtime.context.transaction() as session:
        found, fresh = segments.listed(session), segments_refresh.all_freshness(session)
    kept = {"id", "name", "version", "read_back", "audience_size", "definition", "created_at"}
    counted = {key: one.model_dump(mode="json", include={"size", "as_of"}) for key, one in fresh.items() if one.as_of}
    rows = [{**row.model_dump(mode="json", include=kept), "counted": counted.get(row.id)} for row in found[:50]]
    shown = {"kind": "segments", "ids": [row["id"] for row in rows], "summary": f"{len(found)} saved"}
    return told({"segments": rows, "total": len(found)}), shown


def _free_name(name: str, taken: Collection[str]) -> str:
    numbered = (f"{name} ({number})" for number in range(2, NAMES_TRIED))
    return name if name not in taken else next((free for free in numbered if free not in taken), name)
