"""Do ``parley intent`` commands answer in words and in exit codes that a script can act on?"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from commands.intent import app
from tests import crm


def _nothing(path: Path) -> None:
    pass


def _text(path: Path) -> None:
    path.write_text("id,name\n1,Ada\n", encoding="utf-8")


def _folder(path: Path) -> None:
    path.mkdir()


def _old(path: Path) -> None:
    crm.write(path)
    raw = bytearray(path.read_bytes())
    raw[12:14] = (51).to_bytes(2, "little")  # what DuckDB 0.8 wrote there
    path.write_bytes(raw)


def _half(path: Path) -> None:
    crm.write(path)
    path.write_bytes(path.read_bytes()[:5000])


def _no_table(path: Path) -> None:
    crm.write(path)
    with duckdb.connect(path) as connection:
        connection.execute("drop table crm.crm.contacts")


def _wrong_type(path: Path) -> None:
    crm.write(path)
    with duckdb.connect(path) as connection:
        connection.execute("alter table crm.crm.website_visits alter event_date_utc type timestamp")


BAD: list[Callable[[Path], None]] = [_nothing, _text, _folder, _old, _half, _no_table, _wrong_type]
COMMANDS = {
    "init": lambda path: ["init", str(path), "--work", str(path.with_name("work.duckdb"))],
}


@pytest.mark.parametrize("make", BAD)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_cannot_be_used_is_one_clear_line_and_exit_code_2(
    tmp_path: Path, command: str, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "crm.duckdb"
    make(path)
    result = CliRunner().invoke(app, COMMANDS[command](path))
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert path.name in result.stderr
    assert not path.with_name("work.duckdb").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_somebody_writes_to_is_one_clear_line(tmp_path: Path, command: str) -> None:
    path = crm.write(tmp_path / "crm.duckdb")
    with duckdb.connect(path):
        result = CliRunner().invoke(app, COMMANDS[command](path))
    assert result.exit_code == 2
    assert result.stderr == "crm.duckdb is being written to by another process; try again later\n"


def test_a_demo_and_its_working_copy_are_made_from_the_command_line(tmp_path: Path) -> None:
    source, work = tmp_path / "crm.duckdb", tmp_path / "work.duckdb"
    result = CliRunner().invoke(app, ["demo", str(source), "--companies", "50", "--as-of", "2024-04-30"])
    assert result.exit_code == 0, result.output
    assert "51 companies" in result.stdout
    for words, code in ((["init", str(source)], 0), (["init", str(source)], 2), (["init", str(source), "--force"], 0)):
        assert CliRunner().invoke(app, [*words, "--work", str(work)]).exit_code == code
