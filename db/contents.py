"""What exactly was sent?"""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, RowMapping, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from domain.messages import Letter


class MessageContent(Row):
    """Exactly what is sent, written before the first call, so that a repeated call is the same to the byte."""

    __tablename__ = "message_contents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "message_id"], ["messages.customer_id", "messages.id"], ondelete="CASCADE"
        ),
    )

    customer_id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sender: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str]
    preview: Mapped[str]
    body_text: Mapped[str]
    body_html: Mapped[str]
    headers: Mapped[dict[str, Any]]
    rendered_at: Mapped[datetime] = mapped_column(server_default=func.business_now())


_STORED = text("""
    select message_id, sender, recipient, subject, preview, body_text, body_html, headers from message_contents
    where customer_id = any(:customers) and message_id = any(:ids)
""")

_STORE = text("""
    insert into message_contents
        (customer_id, message_id, sender, recipient, subject, preview, body_text, body_html, headers, rendered_at)
    select l.*, (select business_now()) from json_to_recordset(cast(:letters as json))
        as l (customer_id bigint, message_id uuid, sender text, recipient text, subject text, preview text,
              body_text text, body_html text, headers jsonb)
    on conflict do nothing
""")  # as JSON, because arrays of long texts are ten times as dear to write


def stored(session: Session, messages: Sequence[tuple[int, uuid.UUID]]) -> Mapping[uuid.UUID, RowMapping]:
    """What is stored for these messages (customer id, message id), by message id."""
    wanted = {"customers": [customer for customer, _ in messages], "ids": [message for _, message in messages]}
    return {row["message_id"]: row for row in session.execute(_STORED, wanted).mappings()}


def store(session: Session, letters: Sequence[Letter]) -> None:
    """Keep letters before they are sent for the first time; the first version of a letter stands."""
    rows = [
        {
            "customer_id": one.customer_id,
            "message_id": str(one.id),
            "sender": one.sender,
            "recipient": one.recipient,
            "subject": one.subject,
            "preview": one.preview,
            "body_text": one.text,
            "body_html": one.html,
            "headers": dict(one.headers),
        }
        for one in letters
    ]
    session.execute(_STORE, {"letters": json.dumps(rows)})
