"""What does the data itself add to the store's catalog: custom attributes, event names, frequent values?"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from db.customers import Customer, Tag
from db.events import Event
from domain.catalog import MAX_FREQUENT_VALUES

RECENT_EVENTS = 20_000


def custom_kinds(session: Session) -> dict[str, str]:
    """Keys of the custom attributes and the JSON type that most of their values have."""
    pair = sa.func.jsonb_each(Customer.custom).table_valued("key", "value").lateral()
    kind = sa.func.jsonb_typeof(sa.cast(pair.c.value, JSONB))
    rows = sa.select(pair.c.key, kind, sa.func.count()).select_from(Customer).join(pair, sa.true())
    rows = rows.where(kind != "null").group_by(pair.c.key, kind).order_by(sa.func.count().desc(), kind)
    kinds: dict[str, str] = {}
    for key, found, _ in session.execute(rows):
        kinds.setdefault(key, found)
    return kinds


def event_properties(session: Session) -> dict[str, dict[str, str]]:
    """Event names, each with its property keys and their JSON types, read off the latest events."""
    names = sa.select(Event.name).distinct()
    found: dict[str, dict[str, str]] = {name: {} for name in session.scalars(names)}
    latest = sa.select(Event.name, Event.properties).order_by(Event.id.desc()).limit(RECENT_EVENTS).subquery()
    pair = sa.func.jsonb_each(latest.c.properties).table_valued("key", "value").lateral()
    kind = sa.func.jsonb_typeof(sa.cast(pair.c.value, JSONB))
    rows = sa.select(latest.c.name, pair.c.key, kind).join(pair, sa.true()).where(kind != "null").distinct()
    for name, key, json_type in session.execute(rows):
        found[name].setdefault(key, json_type)
    return found


def frequent(session: Session, values: sa.FromClause) -> tuple[str, ...]:
    """The most frequent values of ``values.c.value``, most frequent first."""
    rows = sa.select(values.c.value).where(values.c.value.is_not(None)).group_by(values.c.value)
    rows = rows.order_by(sa.func.count().desc(), values.c.value).limit(MAX_FREQUENT_VALUES)
    return tuple(str(value) for value in session.scalars(rows))


def tags(session: Session) -> tuple[str, ...]:
    """Every tag that somebody carries now."""
    return tuple(session.scalars(sa.select(Tag.name).where(Tag.until_at.is_(None)).distinct().order_by(Tag.name)))


def newest_customer(session: Session) -> int:
    """The highest customer id: a cheap figure that grows with the store."""
    return session.scalar(sa.select(sa.func.max(Customer.id))) or 0
