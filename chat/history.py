"""How does Chainlit keep conversations? In our own tables, each with its owner.

Chainlit's stock layer lets whoever knows an id overwrite another person's messages and cards. Here every write names
the person of the session it comes from, and a card is stored as the id of its approval: what it shows is read from the
approval each time, so neither a stored nor a posted figure is ever believed.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakValueDictionary

from chainlit.context import context
from chainlit.data.base import BaseDataLayer
from chainlit.data.utils import queue_until_user_message
from chainlit.element import CustomElement, Element, ElementDict
from chainlit.step import StepDict
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from chainlit.user import PersistedUser, User
from sqlalchemy.orm import Session

from db import chats, users
from db.chats import Chat, ChatElement
from domain.errors import Forbidden, Invalid
from services.users import Person

LONGEST_TITLE = 80

Drawing = Callable[[Session, uuid.UUID], dict[str, Any] | None]
"""What an approval's card shows now; ``None`` when there is no such approval."""

_T = TypeVar("_T")
_P = ParamSpec("_P")


def _after_first_message(method: Callable[_P, Awaitable[None]]) -> Callable[_P, Awaitable[None]]:
    """Chainlit's own: what is written before a person said anything waits, so empty conversations are not kept."""
    decorate = cast("Callable[[Any], Any]", queue_until_user_message())
    return cast("Callable[_P, Awaitable[None]]", decorate(method))


