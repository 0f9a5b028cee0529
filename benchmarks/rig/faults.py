"""What goes wrong, and how often? Each fault runs in a thread of its own and counts what it did."""

import contextlib
import itertools
import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import redis
from sqlalchemy import text

from benchmarks.rig.processes import Rig
from db import store
from db.session import transaction
from services import consent

NODE_TURN, SWEEPER_TURN = 3, 7


class Fault(Protocol):
    """Something that goes wrong again and again until it is told to stop."""

    counts: dict[str, int]

    def run(self, stop: threading.Event) -> None:
        """Go on until ``stop`` is set."""
        ...


@dataclass
class Kills:
    """SIGKILL for one of the processes that send; its parent starts another one.

    Every eighth time it is a whole node, parent and children, which takes seconds of processor time to start again, and
    every tenth time the sweeper.
    """

    rig: Rig
    chance: random.Random
    nodes: Sequence[str]
    every: tuple[float, float] = (0.5, 1.5)
    counts: dict[str, int] = field(
        default_factory=lambda: {"workers killed": 0, "nodes killed": 0, "sweepers killed": 0}
    )

    def run(self, stop: threading.Event) -> None:
        """See ``Fault``."""
        while not stop.wait(self.chance.uniform(*self.every)):
            turn = sum(self.counts.values())
            name = self.chance.choice(self.nodes)
            children = self.rig.children(name)
            if turn % 10 == SWEEPER_TURN:
                self.rig.restart("sweeper")
                self.counts["sweepers killed"] += 1
            elif turn % 8 == NODE_TURN:
                self.rig.restart(name)
                self.counts["nodes killed"] += 1
            elif children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.chance.choice(children), signal.SIGKILL)
                    self.counts["workers killed"] += 1


@dataclass
class RedisTrouble:
    """FLUSHALL every few seconds, and every few flushes the server is killed."""

    rig: Rig
    every: float = 3.0
    kill_every: int = 3
    counts: dict[str, int] = field(default_factory=lambda: {"redis flushed": 0, "redis killed": 0})
    at: list[float] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """See ``Fault``."""
        while not stop.wait(self.every):
            with redis.Redis.from_url(self.rig.addresses.redis_url) as client:
                try:
                    if self.counts["redis flushed"] % self.kill_every == self.kill_every - 1:
                        os.kill(client.info("server")["process_id"], signal.SIGKILL)
                        self.counts["redis killed"] += 1
                    else:
                        client.flushall()
                    self.counts["redis flushed"] += 1
                    self.at.append(time.time())
                except redis.RedisError:
                    continue  # it is not back yet


@dataclass
class Stops:
    """People who say stop: every second one at the moment at which their message is handed over, if there is any.

    ``acknowledged`` holds the instant (wall clock) after which no call for a person may start.
    """

    rig: Rig
    chance: random.Random
    wanted: int
    people: Sequence[int]
    threads: int = 4
    counts: dict[str, int] = field(default_factory=lambda: {"stops": 0, "not waited for": 0})
    acknowledged: dict[int, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """See ``Fault``."""
        waiting = set(self.people)
        lock = threading.Lock()

        def say_stop() -> None:
            for turn in itertools.count():
                sending = self._being_sent() if turn % 2 else []
                with lock:
                    left = sorted(waiting.intersection(sending)) or sorted(waiting)
                    if stop.is_set() or len(self.people) - len(waiting) >= self.wanted or not left:
                        return
                    customer = self.chance.choice(left)
                    waiting.discard(customer)
                self._stop(customer)
                time.sleep(0.01)

        threads = [threading.Thread(target=say_stop) for _ in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _being_sent(self) -> Sequence[int]:
        """People whose message is being handed over at this moment: the hardest ones to stop in time."""
        with transaction(self.rig.addresses.postgres_url) as session:
            found = session.scalars(text("select customer_id from messages where state = 'sending' limit 64"))
            return found.all()

    def _stop(self, customer: int) -> None:
        began = time.perf_counter()
        with transaction(self.rig.addresses.postgres_url) as session:
            done = consent.stop(session, customer, "email", "rig", store.business_now(session))
        self.took.append((time.perf_counter() - began) * 1000)
        self.acknowledged[customer] = time.time()
        self.counts["stops"] += 1
        self.counts["not waited for"] += bool(done.under_way)

    def milliseconds(self) -> dict[str, float]:
        """How long acknowledging took."""
        took = sorted(self.took)
        return {
            "p50": statistics.median(took),
            "p99": took[int(len(took) * 0.99)],
            "max": took[-1],
        }
