"""How does a process that should run keep running, and how does it end?"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from db.embedded.process import dies_with_us, open_log
from settings import ROOT

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

STEADY_SECONDS = 60
"""A process that lived this long is restarted without a longer pause than the first."""

MINUTE_SECONDS = 60
LINES_A_MINUTE = 10
"""More than that of one process does not reach the terminal; it is all in the log."""

TROUBLE = re.compile(r"\b(warning|error|critical|traceback)\b", re.IGNORECASE)


@dataclass
class Process:
    """One child that is started again whenever it ends.

    All it says goes to its log; ``say`` gets the lines that matter (every line when ``chatty``).
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    say: Callable[[str, str], None]
    chatty: bool = False
    _child: subprocess.Popen[str] | None = None
    _started: float = 0.0
    _pause: float = FIRST_PAUSE_SECONDS
    _again_at: float = 0.0
    _last: deque[str] = field(default_factory=lambda: deque(maxlen=12))
    _spoke: deque[float] = field(default_factory=lambda: deque(maxlen=LINES_A_MINUTE))

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches us alone and we end it in order."""
        self._started = time.monotonic()
        self._last.clear()
        self._child = subprocess.Popen(
            [sys.executable, *self.arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=dies_with_us(signal.SIGKILL),  # noqa: PLW1509 - prctl belongs between fork and exec
        )
        Thread(target=self._listen, args=(self._child,), daemon=True).start()

    def attend(self) -> None:
        """Start it again if it ended, after a pause that doubles while it keeps ending early."""
        now = time.monotonic()
        if self._child is None:
            if now >= self._again_at:
                self.start()
        elif self._child.poll() is not None:
            if now - self._started > STEADY_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            self._end_group(signal.SIGKILL)
            self.say(self.name, f"ended with status {self._child.returncode}; starting it again in {self._pause:g} s")
            for line in self._last:
                self.say(self.name, f"  {line}")
            self._again_at, self._pause = now + self._pause, min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            self._child = None

    def ask_to_stop(self) -> None:
        """Let it finish what it is doing."""
        if self._child and self._child.poll() is None:
            self._child.terminate()

    def stop(self, deadline: float) -> None:
        """Wait until ``deadline`` (of the monotonic clock), then kill it and everything it started."""
        if self._child is None:
            return
        try:
            self._child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.say(self.name, "did not stop in time and was killed")
        self._end_group(signal.SIGKILL)
        self._child.wait()

    def _end_group(self, how: signal.Signals) -> None:
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, how)

    def _listen(self, child: subprocess.Popen[str]) -> None:
        if child.stdout is None:
            return
        with child.stdout as lines, open_log(self.log) as log:
            for line in lines:
                log.write(line.encode())
                log.flush()
                self._last.append(line.rstrip())
                if self.chatty:
                    self.say(self.name, line.rstrip())
                elif TROUBLE.search(line):
                    self._complain(line.rstrip())

    def _complain(self, line: str) -> None:
        """Show a line, unless a minute had its share: the last one of the share says where the rest is."""
        now = time.monotonic()
        recent = sum(now - spoke < MINUTE_SECONDS for spoke in self._spoke)
        if recent < LINES_A_MINUTE:
            self._spoke.append(now)
            self.say(self.name, line)
            if recent == LINES_A_MINUTE - 1:
                self.say(self.name, f"more like this is in {self.log}")
