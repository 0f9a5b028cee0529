"""What does the data itself add to the store's catalog: custom attributes, event names, frequent values?"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from db.customers import Customer, Tag
from db.events import Event
from domain.catalog import MAX_FREQUENT_VALUES

RECENT_EVENTS = 20_000
MAX_FIELD_DEPTH = 5
MAX_FIELDS = 2_000
ISO_DAY = r"\d{4}-\d{2}-\d{2}"
ISO_INSTANT = ISO_DAY + r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})"


def custom_kinds(session: Session) -> dict[str, str]:
    """Keys of the custom attributes and the kind that most of their values have, as ``custom_fields``."""
    return {keys[0]: kind for keys, kind in custom_fields(session).items() if len(keys) == 1}


_FIELDS = sa.text("""
    with recursive field (keys, value) as (
        select array[own.key], own.value from customers, jsonb_each(custom) as own
        union all
        select keys || inner_.key, inner_.value from field,
            jsonb_each(case when jsonb_typeof(field.value) = 'object' then field.value else '{}' end) as inner_
        where cardinality(keys) < :depth
    )
    select keys, case when jsonb_typeof(value) <> 'string' then jsonb_typeof(value)
                      when value #>> '{}' ~ :day then 'date'
                      when value #>> '{}' ~ :instant then 'instant'
                      else 'string' end as kind
    from field where jsonb_typeof(value) <> 'null'
    group by 1, 2 order by count(*) desc, 2 limit :most
""")


def custom_fields(session: Session) -> dict[tuple[str, ...], str]:
    """The custom attributes and the fields inside those that are objects, by the keys that lead to them.

    The kind is the one that most values have: a JSON type, or ``date`` and ``instant`` for texts in ISO 8601.
    """
    asked = {"depth": MAX_FIELD_DEPTH, "most": MAX_FIELDS, "day": f"^{ISO_DAY}$", "instant": f"^{ISO_INSTANT}$"}
    kinds: dict[tuple[str, ...], str] = {}
    for keys, kind in session.execute(_FIELDS, asked):
        kinds.setdefault(tuple(keys), kind)
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
