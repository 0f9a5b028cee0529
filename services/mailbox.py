"""What did recipients get, as they see it?"""

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from db import mailbox as rows
from domain.errors import NotFound

PAGE = 50


class Value(BaseModel):
    """What these functions answer: frozen values that turn into JSON as they are."""

    model_config = ConfigDict(frozen=True)


class Received(Value):
    """A message in a list. ``standing`` is the provider's last word, else our state."""

    id: uuid.UUID
    customer_id: int
    channel: str
    standing: str
    name: str
    recipient: str
    subject: str
    preview: str
    at: datetime


class Opened(Received):
    """A message with all it says. ``html`` is empty for text channels."""

    sender: str
    text: str
    html: str
    headers: dict[str, Any]
    variant: str | None
    flow_id: int | None
    flow_name: str | None
    trace_id: str


def listed(session: Session, *, search: str = "", flow_id: int | None = None, number: int = 1) -> list[Received]:
    """Messages handed to a provider, latest first, fifty to a page and one more if there are more."""
    found = rows.listed(
        session, search=search.strip(), flow_id=flow_id, first=PAGE + 1, skip=PAGE * (max(1, number) - 1)
    )
    return [Received(**_common(row)) for row in found]


def opened(session: Session, customer_id: int, message_id: uuid.UUID) -> Opened:
    """One message. Raises NotFound (``unknown_message``)."""
    row = rows.one(session, customer_id, message_id)
    if row is None:
        raise NotFound("unknown_message", "There is no such message.", "Choose one from the outbox.", "message_id")
    return Opened(
        **_common(row),
        sender=row["sender"],
        text=row["body_text"],
        html=row["body_html"],
        headers=row["headers"],
        variant=row["variant"],
        flow_id=row["flow_id"],
        flow_name=row["flow_name"],
        trace_id=row["trace_id"],
    )


def _common(row: Any) -> dict[str, Any]:
    preview = row["preview"] or " ".join(row["body_text"].split())
    return {
        "id": row["id"],
        "customer_id": row["customer_id"],
        "channel": row["channel"],
        "standing": row["delivery"] or row["state"],
        "name": row["name"] or row["recipient"],
        "recipient": row["recipient"],
        "subject": row["subject"],
        "preview": preview,
        "at": row["at"],
    }
