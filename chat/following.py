"""How does an open conversation learn what was decided elsewhere: in the console, in another tab, by somebody else?

The proposals are rows that any process may settle, so each open conversation looks at its own every other second.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import chainlit as cl
import structlog
from chainlit.session import WebsocketSession

from chat.screen import asker, in_thread, redraw_all, thread_id
from domain.errors import ParleyError
from services import approvals

LOOKS_EVERY_SECONDS = 2.0

log = structlog.get_logger()

_running: set[asyncio.Task[None]] = set()


def begin(tell: Callable[[], Awaitable[None]]) -> None:
    """Follow the decisions of this session's conversation, once, for as long as the session lives.

    ``tell`` lets the conversation go on; it may find that all was told already.
    """
    if cl.user_session.get("following"):
        return
    cl.user_session.set("following", True)  # noqa: FBT003 - Chainlit's signature
    task = asyncio.create_task(_follow(tell))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _follow(tell: Callable[[], Awaitable[None]]) -> None:
    session_id, known = cl.context.session.id, await _decided()
    while WebsocketSession.get_by_id(session_id) is not None:
        await asyncio.sleep(LOOKS_EVERY_SECONDS)
        try:
            now = await _decided()
            if news := now - known:
                await asker()
                await redraw_all(sorted(news))
                await tell()
            known = now
        except ParleyError:
            return  # signed out, or the application ends
        except Exception:
            log.exception("following_failed")


async def _decided() -> set[uuid.UUID]:
    conversation = str(thread_id())
    return await in_thread(lambda session: approvals.decided_of_thread(session, conversation))
