"""How is a process started so that it can never outlive the process that watches it?"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from db.embedded.account import Account

LOG_BYTES = 5_000_000
"""A log above this size moves aside when it is opened next."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def start(
    command: Sequence[str | Path], account: Account, log: Path, farewell: signal.Signals, folder: Path = Path("/")
) -> subprocess.Popen[bytes]:
    """Start a server as ``account`` in ``folder`` with its output in ``log``; it is sent ``farewell`` when we die."""
    user = account.uid if account.switch else None
    group = account.gid if account.switch else None
    with open_log(log) as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": os.defpath},  # no PG* variable and no locale of whoever started us
            start_new_session=True,  # Ctrl-C in the terminal is for the owner
            preexec_fn=dies_with_us(farewell),  # noqa: PLW1509 - prctl belongs between fork and exec; it only makes system calls
            user=user,
            group=group,
            extra_groups=[] if account.switch else None,
        )


def dies_with_us(farewell: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn``: the kernel (Linux) sends the child ``farewell`` when the thread that started it ends.

    On other systems a killed watcher leaves its children running; whoever starts next finds and stops the servers.
    """
    parent = os.getpid()

    def in_the_child() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if sys.platform == "linux":
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(farewell))
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return in_the_child


def open_log(log: Path) -> IO[bytes]:
    """Open a log for appending; a long one becomes ``<name>.1`` first."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.rename(log.with_name(log.name + ".1"))
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else ""
