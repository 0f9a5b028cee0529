"""Which topics can people choose, and who wants which of them since when?"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row


class Topic(Row):
    """Something to be written to about: a newsletter, back-in-stock news. ``label`` is what people call it."""

    __tablename__ = "topics"

    name: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class TopicConsent(Row):
    """What a person wants of a topic from ``since_at`` until ``until_at``: the ledger and the state at any instant."""

    __tablename__ = "topic_consents"
    __table_args__ = (
        CheckConstraint("state in ('subscribed', 'unsubscribed')", name="state"),
        Index(
            "ix_topic_consents_current", "customer_id", "topic", unique=True, postgresql_where=text("until_at is null")
        ),
        Index("ix_topic_consents_history", "customer_id", "topic", "since_at"),
        Index("ix_topic_consents_topic", "topic", "customer_id"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    topic: Mapped[str] = mapped_column(ForeignKey("topics.name", ondelete="CASCADE"))
    state: Mapped[str]
    method: Mapped[str]
    source: Mapped[str | None]
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


def labels(session: Session) -> dict[str, str]:
    """The label of every topic, by name, in alphabetical order."""
    return {row.name: row.label for row in session.scalars(select(Topic).order_by(Topic.name))}


def subscribed(session: Session, names: Collection[str], customer_ids: Collection[int]) -> set[tuple[int, str]]:
    """Which of these people want which of these topics, as committed now."""
    if not names:
        return set()
    wanted = select(TopicConsent.customer_id, TopicConsent.topic).where(
        TopicConsent.customer_id.in_(customer_ids),
        TopicConsent.topic.in_(names),
        TopicConsent.state == "subscribed",
        TopicConsent.until_at.is_(None),
    )
    return {(customer, topic) for customer, topic in session.execute(wanted)}


_CLOSE = text("""
    update topic_consents set until_at = :now
    where customer_id = :customer and topic = :topic and until_at is null and state <> :state
""")

_OPEN = text("""
    insert into topic_consents (customer_id, topic, state, method, source, since_at)
    select :customer, :topic, :state, :method, :source, :now
    where not exists (select 1 from topic_consents
                      where customer_id = :customer and topic = :topic and until_at is null)
    on conflict do nothing
    returning id
""")


def put(session: Session, consent: TopicConsent) -> bool:
    """Let a person's state on a topic begin at its ``since_at``; answer whether it was another one before."""
    asked = {
        "customer": consent.customer_id,
        "topic": consent.topic,
        "state": consent.state,
        "method": consent.method,
        "source": consent.source,
        "now": consent.since_at,
    }
    session.execute(_CLOSE, asked)
    return session.scalars(_OPEN, asked).one_or_none() is not None
