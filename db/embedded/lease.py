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

from db.embedded.layout import Addresses, Layout
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
            keeper = None if _locked(layout.keeper_lock) else _start(layout, durable=durable)
            addresses = _wait_until_ready(layout, keeper)
        try:
            yield addresses
        finally:
            _leave(layout, lease, keeper)


def running(home: Path) -> bool:
    """Whether a keeper serves this home now."""
    return _locked(Layout(home.resolve()).keeper_lock)


def _start(layout: Layout, *, durable: bool) -> subprocess.Popen[bytes]:
    layout.addresses.unlink(missing_ok=True)
    layout.failure.unlink(missing_ok=True)
    command = [sys.executable, "-m", "db.embedded.keeper", layout.home, *([] if durable else ["--throwaway"])]
    with open_log(layout.logs / "keeper.log") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
        )


def _wait_until_ready(layout: Layout, keeper: subprocess.Popen[bytes] | None) -> Addresses:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if addresses := Addresses.load(layout.addresses):
            return addresses
        if keeper.poll() is not None if keeper else not _locked(layout.keeper_lock):
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


def _leave(layout: Layout, lease: IO[str], keeper: subprocess.Popen[bytes] | None) -> None:
    """Give the lease back; if it was the last one, wait until the servers have stopped."""
    if not _try(lease, fcntl.LOCK_EX) and _try(lease, fcntl.LOCK_SH):
        if keeper:
            keeper.returncode = 0  # others stay, so it outlives us: nobody here will wait for it
        return
    fcntl.flock(lease, fcntl.LOCK_UN)
    deadline = time.monotonic() + STOPPED_SECONDS
    while _locked(layout.keeper_lock) and time.monotonic() < deadline:
        time.sleep(0.01)
    if keeper:
        keeper.wait(STOPPED_SECONDS)


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
