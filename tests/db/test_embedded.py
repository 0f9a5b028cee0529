"""Do the embedded servers start wherever they are put, stop with their last user, and survive being killed?"""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from db.embedded import Addresses, servers
from db.embedded.account import NAME
from db.embedded.layout import SOCKET_PATH_BYTES, Layout
from db.embedded.lease import revive, running
from settings import ROOT

DEADLINE_SECONDS = 60

HOLD = """
import sys
from pathlib import Path
from db.embedded import servers
with servers(Path(sys.argv[1])) as addresses:
    print(addresses.postgres_url, flush=True)
    sys.stdin.read()
"""
"""An owner in a process of its own: prints the database's address, then holds on until its input ends."""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a store that the servers' user can reach."""
    with _home() as made:
        yield made


@contextlib.contextmanager
def _home(parent: Path | None = None) -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="parley-test-", dir=parent))
    base.chmod(0o711)
    made = base / "var"
    try:
        yield made
    finally:
        _until(lambda: not running(made) and not _server_processes(made))
        for path in (Layout(made).home / "postgres.location",):
            if path.exists():
                shutil.rmtree(path.read_text())
        shutil.rmtree(base)


def test_both_servers_answer_with_our_settings(home: Path) -> None:
    with servers(home) as addresses:
        assert _ask(addresses, "show max_locks_per_transaction") == "256"
        assert _ask(addresses, "show timezone") == "UTC"
        assert _ask(addresses, "show fsync") == "on"
        assert _ask(addresses, "show listen_addresses") == ""
        assert _ask(addresses, "select datlocale from pg_database where datname = current_database()") == "C.UTF-8"
        with redis.Redis.from_url(addresses.redis_url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert not _server_processes(home)


def test_psql_takes_the_address(home: Path) -> None:
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("psql is not installed")
    with servers(home) as addresses:
        said = subprocess.run(
            [psql, addresses.postgres_url, "-Atc", "select 6 * 7"], capture_output=True, text=True, check=True
        )
    assert said.stdout == "42\n"


def test_what_was_written_is_there_the_next_time(home: Path) -> None:
    with servers(home) as addresses:
        _run(addresses, "create table kept as select 1 as id")
    with servers(home) as addresses:
        assert _ask(addresses, "select count(*)::text from kept") == "1"


def test_two_homes_run_side_by_side(home: Path) -> None:
    with _home() as other, servers(home) as first, servers(other) as second:
        _run(first, "create table only_in_the_first (id int)")
        assert _ask(second, "select to_regclass('only_in_the_first')::text") is None
        with redis.Redis.from_url(first.redis_url) as one, redis.Redis.from_url(second.redis_url) as two:
            one.set("key", "value")
            assert two.get("key") is None


def test_a_second_process_uses_the_servers_that_run_already(home: Path) -> None:
    with servers(home) as addresses, _owner(home) as other:
        assert _line(other) == addresses.postgres_url
        other.kill()
        other.wait()
        assert _ask(addresses, "select 'alive'") == "alive"


def test_the_servers_stay_for_whoever_came_second(home: Path) -> None:
    with _owner(home) as first:
        _line(first)
        with servers(home) as addresses:
            first.communicate()
            assert _ask(addresses, "select 'alive'") == "alive"
    assert not _server_processes(home)


def test_many_processes_at_once_start_one_pair(home: Path) -> None:
    with contextlib.ExitStack() as stack:
        owners = [stack.enter_context(_owner(home)) for _ in range(5)]
        assert len({_line(owner) for owner in owners}) == 1
        assert len([found for found in _server_processes(home) if found.name() == "redis-server"]) == 1


def test_the_servers_stop_when_their_owner_is_killed(home: Path) -> None:
    with _owner(home) as owner:
        _line(owner)
        assert _server_processes(home)
        owner.kill()
    _until(lambda: not _server_processes(home))


def test_the_servers_stop_when_their_keeper_is_killed(home: Path) -> None:
    with _owner(home) as owner:
        _line(owner)
        _keeper(home).kill()
        _until(lambda: not _server_processes(home))


def test_servers_whose_keeper_was_killed_come_back_at_the_same_address(home: Path) -> None:
    with servers(home) as addresses:
        _keeper(home).kill()
        _until(lambda: not running(home))
        revive(home)
        assert _ask(addresses, "select 'alive'") == "alive"
    _until(lambda: not _server_processes(home))


def test_a_killed_server_is_started_again(home: Path) -> None:
    with servers(home) as addresses:
        _run(addresses, "create table kept as select 1 as id")
        _postmaster(home).kill()
        _until(lambda: _answers(addresses))
        assert _ask(addresses, "select count(*)::text from kept") == "1"
        next(found for found in _server_processes(home) if found.name() == "redis-server").kill()
        with redis.Redis.from_url(addresses.redis_url) as client:
            _until(lambda: _pings(client))


def test_committed_rows_survive_a_kill_of_everything(home: Path) -> None:
    with _owner(home) as owner, psycopg.connect(_line(owner), autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as id")
        victims = [_keeper(home), *_server_processes(home)]
        for pid in [owner.pid, *(found.pid for found in victims)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        psutil.wait_procs(victims, timeout=30)  # on a busy machine dying takes a moment
    with servers(home) as addresses:
        assert _ask(addresses, "select count(*)::text from kept") == "1000"


def test_a_recycled_process_id_is_not_mistaken_for_a_server(home: Path) -> None:
    with servers(home) as addresses:
        _run(addresses, "create table kept as select 1 as id")
    with _bystander(home) as bystander:
        lock = home / "postgres" / "postmaster.pid"
        lock.write_text(f"{bystander.pid}\n{home / 'postgres'}\n1700000000\n5432\n/nowhere\n\n  1  1\nready\n")
        shutil.chown(lock, home.stat().st_uid if os.geteuid() else NAME)
        with servers(home) as addresses:
            assert _ask(addresses, "select count(*)::text from kept") == "1"
        assert bystander.poll() is None


@pytest.mark.parametrize("content", ["", "not a number\n", "999999999\n"])
def test_a_broken_or_stale_lock_file_does_not_keep_the_server_down(home: Path, content: str) -> None:
    with servers(home):
        pass
    (home / "postgres" / "postmaster.pid").write_text(content)
    with servers(home) as addresses:
        assert _ask(addresses, "select 'alive'") == "alive"


def test_a_server_left_running_without_a_keeper_is_replaced(home: Path) -> None:
    with servers(home):
        pass
    with subprocess.Popen([sys.executable, "-c", STRAY, home], cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        starter.communicate()
    stray = _postmaster(home)
    with servers(home) as addresses:
        assert _ask(addresses, "select 'alive'") == "alive"
        assert not stray.is_running() or stray.status() == psutil.STATUS_ZOMBIE


STRAY = """
import sys
from pathlib import Path
from db.embedded import account, layout, postgres_server, process
process.dies_with_us = lambda farewell: None
here = layout.Layout(Path(sys.argv[1]).resolve())
user = account.account_for(here.home / "postgres")
server = postgres_server.PostgresServer(here.home / "postgres", user, "", here.logs / "postgres.log")
server.start(here.fresh_socket_folder(user)).returncode = 0
"""
"""Starts a server that nothing ties to anybody."""


def test_an_interrupted_creation_is_begun_again(home: Path) -> None:
    Layout(home).prepare()
    (home / "postgres.draft").mkdir()
    (home / "postgres.draft" / "PG_VERSION").write_text("18")
    with servers(home) as addresses:
        assert _ask(addresses, "select 'alive'") == "alive"


def test_a_long_path_gets_a_short_socket(home: Path) -> None:
    deep = home.joinpath(*["a folder with a rather long name"] * 6)
    deep.mkdir(parents=True)
    with servers(deep) as addresses:
        assert _ask(addresses, "select 'alive'") == "alive"
        sockets = Layout(deep).sockets
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES
        assert _mode(sockets) == 0o700
    assert not sockets.exists()


def test_a_path_with_odd_characters_works(home: Path) -> None:
    odd = home / "50% 'off' & \"more\" für Ünï"
    odd.mkdir(parents=True)
    with servers(odd) as addresses:
        assert _ask(addresses, "select 'alive'") == "alive"
        with redis.Redis.from_url(addresses.redis_url) as client:
            assert client.ping()


def test_secrets_and_sockets_are_for_nobody_else(home: Path) -> None:
    with servers(home):
        for folder in ("secrets", "run", "logs", "sockets", "postgres"):
            assert _mode(home / folder) == 0o700, folder
        files = [path for folder in ("secrets", "logs") for path in (home / folder).iterdir()]
        for file in (*files, home / "run" / "addresses.json"):
            assert _mode(file) == 0o600, file
        shown = " ".join(word for found in _server_processes(home) for word in found.cmdline())
        assert (home / "secrets" / "postgres").read_text() not in shown
        assert (home / "secrets" / "redis").read_text() not in shown


def test_a_wrong_password_is_refused(home: Path) -> None:
    with servers(home) as addresses:
        right = (home / "secrets" / "postgres").read_text()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(addresses.postgres_url.replace(right, "wrong"))
        right = (home / "secrets" / "redis").read_text()
        with (
            redis.Redis.from_url(addresses.redis_url.replace(right, "wrong")) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_who_is_not_root_runs_them_as_themselves() -> None:
    nobody = pwd.getpwnam("nobody")
    become = [*f"setpriv --reuid={nobody.pw_uid} --regid={nobody.pw_gid} --clear-groups".split(), *READ_EVERYTHING]
    with _home() as home:
        shutil.chown(home.parent, nobody.pw_uid, nobody.pw_gid)
        with _owner(home, become) as owner:
            _line(owner)
            assert {found.uids().real for found in _server_processes(home)} == {nobody.pw_uid}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_root_runs_them_as_a_user_of_their_own(home: Path) -> None:
    with servers(home):
        assert {found.username() for found in _server_processes(home)} == {NAME}


@pytest.mark.skipif(os.geteuid() != 0, reason="anybody else can reach their own folders")
def test_a_home_the_servers_user_cannot_reach_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with _home(tmp_path) as home:
        with servers(home) as addresses:
            _run(addresses, "create table kept as select 1 as id")
        with servers(home) as addresses:
            assert _ask(addresses, "select count(*)::text from kept") == "1"
            assert _mode(Path((home / "postgres.location").read_text())) == 0o700
        assert _mode(tmp_path) == 0o700


READ_EVERYTHING = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
"""The interpreter itself may lie in root's own folder."""


@contextlib.contextmanager
def _owner(home: Path, become: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    command = [*become, sys.executable, "-c", HOLD, str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        yield owner


@contextlib.contextmanager
def _bystander(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the servers' user that is no server."""
    found = (home / "postgres").stat()
    become = f"setpriv --reuid={found.st_uid} --regid={found.st_gid} --clear-groups".split() if not os.geteuid() else []
    with subprocess.Popen([*become, "sleep", str(DEADLINE_SECONDS)], cwd="/") as process:
        yield process
        process.kill()


def _line(owner: subprocess.Popen[str]) -> str:
    assert owner.stdout
    return owner.stdout.readline().strip()


def _run(addresses: Addresses, statement: str) -> None:
    with psycopg.connect(addresses.postgres_url) as connection:
        connection.execute(statement.encode())


def _ask(addresses: Addresses, query: str) -> str | None:
    with psycopg.connect(addresses.postgres_url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return None if row[0] is None else str(row[0])


def _answers(addresses: Addresses) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        return _ask(addresses, "select 'alive'") == "alive"
    return False


def _pings(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


def _server_processes(home: Path) -> list[psutil.Process]:
    """Every live server process of a home: PostgreSQL's work in its data folder, Redis's is a child of its keeper."""
    layout = Layout(home.resolve())
    note = layout.home / "postgres.location"
    data = Path(note.read_text()) if note.exists() else layout.home / "postgres"
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            above = process.parent()
            kept = process.name() == "redis-server" and above is not None and str(layout.home) in above.cmdline()
            if kept or (process.name() == "postgres" and Path(process.cwd()) == data):
                found.append(process)
    return found


def _postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))


def _keeper(home: Path) -> psutil.Process:
    parent = _postmaster(home).parent()
    assert parent
    return parent


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
