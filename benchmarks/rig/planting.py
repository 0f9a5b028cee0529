"""What is there to send? Made-up people, a flow of one message, and a decision for each of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from db import store
from domain.messages import PlannedMessage, Policy
from services import messages

BODY = """Hi {{ customer.first_name | default: "there" }},

it has been a while since your last visit{% if customer.city %} from {{ customer.city }}{% endif %}. Here is what people
who bought **{{ customer.last_category | default: "coffee" }}** liked this month:

- A kettle with a long, thin spout
- A grinder that is quiet in the morning
- Beans from three small farms

[Have a look](https://shop.example.com/new?for={{ customer.first_name | default: "you" | url_encode }})

See you soon,
{{ store.name }}
"""

SPEC = {
    "version": 1,
    "steps": [
        {
            "type": "send",
            "channel": "email",
            "subject": "{{ customer.first_name | default: 'Hello' }}, something new for your kitchen",
            "preview_text": "Three things other {{ customer.last_category | default: 'coffee' }} people liked",
            "body": BODY,
            "variants": [],
        }
    ],
}


@dataclass(frozen=True)
class Cohort:
    """People who were planned a message each: ``eligible`` may get it, the others never subscribed."""

    version_id: int
    customers: Sequence[int]
    eligible: frozenset[int]
    keys: dict[int, str]


def prepare(session: Session) -> int:
    """A store, and a flow whose version's id is answered."""
    session.execute(
        text("""
            insert into store (id, name, currency, time_zone, postal_address, sender_name, sender_email)
            values (1, 'Example Coffee', 'USD', 'America/New_York', '1 Example Street, Springfield', 'Example Coffee',
                    'hello@shop.example.com')
        """)
    )
    flow = session.scalars(
        text("insert into flows (name, status, version, created_by) values ('Rig', 'active', 1, 'rig') returning id")
    ).one()
    version: int = session.scalars(
        text("""
            insert into flow_versions (flow_id, number, spec, digest, trace_id, created_by)
            values (:flow, 1, cast(:spec as jsonb), 'rig', 'rig', 'rig') returning id
        """),
        {"flow": flow, "spec": json.dumps(SPEC)},
    ).one()
    return version


def plant(
    session: Session,
    version_id: int,
    name: str,
    size: int,
    *,
    over_seconds: float = 0.0,
    unsubscribed_share: float = 0.1,
    in_days: float = 0.0,
    policy: Policy | None = None,
) -> Cohort:
    """``size`` new people with a message each, due evenly over ``over_seconds``, ``in_days`` from now.

    Of them ``unsubscribed_share`` never subscribed.
    """
    ids: Sequence[int] = session.scalars(
        text("""
            insert into customers (email, first_name, time_zone, first_seen_at)
            select :name || i || '@example.com', case when i % 9 > 0 then 'Person ' || i end, 'Europe/Berlin', now()
            from generate_series(1, :size) as i returning id
        """),
        {"name": name, "size": size},
    ).all()
    skip = round(1 / unsubscribed_share) if unsubscribed_share else 0
    eligible = [one for place, one in enumerate(ids) if not skip or place % skip]
    session.execute(
        text("""
            insert into consents (customer_id, channel, state, method, since_at)
            select id, 'email', 'subscribed', 'rig', now() from unnest(cast(:ids as bigint[])) as id
        """),
        {"ids": eligible},
    )
    session.execute(
        text("""
            insert into addresses (customer_id, kind, city, country)
            select id, 'shipping', 'Springfield', 'US' from unnest(cast(:ids as bigint[])) as id where id % 2 = 0
        """),
        {"ids": list(ids)},
    )
    now = store.business_now(session) + timedelta(days=in_days)
    step = timedelta(seconds=over_seconds / max(size, 1))
    planned = [
        PlannedMessage(
            decision_key=f"rig:{name}",
            customer_id=customer,
            channel="email",
            due_at=now + step * place,
            expires_at=now + timedelta(days=1),
            trace_id=f"rig:{name}",
            flow_version_id=version_id,
            policy=policy or Policy(),
        )
        for place, customer in enumerate(ids)
    ]
    messages.plan(session, planned)
    keys = {one.customer_id: str(one.id) for one in planned}
    return Cohort(version_id, ids, frozenset(eligible), keys)
