"""Which conversations took place, and what was said and shown in them?

Every query that reads or changes a conversation takes the user it must belong to, so no caller can forget to ask.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from domain.errors import Forbidden


class Chat(Row):
    """One conversation; its id is the agent's thread id too."""

    __tablename__ = "chats"
    __table_args__ = (Index("ix_chats_user", "user_id", "updated_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str | None]
    state: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ChatStep(Row):
    """A message or a tool call, as the chat shows it. ``position`` is the order of arrival."""

    __tablename__ = "chat_steps"
    __table_args__ = (Index("ix_chat_steps_chat", "chat_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(BigInteger, Identity())
    content: Mapped[dict[str, Any]]


class ChatElement(Row):
    """Something shown beside a message. A card names its approval and keeps no figures: they are read when shown."""

    __tablename__ = "chat_elements"
    __table_args__ = (Index("ix_chat_elements_chat", "chat_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    chat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    step_id: Mapped[uuid.UUID | None]
    approval_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("approvals.id", ondelete="CASCADE"))
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def owner(session: Session, chat_id: uuid.UUID) -> int | None:
    """Whose conversation it is; ``None`` when it does not exist."""
    return session.scalar(select(Chat.user_id).where(Chat.id == chat_id))


def touch(
    session: Session,
    chat_id: uuid.UUID,
    user_id: int,
    *,
    title: str | None = None,
    state: dict[str, Any] | None = None,
) -> None:
    """Create the conversation or change what is given. Raises Forbidden when it is somebody else's."""
    row = insert(Chat).values(id=chat_id, user_id=user_id, title=title, state=state or {})
    changed: dict[str, Any] = {"updated_at": func.clock_timestamp()}
    if title is not None:
        changed["title"] = title
    if state is not None:
        changed["state"] = state
    touched = session.scalar(
        row.on_conflict_do_update(index_elements=[Chat.id], set_=changed, where=Chat.user_id == user_id).returning(
            Chat.id
        )
    )
    if touched is None:
        raise Forbidden("chat_of_another", "This conversation belongs to somebody else.")


def remove(session: Session, chat_id: uuid.UUID, user_id: int) -> None:
    """Forget a conversation with all it holds."""
    session.execute(delete(Chat).where(Chat.id == chat_id, Chat.user_id == user_id))


def page(
    session: Session, user_id: int, *, first: int, search: str | None = None, before: uuid.UUID | None = None
) -> Sequence[Chat]:
    """The latest ``first`` conversations, newest first, those after ``before`` in that order, matching ``search``."""
    wanted = select(Chat).where(Chat.user_id == user_id)
    if search:
        said = (
            select(ChatStep.id)
            .where(ChatStep.chat_id == Chat.id, ChatStep.content["output"].astext.icontains(search, autoescape=True))
            .exists()
        )
        wanted = wanted.where(or_(Chat.title.icontains(search, autoescape=True), said))
    if before is not None:
        cut = select(Chat.updated_at).where(Chat.id == before, Chat.user_id == user_id).scalar_subquery()
        wanted = wanted.where(Chat.updated_at < cut)
    return session.scalars(wanted.order_by(Chat.updated_at.desc(), Chat.id).limit(first)).all()


def owned(session: Session, chat_id: uuid.UUID, user_id: int) -> Chat | None:
    """The conversation, if it is this user's."""
    return session.scalar(select(Chat).where(Chat.id == chat_id, Chat.user_id == user_id))


def steps(session: Session, chat_id: uuid.UUID) -> Sequence[ChatStep]:
    """What was said, in order."""
    return session.scalars(select(ChatStep).where(ChatStep.chat_id == chat_id).order_by(ChatStep.position)).all()


def elements(session: Session, chat_id: uuid.UUID) -> Sequence[ChatElement]:
    """What was shown, in order."""
    wanted = select(ChatElement).where(ChatElement.chat_id == chat_id)
    return session.scalars(wanted.order_by(ChatElement.created_at, ChatElement.id)).all()


def cards(session: Session, approval_ids: Sequence[uuid.UUID]) -> Sequence[ChatElement]:
    """The places where these approvals are shown."""
    return session.scalars(select(ChatElement).where(ChatElement.approval_id.in_(approval_ids))).all()


def put_step(session: Session, step_id: uuid.UUID, chat_id: uuid.UUID, content: dict[str, Any]) -> None:
    """Write a message or replace it; one of another conversation is left alone and refused with Forbidden."""
    row = insert(ChatStep).values(id=step_id, chat_id=chat_id, content=content)
    if (
        session.scalar(
            row.on_conflict_do_update(
                index_elements=[ChatStep.id], set_={"content": content}, where=ChatStep.chat_id == chat_id
            ).returning(ChatStep.id)
        )
        is None
    ):
        raise Forbidden("step_of_another", "This message belongs to another conversation.")


def put_element(
    session: Session,
    element_id: uuid.UUID,
    chat_id: uuid.UUID,
    *,
    step_id: uuid.UUID | None,
    approval_id: uuid.UUID | None,
    content: dict[str, Any],
) -> None:
    """Write an element or replace it; one of another conversation is left alone and refused with Forbidden."""
    values = {"step_id": step_id, "approval_id": approval_id, "content": content}
    row = insert(ChatElement).values(id=element_id, chat_id=chat_id, **values)
    if (
        session.scalar(
            row.on_conflict_do_update(
                index_elements=[ChatElement.id], set_=values, where=ChatElement.chat_id == chat_id
            ).returning(ChatElement.id)
        )
        is None
    ):
        raise Forbidden("element_of_another", "This card belongs to another conversation.")


def remove_step(session: Session, step_id: uuid.UUID, user_id: int) -> None:
    """Take a message and what was shown beside it out of a conversation of this user."""
    mine = select(Chat.id).where(Chat.user_id == user_id)
    session.execute(delete(ChatElement).where(ChatElement.step_id == step_id, ChatElement.chat_id.in_(mine)))
    session.execute(delete(ChatStep).where(ChatStep.id == step_id, ChatStep.chat_id.in_(mine)))


def remove_element(session: Session, element_id: uuid.UUID, user_id: int) -> None:
    """Take an element out of a conversation of this user."""
    mine = select(Chat.id).where(Chat.user_id == user_id)
    session.execute(delete(ChatElement).where(ChatElement.id == element_id, ChatElement.chat_id.in_(mine)))


def rename(session: Session, chat_id: uuid.UUID, user_id: int, title: str) -> None:
    """Give a conversation of this user another title."""
    session.execute(update(Chat).where(Chat.id == chat_id, Chat.user_id == user_id).values(title=title))
