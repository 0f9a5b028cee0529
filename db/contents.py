"""What exactly was sent?"""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, RowMapping, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from db.messages import columns
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

_NAMES = ("customer_id", "id", "sender", "recipient", "subject", "preview", "body_text", "body_html", "headers")

_STORE = text("""
    insert into message_contents
        (customer_id, message_id, sender, recipient, subject, preview, body_text, body_html, headers)
    select * from unnest(cast(:customer_id as bigint[]), cast(:id as uuid[]), cast(:sender as text[]),
                         cast(:recipient as text[]), cast(:subject as text[]), cast(:preview as text[]),
                         cast(:body_text as text[]), cast(:body_html as text[]), cast(:headers as jsonb[]))
    on conflict do nothing
""")


def stored(session: Session, messages: Sequence[tuple[int, uuid.UUID]]) -> Mapping[uuid.UUID, RowMapping]:
    """What is stored for these messages (customer id, message id), by message id."""
    wanted = {"customers": [customer for customer, _ in messages], "ids": [message for _, message in messages]}
    return {row["message_id"]: row for row in session.execute(_STORED, wanted).mappings()}


def store(session: Session, letters: Sequence[Letter]) -> None:
    """Keep letters before they are sent for the first time; the first version of a letter stands."""
    rows = [
        (
            one.customer_id,
            one.id,
            one.sender,
            one.recipient,
            one.subject,
            one.preview,
            one.text,
            one.html,
            json.dumps(dict(one.headers)),
        )
        for one in letters
    ]
    session.execute(_STORE, columns(rows, *_NAMES))
