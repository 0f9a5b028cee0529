"""Which sets of tiers were saved, in which versions?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class TierSet(Row):
    """A set of tiers in one version. Never changed once written; a new meaning is a new version."""

    __tablename__ = "tier_sets"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    dataset: Mapped[str]
    definition: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def latest(session: Session) -> Sequence[TierSet]:
    """The latest version of every set, in alphabetical order."""
    newest = select(TierSet.name, func.max(TierSet.version).label("version")).group_by(TierSet.name).subquery()
    same = (newest.c.name == TierSet.name) & (newest.c.version == TierSet.version)
    return session.scalars(select(TierSet).join(newest, same).order_by(TierSet.name)).all()


def named(session: Session, name: str, version: int | None = None) -> TierSet | None:
    """A set in a version, by default its latest."""
    wanted = select(TierSet).where(TierSet.name == name).order_by(TierSet.version.desc()).limit(1)
    return session.scalars(wanted if version is None else wanted.where(TierSet.version == version)).one_or_none()
