"""What became of the people in a flow, and of each message it planned for them?"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

_MESSAGES = text("""
    select step, variant, state, reason, delivery, delivery_rank, count(*) as number
    from messages where flow_version_id = :version
    group by step, variant, state, reason, delivery, delivery_rank
""")

_EXITS = text("""
    select s.step, s.reason, count(*) as number
    from enrollments e
    join flow_step_log s on s.customer_id = e.customer_id and s.enrollment_id = e.id
    where e.flow_version_id = :version and e.flow_id = :flow and s.kind = 'end' and s.reason is not null
    group by s.step, s.reason
""")

_PEOPLE = text("""
    select e.customer_id, e.id, e.state, e.reason, e.cursor, e.due_at, e.time_zone, e.ended_at
    from enrollments e
    where e.flow_id = :flow and e.flow_version_id = :version and e.customer_id > :after
    order by e.customer_id limit :limit
""")

_THEIRS = text("""
    select m.customer_id, m.id, m.enrollment_id, m.step, m.variant, m.channel, m.state, m.reason, m.delivery, m.due_at,
           m.accepted_at, m.delivered_at
    from messages m
    where m.flow_version_id = :version and m.customer_id = any(cast(:customers as bigint[]))
    order by m.customer_id, m.step
""")


def messages(session: Session, version_id: int) -> Sequence[RowMapping]:
    """The messages of a flow version, counted by step, variant, state, reason and delivery."""
    return session.execute(_MESSAGES, {"version": version_id}).mappings().all()


def exits(session: Session, flow_id: int, version_id: int) -> Sequence[RowMapping]:
    """Those who left before the end or were held out, counted by the step they would have had next and the reason."""
    return session.execute(_EXITS, {"flow": flow_id, "version": version_id}).mappings().all()


def people(session: Session, flow_id: int, version_id: int, after: int, limit: int) -> Sequence[RowMapping]:
    """Who is or was in a flow version, by rising customer id."""
    asked: dict[str, Any] = {"flow": flow_id, "version": version_id, "after": after, "limit": limit}
    return session.execute(_PEOPLE, asked).mappings().all()


def messages_of(session: Session, version_id: int, customer_ids: Sequence[int]) -> Sequence[RowMapping]:
    """The messages a flow version planned for these people, by person and step."""
    return session.execute(_THEIRS, {"version": version_id, "customers": list(customer_ids)}).mappings().all()
