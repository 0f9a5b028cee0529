"""Does ``parley segment`` answer for files people write, and say plainly what is wrong with the others?"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from commands.segments import app
from db.session import reading, transaction
from domain.errors import Invalid, ParleyError
from services import store
from settings import settings
from tests.planted import NOW, Planted

SUBSCRIBED = {"where": {"type": "consent", "channel": "email"}}


@pytest.fixture(autouse=True)
def _planted(configured: str) -> None:
    """Three customers, two of them subscribed; the second one only for 10 days before NOW."""
    with transaction(configured) as session:
        shop = Planted.store(session)
        for name in ("Ann", "Bob", "Cid"):
            shop.person(name)
        shop.consent("Ann", "subscribed", timedelta(days=100))
        shop.consent("Bob", "subscribed", timedelta(days=10))


def run(*words: str, given: str | None = None) -> str:
    result = CliRunner().invoke(app, list(words), input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def written(tmp_path: Path, value: Any) -> str:
    path = tmp_path / "definition.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


def test_a_preview_says_the_definition_back_and_counts(tmp_path: Path) -> None:
    file = written(tmp_path, SUBSCRIBED)
    assert run("preview", file).startswith("2 of 3: subscribed to email")
    found = json.loads(run("preview", file, "--json"))
    assert (found["audience_size"], found["everyone"], len(found["sample_customer_ids"])) == (2, 3, 2)


def test_members_are_listed_line_by_line_or_as_json(tmp_path: Path) -> None:
    file = written(tmp_path, SUBSCRIBED)
    ids = [int(line) for line in run("members", file).split()]
    assert len(ids) == 2
    assert json.loads(run("members", file, "--json")) == {"audience_size": 2, "member_ids": ids}


def test_a_past_instant_can_be_asked_about(tmp_path: Path) -> None:
    file = written(tmp_path, SUBSCRIBED)
    for as_of in ((NOW - timedelta(days=50)).date().isoformat(), (NOW - timedelta(days=50)).isoformat()):
        assert run("preview", file, "--as-of", as_of).startswith("1 of 3")


def test_standard_input_can_be_a_file() -> None:
    assert run("preview", "-", given=json.dumps(SUBSCRIBED)).startswith("2 of 3")


def test_the_export_of_the_store_answers_the_same(database: str, tmp_path: Path) -> None:
    home = settings().home
    home.mkdir(parents=True)
    with reading(database) as session:
        store.export(session, home / store.FILE)
    file = written(tmp_path, SUBSCRIBED)
    assert run("members", file, "--engine", "duckdb") == run("members", file)
    assert run("preview", file, "--engine", "duckdb").startswith("2 of 3")


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        ("{not json", [], "definition_unreadable"),
        (SUBSCRIBED, ["--as-of", "yesterday"], "as_of_invalid"),
        ({"where": {"type": "all", "of": []}}, [], "segment_invalid"),
        ({**SUBSCRIBED, "dataset": "crm"}, ["--dataset", "store"], "wrong_dataset"),
        ({**SUBSCRIBED, "dataset": "crm"}, ["--engine", "postgres"], "wrong_engine"),
        ({"where": {"type": "tag", "name": "x", "colour": "red"}}, [], "segment_invalid"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(tmp_path: Path, content: Any, options: list[str], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        run("preview", written(tmp_path, content), *options)
    assert refused.value.code == code
    assert refused.value.fix


def test_a_file_that_is_not_there_and_an_export_that_was_not_made_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        run("preview", str(tmp_path / "nothing.json"))
    with pytest.raises(ParleyError) as refused:
        run("preview", written(tmp_path, SUBSCRIBED), "--engine", "duckdb")
    assert refused.value.message
