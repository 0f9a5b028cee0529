"""Who are the people of the team, and who is it that asks?"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from db import audit, sign_ins, users
from db.sign_ins import SignIn
from db.users import User
from domain.errors import Conflict, Forbidden, Invalid, NotFound

SIGN_IN_LASTS = timedelta(days=14)
SHORTEST_PASSWORD = 12
FIRST_USERNAME = "admin"

Role = Literal["admin", "marketer", "viewer"]

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("the password of nobody")


@dataclass(frozen=True)
class Person:
    """The one who asks. ``may_decide`` is whether this person may approve, reject and change things."""

    id: int
    username: str
    role: str

    @property
    def may_decide(self) -> bool:
        """Viewers look; admins and marketers decide."""
        return self.role in {"admin", "marketer"}


def ensure_admin(session: Session, password: str | None = None) -> str | None:
    """Create the first account in a database without any, and return its password, which is kept nowhere else.

    Returns ``None`` when somebody has an account already.
    """
    if users.anyone(session):
        return None
    chosen = password or secrets.token_urlsafe(12)
    add(session, FIRST_USERNAME, chosen, "admin", actor="system")
    return chosen


def add(session: Session, username: str, password: str, role: Role, *, actor: str) -> Person:
    """Create an account. Raises Invalid for a short password or an empty name, Conflict for a name that is taken."""
    name = username.strip().lower()
    if not name:
        raise Invalid("username_missing", "An account needs a name.", "Give a name or an email address.", "username")
    if users.named(session, name) is not None:
        raise Conflict("username_taken", f"There is an account named {name} already.", "Choose another name.")
    user = User(username=name, role=role, password_hash=_hashed(password))
    session.add(user)
    session.flush()
    audit.record(session, actor=actor, action="user.added", subject=f"user:{user.id}", detail={"role": role})
    return Person(user.id, user.username, user.role)


def set_password(session: Session, username: str, password: str, *, now: datetime, actor: str) -> None:
    """Give an account another password and end all its sign-ins. Raises NotFound, and Invalid for a short password."""
    user = users.named(session, username)
    if user is None:
        raise NotFound("user_unknown", f"There is no account named {username}.")
    user.password_hash = _hashed(password)
    sign_ins.end_all(session, user.id, now)
    audit.record(session, actor=actor, action="user.password_set", subject=f"user:{user.id}", detail={})


def sign_in(session: Session, username: str, password: str, *, token: str, now: datetime) -> Person:
    """Check a password and open a sign-in that ``token`` stands for.

    An unknown name costs as much time as a wrong password. Raises Forbidden for both, in the same words.
    """
    user = users.named(session, username)
    stored = user.password_hash if user is not None and user.disabled_at is None else None
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        stored = None
    if user is None or stored is None:
        raise Forbidden(
            "sign_in_failed",
            "Name and password do not match an account.",
            "Check both; an administrator can set a new password with `parley user password`.",
        )
    if _hasher.check_needs_rehash(stored):
        user.password_hash = _hasher.hash(password)
    session.add(SignIn(token_hash=hash_of(token), user_id=user.id, created_at=now, expires_at=now + SIGN_IN_LASTS))
    audit.record(session, actor=user.username, action="user.signed_in", subject=f"user:{user.id}", detail={})
    return Person(user.id, user.username, user.role)


def named(session: Session, username: str) -> Person:
    """The account of that name. Raises NotFound (``user_unknown``) where there is none that may sign in."""
    user = users.named(session, username)
    if user is None or user.disabled_at is not None:
        raise NotFound("user_unknown", f"There is no account named {username}.", "Add it with `parley user add`.", "by")
    return Person(user.id, user.username, user.role)


def signed_in(session: Session, token: str, *, now: datetime) -> Person | None:
    """Whom a token stands for now: nobody when it is unknown, over, ended, or its account was disabled."""
    return holder(session, hash_of(token), now=now)


def holder(session: Session, token_hash: str, *, now: datetime) -> Person | None:
    """As ``signed_in``, for who keeps only the hash of a token."""
    user = sign_ins.holder(session, token_hash, now)
    return None if user is None else Person(user.id, user.username, user.role)


def sign_out(session: Session, token: str, *, now: datetime) -> None:
    """End the sign-in a token stands for."""
    sign_ins.end(session, hash_of(token), now)


def hash_of(token: str) -> str:
    """What is stored of a token. It is random and long, so one round is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _hashed(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(
            "password_short",
            f"The password has {len(password)} characters; it needs {SHORTEST_PASSWORD}.",
            "A few words in a row are easy to remember and long enough.",
            "password",
        )
    return _hasher.hash(password)
