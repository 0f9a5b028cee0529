"""Does the chat move the clock of a demo store, and of no other?"""

from sqlalchemy import update

from db import store
from db.session import transaction
from db.store import Store
from tests.agent.talk import Talk, text_of


async def test_the_clock_of_a_demo_store_goes_ahead(talk: Talk) -> None:
    with transaction(talk.url) as session:
        session.execute(update(Store).values(demo=True))
        before = store.business_now(session)
    said = text_of(await talk.say("go ten days ahead"))
    assert said.startswith("It is now ")
    with transaction(talk.url) as session:
        assert (store.business_now(session) - before).days == 10


async def test_the_clock_of_a_real_store_stays(talk: Talk) -> None:
    said = text_of(await talk.say("go ten days ahead"))
    assert said.startswith("Only the demo store's clock can be moved.")
