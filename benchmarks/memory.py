"""How much memory does a measurement need at its worst: this process, and the PostgreSQL it asks?"""

import contextlib
import resource
import threading
from pathlib import Path
from typing import Self

import psutil

EVERY_SECONDS = 0.1
MEGABYTE = 1 << 20


class Watch:
    """Looks on while its block runs. ``home`` is the folder whose embedded PostgreSQL is meant."""

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.postgres_mb = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def here_mb(self) -> float:
        """The most that this process ever held."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def _look(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            own, shared = [], [0]
            for found in psutil.process_iter(["name"]):
                with contextlib.suppress(psutil.Error, OSError):
                    if found.info["name"] == "postgres" and Path(found.cwd()).is_relative_to(self._home):
                        memory = found.memory_info()
                        own.append(memory.rss - memory.shared)
                        shared.append(memory.shared)
            self.postgres_mb = max(self.postgres_mb, (sum(own) + max(shared)) / MEGABYTE)
