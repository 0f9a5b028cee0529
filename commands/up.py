"""How does everything start with one command, stay up, and end with one key?"""

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from commands import new_app, verifier
from commands.processes import Process
from db import addresses
from db.embedded import Layout, revive
from db.session import transaction
from domain.errors import Conflict
from services import demo, users
from settings import Settings, settings

app = new_app()

TICK_SECONDS = 0.1
STOP_SECONDS = 10


@app.command()
def up(*, verbose: Annotated[bool, typer.Option(help="Show every line of every process.")] = False) -> None:
    """Start everything and keep it running until Ctrl-C.

    Servers, migrations and, on the first run, the demo store and the first account; then the web server, the worker,
    the sweeper, the vendor stand-in and the e-mail verifier, each started again if it ends.
    """
    configured = settings()
    layout = Layout(configured.home.resolve())
    layout.prepare()
    with _only_one(layout) as note:
        port = _free_port(configured.host, configured.port, "PARLEY_PORT")
        vendor_port = _free_port(configured.host, configured.vendor_port, "PARLEY_VENDOR_PORT")
        verifier_port = _free_port("127.0.0.1", configured.verifier_port, "PARLEY_VERIFIER_PORT")
        address = configured.public_url or f"http://{_shown(configured.host)}:{port}"
        note.write_text(address)
        with addresses.opened() as found, verifier.told(layout, verifier_port):
            _first_run(configured)
            environment = os.environ | {
                "PARLEY_HOME": str(layout.home),
                "PARLEY_POSTGRES_URL": found.postgres_url,
                "PARLEY_REDIS_URL": found.redis_url,
                "PARLEY_PORT": str(port),
                "PARLEY_VENDOR_PORT": str(vendor_port),
                "PARLEY_VERIFIER_PORT": str(verifier_port),
                "PARLEY_PUBLIC_URL": address,
                "LANGGRAPH_STRICT_MSGPACK": "true",
                "PYTHONUNBUFFERED": "1",
            }
            if configured.intent_work:
                environment["PARLEY_INTENT_WORK"] = str(configured.intent_work.resolve())
            children = _children(configured, port, environment, layout.logs, verbose=verbose)
            with _told_to_stop() as stop:
                try:
                    _attend(children, stop, (_reached_at(configured.host), port), address)
                finally:
                    _say("parley", "stopping ...")
                    _stop(children)
    _say("parley", "stopped")


def _children(
    configured: Settings, port: int, environment: dict[str, str], logs: Path, *, verbose: bool
) -> list[Process]:
    """What runs, in the order in which it is started; beat only where something happens by the clock of the day."""
    host, celery = configured.host, ["celery", "-A", "workers.app"]
    commands = {
        "web": ["uvicorn", "app:app", "--host", host, "--port", str(port), "--timeout-graceful-shutdown", "3"],
        "worker": [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"],
        "vendor": ["channels.vendor"],
        "verifier": [verifier.MODULE],
        "sweeper": ["workers.sweeper"],
    }
    if configured.intent_work:
        schedule = Layout(configured.home.resolve()).run / "beat"
        commands["beat"] = [*celery, "beat", "--loglevel", "INFO", "--schedule", str(schedule)]
    return [
        Process(name, ["-m", *words], environment, logs / f"{name}.log", _say, chatty=verbose)
        for name, words in commands.items()
    ]


def _attend(children: list[Process], stop: Event, web: tuple[str, int], address: str) -> None:
    embedded = settings().home if Layout(settings().home.resolve()).addresses.exists() else None
    answered = False
    while not stop.wait(TICK_SECONDS):
        if embedded:
            revive(embedded)
        for child in children:
            child.attend()
        if not answered and _answers(*web):
            answered = True
            _say("parley", f"ready at {address}   (Ctrl-C stops everything, logs are in {settings().home / 'logs'})")


def _stop(children: list[Process]) -> None:
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.stop(deadline)


def _first_run(configured: Settings) -> None:
    """Fill an empty database, and tell the first password: nobody can look it up later."""
    now = datetime.now(UTC)
    with transaction() as session:
        password = users.ensure_admin(session)
        if configured.demo and demo.is_wanted(session):
            _say("parley", "loading the demo store ...")
            demo.load(session, seed=demo.SEED, now=now, customers=configured.demo_customers)
    if password:
        _say("parley", f"sign in as {users.FIRST_USERNAME} with the password {password}   (shown only now)")


@contextlib.contextmanager
def _only_one(layout: Layout) -> Iterator[Path]:
    """Hold a home for one supervisor; the note says where it is reached."""
    note = layout.run / "up.address"
    with (layout.run / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = note.read_text() if note.exists() else "its address"
            raise Conflict(
                "already_up",
                f"Parley is already running on {layout.home}, at {where}.",
                "Open it there, or set PARLEY_HOME and PARLEY_PORT to run another store beside it.",
            ) from None
        try:
            yield note
        finally:
            note.unlink(missing_ok=True)


@contextlib.contextmanager
def _told_to_stop() -> Iterator[Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set."""
    stop = Event()
    reasons = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {reason: signal.signal(reason, lambda *_: stop.set()) for reason in reasons}
    try:
        yield stop
    finally:
        for reason, handler in before.items():
            signal.signal(reason, handler)


def _free_port(host: str, port: int, variable: str) -> int:
    """The port itself if it is free, any free one for 0. Raises Conflict for one that is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(
                "port_taken",
                f"Port {port} on {host} cannot be used: {error.strerror}.",
                f"Stop what uses it, or set {variable} to another port (0 = any free one).",
            ) from error
        found: int = probe.getsockname()[1]
        return found


def _reached_at(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _shown(host: str) -> str:
    reached = _reached_at(host)
    return f"[{reached}]" if ":" in reached else reached


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=1)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    return False


def _say(name: str, line: str) -> None:
    typer.echo(f"{typer.style(f'{name:>8}', dim=True)}  {line}")
