"""Does one command start everything, say where it is, and leave nothing behind however it ends?"""

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil
import pytest

from settings import ROOT

DEADLINE_SECONDS = 120


class Up:
    """A running ``parley up`` on a home of its own, without the demo store."""

    def __init__(self, home: Path) -> None:
        self.lines: list[str] = []
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "OPENAI_"))}
        self.environment = ours | {
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


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """One that runs for all tests that do not end it."""
    with _home() as home, Up(home) as started:
        assert started.address, started.text()
        yield started


def test_a_second_one_on_the_same_home_is_told_where_the_first_one_is(up: Up) -> None:
    code, said = _refused(up.environment)
    assert code == 2
    assert up.address in said


def test_a_taken_port_is_named(up: Up, home: Path) -> None:
    port = str(urlsplit(up.address).port)
    code, said = _refused(up.environment | {"PARLEY_HOME": str(home), "PARLEY_PORT": port})
    assert code == 2
    assert port in said
    assert "PARLEY_PORT" in said


def test_every_process_has_its_log(up: Up) -> None:
    names = {path.name for path in (Path(up.environment["PARLEY_HOME"]) / "logs").iterdir()}
    assert {"web.log", "worker.log", "sweeper.log", "vendor.log", "postgres.log", "redis.log"} <= names


def test_the_web_server_comes_back_when_it_is_killed(up: Up) -> None:
    assert _get(up.address, "/healthz") == http.client.OK
    next(process for process in up.everything() if "uvicorn" in process.cmdline()).kill()
    _until(lambda: "starting it again" in up.text(), up.text)
    _until(lambda: _get(up.address, "/healthz") == http.client.OK, up.text)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help exists on Linux only")
def test_nothing_stays_after_a_kill_or_after_ctrl_c_and_the_password_is_told_once() -> None:
    with _home() as home:
        with Up(home) as first:
            started = first.everything()
            assert len(started) >= 6
            assert len(re.findall(r"with the password \S+", first.text())) == 1
            first.process.kill()
            _until(lambda: all(_gone(process) for process in started), first.text)
        with Up(home) as second:
            started = second.everything()
            assert "with the password" not in second.text()
            second.process.send_signal(signal.SIGINT)
            assert second.process.wait(DEADLINE_SECONDS) == 0
            assert [process for process in started if not _gone(process)] == []
            assert "Traceback" not in second.text()


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="parley-test-"))
    base.chmod(0o711)
    try:
        yield base / "var"
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _refused(environment: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "cli.py", "up"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr


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
