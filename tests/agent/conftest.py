"""What do the agent's tests stand on? A database of their own with a few people in it."""

from collections.abc import AsyncIterator

import pytest

from services.users import Person
from tests.agent.talk import Talk, planted, talking


@pytest.fixture
def marketer(database: str) -> Person:
    """A person who may decide, in a store with four customers."""
    return planted(database)


@pytest.fixture
async def talk(database: str, marketer: Person) -> AsyncIterator[Talk]:
    """A new conversation with an agent on the offline planner."""
    async with talking(database, marketer) as found:
        yield found
