"""Who keeps the embedded servers of a home running, and when do they stop?

One keeper process per home: ``python -m db.embedded.keeper HOME [--throwaway]``. It starts both servers, starts one
again that dies, and stops them when nobody holds a lease any more or when it is told to.
"""

import fcntl
import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from subprocess import Popen

from db.embedded.account import account_for
from db.embedded.layout import Addresses, Layout
from db.embedded.postgres_server import PostgresServer, locate
from db.embedded.redis_server import RedisServer
from domain.errors import ParleyError
from settings import secret

REASONS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}

RESTART_PAUSE_SECONDS = 0.5
"""Between the death of a server and its next start, so that one that cannot live does not eat a processor."""


def keep(layout: Layout, *, durable: bool) -> None:
    """Run the servers of a home until they are not needed. The caller holds the keeper's lock.

    Raises Unavailable when one of them cannot be started.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, REASONS)
    data = locate(layout)
    account = account_for(data)
    password = secret("postgres", layout.home)
    postgres = PostgresServer(data, account, password, layout.logs / "postgres.log", durable=durable)
    postgres.ensure_created()
    sockets = layout.fresh_socket_folder(account)
    redis = RedisServer(account, secret("redis", layout.home), layout.logs / "redis.log")
    servers: tuple[PostgresServer | RedisServer, ...] = (postgres, redis)
    children: list[Popen[bytes]] = []
    try:
        for server in servers:
            children.append(server.start(sockets))  # noqa: PERF401 - the first one is to be stopped if the second fails
        Addresses.within(sockets, postgres.password, redis.password).save(layout.addresses)
        threading.Thread(target=_tell_when_unused, args=(layout,), daemon=True).start()
        while signal.sigwait(REASONS) == signal.SIGCHLD:
            for place, server in enumerate(servers):
                if children[place].poll() is not None:
                    time.sleep(RESTART_PAUSE_SECONDS)
                    children[place] = server.start(sockets)
    finally:
        layout.addresses.unlink(missing_ok=True)
        for server, child in zip(servers, children, strict=False):
            server.stop(child)
        shutil.rmtree(sockets, ignore_errors=True)


def _tell_when_unused(layout: Layout) -> None:
    with layout.lease.open() as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)  # granted when the last shared lock is gone
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait()  # hold it to the end: who comes now waits for a new keeper


def main() -> int:
    """Take the keeper's lock (else another keeper serves this home), keep, and leave word of what went wrong."""
    layout = Layout(Path(sys.argv[1]))
    with layout.keeper_lock.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        layout.addresses.unlink(missing_ok=True)
        layout.failure.unlink(missing_ok=True)
        try:
            keep(layout, durable="--throwaway" not in sys.argv)
        except ParleyError as error:
            layout.failure.write_text(json.dumps(error.as_dict()))
            return 1
        return 0


if __name__ == "__main__":
    sys.exit(main())
