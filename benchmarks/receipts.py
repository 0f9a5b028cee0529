"""How many delivery receipts per second are kept and applied, in batches and one by one?

Every message gets ``sent`` and ``delivered``, 15 in 100 of them twice, in random order.
"""

import random
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from benchmarks.rig import planting
from channels.gateway import receipt
from db.embedded import servers
from db.migrations import upgrade
from db.session import engine, transaction
from domain.messages import Receipt
from services import receipts

MESSAGES = 50_000
ONE_BY_ONE = 2_000


def run() -> None:
    """Measure and print a table."""
    dice = random.Random(1)  # noqa: S311 - dice
    with tempfile.TemporaryDirectory(prefix="parley-receipts-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # as root the servers run as another user, whose data lies below
        with servers(home) as addresses:
            url = addresses.postgres_url
            upgrade(url)
            with transaction(url) as session:
                cohort = planting.plant(session, planting.prepare(session), "bench", MESSAGES, unsubscribed_share=0)
                session.execute(text("update messages set state = 'accepted', attempt = 1, provider_id = 'v-' || id"))
            told = _told(list(cohort.keys.values()), dice)
            table = Table(title="Receipts per second, fsync on", title_justify="left")
            for column in ("what", "receipts", "per second"):
                table.add_column(column, justify="left" if column == "what" else "right")
            single, batched = told[:ONE_BY_ONE], told[ONE_BY_ONE:]
            for name, some, size in (("one by one", single, 1), ("in batches of 1,000", batched, 1_000)):
                kept, applied = _timed(url, some, size)
                table.add_row(f"kept {name}", f"{len(some):,}", f"{len(some) / kept:,.0f}")
                table.add_row(f"applied {name}", f"{len(some):,}", f"{len(some) / applied:,.0f}")
            Console().print(table)
            engine(url).dispose()


def _told(message_ids: list[str], dice: random.Random) -> list[Receipt]:
    told = [
        receipt({"communicationLogId": ours, "vendorMessageId": f"v-{ours}", "status": status, "timestamp": None})
        for ours in message_ids
        for status in ("SENT", "DELIVERED")
    ]
    told += dice.sample(told, len(told) * 15 // 100)
    dice.shuffle(told)
    return told


def _timed(url: str, told: list[Receipt], size: int) -> tuple[float, float]:
    """Seconds to keep the receipts and seconds to apply them, ``size`` per transaction."""
    start = time.perf_counter()
    for first in range(0, len(told), size):
        with transaction(url) as session:
            receipts.keep(session, told[first : first + size])
    kept = time.perf_counter() - start
    start = time.perf_counter()
    while True:
        with transaction(url) as session:
            if not receipts.apply(session, size).total():
                break
    return kept, time.perf_counter() - start
