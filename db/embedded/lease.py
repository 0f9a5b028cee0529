"""How does a process use the embedded servers of a home, starting them when they are not running?"""

import contextlib
import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from db.embedded.layout import LONGEST_SOCKET_NAME, Addresses, Layout, listens
from db.embedded.process import last_lines, open_log
from domain.errors import Unavailable
from settings import ROOT

READY_SECONDS = 120
"""Long enough to recover a large database after a crash."""

STOPPED_SECONDS = 60


@contextlib.contextmanager
def servers(home: Path, *, durable: bool = True) -> Iterator[Addresses]:
    """Use the servers of ``home`` (started if need be) inside the block.

    They run for as long as any process is inside such a block; the last one to leave returns when they have stopped.
    ``durable=False`` trades safety for speed in clusters that may be lost; it counts only for who starts them.
    Raises Unavailable when they cannot be started.
    """
    layout = Layout(home.resolve())
    layout.prepare()
    for lock in (layout.start_lock, layout.lease, layout.keeper_lock):
        lock.touch(mode=0o600)
    with layout.lease.open() as lease:
        with layout.start_lock.open() as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(lease, fcntl.LOCK_SH)
            addresses, keeper = _ensure_running(layout, durable=durable)
        try:
            yield addresses
        finally:
            _leave(layout, lease, keeper)


def revive(home: Path) -> None:
    """Start the servers again if somebody killed their keeper; they answer at their old addresses.

    For whoever holds a lease for long. Raises Unavailable when they cannot be started.
    """
    layout = Layout(home.resolve())
    if not _locked(layout.keeper_lock):
        with layout.start_lock.open() as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            _, keeper = _ensure_running(layout, durable=True)
            _forget(keeper)


def running(home: Path) -> bool:
    """Whether a keeper serves this home now."""
    return _locked(Layout(home.resolve()).keeper_lock)


Keeper = subprocess.Popen[bytes] | None
"""The keeper if this process started it."""


def _ensure_running(layout: Layout, *, durable: bool) -> tuple[Addresses, Keeper]:
    """Wait until the servers answer. A keeper that is found may be dying, so we start one whenever there is none."""
    keeper: Keeper = None
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if keeper is None and not _locked(layout.keeper_lock):
            keeper = _start(layout, durable=durable)
        addresses = Addresses.load(layout.addresses)
        if addresses and listens(layout.sockets / LONGEST_SOCKET_NAME) and _locked(layout.keeper_lock):
            return addresses, keeper
        if keeper and keeper.poll() is not None:
            break
        time.sleep(0.01)
    if layout.failure.exists():
        said = json.loads(layout.failure.read_text())
        raise Unavailable(said["code"], said["message"], said["fix"])
    raise Unavailable(
        "embedded_servers_not_started",
        f"The embedded servers of {layout.home} did not start.\n{last_lines(layout.logs / 'keeper.log')}",
        f"Look into {layout.logs}.",
    )


def _start(layout: Layout, *, durable: bool) -> subprocess.Popen[bytes]:
    layout.addresses.unlink(missing_ok=True)
    layout.failure.unlink(missing_ok=True)
    command = [sys.executable, "-m", "db.embedded.keeper", str(layout.home), *([] if durable else ["--throwaway"])]
    with open_log(layout.logs / "keeper.log") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
        )


def _leave(layout: Layout, lease: IO[str], keeper: Keeper) -> None:
    """Give the lease back; if it was the last one, wait until the servers have stopped."""
    if not _try(lease, fcntl.LOCK_EX) and _try(lease, fcntl.LOCK_SH):
        _forget(keeper)
        return
    fcntl.flock(lease, fcntl.LOCK_UN)
    deadline = time.monotonic() + STOPPED_SECONDS
    while _locked(layout.keeper_lock) and time.monotonic() < deadline:
        time.sleep(0.01)
    if keeper:
        keeper.wait(STOPPED_SECONDS)


def _forget(keeper: Keeper) -> None:
    """Others need it, so it outlives us and nobody here will wait for it."""
    if keeper:
        keeper.returncode = 0


def _locked(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open() as file:
        return not _try(file, fcntl.LOCK_SH)


def _try(file: IO[str], operation: int) -> bool:
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
