"""Does one command start everything, say where it is, and leave nothing behind however it ends?"""

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil
import pytest

from settings import ROOT

DEADLINE_SECONDS = 90


class Up:
    """A running ``parley up`` on a home of its own, without the demo store."""

    def __init__(self, home: Path) -> None:
        self.lines: list[str] = []
        self.environment = os.environ | {
            "PARLEY_HOME": str(home),
            "PARLEY_PORT": "0",
            "PARLEY_VENDOR_PORT": "0",
            "PARLEY_DEMO": "false",
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
        _until(lambda: self.address or self.process.poll() is not None, self.text)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def address(self) -> str:
        found = re.search(r"ready at (\S+)", self.text())
        return found[1] if found else ""

    def text(self) -> str:
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


@pytest.fixture
def up(home: Path) -> Iterator[Up]:
    with Up(home) as started:
        assert started.address, started.text()
        yield started


def test_everything_runs_until_ctrl_c_and_nothing_stays(up: Up, home: Path) -> None:
    assert _get(up.address, "/healthz") == http.client.OK
    assert len(re.findall(r"password \S+", up.text())) == 1
    names = {path.name for path in (home / "logs").iterdir()}
    assert {"web.log", "worker.log", "sweeper.log", "vendor.log", "postgres.log", "redis.log"} <= names

    started = up.everything()
    assert started
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(DEADLINE_SECONDS) == 0
    assert [process for process in started if not _gone(process)] == []
    assert "Traceback" not in up.text()


def test_a_second_one_on_the_same_home_is_told_where_the_first_one_is(up: Up) -> None:
    second = subprocess.run(
        [sys.executable, "cli.py", "up"], cwd=ROOT, env=up.environment, capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert up.address in second.stderr


def test_a_taken_port_is_named(up: Up, home: Path) -> None:
    port = str(urlsplit(up.address).port)
    other = up.environment | {"PARLEY_HOME": str(home.parent / "other"), "PARLEY_PORT": port}
    second = subprocess.run(
        [sys.executable, "cli.py", "up"], cwd=ROOT, env=other, capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert port in second.stderr
    assert "PARLEY_PORT" in second.stderr


def test_the_web_server_comes_back_when_it_is_killed(up: Up) -> None:
    web = next(process for process in up.everything() if "uvicorn" in process.cmdline())
    web.kill()
    _until(lambda: "web" in up.text() and "starting it again" in up.text(), up.text)
    _until(lambda: _get(up.address, "/healthz") == http.client.OK, up.text)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help exists on Linux only")
def test_a_killed_supervisor_takes_everything_along(up: Up) -> None:
    started = up.everything()
    assert started
    up.process.kill()
    _until(lambda: all(_gone(process) for process in started), up.text)


def _words(process: psutil.Process) -> str:
    """What tells whose process it is: its arguments, its environment where we may read that, and its folder."""
    found: list[str] = []
    for read in (process.cmdline, process.environ, process.cwd):
        with contextlib.suppress(psutil.Error, OSError):
            found.append(str(read()))
    return " ".join(found)


def _gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _get(address: str, path: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        return connection.getresponse().status
    return 0


def _until(holds: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)
