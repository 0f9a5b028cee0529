"""Who may sign in?"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, func
from sqlalchemy.orm import Mapped, mapped_column

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
