"""Which segments were saved, in which versions, and what do the store's words mean?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class Segment(Row):
    """A named segment; its definition is the one of its current version."""

    __tablename__ = "segments"
    __table_args__ = (
        CheckConstraint("status in ('active', 'archived')", name="status"),
        Index("ix_segments_name", "name", unique=True, postgresql_where=text("status = 'active'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    dataset: Mapped[str]
    status: Mapped[str]
    version: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SegmentVersion(Row):
    """What a segment meant at one time. Never changed once written."""

    __tablename__ = "segment_versions"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]
    read_back: Mapped[str]
    prompt: Mapped[str | None]
    assumptions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    audience_size: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class GlossaryTerm(Row):
    """A word of the marketer and the condition it stands for. A new meaning is a new version."""

    __tablename__ = "glossary_terms"
    __table_args__ = (UniqueConstraint("word", "version"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    word: Mapped[str]
    version: Mapped[int]
    meaning: Mapped[dict[str, Any]]
    explanation: Mapped[str]
    owner: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def named(session: Session, name: str) -> Segment | None:
    """The active segment of that name."""
    return session.scalars(select(Segment).where(Segment.name == name, Segment.status == "active")).one_or_none()


def definition(session: Session, segment_id: int) -> dict[str, Any] | None:
    """The JSON of a segment's current version, or ``None`` where there is no such active segment."""
    current = (SegmentVersion.segment_id == Segment.id) & (SegmentVersion.number == Segment.version)
    wanted = select(SegmentVersion.definition).join(Segment, current)
    return session.scalars(wanted.where(Segment.id == segment_id, Segment.status == "active")).one_or_none()


def names(session: Session, *, active: bool = False) -> dict[int, str]:
    """The names of all segments by id, or of those only that were not deleted."""
    wanted = select(Segment.id, Segment.name)
    wanted = wanted.where(Segment.status == "active") if active else wanted
    return {row.id: row.name for row in session.execute(wanted)}


def versions(session: Session, segment_id: int) -> Sequence[SegmentVersion]:
    """All versions of a segment, newest first."""
    of_it = select(SegmentVersion).where(SegmentVersion.segment_id == segment_id)
    return session.scalars(of_it.order_by(SegmentVersion.number.desc())).all()


def archive(session: Session, segment_id: int, now: datetime) -> bool:
    """Put an active segment away; False where it was not active any more."""
    gone = update(Segment).where(Segment.id == segment_id, Segment.status == "active")
    gone = gone.values(status="archived", updated_at=now).returning(Segment.id)
    return session.execute(gone).one_or_none() is not None


def latest_terms(session: Session) -> Sequence[GlossaryTerm]:
    """The latest version of every word defined in this store, in alphabetical order."""
    latest = select(GlossaryTerm.word, func.max(GlossaryTerm.version).label("version")).group_by(GlossaryTerm.word)
    newest = latest.subquery()
    same = (newest.c.word == GlossaryTerm.word) & (newest.c.version == GlossaryTerm.version)
    return session.scalars(select(GlossaryTerm).join(newest, same).order_by(GlossaryTerm.word)).all()


def term_version(session: Session, word: str) -> int:
    """The number of the latest version of a word, 0 where it was never defined here."""
    return session.scalars(select(func.max(GlossaryTerm.version)).where(GlossaryTerm.word == word)).one() or 0
