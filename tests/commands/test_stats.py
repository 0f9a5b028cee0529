"""Does ``parley stats`` give the figures, and does the guide name all of them?"""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from commands import stats as commands
from db.session import transaction
from domain import rfm
from domain.errors import Invalid
from services import stats
from tests.planted import Planted

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "stats.md").read_text(encoding="utf-8")
DAY = timedelta(days=1)
GMAIL = {"where": {"type": "attribute", "name": "email", "op": "ends_with", "value": "@gmail.com"}}


@pytest.fixture
def _planted(configured: str) -> None:
    with transaction(configured) as session:
        shop = Planted.store(session)
        for i in range(6):
            shop.person(f"P{i}", email=f"p{i}@{'gmail.com' if i % 2 else 'example.com'}", region="Texas")
            shop.order(f"P{i}", 100 * (i + 1), (i + 1) * DAY, items={"Kettle": "Gear"})


def run(*words: str) -> str:
    result = CliRunner().invoke(commands.app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("_planted")
def test_each_command_gives_its_figures(tmp_path: Path) -> None:
    gmail = tmp_path / "gmail.json"
    gmail.write_text(json.dumps(GMAIL))
    found = json.loads(run("percentiles", "ltv", "--at", "0,100", "--segment", str(gmail), "--json"))
    assert found["percentiles"] == {"0": 200.0, "100": 600.0}
    assert "50th" in run("percentiles", "ltv")
    assert json.loads(run("distribution", "ltv", "--json"))["people"] == 6
    assert re.search(r"Texas +6", run("distribution", "state"))
    assert re.search(r"Kettle +\$2,100", run("top", "product", "--activity", "item", "--by", "total"))
    assert "in part" in run("trend", "order", "--per", "year", "--last", "1y")
    assert json.loads(run("trend", "order", "--first", "--json"))["counted"] == "customers per month"
    assert "may be chance" in run("compare", str(gmail)) or "too few" in run("compare", str(gmail))
    assert json.loads(run("rfm", "--json"))["buyers"] == 6
    assert "champions" in run("rfm")
    with pytest.raises(Invalid, match="no JSON file"):
        run("rfm", "--segment", str(tmp_path / "none.json"))
    with pytest.raises(Invalid, match="not a length of time"):
        run("percentiles", "ltv", "--last", "soon")
    with pytest.raises(Invalid, match="no list of numbers"):
        run("percentiles", "ltv", "--at", "half")


def test_the_guide_names_every_command_unit_ranking_and_group() -> None:
    names = {
        command.name or command.callback.__name__ for command in commands.app.registered_commands if command.callback
    }
    listed = set(re.findall(r"`(\w+)`", GUIDE))
    assert names | set(get_args(stats.Unit)) | {"people", "deeds"} <= listed
    rows = re.findall(r"^\| ([\w ]+) \| ([\d-]+) \| ([\d-]+) \|$", GUIDE, re.MULTILINE)
    said = {group.label: tuple("-".join(map(str, sorted(set(span)))) for span in (group.recency, group.frequency))
            for group in rfm.GROUPS.values()}  # fmt: skip
    assert {label: (recency, frequency) for label, recency, frequency in rows} == said
