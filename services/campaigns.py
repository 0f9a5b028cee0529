"""What can be done with a campaign: propose one for a segment, list them with what came of each, read its log?

A campaign is a flow of one message. It is approved, sent and recorded as every flow is.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from db import campaigns as rows
from domain import flows as flow_values
from domain.errors import NotFound
from domain.flows import At, Audience, FlowSpec, Now, Origin, Send
from domain.segments import Channel
from domain.templates import Content
from services import approvals, content, results, segments
from services.approvals import Approval
from services.results import Counts, Standing
from services.segments import Value

LISTED = 50
LOGGED = 100


class Campaign(Value):
    """A campaign and how it stands. ``segment`` is None for people that no saved segment means: see ``read_back``."""

    id: int
    flow_id: int
    name: str
    status: str
    channel: str
    subject: str
    segment_id: int | None
    segment: str | None
    read_back: str | None
    audience_size: int | None
    counts: Counts
    left_out: int
    created_by: str
    created_at: datetime
    approved_by: str | None
    activated_at: datetime | None
    ended_at: datetime | None


class Logged(Value):
    """One recipient: where their message stands, and why. Without ``message_id`` none was made for them."""

    customer_id: int
    name: str
    recipient: str | None
    message_id: uuid.UUID | None
    subject: str | None
    text: str | None
    standing: Standing
    words: str
    provider: str | None
    provider_id: str | None
    error_code: str | None
    at: datetime


def spec(
    session: Session,
    *,
    segment_id: int,
    name: str = "",
    channel: Channel = "email",
    words: Content | None = None,
    template_id: int | None = None,
    at: datetime | None = None,
) -> FlowSpec:
    """A campaign for a saved segment as it is now, with words of its own or those of a template.

    It starts at ``at``, or as soon as it is approved. Raises NotFound for a missing segment, Invalid for what
    ``flows.parse`` refuses.
    """
    segment = segments.get(session, segment_id)
    said: dict[str, Any] = words.model_dump() if words else {"body": ""}
    send = Send(channel=channel, template=Origin(id=template_id) if template_id else None, **said)
    made = FlowSpec(
        name=name.strip() or f"Message to {segment.name}"[:120],
        audience=Audience(segment_id=segment_id, version=segment.version),
        start=At(at=at) if at else Now(),
        exit_on=(),
        guardrails=content.guardrails(channel),
        steps=(send,),
    )
    return flow_values.parse(made.as_json())


def propose(
    session: Session, made: FlowSpec, *, by: str, now: datetime, trace_id: str, key: str | None = None
) -> Approval:
    """Put a campaign before a person; nothing is sent without approval. Raises what ``approvals.propose`` raises."""
    return approvals.propose(session, "flow", {"spec": made.as_json()}, by=by, now=now, trace_id=trace_id, key=key)


def listed(session: Session, *, limit: int = LISTED, before: int | None = None) -> list[Campaign]:
    """Campaigns, newest first; pages by ``before``, the id of the last one seen."""
    found = rows.listed(session, limit=limit, before=before)
    return _counted(session, found)


def get(session: Session, campaign_id: int) -> Campaign:
    """One campaign. Raises NotFound."""
    row = rows.one(session, campaign_id)
    if row is None:
        raise NotFound("unknown_campaign", f"There is no campaign {campaign_id}.", "List the campaigns.", "campaign_id")
    return _counted(session, [row])[0]


def log(session: Session, campaign_id: int, *, after: int = 0, limit: int = LOGGED) -> list[Logged]:
    """What became of each recipient, by rising customer id, from beyond ``after``. Raises NotFound."""
    row = rows.one(session, campaign_id)
    if row is None:
        get(session, campaign_id)
        return []
    found = rows.log(session, row["flow_id"], row["version_id"], after=after, limit=limit)
    return [_logged(line) for line in found]


def _counted(session: Session, found: Any) -> list[Campaign]:
    by_version: dict[int, list[RowMapping]] = {}
    for line in rows.messages(session, [row["version_id"] for row in found]):
        by_version.setdefault(line["flow_version_id"], []).append(line)
    return [_campaign(row, by_version.get(row["version_id"], [])) for row in found]


def _campaign(row: RowMapping, counted: list[RowMapping]) -> Campaign:
    send: Mapping[str, Any] = next(step for step in row["spec"]["steps"] if step["type"] == "send")
    return Campaign(
        id=row["id"],
        flow_id=row["flow_id"],
        name=row["name"],
        status=row["status"],
        channel=send["channel"],
        subject=send["subject"],
        segment_id=row["segment_id"],
        segment=row["segment_name"],
        read_back=row["read_back"],
        audience_size=row["audience_size"],
        counts=results.counts(counted),
        left_out=sum(line["number"] for line in counted if results.standing(line) == "left_out"),
        created_by=row["created_by"],
        created_at=row["created_at"],
        approved_by=row["approved_by"],
        activated_at=row["activated_at"],
        ended_at=row["ended_at"],
    )


def _logged(row: RowMapping) -> Logged:
    reason = row["reason"] if row["message_id"] else row["left_for"]
    nothing_yet: Standing = "waiting" if row["place"] == "waiting" else "left_out"
    where = results.standing(row) if row["message_id"] else nothing_yet
    return Logged(
        customer_id=row["customer_id"],
        name=row["name"],
        recipient=row["recipient"],
        message_id=row["message_id"],
        subject=row["subject"],
        text=row["body_text"],
        standing=where,
        words=results.reason_in_words(reason) if where != "waiting" else "",
        provider=row["provider"],
        provider_id=row["provider_id"],
        error_code=row["error_code"],
        at=row["at"],
    )
