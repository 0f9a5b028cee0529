"""At which instant does a command ask?"""

from datetime import datetime

from sqlalchemy.orm import Session

from db import store
from domain.windows import instant
from services import segments


def as_of(session: Session, text: str | None) -> datetime:
    """``--as-of``: a date (its first moment in the store's zone) or an ISO instant; without one, the store's now.

    Raises Invalid (``as_of_invalid``).
    """
    return store.business_now(session) if text is None else instant(text, segments.zone(session))
