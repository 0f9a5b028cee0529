"""Which verification service does a command ask? The configured one, that of a running ``parley up``, or its own."""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx

from channels.registry import verifier as client
from channels.verifier import Verifier
from channels.verifier_stand_in import SERVICE
from db.embedded import Layout
from db.embedded.process import dies_with_us, open_log
from settings import ROOT, Settings

MODULE = "channels.verifier_stand_in"
PROBE_SECONDS = 1.0
STOP_SECONDS = 5.0


@contextlib.contextmanager
def opened(configured: Settings) -> Iterator[Verifier]:
    """A client for the service, which runs for the length of the block if nobody else runs it."""
    layout = Layout(configured.home.resolve())
    with contextlib.ExitStack() as stack:
        address = configured.verifier_url or _running(configured, layout) or stack.enter_context(_own(layout))
        yield client(address, configured)


@contextlib.contextmanager
def told(layout: Layout, port: int) -> Iterator[None]:
    """Note for other commands on this home where the service listens."""
    note = layout.run / "verifier.address"
    note.write_text(f"http://127.0.0.1:{port}")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def _running(configured: Settings, layout: Layout) -> str | None:
    """The address of a service that comes along and answers."""
    note = layout.run / "verifier.address"
    noted = note.read_text() if note.exists() else None
    for address in filter(None, (configured.verifier_address, noted)):
        with contextlib.suppress(httpx.HTTPError, ValueError):
            said = httpx.get(f"{address}/healthz", timeout=PROBE_SECONDS, trust_env=False).json()
            if said.get("service") == SERVICE:
                return address
    return None


@contextlib.contextmanager
def _own(layout: Layout) -> Iterator[str]:
    """A process for the length of the block. Its socket is open before it is, so nobody has to wait for it."""
    layout.prepare()
    with socket.create_server(("127.0.0.1", 0)) as listening, open_log(layout.logs / "verifier.log") as log:
        number, address = listening.fileno(), f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, "--socket", str(number)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[number],
            start_new_session=True,
            preexec_fn=dies_with_us(signal.SIGKILL),  # noqa: PLW1509 - prctl belongs between fork and exec
        )
    try:
        yield address
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
