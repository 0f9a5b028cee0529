"""What goes out for these messages, word for word?

The words of a message are stored before it is sent for the first time, and a repeated call uses what is stored.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formataddr
from typing import Any

from sqlalchemy.orm import Session

from db import contents, flows, store
from domain import templates
from domain.errors import Invalid
from domain.flows import Send
from domain.messages import MARKETING, Letter
from domain.templates import Content, Frame
from services import consent, recipients


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A message about to be sent: where its words are to be found, and whom it goes to."""

    id: uuid.UUID
    customer_id: int
    attempt: int
    channel: str
    message_class: str
    flow_version_id: int | None
    step: int
    variant: str | None
    recipient: str


def write(session: Session, messages: Sequence[Unwritten]) -> Mapping[uuid.UUID, Letter | Invalid]:
    """The letter of each message, new ones stored; Invalid for one that cannot be rendered for its recipient."""
    again = [(one.customer_id, one.id) for one in messages if one.attempt > 1]
    kept = contents.stored(session, again) if again else {}
    found: dict[uuid.UUID, Letter | Invalid] = {}
    fresh: dict[tuple[int | None, int, str | None], list[Unwritten]] = {}
    for one in messages:
        row = kept.get(one.id)
        if row is None:
            fresh.setdefault((one.flow_version_id, one.step, one.variant), []).append(one)
        else:
            found[one.id] = Letter(
                one.id,
                one.customer_id,
                one.channel,
                one.attempt,
                row["sender"],
                row["recipient"],
                row["subject"],
                row["preview"],
                row["body_text"],
                row["body_html"],
                row["headers"],
            )
    specs = flows.specs(session, {version_id for version_id, _, _ in fresh if version_id is not None})
    for (version_id, step, variant), group in fresh.items():
        found |= _rendered(session, _content(specs.get(version_id or 0), step, variant), group)
    new = [letter for group in fresh.values() for one in group if isinstance(letter := found[one.id], Letter)]
    if new:
        contents.store(session, new)
    return found


def _content(spec: Mapping[str, Any] | None, step: int, variant: str | None) -> Content | None:
    """The wording of one step of a flow, None where there is none."""
    steps = spec["steps"] if spec else ()
    if step >= len(steps) or steps[step]["type"] != "send":
        return None
    return Send.model_validate(steps[step]).contents().get(variant or "A")


def _rendered(
    session: Session, content: Content | None, group: Sequence[Unwritten]
) -> dict[uuid.UUID, Letter | Invalid]:
    shop = store.current(session)
    if content is None or shop is None:
        missing = Invalid("template_missing", "The words of this message are missing.", "Look at its flow.")
        return {one.id: missing for one in group}
    try:
        template = templates.compiled(content)
    except Invalid as error:
        return {one.id: error for one in group}
    known = recipients.contexts(session, [one.customer_id for one in group], template.variables)
    sender = formataddr((shop.sender_name, shop.sender_email))
    found: dict[uuid.UUID, Letter | Invalid] = {}
    for one in group:
        marketing = one.message_class == MARKETING
        link = consent.link(one.customer_id, one.channel, one.id) if marketing else None
        frame = Frame(shop.sender_name, shop.postal_address, one.message_class, link)
        try:
            found[one.id] = _letter(one, sender, template, known.get(one.customer_id, {}), frame)
        except Invalid as error:
            found[one.id] = error
    return found


def _letter(
    one: Unwritten, sender: str, template: templates.Template, context: Mapping[str, object], frame: Frame
) -> Letter:
    if one.channel != "email":
        text = templates.render_text(template, context, frame)
        return Letter(one.id, one.customer_id, one.channel, one.attempt, sender, one.recipient, "", "", text, "", {})
    words = templates.render(template, context, frame)
    return Letter(
        one.id,
        one.customer_id,
        one.channel,
        one.attempt,
        sender,
        one.recipient,
        words.subject,
        words.preview,
        words.text,
        words.html,
        _headers(frame.unsubscribe_url),
    )


def _headers(unsubscribe_url: str | None) -> dict[str, str]:
    """One-click unsubscribing for marketing (RFC 8058); nothing for what a person must get."""
    if unsubscribe_url is None:
        return {}
    return {"List-Unsubscribe": f"<{unsubscribe_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
