"""Does a promise that cannot be kept let the others go first, and get another turn?"""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db.consent import Suppression
from db.outbox import OutboxEntry
from services import outbox
from services.delivery import suppression
from tests.planted import NOW, Planted


def test_the_oldest_failing_promise_holds_nobody_up(session: Session) -> None:
    shop = Planted.store(session)
    broken = OutboxEntry(kind="suppress", payload={})
    session.add_all([broken, suppression(shop.person("Ann"), "email", "complaint")])
    session.flush()
    first = outbox.take(session)
    assert first == broken.id
    with pytest.raises(KeyError):
        outbox.keep(session, first, NOW)
    second = outbox.take(session)
    assert second is not None
    assert outbox.keep(session, second, NOW)
    assert not outbox.keep(session, second, NOW)
    assert outbox.take(session) is None
    assert session.scalars(select(Suppression.reason)).all() == ["complaint"]
    session.execute(update(OutboxEntry).values(retry_at=func.clock_timestamp()))
    assert outbox.take(session) == broken.id
    session.refresh(broken)
    assert broken.attempts == 2
    assert broken.retry_at is not None
    waits = broken.retry_at - session.scalars(select(func.clock_timestamp())).one()
    assert timedelta(seconds=15) < waits <= timedelta(seconds=20)
