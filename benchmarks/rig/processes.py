"""Which processes send, and how are they started and killed?"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from channels.vendor import Manner
from db.embedded import Addresses, servers
from db.migrations import upgrade
from settings import ROOT

START_SECONDS = 60

WORKER = ("-m", "celery", "-A", "{app}", "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Rig:
    """Servers of their own in ``home``, and the processes on them. A process group is one node, and dies as one."""

    home: Path
    addresses: Addresses
    manner: Manner
    lease_seconds: int = 4
    timeout_seconds: float = 2.0
    drains: int = 1
    vendor_port: int = field(default_factory=_free_port)
    receiver_port: int = field(default_factory=_free_port)
    nodes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ended: int = 0
    _commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def journal(self) -> Path:
        """What the vendor stand-in has written down."""
        return self.home / "vendor.jsonl"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of every process."""
        foreign = ("PARLEY_", "PYTHONDONTWRITEBYTECODE")  # compiling anew at every start takes seconds
        plain = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return plain | {
            "PARLEY_HOME": str(self.home),
            "PARLEY_POSTGRES_URL": self.addresses.postgres_url,
            "PARLEY_REDIS_URL": self.addresses.redis_url,
            "PARLEY_PORT": str(self.receiver_port),
            "PARLEY_VENDOR_PORT": str(self.vendor_port),
            "PARLEY_LEASE_SECONDS": str(self.lease_seconds),
            "PARLEY_PROVIDER_TIMEOUT_SECONDS": str(self.timeout_seconds),
            "PARLEY_DRAINS": str(self.drains),
            "PARLEY_LOG_LEVEL": "WARNING",
        }

    def start_vendor(self) -> None:
        """Start the vendor stand-in and wait until it answers."""
        said = [f"--{name}={getattr(self.manner, name)}" for name in ("failing", "losing", "busy", "repeating", "seed")]
        shortest, longest = self.manner.latency
        said += ["--latency", str(shortest), str(longest)] + (["--shuffling"] if self.manner.shuffling else [])
        self._start("vendor", "-m", "channels.vendor", "--journal", str(self.journal), *said)
        _await_answer(self.vendor_port)

    def start_receiver(self) -> None:
        """Start what takes receipts and unsubscribes, and wait until it answers."""
        options = ("--port", str(self.receiver_port), "--log-level", "warning", "--no-access-log")
        self._start("receiver", "-m", "uvicorn", "api.receiver:app", *options)
        _await_answer(self.receiver_port)

    def start_sweeper(self) -> None:
        """Start a sweeper."""
        self._start("sweeper", "-m", "workers.sweeper")

    def start_worker(self, name: str, app: str = "workers.app") -> None:
        """Start one worker node: a parent and its children, in a process group of their own."""
        self._start(name, *(word.format(app=app) for word in WORKER), "--hostname", f"{name}@rig")

    def kill(self, name: str) -> None:
        """Kill a node, children and all, without a word."""
        with self._lock:
            node = self.nodes.pop(name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGKILL)
            node.wait()

    def restart(self, name: str) -> None:
        """Kill a node and start it again."""
        with self._lock:
            self.kill(name)
            self._start(name, *self._commands[name])

    def attend(self) -> None:
        """Start again what has ended by itself, as a supervisor does."""
        with self._lock:
            for name, node in list(self.nodes.items()):
                if node.poll() is not None:
                    self.ended += 1
                    self.restart(name)

    def children(self, name: str) -> list[int]:
        """The process ids of a node's children."""
        node = self.nodes.get(name)
        parent = node.pid if node else 0
        listed = Path(f"/proc/{parent}/task/{parent}/children")
        with contextlib.suppress(FileNotFoundError):
            return [int(child) for child in listed.read_text().split()]
        return []

    def stop(self) -> None:
        """Kill every node."""
        for name in list(self.nodes):
            self.kill(name)

    def _start(self, name: str, *arguments: str) -> None:
        self._commands[name] = arguments
        with (self.home / f"{name}.log").open("ab") as log:
            self.nodes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@contextlib.contextmanager
def running(
    home: Path, manner: Manner, *, durable: bool = True, lease_seconds: int = 4, drains: int = 1
) -> Iterator[Rig]:
    """Servers with a migrated, empty database for the length of the block; nothing else is started yet."""
    with servers(home, durable=durable) as addresses:
        upgrade(addresses.postgres_url)
        rig = Rig(home.resolve(), addresses, manner, lease_seconds=lease_seconds, drains=drains)
        try:
            yield rig
        finally:
            rig.stop()


def _await_answer(port: int, path: str = "/healthz", statuses: Sequence[int] = (200,)) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            try:
                connection.request("GET", path)
                if connection.getresponse().status in statuses:
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise
        time.sleep(0.05)
