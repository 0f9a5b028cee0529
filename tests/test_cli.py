"""Does the command line say what it can do, what is there, and what is wrong, in words and exit codes?"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

import cli
from db.embedded import servers
from db.migrations import NEWEST
from settings import settings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs ``parley`` with some words; gives the exit code and both outputs."""

    def parley(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["parley", *words])
        settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return parley


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, database: str, redis_url: str) -> str:
    """Settings that name both servers of the tests."""
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    monkeypatch.setenv("PARLEY_REDIS_URL", redis_url)
    return database


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    assert "Usage: parley" in out
    assert name in run("--help")[1]


def test_a_mistyped_command_is_refused_with_the_nearest_one(run: Run) -> None:
    code, _, err = run("docter")
    assert code == cli.REFUSED
    assert "doctor" in err


def test_the_database_address_is_the_configured_one(run: Run, configured: str) -> None:
    assert run("db", "url") == (0, f"{configured}\n", "")


def test_the_address_of_an_embedded_database_works_while_somebody_uses_it(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_HOME", str(home))
    with servers(home, durable=False):
        code, out, err = run("db", "url")
        assert (code, err) == (0, "")
        with psycopg.connect(out.strip()) as connection:
            assert connection.execute("select business_now() is not null").fetchone() == (True,)
    code, out, err = run("db", "url")
    assert "parley up" in err


def test_psql_runs_on_the_database(run: Run, configured: str) -> None:
    assert run("db", "psql", "-Atc", "select current_database()") == (
        0,
        f"{make_url(configured).database}\n",
        "",
    )


def test_migrating_says_the_revision(run: Run, configured: str) -> None:
    assert run("db", "migrate")[1] == f"The database is at revision {NEWEST}.\n"


def test_the_doctor_finds_configured_servers(run: Run, configured: str) -> None:
    code, out, _ = run("doctor", "--json")
    findings = {finding["part"]: finding for finding in json.loads(out)}
    assert code == 0
    assert findings["postgresql"]["source"] == "configured"
    assert findings["postgresql"]["answers"] is True
    assert findings["redis"]["answers"] is True
    assert findings["model"]["source"] == "embedded"
    assert configured not in out, "an address with a password is not shown"


def test_the_doctor_starts_embedded_servers_to_ask_them(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_HOME", str(home))
    code, out, _ = run("doctor")
    assert code == 0
    assert "embedded" in out
    assert f"revision {NEWEST}" in out


def test_the_doctor_fails_for_a_server_that_is_not_there(
    run: Run, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setenv("PARLEY_POSTGRES_URL", "postgresql://somebody:hidden@127.0.0.1:1/none")
    monkeypatch.setenv("PARLEY_REDIS_URL", redis_url)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    code, out, _ = run("doctor", "--json")
    findings = {finding["part"]: finding for finding in json.loads(out)}
    assert code == cli.FAILED
    assert findings["postgresql"]["answers"] is False
    assert findings["postgresql"]["fix"]
    assert findings["model gpt-5-mini"]["answers"] is False
    assert "hidden" not in out


def test_a_wrong_setting_is_one_message_and_exit_code_two(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_PORT", "eighty")
    code, out, err = run("db", "url")
    assert (code, out) == (cli.REFUSED, "")
    assert err.startswith("PARLEY_PORT: ")


def test_an_account_is_added_and_gets_a_new_password(run: Run, configured: str) -> None:
    assert run("user", "add", "kim@example.com", "--password", "a long enough password")[0] == 0
    assert run("user", "add", "kim@example.com", "--password", "a long enough password")[0] == cli.REFUSED
    assert run("user", "password", "kim@example.com", "--password", "another long password")[0] == 0
    assert run("user", "password", "kim@example.com", "--password", "short")[0] == cli.REFUSED
