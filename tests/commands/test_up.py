"""Does one command start everything, say where it is, and leave nothing behind however it ends?"""

import contextlib
import http.client
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from commands import verifier
from domain.verdicts import Finding, Status
from settings import ROOT, Settings
from tests.supervised import DEADLINE_SECONDS, Up, homes, until


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """One that runs for all tests that do not end it."""
    with homes() as home, Up(home) as started:
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
    assert {"web.log", "worker.log", "sweeper.log", "vendor.log", "verifier.log", "postgres.log", "redis.log"} <= names


def test_other_commands_on_the_same_home_find_its_verifier(up: Up) -> None:
    configured = Settings(home=Path(up.environment["PARLEY_HOME"]))
    before = [process for process in up.everything() if "channels.verifier_stand_in" in process.cmdline()]
    with verifier.opened(configured) as found:
        assert found.ask(["ada@acme.example"]) == [Finding(Status.VALID, "accepted_email")]
        assert before == [process for process in up.everything() if "channels.verifier_stand_in" in process.cmdline()]


def test_the_web_server_comes_back_when_it_is_killed(up: Up) -> None:
    assert _get(up.address, "/healthz") == http.client.OK
    next(process for process in up.everything() if "uvicorn" in process.cmdline()).kill()
    until(lambda: "starting it again" in up.text(), up.text)
    until(lambda: _get(up.address, "/healthz") == http.client.OK, up.text)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help exists on Linux only")
def test_nothing_stays_after_a_kill_or_after_ctrl_c_and_the_password_is_told_once() -> None:
    with homes() as home:
        with Up(home) as first:
            started = first.everything()
            assert len(started) >= 6
            assert len(re.findall(r"with the password \S+", first.text())) == 1
            first.process.kill()
            until(lambda: all(_gone(process) for process in started), first.text)
        with Up(home) as second:
            started = second.everything()
            assert "with the password" not in second.text()
            second.process.send_signal(signal.SIGINT)
            assert second.process.wait(DEADLINE_SECONDS) == 0
            assert [process for process in started if not _gone(process)] == []
            assert "Traceback" not in second.text()


def _refused(environment: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "cli.py", "up"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr


def _gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _get(address: str, path: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        return connection.getresponse().status
    return 0
