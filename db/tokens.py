"""Which programs may call the API, as what, and for which datasets?"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Identity, Text, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class ApiToken(Row):
    """One token. The row holds only its SHA-256; ``datasets`` empty = every dataset."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    datasets: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    revoked_at: Mapped[datetime | None]
    last_used_on: Mapped[date | None]


def named(session: Session, name: str) -> ApiToken | None:
    """The token of that name, revoked or not."""
    return session.scalars(select(ApiToken).where(ApiToken.name == name)).one_or_none()


def holder(session: Session, token_hash: str) -> ApiToken | None:
    """The token with this hash, if it is not revoked."""
    return session.scalars(
        select(ApiToken).where(ApiToken.token_hash == token_hash, ApiToken.revoked_at.is_(None))
    ).one_or_none()


def note_use(session: Session, token_id: int, today: date) -> None:
    """Remember that a token was used today; written once a day."""
    unused = or_(ApiToken.last_used_on.is_(None), ApiToken.last_used_on < today)
    session.execute(update(ApiToken).where(ApiToken.id == token_id, unused).values(last_used_on=today))


def revoke(session: Session, name: str, now: datetime) -> int | None:
    """End a token; its id, or nothing where there is none of that name that still works."""
    ended = update(ApiToken).where(ApiToken.name == name, ApiToken.revoked_at.is_(None)).values(revoked_at=now)
    return session.scalar(ended.returning(ApiToken.id))


def listed(session: Session) -> list[ApiToken]:
    """All tokens, oldest first."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.id)))
