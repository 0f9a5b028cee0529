"""Who is meant by an address, a number, an id or a name?"""

from collections.abc import Sequence
from datetime import datetime

import phonenumbers
import sqlalchemy as sa
from sqlalchemy.orm import Session

from db.customers import Customer
from domain.errors import Invalid
from services import segments
from services.segments import SampleMember

MOST = 5
LONGEST_ID = 19


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
        tests.append(Customer.phone == _e164(phone))
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


def _e164(text: str) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, "US"), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return text
