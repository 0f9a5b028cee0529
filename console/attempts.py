"""How often may somebody try a password? A few times, then not for a while; no one else is shut out by that."""

from collections import deque
from collections.abc import Hashable
from datetime import datetime, timedelta

from domain.errors import Forbidden

WINDOW = timedelta(minutes=15)
MOST = 8
KEPT = 10_000


class Attempts:
    """Failed tries by whom they came from and whom they were about, in this process: one process serves all pages."""

    def __init__(self) -> None:
        self._failed: dict[Hashable, deque[datetime]] = {}

    def require_one_left(self, key: Hashable, now: datetime) -> None:
        """Raise Forbidden (``too_many_attempts``) after MOST failures within WINDOW."""
        if len(self._recent(key, now)) >= MOST:
            minutes = int(WINDOW.total_seconds() // 60)
            raise Forbidden(
                "too_many_attempts",
                "Too many wrong passwords.",
                f"Wait {minutes} minutes, or set a new password with `parley user password`.",
            )

    def failed(self, key: Hashable, now: datetime) -> None:
        """Take note of a failure."""
        if len(self._failed) >= KEPT:
            self._failed = {known: times for known in self._failed if (times := self._recent(known, now))}
        self._failed.setdefault(key, deque(maxlen=MOST)).append(now)

    def _recent(self, key: Hashable, now: datetime) -> deque[datetime]:
        times = self._failed.get(key, deque())
        while times and times[0] <= now - WINDOW:
            times.popleft()
        return times
