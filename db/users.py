"""Who may sign in?"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, exists, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class User(Row):
    """A person of the team. ``password_hash`` is argon2id; ``google_sub`` is the account key of Google sign-in."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role in ('admin', 'marketer', 'viewer')", name="role"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]
    google_sub: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    disabled_at: Mapped[datetime | None]


def named(session: Session, username: str) -> User | None:
    """The user with this name, whatever its case."""
    return session.scalars(select(User).where(User.username == username.strip().lower())).one_or_none()


def anyone(session: Session) -> bool:
    """Whether there is a user at all."""
    return bool(session.scalar(select(exists().where(User.id.is_not(None)))))
