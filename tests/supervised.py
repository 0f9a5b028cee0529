"""How does a test have the whole product running, as somebody gets it who types ``parley up``?"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import psutil

from settings import ROOT

DEADLINE_SECONDS = 120


class Up:
    """A running ``parley up`` on a home of its own, without the demo store unless ``settings`` say otherwise."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.lines: list[str] = []
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "OPENAI_"))}
        self.environment = ours | {
            "PARLEY_HOME": str(home),
            "PARLEY_PORT": "0",
            "PARLEY_VENDOR_PORT": "0",
            "PARLEY_DEMO": "false",
            **settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "cli.py", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        until(lambda: self.address or self.process.poll() is not None, self.text)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def address(self) -> str:
        """Where it said it is ready, empty before."""
        found = re.search(r"ready at (\S+)", self.text())
        return found[1] if found else ""

    @property
    def password(self) -> str:
        """The first account's, which is told once."""
        found = re.search(r"with the password (\S+)", self.text())
        return found[1] if found else ""

    def text(self) -> str:
        """Everything it said so far."""
        return "".join(self.lines)

    def everything(self) -> list[psutil.Process]:
        """All processes that this one started, those with a session of their own included."""
        return [
            process
            for process in psutil.process_iter()
            if process.pid != self.process.pid and self.environment["PARLEY_HOME"] in _words(process)
        ]

    def _read(self) -> None:
        if self.process.stdout:
            self.lines.extend(iter(self.process.stdout.readline, ""))


@contextlib.contextmanager
def homes() -> Iterator[Path]:
    """A folder for a store, where the servers' user can reach it."""
    base = Path(tempfile.mkdtemp(prefix="parley-test-"))
    base.chmod(0o711)
    try:
        yield base / "var"
    finally:
        shutil.rmtree(base, ignore_errors=True)


def until(holds: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait for something to hold; if it does not within DEADLINE_SECONDS, fail with ``what`` is known."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def _words(process: psutil.Process) -> str:
    """What tells whose process it is: its arguments, its environment where we may read that, and its folder."""
    found: list[str] = []
    for read in (process.cmdline, process.environ, process.cwd):
        with contextlib.suppress(psutil.Error, OSError):
            found.append(str(read()))
    return " ".join(found)
