"""Can a shop's own order lines be imported and asked about from a terminal, with nothing set up before?"""

import csv
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from settings import ROOT

CUSTOMERS = 300
CAMPAIGN = "I want to improve revenue from high LTV customers that haven't purchased recently"
SINCE = timedelta(days=90)


@dataclass(frozen=True)
class Terminal:
    """A terminal in which a home is set and nothing else."""

    home: Path

    def parley(self, *words: str) -> str:
        """Run a command and answer what it printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "OPENAI_"))}
        ended = subprocess.run(
            [sys.executable, "cli.py", *words],
            cwd=ROOT,
            env=kept | {"PARLEY_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def ask(self, sentence: str) -> dict[str, Any]:
        """What the offline planner makes of a sentence."""
        found: dict[str, Any] = json.loads(self.parley("ask", sentence, "--json"))
        return found


def test_imported_orders_are_asked_about_in_words(home: Path, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    file = tmp_path / "old-shop.csv"
    last = _write(file, now)
    terminal = Terminal(home)
    said = terminal.parley(
        "import",
        "orders",
        str(file),
        *("--email-template", "{id}@example.com", "--consent", "subscribed"),
        *("--currency", "GBP", "--time-zone", "Europe/London"),
    )
    assert f"{CUSTOMERS} customers added" in said
    quiet = terminal.ask("customers with no order in the last 90 days")
    assert quiet["audience_size"] == sum(at < now - SINCE for at in last.values())
    assert quiet["reachable"]["email"] == quiet["audience_size"]
    assert quiet["unused_words"] == []
    campaign = terminal.ask(CAMPAIGN)
    assert campaign["action"] == "draft"
    assert 0 < campaign["audience_size"] < CUSTOMERS / 2
    assert {one["word"] for one in campaign["assumptions"]} >= {"high LTV", "recently"}
    assert [step["type"] for step in campaign["campaign"]["spec"]["steps"]] == ["send", "wait", "send"]


def _write(file: Path, now: datetime) -> dict[int, datetime]:
    """Write order lines; answer when each customer ordered last. Nobody did within a week of SINCE ago."""
    chance = random.Random(3)  # noqa: S311 - the same shop each time
    last: dict[int, datetime] = {}
    with file.open("w", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow(
            ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
        )
        for customer in range(1, CUSTOMERS + 1):
            for place in range(chance.randint(1, 5)):
                days = chance.choice([chance.randint(2, SINCE.days - 7), chance.randint(SINCE.days + 7, 400)])
                at = (now - timedelta(days=days)).replace(second=0, microsecond=0)
                last[customer] = max(at, last.get(customer, at))
                for product in chance.sample(range(20), chance.randint(1, 3)):
                    lines.writerow(
                        [
                            f"{customer}-{place}",
                            f"P{product}",
                            f"Mug {product}",
                            chance.randint(1, 5),
                            f"{at:%Y-%m-%d %H:%M}",
                            f"{4 + product}.50",
                            customer,
                            "United Kingdom",
                        ]
                    )
    return last
