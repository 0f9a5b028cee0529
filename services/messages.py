"""How does a decision to write to somebody become a message, and how is one called off?"""

import json
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from db import audit, messages
from domain.errors import Conflict
from domain.messages import PlannedMessage, Policy

PLAN_AT_ONCE = 5_000


def plan(session: Session, planned: Sequence[PlannedMessage]) -> int:
    """Queue messages, and answer how many are new.

    A decision that has been made before (same customer, same decision key) changes nothing, so planning twice is safe.
    """
    policies = {policy: _stored(policy) for policy in {one.policy for one in planned}}
    new = 0
    for first in range(0, len(planned), PLAN_AT_ONCE):
        some = planned[first : first + PLAN_AT_ONCE]
        new += messages.insert_planned(session, some, [policies[one.policy] for one in some])
    return new


def cancel(session: Session, flow_version_ids: Collection[int]) -> int:
    """Call off what these flow versions still have to send, and answer how many messages that were.

    What a worker holds at this moment still goes out.
    """
    return messages.cancel(session, flow_version_ids)


def replay(session: Session, customer_id: int, message_id: uuid.UUID, now: datetime, actor: str) -> None:
    """Send a dead letter after all, under the same decision. Raises Conflict for a message that is none."""
    if not messages.replay(session, customer_id, message_id, now):
        raise Conflict("not_a_dead_letter", "This message is not a dead letter any more.", "Reload the list.")
    audit.record(session, actor=actor, action="message.replayed", subject=f"message:{message_id}", detail={})


def due(session: Session) -> int:
    """How many messages could be taken by a worker now, counted up to 1,000."""
    return messages.due(session)


def first_due(session: Session) -> uuid.UUID | None:
    """The message that has been due for longest and that no worker holds."""
    return messages.first_due(session)


def counts(session: Session, flow_version_ids: Collection[int]) -> dict[str, int]:
    """How many messages of these flow versions are where, by the word people use for it; zero ones are left out.

    A message the provider has accepted counts under the provider's last word (``sent``, ``delivered``, ``opened`` ...;
    ``failed``, ``undelivered`` or ``bounced`` where it could not be delivered), every other under our own state.
    """
    return messages.counts(session, flow_version_ids)


def left_out(session: Session, flow_version_ids: Collection[int]) -> dict[str, int]:
    """How many messages of these flow versions were not sent, by reason (see ``domain.messages.REASONS``)."""
    return messages.left_out(session, flow_version_ids)


def _stored(policy: Policy) -> str | None:
    return None if policy == Policy() else json.dumps(policy.as_dict())
