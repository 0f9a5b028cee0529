"""Which browsers are signed in, as whom, and until when?"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row
from db.users import User


class SignIn(Row):
    """One sign-in. The cookie holds the token, the row only its SHA-256, so reading the table signs nobody in."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_user", "user_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


def holder(session: Session, token_hash: str, now: datetime) -> User | None:
    """The enabled user whose open sign-in has this token."""
    return session.scalars(
        select(User)
        .join(SignIn, SignIn.user_id == User.id)
        .where(
            SignIn.token_hash == token_hash,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > now,
            User.disabled_at.is_(None),
        )
    ).one_or_none()


def end(session: Session, token_hash: str, now: datetime) -> None:
    """Close the sign-in with this token, if it is open."""
    session.execute(
        update(SignIn).where(SignIn.token_hash == token_hash, SignIn.ended_at.is_(None)).values(ended_at=now)
    )


def end_all(session: Session, user_id: int, now: datetime) -> None:
    """Close every open sign-in of a user."""
    session.execute(update(SignIn).where(SignIn.user_id == user_id, SignIn.ended_at.is_(None)).values(ended_at=now))
