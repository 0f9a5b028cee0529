"""Where do the parts of the embedded servers lie, and where are they reached?"""

import contextlib
import json
import os
import shutil
import socket
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from db.embedded.account import Account, adopt, reachable

SOCKET_PATH_BYTES = 103
"""The longest unix socket path that every platform takes (macOS 104 and Linux 108, less the closing zero)."""

LONGEST_SOCKET_NAME = ".s.PGSQL.5432"

DATABASE = "parley"
"""Name of the database, of its role and of nothing else."""


@dataclass(frozen=True)
class Layout:
    """The files of one home folder (an absolute path)."""

    home: Path

    @property
    def run(self) -> Path:
        """Locks and addresses; nothing here is worth keeping."""
        return self.home / "run"

    @property
    def start_lock(self) -> Path:
        """Held while somebody attaches or starts, so that two never start at once."""
        return self.run / "start.lock"

    @property
    def lease(self) -> Path:
        """Locked shared by every user of the servers, exclusively by a keeper that stops them."""
        return self.run / "lease.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for its whole life."""
        return self.run / "keeper.lock"

    @property
    def addresses(self) -> Path:
        """Written by the keeper when both servers answer."""
        return self.run / "addresses.json"

    @property
    def failure(self) -> Path:
        """Written by a keeper that could not start them."""
        return self.run / "failure.json"

    @property
    def logs(self) -> Path:
        """Logs of this home, one file per process."""
        return self.home / "logs"

    def prepare(self) -> None:
        """Make the folders.

        The home itself can be traversed when root owns it, because the servers then run as another user whose folders
        lie below it; all that is worth hiding is hidden by its own mode.
        """
        self.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        self.run.mkdir(mode=0o700, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)

    @property
    def sockets_note(self) -> Path:
        """Says which folder the sockets are in."""
        return self.run / "sockets"

    @property
    def sockets(self) -> Path:
        """The folder the sockets of a running keeper are in."""
        return Path(self.sockets_note.read_text())

    def fresh_socket_folder(self, account: Account) -> Path:
        """Make an empty 0700 folder of the servers' user, short enough for a socket path.

        Beside the data where that fits, else among the temporary files; the same as last time where that is possible,
        so that users find servers again that were started again. What an earlier run left behind is removed, which is
        safe because only the keeper comes here and no server of this home is up.
        """
        beside = self.home / "sockets"
        longest = len(os.fsencode(beside / LONGEST_SOCKET_NAME))
        if longest <= SOCKET_PATH_BYTES and reachable(self.home, account):
            folder = beside
        elif self.sockets_note.exists():
            folder = self.sockets
        else:
            folder = _temporary_folder()
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:  # somebody else's by now
            folder = _temporary_folder()
        self.sockets_note.write_text(str(folder))
        adopt(folder, account)
        return folder


def _temporary_folder() -> Path:
    roomy = len(tempfile.gettempdir()) < SOCKET_PATH_BYTES // 2
    return Path(tempfile.mkdtemp(prefix="parley-", dir=None if roomy else "/tmp"))  # noqa: S108 - mkdtemp's are private


@dataclass(frozen=True)
class Addresses:
    """Where a PostgreSQL and a Redis answer; both addresses hold their password."""

    postgres_url: str
    redis_url: str

    @classmethod
    def within(cls, sockets: Path, postgres_password: str, redis_password: str) -> Self:
        """The addresses of servers that listen in the folder ``sockets``."""
        return cls(
            postgres_url=f"postgresql://{DATABASE}:{postgres_password}@/{DATABASE}?host={quote(str(sockets))}",
            redis_url=f"unix://:{redis_password}@{quote(str(sockets / 'redis.sock'))}",
        )

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What the keeper wrote, or None while there is nothing."""
        with contextlib.suppress(FileNotFoundError):
            return cls(**json.loads(path.read_text()))
        return None

    def save(self, path: Path) -> None:
        """Write the file, 0600, in one step."""
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file)
        draft.rename(path)


def listens(address: Path) -> bool:
    """Whether a server takes connections on a unix socket."""
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(address))
        return True
    return False
