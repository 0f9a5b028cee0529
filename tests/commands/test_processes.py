"""Does a process that should run keep running, say what is wrong, and end with everything it started?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from commands.processes import Process
from settings import ROOT

DEADLINE_SECONDS = 30

WITH_A_CHILD = "import subprocess, sys; subprocess.Popen(['sleep', '600']); print('up', flush=True); sys.stdin.read(); "


@pytest.fixture
def said() -> list[str]:
    """What the process told the terminal."""
    return []


@pytest.fixture
def make(tmp_path: Path, said: list[str]) -> Iterator[Callable[..., Process]]:
    """Makes a process that runs some Python, and ends it after the test."""
    made: list[Process] = []

    def process(code: str, *, chatty: bool = False) -> Process:
        made.append(
            Process(
                "child",
                ["-c", code],
                os.environ,
                tmp_path / "child.log",
                lambda _, line: said.append(line),
                chatty=chatty,
            )
        )
        return made[-1]

    yield process
    for each in made:
        each.stop(time.monotonic())


def test_a_process_that_ends_is_started_again_with_its_last_words_shown(
    make: Callable[..., Process], said: list[str]
) -> None:
    child = make("print('the last words'); raise SystemExit(3)")
    _until(lambda: _attended(child) and len([line for line in said if "status 3" in line]) > 1)
    assert any("the last words" in line for line in said)


def test_the_pause_before_a_restart_grows(make: Callable[..., Process], said: list[str]) -> None:
    child = make("raise SystemExit(1)")
    _until(lambda: _attended(child) and any("again in 2 s" in line for line in said))
    assert [line.split(" again in ")[1] for line in said if " again in " in line] == ["0.5 s", "1 s", "2 s"]


def test_a_killed_process_takes_what_it_started_along(make: Callable[..., Process], tmp_path: Path) -> None:
    child = make("import time\n" + WITH_A_CHILD.replace("sys.stdin.read()", "time.sleep(600)"))
    child.start()
    _until(lambda: "up" in _log(tmp_path))
    grandchildren = psutil.Process(child.pid).children()
    assert grandchildren
    os.kill(child.pid or 0, signal.SIGKILL)
    _until(lambda: _attended(child) and all(_gone(each) for each in grandchildren))


def test_stopping_waits_for_a_process_that_finishes_its_work(make: Callable[..., Process], tmp_path: Path) -> None:
    child = make(
        "import signal, time\n"
        "def finish(*_):\n    print('finished', flush=True)\n    raise SystemExit\n"
        "signal.signal(signal.SIGTERM, finish); print('up', flush=True); time.sleep(600)"
    )
    child.start()
    _until(lambda: "up" in _log(tmp_path))
    child.ask_to_stop()
    child.stop(time.monotonic() + DEADLINE_SECONDS)
    assert child.pid is None
    _until(lambda: "finished" in _log(tmp_path))


def test_a_process_that_does_not_stop_in_time_is_killed(
    make: Callable[..., Process], tmp_path: Path, said: list[str]
) -> None:
    child = make("import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)")
    child.start()
    _until(lambda: "up" in _log(tmp_path))
    child.ask_to_stop()
    child.stop(time.monotonic() + 0.1)
    assert child.pid is None
    assert any("killed" in line for line in said)


def test_only_trouble_reaches_the_terminal_and_everything_the_log(
    make: Callable[..., Process], tmp_path: Path, said: list[str]
) -> None:
    make("print('all is well'); print('ERROR: it is not'); import time; time.sleep(600)").start()
    make("print('no buffer', flush=True); import time; time.sleep(600)", chatty=True).start()
    _until(lambda: "no buffer" in said)
    assert "all is well" not in said


def test_a_process_that_complains_without_end_is_shown_for_a_while(
    make: Callable[..., Process], tmp_path: Path, said: list[str]
) -> None:
    make("for n in range(1000): print('ERROR', n)\nprint('done', flush=True); import time; time.sleep(600)").start()
    _until(lambda: "done" in _log(tmp_path))
    assert said[:2] == ["ERROR 0", "ERROR 1"]
    assert said[-1].startswith("more like this")
    assert len(said) < 20


SUPERVISOR = """
import os, sys, time
from pathlib import Path
from commands.processes import Process
child = Process("child", ["-c", "import time; time.sleep(600)"], os.environ, Path(sys.argv[1]), print)
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help exists on Linux only")
def test_a_killed_supervisor_takes_its_processes_along(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout
        child = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    _until(lambda: _gone(child))


def _attended(child: Process) -> bool:
    child.attend()
    return True


def _gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _log(folder: Path) -> str:
    log = folder / "child.log"
    return log.read_text() if log.exists() else ""


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
