"""Which flows are there, and in which versions?"""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row

DRAFT, ACTIVE, PAUSED, DONE, ARCHIVED = "draft", "active", "paused", "done", "archived"


class Flow(Row):
    """A flow; ``version`` is the one that counts for those who come in, people inside stay in the one they joined."""

    __tablename__ = "flows"
    __table_args__ = (
        CheckConstraint("status in ('draft', 'active', 'paused', 'done', 'archived')", name="status"),
        Index("ix_flows_status", "status", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    status: Mapped[str]
    version: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    activated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class FlowVersion(Row):
    """What a flow was at one time. Never changed once written; ``digest`` is over ``spec``."""

    __tablename__ = "flow_versions"
    __table_args__ = (UniqueConstraint("flow_id", "number"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    flow_id: Mapped[int] = mapped_column(ForeignKey("flows.id", ondelete="CASCADE"))
    number: Mapped[int]
    spec: Mapped[dict[str, Any]]
    digest: Mapped[str]
    approval_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("approvals.id"))
    audience_size: Mapped[int | None]
    trace_id: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def current(session: Session, flow_id: int) -> tuple[Flow, FlowVersion] | None:
    """A flow with its current version."""
    found = session.execute(_pairs().where(Flow.id == flow_id)).one_or_none()
    return (found[0], found[1]) if found else None


def listed(session: Session, statuses: Collection[str], limit: int) -> list[tuple[Flow, FlowVersion]]:
    """Flows in any of the statuses with their current versions, latest first."""
    wanted = _pairs().where(Flow.status.in_(statuses)).order_by(Flow.id.desc()).limit(limit)
    return [(flow, version) for flow, version in session.execute(wanted)]


def names(session: Session) -> dict[int, str]:
    """The names of all flows, campaigns included, by id."""
    return {row.id: row.name for row in session.execute(select(Flow.id, Flow.name))}


def specs(session: Session, version_ids: Collection[int]) -> Mapping[int, dict[str, Any]]:
    """The specs of versions by version id."""
    wanted = select(FlowVersion.id, FlowVersion.spec).where(FlowVersion.id.in_(version_ids))
    return {version_id: spec for version_id, spec in session.execute(wanted)}  # noqa: C416 - rows are no pairs


def traces(session: Session, version_ids: Collection[int]) -> Mapping[int, str]:
    """The trace ids of versions by version id."""
    wanted = select(FlowVersion.id, FlowVersion.trace_id).where(FlowVersion.id.in_(version_ids))
    return {version_id: trace_id for version_id, trace_id in session.execute(wanted)}  # noqa: C416 - rows are no pairs


def move(session: Session, flow_id: int, before: Collection[str], after: str, now: datetime) -> bool:
    """Change the status if it is one of ``before``; False when it was not."""
    values: dict[str, Any] = {"status": after, "updated_at": now}
    if after in {DONE, ARCHIVED}:
        values["ended_at"] = now
    moved = session.execute(
        update(Flow).where(Flow.id == flow_id, Flow.status.in_(before)).values(values).returning(Flow.id)
    )
    return moved.one_or_none() is not None


def started(
    session: Session, flow_id: int, version_id: int, *, approval_id: uuid.UUID, audience_size: int, now: datetime
) -> None:
    """Note by which approval a version was started, for how many people, and when the flow first was."""
    noted = {"approval_id": approval_id, "audience_size": audience_size}
    session.execute(update(FlowVersion).where(FlowVersion.id == version_id).values(noted))
    first = update(Flow).where(Flow.id == flow_id, Flow.activated_at.is_(None)).values(activated_at=now)
    session.execute(first)


def was_started_by(session: Session, approval_id: uuid.UUID) -> bool:
    """Whether some version was started by this approval."""
    return session.scalar(select(FlowVersion.id).where(FlowVersion.approval_id == approval_id).limit(1)) is not None


def stopped(session: Session, version_ids: Collection[int]) -> Mapping[int, str]:
    """The status of the flows of these versions, where it is one in which nothing is sent."""
    if not version_ids:
        return {}
    wanted = select(FlowVersion.id, Flow.status).join(Flow, Flow.id == FlowVersion.flow_id)
    silent = wanted.where(FlowVersion.id.in_(version_ids), Flow.status.in_((PAUSED, ARCHIVED)))
    return {version_id: status for version_id, status in session.execute(silent)}  # noqa: C416 - rows are no pairs


def version_ids(session: Session, flow_id: int) -> list[int]:
    """The ids of all versions of a flow."""
    return list(session.scalars(select(FlowVersion.id).where(FlowVersion.flow_id == flow_id)))


def _pairs() -> Any:
    same = (FlowVersion.flow_id == Flow.id) & (FlowVersion.number == Flow.version)
    return select(Flow, FlowVersion).join(FlowVersion, same).execution_options(populate_existing=True)
