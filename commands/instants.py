"""At which instant does a command ask?"""

from datetime import date, datetime, time

from sqlalchemy.orm import Session

from db import store
from domain.errors import Invalid
from services import segments


def as_of(session: Session, text: str | None) -> datetime:
    """``--as-of``: a date (its first moment in the store's zone) or an ISO instant; without one, the store's now.

    Raises Invalid (``as_of_invalid``).
    """
    if text is None:
        return store.business_now(session)
    zone = segments.zone(session)
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time(), zone)
        said = datetime.fromisoformat(text)
    except ValueError:
        fix = "Write a date such as 2026-01-31, or an instant such as 2026-01-31T09:00+01:00."
        raise Invalid("as_of_invalid", f"{text!r} is not a date or an instant.", fix, "as_of") from None
    return said if said.tzinfo else said.replace(tzinfo=zone)
