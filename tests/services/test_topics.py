"""Does a person's word on a topic hold from the moment it is said, and stay known for the time before?"""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from db.consent import Proof
from domain.errors import Conflict, Invalid, NotFound
from domain.segments import parse
from services import segments, topics
from tests.planted import NOW, Planted

FORM = Proof("form", "newsletter page")
MINUTE = timedelta(minutes=1)


def test_subscribing_and_unsubscribing_holds_at_once_and_the_past_stays_as_it_was(session: Session) -> None:
    shop = Planted.store(session)
    ada = shop.person("Ada")
    topics.add(session, "coffee", "Coffee news")
    topics.subscribe(session, ada, "coffee", FORM, NOW - 3 * MINUTE)
    topics.subscribe(session, ada, "coffee", FORM, NOW - 2 * MINUTE)
    topics.unsubscribe(session, ada, "coffee", FORM, NOW - MINUTE)
    wanted = parse({"where": {"type": "topic", "name": "coffee"}})
    sizes = [segments.size(session, wanted, now=NOW - MINUTE * ago) for ago in (4, 3, 2, 1, 0)]
    assert sizes == [0, 1, 1, 0, 0]
    assert topics.listed(session) == {"coffee": "Coffee news"}


def test_what_is_no_topic_or_nobody_is_refused(session: Session) -> None:
    shop = Planted.store(session)
    ada = shop.person("Ada")
    topics.add(session, "coffee")
    with pytest.raises(Conflict):
        topics.add(session, "coffee")
    with pytest.raises(Invalid):
        topics.add(session, " ")
    with pytest.raises(NotFound, match="cofee"):
        topics.subscribe(session, ada, "cofee", FORM, NOW)
    with pytest.raises(NotFound, match="999"):
        topics.subscribe(session, 999, "coffee", FORM, NOW)
