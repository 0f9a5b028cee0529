"""Which messages were handed to a provider, and what did they say?"""

import uuid
from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

_LISTED = text("""
    select m.id, m.customer_id, m.channel, m.state, m.delivery, m.reason, c.recipient, c.subject, c.preview,
           left(c.body_text, 160) as body_text, coalesce(m.accepted_at, c.rendered_at) as at,
           concat_ws(' ', p.first_name, p.last_name) as name
    from message_contents c
    join messages m on m.customer_id = c.customer_id and m.id = c.message_id
    join customers p on p.id = m.customer_id
    where m.state in ('accepted', 'failed', 'unknown', 'outcome_unknown', 'dead')
      and (:search = '' or concat_ws(' ', p.first_name, p.last_name, c.recipient, c.subject) ilike :pattern)
      and (cast(:flow as bigint) is null
           or m.flow_version_id in (select id from flow_versions where flow_id = cast(:flow as bigint)))
    order by at desc, m.id
    limit :first offset :skip
""")

_ONE = text("""
    select m.id, m.customer_id, m.channel, m.state, m.delivery, m.reason, m.variant, m.step, m.trace_id,
           c.sender, c.recipient, c.subject, c.preview, c.body_text, c.body_html, c.headers,
           coalesce(m.accepted_at, c.rendered_at) as at, concat_ws(' ', p.first_name, p.last_name) as name,
           f.id as flow_id, f.name as flow_name
    from message_contents c
    join messages m on m.customer_id = c.customer_id and m.id = c.message_id
    join customers p on p.id = m.customer_id
    left join flow_versions v on v.id = m.flow_version_id
    left join flows f on f.id = v.flow_id
    where c.customer_id = :customer and c.message_id = :id
""")


def listed(session: Session, *, search: str, flow_id: int | None, first: int, skip: int) -> Sequence[RowMapping]:
    """Messages, latest first, whose recipient or subject holds ``search``."""
    escaped = search.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    given = {"search": search, "pattern": f"%{escaped}%", "flow": flow_id, "first": first, "skip": skip}
    return session.execute(_LISTED, given).mappings().all()


def one(session: Session, customer_id: int, message_id: uuid.UUID) -> RowMapping | None:
    """A message with all its words."""
    return session.execute(_ONE, {"customer": customer_id, "id": message_id}).mappings().one_or_none()
