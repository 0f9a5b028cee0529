"""How does the chat become a part of the web application?"""

import os
from datetime import UTC, datetime

from fastapi import FastAPI

from chat import interface
from chat.guard import ChatGuard
from db.session import transaction
from services import users
from services.users import Person
from settings import ROOT, secret, settings

PATH = "/chat"


def mount(app: FastAPI) -> None:
    """Put the chat below ``/chat``, behind its guard.

    Chainlit reads its folder, its configuration and its secret when it is first imported, so that happens here. Its own
    lifespan does not run: the application's must open ``chat.live.running``.
    """
    configured = settings()
    folder = configured.home.resolve() / "chat"
    interface.prepare(folder)
    os.environ["CHAINLIT_APP_ROOT"] = str(folder)
    os.environ["CHAINLIT_AUTH_SECRET"] = secret("chainlit")
    os.environ["CHAINLIT_CUSTOM_AUTH"] = "true"

    from chainlit.auth import create_jwt  # noqa: PLC0415 - after the environment is set
    from chainlit.config import config  # noqa: PLC0415
    from chainlit.user import User  # noqa: PLC0415
    from chainlit.utils import mount_chainlit  # noqa: PLC0415

    def token_for(person: Person, token: str) -> str:
        return create_jwt(User(identifier=person.username, metadata={"sign_in": users.hash_of(token)}))

    config.project.allow_origins = [configured.address]
    mount_chainlit(app=app, target=str(ROOT / "chainlit_app.py"), path=PATH)
    app.add_middleware(
        ChatGuard, path=PATH, cookie=configured.session_cookie, who=_who, sign_out=_sign_out, token_for=token_for
    )


def _who(token: str) -> Person | None:
    with transaction() as session:
        return users.signed_in(session, token, now=datetime.now(UTC))


def _sign_out(token: str) -> None:
    with transaction() as session:
        users.sign_out(session, token, now=datetime.now(UTC))
