"""Do the pages say what the code does?"""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy.orm import Session

from channels.verifier_wires import KICKBOX, ZEROBOUNCE
from domain.alerts import REASONS, State
from domain.operators import OPERATORS
from domain.segments import Condition, parse
from domain.templates import ALWAYS, FILTERS, PERSONAL
from domain.tiers import parse as tier_set
from domain.verdicts import Status
from services import alerts, segments, segments_lists, sources, tiers
from settings import Settings
from tests.planted import NOW, Planted
from tests.segment_cases import DAY

DOCS = Path(__file__).resolve().parent.parent / "docs"
SEGMENTS = (DOCS / "segments.md").read_text(encoding="utf-8")
INTENT = (DOCS / "intent-alerts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"`(\{\"type\".*?\})` \|", SEGMENTS) + re.findall(r"```json\n(.*?)```", SEGMENTS, re.DOTALL)


def test_every_operator_stands_in_the_guide() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", SEGMENTS.split("## Operators")[1].split("\n\n")[1], re.MULTILINE)
    assert listed == list(OPERATORS)


def test_every_condition_stands_in_the_guide() -> None:
    kinds = {get_args(node.model_fields["type"].annotation)[0] for node in get_args(get_args(Condition)[0])}
    named = set(re.findall(r"`(\w+)`", SEGMENTS))
    assert kinds <= named


def test_every_placeholder_and_filter_stands_in_the_guide() -> None:
    page = (DOCS / "templates.md").read_text(encoding="utf-8")
    assert {*re.findall(r"`\{\{ ([\w.]+) \}\}`", page)} == {*PERSONAL, *ALWAYS, "customer.custom.NAME"}
    assert all(f"`{name}`" in page for name in FILTERS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_guide_can_be_asked(session: Session, example: str) -> None:
    shop = Planted.store(session)
    shop.person("Ada", region="Texas")
    tagged = parse({"where": {"type": "tag", "name": "vip"}})
    saved = segments.save(session, name="VIP", definition=tagged, by="mia", now=NOW)
    frozen = segments_lists.snapshot(session, saved.id, name="VIP in June", by="mia", now=NOW)
    shop.topic("Ada", "newsletter", "subscribed", DAY)
    ids = {"1": saved.id, "2": frozen.id}
    flow = '"type": "flow"' in example or '"name": "flow"' in example
    if flow:
        ids["1"] = shop.flow("Welcome")
    named = re.compile(r'"(id|segment|value)": ([12])\b' if flow else r'"(id|segment)": ([12])\b')
    whole = json.loads(named.sub(lambda found: f'"{found[1]}": {ids[found[2]]}', example))
    definition = parse({"where": whole} if "type" in whole else whole)
    assert segments.preview(session, definition, now=NOW).everyone == 1


@pytest.mark.parametrize(
    "name", [name for name in Settings.model_fields if name.startswith(("alert_", "intent_", "verifier"))]
)
def test_every_setting_of_intent_alerts_stands_in_their_guide(name: str) -> None:
    assert f"`PARLEY_{name.upper()}`" in INTENT


def test_every_word_about_an_address_or_an_alert_stands_in_the_guide() -> None:
    words = {*KICKBOX, *ZEROBOUNCE, *Status, *State, *REASONS, *alerts.ENDED.values(), alerts.WOULD_ALERT}
    assert [word for word in sorted(words) if f"`{word}`" not in INTENT and f"`{word}:...`" not in INTENT] == []


def test_the_picture_of_intent_alerts_is_there_with_its_source() -> None:
    assert (DOCS / "images" / "intent-alerts.png").stat().st_size > 50_000
    assert (DOCS / "images" / "intent-alerts.mmd").read_text(encoding="utf-8").startswith("flowchart")


def test_links_between_pages_lead_somewhere() -> None:
    for page in DOCS.rglob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_readme_lists_the_folders_that_there_are() -> None:
    root = DOCS.parent
    listed = re.findall(r"^\| `(\w+)/` \|", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    folders = {path.split("/")[0] for path in tracked if "/" in path and not path.startswith(".")}
    assert listed == sorted(folders)


def test_the_set_of_tiers_in_the_guide_can_be_asked(session: Session) -> None:
    shop = Planted.store(session)
    shop.person("Ada", region="Texas")
    (written,) = re.findall(r"```toml\n(.*?)```", SEGMENTS, re.DOTALL)
    found = tiers.count(sources.of_store(session, now=NOW), tier_set(tomllib.loads(written)))
    assert found == {"gold": 0, "silver": 0, "everyone else": 1}
