"""What must a provider be able to do?"""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

from domain.messages import Guarantee, Letter, Outcome, Result

TIMEOUT = timedelta(seconds=10)
"""How long one call may take from its start to its end."""


class Provider(Protocol):
    """One way out. ``concurrency`` is how many calls are made at once, and how many messages are taken at once."""

    name: str
    guarantee: Guarantee
    concurrency: int
    grace: timedelta
    """How long what was accepted may take to show in a look-up."""

    def send(self, letters: Sequence[Letter], until: float) -> list[Outcome]:
        """Hand the letters over, all at once, and say for each how it went; never raises.

        No call starts after ``until`` (of ``time.monotonic()``): its letter comes back as ``UNSENT``.
        """
        ...

    def find(self, message_id: uuid.UUID) -> str | None:
        """The provider's id of a message of ours it has accepted, None if it has not.

        Asked only where the guarantee is ``LOOKUP``. Raises Unavailable when the provider cannot tell now.
        """
        ...

    def close(self) -> None:
        """Give back threads and connections."""
        ...


class Calls:
    """Threads that make a provider's calls. They start with the first call, so a process may fork before."""

    def __init__(self, concurrency: int) -> None:
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="provider")

    def each(self, call: Callable[[Letter], Outcome], letters: Iterable[Letter], until: float) -> list[Outcome]:
        """The outcome of each letter's call, in their order."""

        def guarded(letter: Letter) -> Outcome:
            if time.monotonic() >= until:
                return Outcome(Result.UNSENT)
            try:
                return call(letter)
            except (ValueError, TypeError) as error:  # what cannot be written must not take its neighbours along
                return Outcome(Result.UNKNOWN, code="call_failed", detail=repr(error)[:500])

        return list(self._threads.map(guarded, letters))

    def close(self) -> None:
        """End the threads, once the calls they make have ended."""
        self._threads.shutdown()
