"""Does ``parley dataset`` lead from a file to a dataset, and end with the exit code of what it found?"""

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from commands.datasets import app
from domain.errors import NotFound
from settings import settings


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three users, two of whom did something."""
    path = tmp_path / "app.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("""
            create table users as select i as id, ['Oslo', 'Rome'][1 + i % 2] as city from range(3) r(i);
            create table clicks as select i as user_id, timestamptz '2026-01-01' as at from range(2) r(i);
        """)
    return path


def test_a_file_is_added_listed_shown_and_checked(file: Path) -> None:
    assert "assumed: it is about users" in run("add", str(file))
    listed = run("list")
    assert "duckmart" in listed
    assert str(file) in listed
    shown = run("show", "app")
    assert "Oslo, Rome" in shown
    assert "click" in shown
    assert json.loads(run("show", "app", "--json"))["entity"]["table"] == "users"
    assert "wrong" not in run("check", "app")


def test_a_check_that_finds_something_ends_with_code_two(file: Path) -> None:
    run("add", str(file))
    with duckdb.connect(file) as connection:
        connection.execute("insert into users values (1, 'Bonn')")
    assert "wrong  entity: users" in run("check", "app", code=2)
    assert any(finding["wrong"] for finding in json.loads(run("check", "app", "--json", code=2)))


def test_a_dataset_whose_file_is_not_there_is_said_to_be_so() -> None:
    assert f"{settings().home / 'duckmart.duckdb'} is not there" in run("list")
    with pytest.raises(NotFound):
        run("show", "duckmart")


def test_a_catalog_that_cannot_be_read_does_not_hide_the_others() -> None:
    own = settings().home / "datasets"
    own.mkdir(parents=True)
    (own / "half.toml").write_text("dataset = ", encoding="utf-8")
    listed = run("list")
    assert "half.toml is no TOML file" in listed
    assert "duckmart" in listed
