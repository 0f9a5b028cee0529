"""One running application for all tests of the chat."""

from collections.abc import Iterator

import pytest

from db.embedded import Addresses
from tests.served import Server, server


@pytest.fixture(scope="session")
def served(addresses: Addresses, template: str) -> Iterator[Server]:
    """The application; its accounts are made by the tests that use them."""
    with server(addresses, template) as found:
        found.person("ana")
        found.person("ben")
        yield found
