"""Flows, campaigns and the messages kept for them: draft one from data, propose it, list those there are."""

from typing import Annotated, Any, Literal

from langchain_core.tools import tool
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from domain import flows as values
from domain.segments import parse
from services import flows, plans, templates
from services.plans import Wishes
from tools.approvals import propose
from tools.context import Answer, Runtime, asked, told
from tools.segments import SegmentJson

TEMPLATES_SHOWN = 50

Channel = Literal["email", "sms", "whatsapp"]
Wait = Annotated[str, Field(description="A pause, e.g. P10D, P2W or PT4H.")]


class Message(BaseModel):
    """One message: words of its own, as Liquid over ``customer``, or the name of a stored template."""

    template: str | None = Field(default=None, description="As list_templates names it; then leave the words out.")
    subject: str = ""
    preview_text: str = ""
    body: str = ""
    variants: list[dict[str, str]] = Field(default=[], max_length=4)


@tool(response_format="content_and_artifact")
def draft_campaign(
    definition: SegmentJson,
    runtime: Runtime,
    objective: Annotated[str, Field(max_length=300, description="The aim in the person's words.")] = "",
    about: Annotated[str, Field(max_length=200, description="Products or categories to name.")] = "",
    channel: Channel = "email",
    waits: Annotated[list[Wait] | None, Field(max_length=19)] = None,
) -> Answer:
    """Read: draft a campaign for whoever a definition means, with the evidence: what they bought, when they read.

    The draft names only products and prices of the store. ``waits`` are the pauses between the messages: one pause
    makes two messages, an empty list makes one. Use its send time and products unless the person asked for others.
    """
    context = runtime.context
    with context.transaction() as session:
        wishes = _wishes(objective, about, channel, waits)
        made = plans.campaign(session, parse(definition), wishes, now=context.now(session))
    return told(made), {"kind": "campaign", "campaign": made, "summary": made["spec"]["name"]}


@tool(response_format="content_and_artifact")
def propose_flow(
    definition: SegmentJson,
    runtime: Runtime,
    objective: Annotated[str, Field(max_length=300, description="The aim in the person's words.")] = "",
    about: Annotated[str, Field(max_length=200, description="Products or categories to name.")] = "",
    channel: Channel = "email",
    waits: Annotated[list[Wait] | None, Field(max_length=19)] = None,
    name: Annotated[str | None, Field(max_length=120)] = None,
    messages: Annotated[list[Message] | None, Field(max_length=10, description="Words of your own, in order.")] = None,
    start: Annotated[
        dict[str, Any] | None,
        Field(
            description='{"mode":"now"}, {"mode":"at","at":"2026-01-31T09:00+01:00"}, or {"mode":"local"} with date, '
            "time or both, on each recipient's clock; what it leaves out is proposed from data."
        ),
    ] = None,
) -> Answer:
    """Write: propose a campaign or flow on a card and wait for a person. Nothing is saved or sent without approval.

    What you leave out is drafted from data as draft_campaign does. With ``messages`` the words are yours: name only
    products and prices that a tool told you, and invent no discount.
    """

    def make(session: Session) -> dict[str, Any]:
        pauses = waits if messages is None else (waits or ["P10D"] * (len(messages) - 1))
        wishes = _wishes(objective, about, channel, pauses, name, start)
        made = plans.campaign(session, parse(definition), wishes, now=runtime.context.now(session))
        spec = made["spec"]
        if messages is not None:
            steps = [_message(session, one, channel) for one in messages]
            gaps = [{"type": "wait", "duration": pause} for pause in (pauses or [])][: len(steps) - 1]
            spec["steps"] = [step for pair in zip(steps, gaps, strict=False) for step in pair] + steps[len(gaps) :]
        return {**made, "spec": values.parse(spec).as_json(), "prompt": asked(runtime)}

    return propose(runtime, "flow", make)


@tool(response_format="content_and_artifact")
def propose_activation(
    flow_id: Annotated[int, Field(gt=0, description="The draft, as list_flows gives it.")], runtime: Runtime
) -> Answer:
    """Write: propose to start a saved draft and wait for a person. Nothing is sent without approval."""
    return propose(runtime, "activation", lambda _: {"flow_id": flow_id, "prompt": asked(runtime)})


@tool(response_format="content_and_artifact")
def propose_flow_order(
    flow_id: Annotated[int, Field(gt=0, description="As list_flows gives it.")],
    order: Literal["pause", "resume", "stop", "delete"],
    runtime: Runtime,
) -> Answer:
    """Write: propose to pause, resume or stop (for good) a flow, or to delete a draft, and wait for a person."""
    return propose(runtime, "order", lambda _: {"flow_id": flow_id, "order": order, "prompt": asked(runtime)})


@tool(response_format="content_and_artifact")
def list_flows(runtime: Runtime) -> Answer:
    """Read: flows and campaigns with their status and how many people are in each state, latest first."""
    with runtime.context.transaction() as session:
        found = flows.listed(session, limit=50)
    kept = {"id", "name", "status", "version", "audience_size", "people", "activated_at"}
    rows = [row.model_dump(mode="json", include=kept) for row in found]
    return told({"flows": rows}), {"kind": "flows", "ids": [row.id for row in found], "summary": f"{len(rows)} found"}


@tool(response_format="content_and_artifact")
def list_templates(runtime: Runtime) -> Answer:
    """Read: the stored message templates, with their words and how many flows use each."""
    with runtime.context.transaction() as session:
        found, uses = templates.listed(session)[:TEMPLATES_SHOWN], templates.uses(session)
    kept = {"id", "name", "channel", "locale", "version", "content"}
    rows = [{**one.model_dump(mode="json", include=kept), "flows": len(uses.get(one.id, ()))} for one in found]
    shown = {"kind": "templates", "ids": [one.id for one in found], "summary": f"{len(rows)} found"}
    return told({"templates": rows}), shown


def _message(session: Session, message: Message, channel: Channel) -> dict[str, Any]:
    """The step that a message stands for."""
    if message.template is None:
        return {"type": "send", "channel": channel, **message.model_dump(exclude={"template"})}
    used = templates.named(session, message.template)
    words = message.model_dump(exclude={"template"}, exclude_defaults=True)
    return {"type": "send", "channel": used.channel, **words, "template": {"id": used.id}}


def _wishes(
    objective: str,
    about: str,
    channel: Channel,
    waits: list[str] | None,
    name: str | None = None,
    start: dict[str, Any] | None = None,
) -> Wishes:
    pauses = tuple(waits) if waits is not None else None
    return Wishes(objective=objective or None, about=about, channel=channel, waits=pauses, name=name, start=start)
