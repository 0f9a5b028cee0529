"""How long is waited before something that may pass is tried again?"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Patience:
    """How often to try, and how to wait in between: ``sleep`` and ``chance`` are the world's, except in tests.

    Whoever asks for a longer wait than ``longest`` seconds is not waited for.
    """

    first: float = 0.5
    longest: float = 30.0
    attempts: int = 4
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)

    def pause(self, attempt: int) -> float:
        """Seconds to wait after attempt number ``attempt``, counted from 1: full jitter under a doubling ceiling."""
        return float(min(self.longest, self.first * 2**attempt)) * self.chance()


def retry_after(said: str | None, now: datetime) -> float | None:
    """The seconds that a ``Retry-After`` header asks for, which holds seconds or a date (RFC 9110 10.2.3)."""
    if said is None:
        return None
    if said.strip().isdecimal():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - now).total_seconds())
    except (ValueError, TypeError):
        return None
