"""How does a test reach the whole application? As a browser does: over HTTP, in a process of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import create_engine, make_url, text

from db.embedded import Addresses
from db.session import engine, transaction
from services import users
from settings import ROOT

PASSWORD = "four words in a row"
DEADLINE_SECONDS = 180


@dataclass(frozen=True)
class Server:
    """A running web server: where it answers, its database, its home folder."""

    address: str
    database: str
    home: Path

    def person(self, name: str, role: users.Role = "marketer") -> int:
        """Create an account with PASSWORD and return its id."""
        with transaction(self.database) as session:
            return users.add(session, name, PASSWORD, role, actor="test").id

    @contextlib.contextmanager
    def visitor(self, name: str) -> Iterator[httpx.Client]:
        """A client that is signed in as an account with PASSWORD, and says where it comes from as browsers do."""
        with httpx.Client(base_url=self.address, headers={"origin": self.address}, timeout=30) as client:
            answer = client.post("/login", data={"username": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield client

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rsplit(":", 1)[1])


@contextlib.contextmanager
def server(addresses: Addresses, template: str) -> Iterator[Server]:
    """The application on a database and a home of its own; whatever it printed is shown when it does not start."""
    name = f"served_{uuid.uuid4().hex}"
    admin = create_engine(
        make_url(addresses.postgres_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {make_url(template).database}"))
    database = make_url(template).set(database=name).render_as_string(hide_password=False)
    home = Path(tempfile.mkdtemp(prefix="parley-served-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "OPENAI_", "TAVILY_"))}
    environment = kept | {
        "PARLEY_HOME": str(home),
        "PARLEY_POSTGRES_URL": database,
        "PARLEY_REDIS_URL": addresses.redis_url,
        "PARLEY_PORT": str(port),
        "LANGGRAPH_STRICT_MSGPACK": "true",
    }
    said = (home / "web.log").open("w+")
    arguments = ["-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT
    )
    try:
        _wait(address, process, said.name)
        yield Server(address, database, home)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        said.close()
        engine(database).dispose()
        with admin.connect() as connection:
            connection.execute(text(f"drop database {name} with (force)"))
        admin.dispose()
        shutil.rmtree(home, ignore_errors=True)


def _wait(address: str, process: subprocess.Popen[bytes], log: str) -> None:
    began = datetime.now(UTC)
    while (datetime.now(UTC) - began).total_seconds() < DEADLINE_SECONDS and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/healthz").status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise AssertionError(Path(log).read_text())
