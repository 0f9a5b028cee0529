"""How long from the command to the first page, on an empty folder and on one that has its store already?"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.table import Measured, show
from settings import ROOT

DEADLINE = 180.0
AGAIN = 3


def run() -> None:
    """Start Parley in a folder of its own: once empty, then with the demo store that the first start left there."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        Path(folder).chmod(0o711)
        first = _first_page(Path(folder))
        again = tuple(_first_page(Path(folder)) for _ in range(AGAIN))
    rows = [
        Measured("first start: servers, migrations, demo store, page", (first,)),
        Measured("later start: page", again, "first start", first),
    ]
    show("From the command to the first page", rows)


def _first_page(home: Path) -> float:
    """Milliseconds until the sign-in page is there; everything is stopped again afterwards."""
    port, vendor = _free_port(), _free_port()
    environment = {**os.environ, "PARLEY_HOME": str(home), "PARLEY_PORT": str(port), "PARLEY_VENDOR_PORT": str(vendor)}
    start = time.perf_counter()
    command = [sys.executable, str(ROOT / "cli.py"), "up"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            while not _answers(f"http://127.0.0.1:{port}/login"):
                if process.poll() is not None or time.perf_counter() - start > DEADLINE:
                    raise SystemExit(f"no page after {time.perf_counter() - start:.0f} s")
                time.sleep(0.02)
            return (time.perf_counter() - start) * 1000
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as page:  # noqa: S310 - our own address
            return bool(page.status == 200)  # noqa: PLR2004 - the page is there
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
