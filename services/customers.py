"""Who is meant by an address, a number, an id or a name, and how does one write down, change and erase a person?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import phonenumbers
import sqlalchemy as sa
from pydantic_core import to_jsonable_python
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import audit, store
from db import customers as rows
from db.customers import Customer
from domain.consent import ANY_CHANNEL
from domain.customers import Details
from domain.errors import Conflict, Invalid, NotFound
from services import consent, segments
from services.segments import LONGEST_ID, SampleMember

MOST = 5


def find(
    session: Session,
    *,
    now: datetime,
    email: str | None = None,
    phone: str | None = None,
    id: str | None = None,  # noqa: A002 - what everybody calls it
    name: str | None = None,
) -> list[SampleMember]:
    """The customers, masked and at most five, that match everything given exactly; letter case does not matter.

    ``id`` is ours or the store's own. Raises Invalid (``nobody_named``) where nothing is given.
    """
    tests: list[sa.ColumnElement[bool]] = []
    if email:
        tests.append(Customer.email == email.strip().lower())
    if phone:
        tests.append(Customer.phone == e164(phone))
    if id:
        ours = Customer.id == int(id) if id.isdecimal() and len(id) < LONGEST_ID else sa.false()
        tests.append(sa.or_(ours, Customer.external_id == id))
    if name:
        full = sa.func.lower(sa.func.concat_ws(" ", Customer.first_name, Customer.last_name))
        said = " ".join(name.lower().split())
        tests.append(sa.or_(full == said, sa.func.lower(Customer.first_name) == said))
    if not tests:
        raise Invalid("nobody_named", "no customer is named", "give an email address, a phone number, an id or a name")
    ids: Sequence[int] = session.scalars(sa.select(Customer.id).where(*tests).order_by(Customer.id).limit(MOST)).all()
    return segments.masked(session, ids, now=now)


def named(session: Session, text: str, *, now: datetime) -> SampleMember:
    """The one customer whose email address, id, phone number or name this is, masked.

    Raises NotFound (``no_customer``), Conflict (``several_customers``) naming the ids.
    """
    said = text.strip()
    ways = ("email",) if "@" in said else ("id", "phone", "name")
    found = next((some for way in ways if (some := find(session, now=now, **{way: said}))), [])
    if not found:
        raise NotFound("no_customer", f"there is no customer {said!r}", "check the spelling", "customer")
    if len(found) > 1:
        fix = f"give an id: {', '.join(str(one.id) for one in found)}"
        raise Conflict("several_customers", f"{said} could be one of several customers", fix, "customer")
    return found[0]


def known(session: Session, customer_id: int) -> dict[str, Any]:
    """What is written down of a person, as JSON, by the fields of ``Details``. Raises NotFound."""
    found: dict[str, Any] = to_jsonable_python(rows.details(session, _row(session, customer_id)))
    return found


def create(session: Session, details: Details, *, by: str, now: datetime) -> int:
    """Write down a new person; answers their id. An address that is on the suppression list stays there.

    Raises Invalid (``customer_unreachable``) without an address, a number and an id of the shop, Conflict
    (``customer_exists``).
    """
    if not (details.email or details.phone or details.external_id):
        fix = "Give an email address, a phone number, or the id in the shop."
        raise Invalid("customer_unreachable", "Nobody can tell who this is.", fix, "email")
    shop = store.current(session)
    row = Customer(first_seen_at=now, demo=bool(shop and shop.demo), custom={})
    session.add(row)
    _write(session, row, details, now)
    _note(session, "customer.created", row.id, by, details)
    return row.id


def update(session: Session, customer_id: int, details: Details, *, by: str, now: datetime) -> dict[str, Any]:
    """Change the fields that are set; answers all that is known now.

    Raises NotFound, Conflict (``customer_exists``).
    """
    row = _row(session, customer_id, lock=True)
    _write(session, row, details, now)
    row.updated_at = now
    session.flush()
    _note(session, "customer.updated", customer_id, by, details)
    return known(session, customer_id)


def erase(session: Session, customer_id: int, *, by: str, now: datetime) -> None:
    """Forget a person: all that is known of them goes, and their addresses are left alone for good.

    What stays is the keyed hash of each address on the suppression list, and that it was done. It waits for calls under
    way as a stop does. Raises NotFound.
    """
    _row(session, customer_id)
    consent.suppress(session, customer_id, ANY_CHANNEL, "erased", f"erased by {by}", now)
    rows.erase(session, customer_id)
    audit.record(session, actor=by, action="customer.erased", subject=f"customer:{customer_id}", detail={})


def _write(session: Session, row: Customer, details: Details, now: datetime) -> None:
    given = {name: getattr(details, name) for name in details.model_fields_set}
    address, tags = given.pop("address", None), given.pop("tags", None)
    try:
        with session.begin_nested():
            for name, value in given.items():
                setattr(row, name, value if name != "custom" else value or {})
            session.flush()
    except IntegrityError as error:
        taken = next((name for name in ("external_id", "email", "phone") if name in str(error.orig)), "email")
        message = f"Somebody else has the {taken.replace('_', ' ')} {given.get(taken)}."
        raise Conflict("customer_exists", message, "Find that customer and change it.", taken) from None
    if "address" in details.model_fields_set:
        rows.settle(session, row.id, address.model_dump() if address else None)
    if tags is not None:
        rows.tag(session, row.id, tags, now)
    if {"email", "phone"} & details.model_fields_set:
        consent.readdress(session, row)


def _row(session: Session, customer_id: int, *, lock: bool = False) -> Customer:
    found = session.get(Customer, customer_id, with_for_update=lock, populate_existing=lock)
    if found is None:
        raise NotFound("unknown_customer", f"There is no customer {customer_id}.", "Search the list.", "customer_id")
    return found


def _note(session: Session, action: str, customer_id: int, by: str, details: Details) -> None:
    """Which fields, not what they say: the log outlives the person's record."""
    fields: Mapping[str, Any] = {"fields": sorted(details.model_fields_set)}
    audit.record(session, actor=by, action=action, subject=f"customer:{customer_id}", detail=dict(fields))


def e164(text: str) -> str:
    """A phone number as it is stored, e.g. ``+12025550123``; one that cannot be read comes back as it is."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, "US"), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return text
