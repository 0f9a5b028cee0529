"""What can a message say about these recipients, and of how many is it unknown?"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, any_, cast, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import BigInteger

from db.customers import Address, Customer

OWN = ("first_name", "last_name", "email", "phone", "company", "language", "birthday")
HOME = ("city", "region", "country")

_LAST_BOUGHT = text("""
    select distinct on (i.customer_id) i.customer_id, p.title, p.category, i.ordered_at
    from order_items i
    join orders o on o.customer_id = i.customer_id and o.id = i.order_id and o.cancelled_at is null
    join products p on p.id = i.product_id
    where i.customer_id = any (cast(:ids as bigint[]))
    order by i.customer_id, i.ordered_at desc, i.total desc, i.id
""")


def facts(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What customers said about themselves and where they live, by customer id; unknown values are None."""
    wanted = _people(ids, Customer.id, *_columns(), Customer.custom)
    found = {}
    for row in session.execute(wanted).mappings():
        found[row["id"]] = {name: value for name, value in row.items() if name != "id"}
    return found


def last_bought(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The dearest item of the last order that was not cancelled, by customer id; who never ordered is not in it."""
    return {
        customer_id: {"last_product": title, "last_category": category, "last_order_at": at}
        for customer_id, title, category, at in session.execute(_LAST_BOUGHT, {"ids": list(ids)})
    }


def unknown(session: Session, ids: Sequence[int], names: Collection[str]) -> dict[str, int]:
    """Of how many of the customers a fact is unknown or empty; ``names`` as in ``facts``, or ``custom.<key>``."""
    own = {column.key: column for column in _columns()}
    asked = {name: _is_empty(own[name]) for name in names if name in own}
    asked |= {
        name: _is_empty(Customer.custom[name.removeprefix("custom.")].astext)
        for name in names
        if name.startswith("custom.")
    }
    counts: dict[str, int] = {}
    if asked:
        counted = [func.count().filter(empty).label(f"c{place}") for place, empty in enumerate(asked.values())]
        row = session.execute(_people(ids, *counted)).one()
        counts = dict(zip(asked, row, strict=True))
    bought = [name for name in names if name.startswith("last_") and name != "last_name"]
    if bought:
        rows = last_bought(session, ids)
        counts |= {name: len(ids) - sum(row[name] is not None for row in rows.values()) for name in bought}
    return counts


def time_zones(session: Session, ids: Sequence[int]) -> dict[str, int]:
    """How many of the customers have each stored time zone; '' = none."""
    zone = func.coalesce(Customer.time_zone, "")
    grouped = select(zone, func.count()).where(Customer.id == _any(ids)).group_by(zone)
    return {name: number for name, number in session.execute(grouped)}  # noqa: C416 - rows are no pairs


def _columns() -> list[ColumnElement[Any]]:
    return [*(getattr(Customer, name) for name in OWN), *(getattr(Address, name) for name in HOME)]


def _people(ids: Sequence[int], *columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    home = and_(Address.customer_id == Customer.id, Address.kind == "shipping", Address.is_default)
    return select(*columns).select_from(Customer).outerjoin(Address, home).where(Customer.id == _any(ids))


def _any(ids: Sequence[int]) -> Any:
    return any_(cast(list(ids), ARRAY(BigInteger)))


def _is_empty(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(column.is_(None), func.btrim(cast(column, Text)) == "")