class ChatHistory(BaseDataLayer):
    """Chainlit's data layer on our database. Work is done in threads, the writes of one conversation in their order."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Session]],
        draw: Drawing,
        forget: Callable[[uuid.UUID, Person], Awaitable[None]],
    ) -> None:
        """``transaction`` opens one; ``draw`` makes the properties of an approval's card.

        ``forget`` erases what the agent remembers of a conversation of this person.
        """
        self._transaction = transaction
        self._draw = draw
        self._forget = forget
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """The account with this name."""

        def find(session: Session) -> PersistedUser | None:
            user = users.named(session, identifier)
            if user is None:
                return None
            return PersistedUser(
                id=str(user.id),
                createdAt=_spoken(user.created_at),
                identifier=user.username,
                metadata={"role": user.role},
            )

        return await self._do(find)

    async def create_user(self, user: User) -> PersistedUser | None:
        """Accounts are never made by signing in: the one that is there, if any."""
        return await self.get_user(user.identifier)

    async def upsert_feedback(self, feedback: Feedback) -> str:  # noqa: ARG002 - Chainlit's signature
        """Thumbs are not collected."""
        raise Forbidden("no_feedback", "Feedback is not collected here.")

    async def delete_feedback(self, feedback_id: str) -> bool:  # noqa: ARG002 - Chainlit's signature
        """Thumbs are not collected."""
        return False

    @_after_first_message
    async def create_element(self, element: Element) -> None:
        """Keep a card. Other kinds of elements hold files, which are not kept."""
        if not isinstance(element, CustomElement):
            return
        approval = element.props.get("approval_id")
        content = {**element.to_dict(), "props": None if approval else element.props}

        def write(session: Session, user_id: int) -> None:
            chats.touch(session, _id(element.thread_id), user_id)
            chats.put_element(
                session,
                _id(element.id),
                _id(element.thread_id),
                step_id=_id(element.for_id) if element.for_id else None,
                approval_id=_id(approval) if approval else None,
                content=content,
            )

        await self._write(element.thread_id, write)

    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:
        """One card of a conversation, as it looks now."""

        def find(session: Session) -> ElementDict | None:
            for row in chats.elements(session, _id(thread_id)):
                if str(row.id) == element_id:
                    return self._shown(session, row)
            return None

        return await self._do(find)

    @_after_first_message
    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Take a card away."""
        await self._write(thread_id, lambda session, user_id: chats.remove_element(session, _id(element_id), user_id))

    @_after_first_message
    async def create_step(self, step_dict: StepDict) -> None:
        """Keep a message or a tool call, or what became of it."""
        thread_id = step_dict["threadId"]

        def write(session: Session, user_id: int) -> None:
            chats.touch(session, _id(thread_id), user_id)
            chats.put_step(session, _id(step_dict["id"]), _id(thread_id), dict(step_dict))

        await self._write(thread_id, write)

    @_after_first_message
    async def update_step(self, step_dict: StepDict) -> None:
        """The same as ``create_step``, in its turn."""
        await self.create_step(step_dict)

    @_after_first_message
    async def delete_step(self, step_id: str) -> None:
        """Take a message away."""
        await self._write(None, lambda session, user_id: chats.remove_step(session, _id(step_id), user_id))

    async def get_thread_author(self, thread_id: str) -> str:
        """Name of the account a conversation belongs to, empty when there is no such conversation."""

        def find(session: Session) -> str:
            found = _known(session, thread_id)
            return found[1] if found else ""

        return await self._do(find)

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A conversation with all it holds. The caller compares its owner with who asks."""

        def find(session: Session) -> ThreadDict | None:
            found = _known(session, thread_id)
            if found is None:
                return None
            chat, owner = found
            thread = _thread(chat, owner)
            thread["steps"] = [cast("StepDict", row.content) for row in chats.steps(session, chat.id)]
            thread["elements"] = [self._shown(session, row) for row in chats.elements(session, chat.id)]
            return thread

        return await self._do(find)

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """A page of a person's conversations, without what was said in them."""
        if not filters.userId:
            raise Invalid("user_missing", "A list of conversations is somebody's.")
        user_id, first = int(filters.userId), min(pagination.first, 100)

        def find(session: Session) -> list[ThreadDict]:
            before = _id(pagination.cursor) if pagination.cursor else None
            page = chats.page(session, user_id, first=first + 1, search=filters.search, before=before)
            return [_thread(chat, "") for chat in page]

        found = await self._do(find)
        page = found[:first]
        ends = (page[0]["id"], page[-1]["id"]) if page else (None, None)
        return PaginatedResponse(pageInfo=PageInfo(len(found) > first, *ends), data=page)

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,  # noqa: ARG002 - Chainlit's signature
    ) -> None:
        """Give a conversation its first or another title, or keep what Chainlit remembers of its session."""
        title = _title(name) if name else None

        def write(session: Session, owner: int) -> None:
            chats.touch(session, _id(thread_id), owner, title=title, state=metadata)

        def write_if_known(session: Session) -> None:
            owner = chats.owner(session, _id(thread_id))
            if owner is not None:
                write(session, owner)

        if user_id is not None:
            await self._in_turn(thread_id, lambda session: write(session, int(user_id)))
        else:
            await self._in_turn(thread_id, write_if_known)

    async def delete_thread(self, thread_id: str) -> None:
        """Forget a conversation, what the agent remembers of it too; Chainlit has compared its owner with who asks."""
        chat_id = _id(thread_id)

        def find(session: Session) -> Person | None:
            owner = session.get(users.User, chats.owner(session, chat_id) or 0)
            return Person(owner.id, owner.username, owner.role) if owner else None

        person = await self._do(find)
        if person is not None:
            await self._forget(chat_id, person)
            await self._in_turn(thread_id, lambda session: chats.remove(session, chat_id, person.id))

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:  # noqa: ARG002 - Chainlit's signature
        """Nobody can mark favourites."""
        return []

    async def build_debug_url(self) -> str:
        """There is no debug page."""
        return ""

    async def close(self) -> None:
        """Nothing of its own is open."""

    def _shown(self, session: Session, row: ChatElement) -> ElementDict:
        content = dict(row.content)
        if row.approval_id is not None:
            content["props"] = self._draw(session, row.approval_id) or {"gone": True}
        return cast("ElementDict", content)

    async def _write(self, thread_id: str | None, work: Callable[[Session, int], None]) -> None:
        """Change something as the person of the current session."""
        user = context.session.user
        if not isinstance(user, PersistedUser):
            raise Forbidden("not_signed_in", "Sign in first.")
        await self._in_turn(thread_id or context.session.thread_id, lambda session: work(session, int(user.id)))

    async def _in_turn(self, thread_id: str, work: Callable[[Session], None]) -> None:
        lock = self._turns.setdefault(thread_id, asyncio.Lock())
        async with lock:
            await self._do(work)

    def _do(self, work: Callable[[Session], _T]) -> Awaitable[_T]:
        def run() -> _T:
            with self._transaction() as session:
                return work(session)

        return asyncio.to_thread(run)


def _known(session: Session, thread_id: str) -> tuple[Chat, str] | None:
    try:
        chat = session.get(Chat, uuid.UUID(thread_id))
    except ValueError:
        return None
    owner = session.get(users.User, chat.user_id) if chat else None
    return (chat, owner.username) if chat and owner else None


def _thread(chat: Chat, owner: str) -> ThreadDict:
    return ThreadDict(
        id=str(chat.id),
        createdAt=_spoken(chat.created_at),
        name=chat.title,
        userId=str(chat.user_id),
        userIdentifier=owner,
        tags=[],
        metadata=chat.state,
        steps=[],
        elements=[],
    )


def _id(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise Invalid("id_malformed", "This is not an id.") from None


def _title(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rstrip()}…"


def _spoken(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
