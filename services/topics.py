"""What can people choose to be written to about, and how do they start or stop with one topic?"""

from datetime import datetime

from sqlalchemy.orm import Session

from db import audit, claims, topics
from db.consent import Proof
from db.customers import Customer
from db.topics import Topic, TopicConsent
from domain.catalog import suggestion
from domain.errors import Conflict, Invalid, NotFound

SUBSCRIBED, UNSUBSCRIBED = "subscribed", "unsubscribed"


def add(session: Session, name: str, label: str = "") -> None:
    """Offer a topic. Raises Invalid (``topic_name``), Conflict (``topic_exists``)."""
    name = name.strip()
    if not 0 < len(name) <= 100:  # noqa: PLR2004 - as in a definition
        raise Invalid("topic_name", "a topic needs a name of at most 100 characters", "give it a name", "name")
    if session.get(Topic, name):
        raise Conflict("topic_exists", f"there is already a topic {name!r}", "choose another name", "name")
    session.add(Topic(name=name, label=label.strip() or name))
    session.flush()


def listed(session: Session) -> dict[str, str]:
    """The label of every topic, by name."""
    return topics.labels(session)


def subscribe(session: Session, customer_id: int, topic: str, proof: Proof, now: datetime) -> None:
    """A person wants a topic from now on. Raises NotFound (``unknown_topic``, ``no_customer``)."""
    _put(session, customer_id, topic, SUBSCRIBED, proof, now)


def unsubscribe(session: Session, customer_id: int, topic: str, proof: Proof, now: datetime) -> None:
    """A person wants no more of a topic; other messages still reach them. Raises as ``subscribe``.

    No message on the topic starts to be sent after this was committed; calls under way are waited for.
    """
    claims.lock_for_stop(session, claims.RECIPIENT_LOCKS + customer_id)
    _put(session, customer_id, topic, UNSUBSCRIBED, proof, now)


def _put(session: Session, customer_id: int, topic: str, state: str, proof: Proof, now: datetime) -> None:
    known = topics.labels(session)
    if topic not in known:
        raise NotFound("unknown_topic", f"there is no topic {topic!r}", suggestion(topic, known), "topic")
    if session.get(Customer, customer_id) is None:
        raise NotFound("no_customer", f"there is no customer {customer_id}", "look the person up again", "customer")
    consent = TopicConsent(
        customer_id=customer_id, topic=topic, state=state, method=proof.method, source=proof.source, since_at=now
    )
    if topics.put(session, consent):
        detail = {"topic": topic, "method": proof.method}
        subject = f"customer:{customer_id}"
        audit.record(
            session, actor=proof.source or proof.method, action=f"topic.{state}", subject=subject, detail=detail
        )
