"""Which flows are campaigns, to which segment, and what became of each recipient's message?"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, RowMapping, delete, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class Campaign(Row):
    """One message to one audience: the flow that holds nothing else."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    flow_id: Mapped[int] = mapped_column(ForeignKey("flows.id", ondelete="CASCADE"), unique=True)
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segments.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


_LISTED = text("""
    select c.id, c.flow_id, c.created_at, f.name, f.status, f.created_by, f.activated_at, f.ended_at,
           v.id as version_id, v.audience_size, v.spec, a.proposal ->> 'read_back' as read_back,
           a.decided_by as approved_by, coalesce(s.id, same.id) as segment_id,
           coalesce(s.name, same.name) as segment_name
    from campaigns c
    join flows f on f.id = c.flow_id
    join flow_versions v on v.flow_id = f.id and v.number = f.version
    left join approvals a on a.id = v.approval_id
    left join segments s on s.id = c.segment_id
    left join lateral (
        select g.id, g.name from segments g
        join segment_versions w on w.segment_id = g.id and w.number = g.version
        where g.status = 'active' and w.definition = v.spec -> 'audience' -> 'definition'
        order by g.id limit 1
    ) same on c.segment_id is null
    where (cast(:one as bigint) is null or c.id = cast(:one as bigint))
      and (cast(:before as bigint) is null or c.id < cast(:before as bigint))
    order by c.id desc limit :limit
""")

_COUNTS = text("""
    select flow_version_id, state, reason, delivery, delivery_rank, count(*) as number
    from messages where flow_version_id = any(cast(:versions as bigint[]))
    group by flow_version_id, state, reason, delivery, delivery_rank
""")

_LOG = text("""
    select e.customer_id, concat_ws(' ', p.first_name, p.last_name) as name, e.state as place, e.reason as left_for,
           e.due_at as next_at, m.id as message_id, m.state, m.reason, m.delivery, m.provider, m.provider_id,
           m.error_code, c.recipient, c.subject, left(c.body_text, 200) as body_text,
           coalesce(m.delivered_at, m.accepted_at, e.ended_at, m.due_at, e.due_at) as at
    from enrollments e
    join customers p on p.id = e.customer_id
    left join messages m on m.customer_id = e.customer_id and m.enrollment_id = e.id
    left join message_contents c on c.customer_id = m.customer_id and c.message_id = m.id
    where e.flow_id = :flow and e.flow_version_id = :version and e.customer_id > :after
    order by e.customer_id limit :limit
""")


def mark(session: Session, flow_id: int, *, is_one: bool, segment_id: int | None, now: datetime) -> None:
    """Note whether a flow is a campaign, and to which saved segment."""
    if is_one:
        row = insert(Campaign).values(flow_id=flow_id, segment_id=segment_id, created_at=now)
        session.execute(row.on_conflict_do_update(index_elements=["flow_id"], set_={"segment_id": segment_id}))
    else:
        session.execute(delete(Campaign).where(Campaign.flow_id == flow_id))


def listed(session: Session, *, limit: int, before: int | None = None) -> Sequence[RowMapping]:
    """Campaigns with their flow, its current version and their segment's name, newest first, from below ``before``."""
    return session.execute(_LISTED, {"one": None, "before": before, "limit": limit}).mappings().all()


def one(session: Session, campaign_id: int) -> RowMapping | None:
    """One campaign, as ``listed`` gives it."""
    return session.execute(_LISTED, {"one": campaign_id, "before": None, "limit": 1}).mappings().one_or_none()


def messages(session: Session, version_ids: Collection[int]) -> Sequence[RowMapping]:
    """The messages of flow versions, counted by version, state, reason and delivery."""
    return session.execute(_COUNTS, {"versions": list(version_ids)}).mappings().all()


def log(session: Session, flow_id: int, version_id: int, *, after: int, limit: int) -> Sequence[RowMapping]:
    """Each recipient by rising customer id, from beyond ``after``, with their message as far as there is one."""
    asked = {"flow": flow_id, "version": version_id, "after": after, "limit": limit}
    return session.execute(_LOG, asked).mappings().all()
