"""Can everything about a saved segment be done from a terminal?"""

import csv
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import cli
from db.session import transaction
from services import users
from tests.planted import Planted

Run = Callable[..., str]


@pytest.fixture
def run(configured: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs ``parley segment`` with some words on a store of two Texans and an Ohioan; gives what it printed."""
    with transaction() as session:
        shop = Planted.store(session)
        for name, region, total in (("Ada", "Texas", 120), ("Ben", "Texas", 80), ("Cleo", "Ohio", 200)):
            shop.person(name, region=region)
            shop.order(name, total, timedelta(days=3))
        users.ensure_admin(session)

    def segment(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["parley", "segment", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        assert int(ended.value.code or 0) == code, said.err
        return said.out + said.err

    return segment


def test_a_segment_lives_and_dies_on_the_command_line(run: Run, tmp_path: Path) -> None:
    rich = {"type": "metric", "name": "ltv", "op": "gte", "value": 100}
    texas = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}
    for name, where in (("Texans", texas), ("Rich Texans", {"type": "all", "of": [texas, rich]})):
        path = tmp_path / "definition.json"
        path.write_text(json.dumps({"where": where}))
        assert "people" in run("save", str(path), "--name", name)
    assert "Texans: 2 people, 2 came, 0 went." in run("refresh")
    assert "just now" in run("list")
    assert len(json.loads(run("history", "Texans", "--days", "5", "--json"))["points"]) == 5
    assert "2" in run("history", "Texans", "--days", "2")
    assert "1  in both Texans and Rich Texans, Jaccard 0.500" in run("overlap", "Texans", "Rich Texans")
    assert "1  would be in but for: LTV is at least $100; half of them within $20" in run("near", "Rich Texans")
    assert "no      LTV is at least $100: LTV is $80, the last order" in run("why", "2", "ben@example.com")
    assert "is segment 3: 2 people" in run("snapshot", "Texans", "--name", "Texans today")
    assert "Nothing uses it." in run("uses", "Texans")
    assert "They mean the same" in run("diff", "Texans")
    assert "that is version 2 now" in run("restore", "Texans", "1")
    assert "version 1 to 2" in run("diff", "Texans")
    made = tmp_path / "rich.csv"
    assert "1 people" in run("export", "Rich Texans", str(made), "--columns", "email,ltv")
    assert list(csv.reader(made.read_text().splitlines())) == [
        ["id", "email", "ltv"],
        ["1", "ada@example.com", "120.00"],
    ]
    assert "neither" in run("export", "Rich Texans", str(tmp_path / "rich.xls"), code=2)
    assert "did you mean Texans?" in run("uses", "Texas", code=2)
    assert "is deleted" in run("delete", "Texans", "--yes")
    assert "Texans today" in run("list")
