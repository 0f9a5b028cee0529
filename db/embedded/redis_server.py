"""How does an embedded Redis start and stop? It holds locks, limits and hints, so it keeps nothing on disk."""

import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from db.embedded import process
from db.embedded.account import Account, programs
from db.embedded.layout import listens
from domain.errors import Unavailable

START_SECONDS = 20
STOP_SECONDS = 5


@dataclass
class RedisServer:
    """A server that listens on a unix socket only."""

    account: Account
    password: str
    log: Path

    def start(self, sockets: Path) -> subprocess.Popen[bytes]:
        """Start the server on ``sockets/redis.sock`` and return when it takes connections, else raise Unavailable."""
        address = sockets / "redis.sock"
        address.unlink(missing_ok=True)
        child = process.start([programs(self.account)[1], "-"], self.account, self.log, signal.SIGKILL, sockets)
        with contextlib.suppress(BrokenPipeError), child.stdin or contextlib.nullcontext() as configuration:
            if configuration:
                configuration.write(self._configuration().encode())
        deadline = time.monotonic() + START_SECONDS
        while not listens(address):
            if child.poll() is not None or time.monotonic() > deadline:
                self.stop(child)
                raise Unavailable(
                    "redis_not_started",
                    f"Redis did not start:\n{process.last_lines(self.log)}",
                    f"Look into {self.log}, or set PARLEY_REDIS_URL to a server of your own.",
                )
            time.sleep(0.01)
        return child

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """Stop the server; there is nothing to save."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if child.poll() is None:
                child.send_signal(how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(STOP_SECONDS)

    def _configuration(self) -> str:
        return "\n".join(
            (
                "port 0",
                "unixsocket redis.sock",
                "unixsocketperm 700",
                f"requirepass {self.password}",  # by standard input: an argument would show in the process list
                'save ""',
                "appendonly no",
                "maxmemory-policy noeviction",
            )
        )
