"""How does an embedded PostgreSQL come to be, start, stop, and survive what was done to it before?"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from db.embedded import process
from db.embedded.account import SHARED, Account, account_for, adopt, programs, reachable
from db.embedded.layout import DATABASE, Layout
from domain.errors import Unavailable

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_locks_per_transaction": "256",  # one transaction may create the whole schema, partitions included
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_parallel_workers_per_gather": str(min(2, (os.cpu_count() or 1) - 1)),  # the one who gathers works too
    "random_page_cost": "1.1",  # laptops have no spinning disks
    "jit": "off",  # compiling a query for 100 ms to answer in 20 ms
    "log_line_prefix": "%m [%p] %d ",
    "log_checkpoints": "off",
}

THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For clusters that only tests see: a power cut may destroy them."""

START_SECONDS = 60
STOP_SECONDS = 20


def locate(layout: Layout) -> Path:
    """The data folder of a home: inside it, unless the servers' user cannot get there.

    Then (only as root) it is a new folder of root's shared place, and the home remembers which.
    """
    inside, note = layout.home / "postgres", layout.home / "postgres.location"
    if note.exists():
        return Path(note.read_text())
    if inside.exists() or reachable(layout.home, account_for(inside)):
        return inside
    elsewhere = SHARED / f"store-{secrets.token_hex(8)}"
    note.write_text(str(elsewhere))
    return elsewhere


@dataclass
class PostgresServer:
    """One cluster: its data folder, the user it runs as, and how careful it is with the disk."""

    data: Path
    account: Account
    password: str
    log: Path
    durable: bool = True

    def ensure_created(self) -> None:
        """Run initdb once. A run cut short leaves a draft only, which the next one removes."""
        if self.data.exists():
            return
        draft = self.data.with_name(self.data.name + ".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        adopt(draft, self.account)
        with tempfile.NamedTemporaryFile("w", dir=draft.parent) as password:
            password.write(self.password)
            password.flush()
            adopt(Path(password.name), self.account)
            self._initdb(draft, Path(password.name))
        draft.rename(self.data)

    def _initdb(self, draft: Path, password: Path) -> None:
        self._create(
            "initdb",
            f"--pgdata={draft}",
            f"--username={DATABASE}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        )
        self._create("postgres", "--single", "-D", str(draft), "postgres", statement=f"create database {DATABASE}\n")

    def _create(self, program: str, *arguments: str, statement: str = "") -> None:
        command: list[str | Path] = [programs(self.account)[0] / program, *arguments]
        child = process.start(command, self.account, self.log, signal.SIGKILL)
        child.communicate(statement.encode())
        if child.returncode != 0:
            raise Unavailable(
                "database_not_created",
                f"{program} failed with status {child.returncode}:\n{process.last_lines(self.log)}",
                f"Look into {self.log}, or set PARLEY_POSTGRES_URL to a server of your own.",
            )

    def start(self, sockets: Path) -> subprocess.Popen[bytes]:
        """Start the server on a socket in ``sockets`` and return when it takes connections.

        The caller holds the keeper's lock, so whatever still runs on this data folder has lost its keeper and is
        stopped first. Raises Unavailable with the end of the log.
        """
        self._stop_strays()
        self._disown_lock_file()
        folders = '"{}"'.format(str(sockets).replace('"', '""'))  # a list, in which a quoted folder is one folder
        options = SETTINGS | {"unix_socket_directories": folders} | ({} if self.durable else THROWAWAY)
        command: list[str | Path] = [programs(self.account)[0] / "postgres", "-D", self.data]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        child = process.start(command, self.account, self.log, signal.SIGINT)
        deadline = time.monotonic() + START_SECONDS
        while not self._says_ready(child.pid):
            if child.poll() is not None or time.monotonic() > deadline:
                self.stop(child)
                raise Unavailable(
                    "database_not_started",
                    f"PostgreSQL did not start:\n{process.last_lines(self.log)}",
                    f"Look into {self.log}, or set PARLEY_POSTGRES_URL to a server of your own.",
                )
            time.sleep(0.01)
        return child

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """Stop a server with a checkpoint; one that does not obey is stopped at once and recovers at its next start."""
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if child.poll() is None:
                child.send_signal(how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(STOP_SECONDS)

    def _says_ready(self, pid: int) -> bool:
        lines = self._lock_lines()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004 - line of its format

    def _lock_lines(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []

    def _stop_strays(self) -> None:
        """Stop what an earlier keeper left running, if anything.

        Each server process works in its data folder, so its working directory tells whose it is; a process id cannot,
        because ids are used again.
        """
        if not self._lock_lines():
            return
        deadline = time.monotonic() + STOP_SECONDS
        while strays := [found for found in psutil.process_iter() if self._works_here(found)]:
            late = time.monotonic() > deadline
            for stray in strays:
                with contextlib.suppress(psutil.NoSuchProcess):
                    stray.send_signal(signal.SIGKILL if late else signal.SIGINT)
            psutil.wait_procs(strays, timeout=0.5)

    def _works_here(self, found: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, FileNotFoundError):
            return found.name() == "postgres" and Path(found.cwd()).samefile(self.data)
        return False

    def _disown_lock_file(self) -> None:
        """Let PostgreSQL see that a left-over lock file is stale even if its process id belongs to somebody else now.

        It takes a file that names its own parent for stale, so ours goes in. Deleting the file would also lose the
        shared-memory key in it, by which PostgreSQL notices that old server processes still touch the data.
        """
        path, lines = self.data / "postmaster.pid", self._lock_lines()
        if not lines:
            path.unlink(missing_ok=True)
            return
        with path.open("r+") as file:
            file.write("\n".join([str(psutil.Process().pid), *lines[1:]]) + "\n")
            file.truncate()
