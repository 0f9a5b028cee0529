"""Do ``parley intent`` commands answer in words and in exit codes that a script can act on?"""

import json
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
    "tiers": lambda path: ["tiers", "--work", str(path), "--as-of", "2024-04-30"],
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


def test_a_source_that_somebody_writes_to_is_one_clear_line(tmp_path: Path) -> None:
    path = crm.write(tmp_path / "crm.duckdb")
    with duckdb.connect(path):
        result = CliRunner().invoke(app, COMMANDS["init"](path))
    assert result.exit_code == 2
    assert result.stderr == "crm.duckdb is being written to by another process; try again later\n"


def test_a_demo_and_its_working_copy_are_made_from_the_command_line(tmp_path: Path) -> None:
    source, work = tmp_path / "crm.duckdb", tmp_path / "work.duckdb"
    result = CliRunner().invoke(app, ["demo", str(source), "--companies", "50", "--as-of", "2024-04-30"])
    assert result.exit_code == 0, result.output
    assert "51 companies" in result.stdout
    for words, code in ((["init", str(source)], 0), (["init", str(source)], 2), (["init", str(source), "--force"], 0)):
        assert CliRunner().invoke(app, [*words, "--work", str(work)]).exit_code == code


def test_tiers_are_a_table_for_people_and_one_json_document_for_programs(tmp_path: Path) -> None:
    path = crm.write(
        tmp_path / "crm.duckdb",
        companies=[(1, None, "a.example.com"), (2, None, "b.example.com")],
        website_visits=[(1, "x@a.example.com", "2024-04-23")],
        news_publications=[(1, "Opens\x1b[31m\na site", "http://www.a.example.com/x", "2024-04-24")],
    )

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["tiers", "--work", str(path), "--as-of", "2024-04-30", *words])
        assert result.exit_code == 0, result.output
        assert result.stderr == ""
        return result.stdout

    table = run().splitlines()
    assert table[0] == "As of 2024-04-30, boundary strict: 0 HIGH, 1 MEDIUM, 1 LOW"
    assert table[-2].split()[:4] == ["MEDIUM", "1", "a.example.com", "0"]
    assert table[-2].endswith("Opens [31m a site")
    assert table[-1].split()[:3] == ["LOW", "2", "b.example.com"]
    assert "1 HIGH, 0 MEDIUM" in run("--boundary", "inclusive")
    found = json.loads(run("--json", "--boundary", "inclusive", "--tier", "high"))
    assert (found["boundary"], found["counts"]) == ("inclusive", {"HIGH": 1, "MEDIUM": 0, "LOW": 1})
    assert [(one["id"], one["tier"], one["facts"]["last_visit_on"]) for one in found["companies"]] == [
        (1, "HIGH", "2024-04-23")
    ]
    assert "first day included" in found["rules"]["HIGH"]


def test_a_day_that_is_none_and_a_tier_that_is_none_are_refused(tmp_path: Path) -> None:
    path = crm.write(tmp_path / "crm.duckdb")
    for words in (["--as-of", "yesterday"], ["--tier", "HUGE"], ["--boundary", "fuzzy"]):
        result = CliRunner().invoke(app, ["tiers", "--work", str(path), *words])
        assert result.exit_code == 2
        assert result.stderr
