"""Does DuckMart come out as the seed says, are real CSV files cleaned, and do its segments fit SQL by hand?"""

import csv
import hashlib
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from commands.duckmart import app
from domain.errors import Invalid, NotFound, ParleyError
from domain.segments import parse
from services import datasets, duckmart
from settings import settings
from tests.planted import NOW

USERS = """\
ID,Full Name,Age,Sex,State,Signup Date,Plan,Device
1,  Ada   Miller ,25,F,california,2024-01-31,FREE,iOS
2,Bob Young,34.0,male,CA,01/31/2024,free,ios
3,Cid Hill,35,M,California,"Jan 31, 2024",Free,iOS
4,Dot King,-3,x,Texas,31.01.2024,Basic,Android
5,Eve Lee,unknown,N/A,texas ,soon,Basic,Android
5,Eve Lee,41,woman,Texas,2024/01/31,Basic,Android
abc,Nobody,20,f,Texas,2024-01-31,Free,iOS
6,Fay Wu,999,alien,Oslo,2031-01-01,,
7,"Gus, Jr",30,m,TX,2024-01-31 10:00:00,Free,iOS,more,than,there,are
"""
EVENTS = """\
user_id,event,time
1,LOGIN,2024-05-01T10:00:00Z
1,login,2024-05-01 12:00:00+02:00
2,log in,1714557600
2,Add-to cart,1714557600000
3,LOGIN,05/01/2024 10:00:00
3,LOGIN,2031-05-01
9,LOGIN,2024-05-01
,LOGIN,2024-05-01
1,,2024-05-01
1,LOGIN,whenever
"""


def _put(folder: Path, users: str = USERS, events: str = EVENTS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users.csv").write_text(users)
    (folder / "events.csv").write_text(events)
    return folder


def _lines(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]


def test_what_real_files_have_is_cleaned_and_the_rest_is_listed_with_its_reason(tmp_path: Path) -> None:
    raw = _put(tmp_path / "raw")
    with (raw / "events.csv").open("ab") as file:
        file.write(b"1,\xff\xfe,2024-01-01\n")
    found = duckmart.transform(raw, now=NOW)
    assert _lines(raw / "clean" / "users.csv") == [
        ["1", "Ada Miller", "25", "female", "California", "2024-01-31", "Free", "iOS"],
        ["2", "Bob Young", "34", "male", "California", "2024-01-31", "Free", "iOS"],
        ["3", "Cid Hill", "35", "male", "California", "2024-01-31", "Free", "iOS"],
        ["4", "Dot King", "", "non-binary", "Texas", "2024-01-31", "Basic", "Android"],
        ["5", "Eve Lee", "41", "female", "Texas", "2024-01-31", "Basic", "Android"],
        ["6", "Fay Wu", "", "", "Oslo", "", "", ""],
        ["7", "Gus, Jr", "30", "male", "Texas", "2024-01-31", "Free", "iOS"],
    ]
    assert _lines(raw / "clean" / "events.csv") == [
        ["1", "LOGIN", "2024-05-01 10:00:00+00"],
        ["2", "LOG_IN", "2024-05-01 10:00:00+00"],
        ["2", "ADD_TO_CART", "2024-05-01 10:00:00+00"],
        ["3", "LOGIN", "2024-05-01 10:00:00+00"],
    ]
    assert (found.users_read, found.users, found.events_read, found.events) == (9, 7, 10, 4)
    told = {(row.file, row.field, row.reason, row.lines, row.values) for row in found.aside}
    assert told == {
        ("events.csv", "", "not a line of the table", 1, 0),
        ("users.csv", "id", "no whole number", 1, 0),
        ("users.csv", "id", "the id comes again further down", 1, 0),
        ("users.csv", "age", "not an age from 0 to 120", 0, 2),
        ("users.csv", "gender", "not a gender we know", 0, 1),
        ("users.csv", "signup_date", "not a date, or in the future", 0, 2),
        ("events.csv", "user_id", "no whole number", 1, 0),
        ("events.csv", "user_id", "no such user", 1, 0),
        ("events.csv", "user_id", "the same event again", 1, 0),
        ("events.csv", "event_name", "empty", 1, 0),
        ("events.csv", "timestamp", "not a time", 1, 0),
        ("events.csv", "timestamp", "in the future", 1, 0),
    }
    listed = _lines(raw / "clean" / "set_aside.csv")
    assert ["events.csv", "8", "user_id", "9", "no such user", "true"] in listed
    assert len(listed) == sum(row.lines + row.values for row in found.aside)


@pytest.mark.parametrize(("written", "first"), [("25/12/2023", "2024-01-02"), ("12/25/2023", "2024-02-01")])
def test_dates_with_slashes_begin_with_the_day_where_the_file_shows_it(
    tmp_path: Path, written: str, first: str
) -> None:
    head = "id,name,age,gender,location,signup_date,subscription_plan,device_type\n"
    raw = _put(tmp_path, f"{head}1,A,1,f,x,02/01/2024,Free,iOS\n2,B,1,f,x,{written},Free,iOS\n")
    duckmart.transform(raw, now=NOW)
    assert [row[5] for row in _lines(raw / "clean" / "users.csv")] == [first, "2023-12-25"]


def test_the_same_seed_writes_the_same_files_of_any_size(tmp_path: Path) -> None:
    def made(name: str, seed: int = 1) -> list[str]:
        folder = tmp_path / name
        counts = duckmart.generate(folder, users=230, events=3_000, seed=seed, now=NOW, odd=0)
        assert counts == {"users": 230, "events": 3_000}
        return [hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in ("users.csv", "events.csv")]

    assert made("a") == made("b") != made("c", seed=2)
    clean = duckmart.transform(tmp_path / "a", now=NOW)
    assert (clean.users, clean.events, clean.aside) == (230, 3_000, ())


def _loaded(tmp_path: Path) -> Path:
    """A DuckMart with users on both ends of every border, at the dataset's own place."""
    duckmart.generate(tmp_path, users=500, events=4_000, seed=3, now=NOW, odd=0.1)
    duckmart.transform(tmp_path, now=NOW)
    path, written = duckmart.load(tmp_path / "clean")
    assert written["users"] > 450
    assert written["events"] > 3_500
    assert path == settings().home / "duckmart.duckdb"
    return path


IN_CALIFORNIA = {"type": "attribute", "name": "location", "op": "eq", "value": "California"}
BY_HAND: list[tuple[dict[str, Any], str]] = [
    (
        {"type": "attribute", "name": "age", "op": "between", "value": [25, 34]},
        "select id from users where age >= 25 and age <= 34 order by id",
    ),
    (
        {"type": "all", "of": [IN_CALIFORNIA, {"type": "activity", "name": "LOGIN"}]},
        """select id from users where location = 'California'
           and id in (select user_id from events where event_name = 'LOGIN') order by id""",
    ),
    (
        {"type": "activity", "name": "PURCHASE", "op": "gte", "value": 2, "during": {"last": "90d"}},
        """select user_id from events where event_name = 'PURCHASE' and timestamp >= timestamptz '2026-03-17 12:00Z'
           and timestamp < timestamptz '2026-06-15 12:00Z' group by 1 having count(*) >= 2 order by 1""",
    ),
    (
        {"type": "activity", "name": "SUPPORT_TICKET", "op": "none"},
        """select id from users where id not in
           (select user_id from events where event_name = 'SUPPORT_TICKET') order by id""",
    ),
]


def test_segments_are_those_of_sql_written_by_hand(tmp_path: Path) -> None:
    path = _loaded(tmp_path)
    with duckdb.connect(path, read_only=True) as connection:
        expected = [[row[0] for row in connection.execute(sql).fetchall()] for _, sql in BY_HAND]
    with datasets.open_dataset("duckmart") as dataset:
        for (where, _), ids in zip(BY_HAND, expected, strict=True):
            definition = parse({"dataset": "duckmart", "where": where})
            assert datasets.member_ids(dataset, definition, now=NOW) == ids, where
            assert datasets.preview(dataset, definition, now=NOW).audience_size == len(ids) > 0
        assert "California" in dataset.catalog.attribute("location").values
        assert dataset.catalog.activity("SUPPORT_TICKET").label == "support ticket"


def test_the_commands_lead_from_nothing_to_a_file_that_can_be_asked() -> None:
    said = ""
    for words in (["generate", "--users", "50", "--events", "300", "--as-of", "2026-06-15"], ["transform"], ["load"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        said += result.output
    assert "parley duckmart load" in said
    assert (settings().home / "duckmart.duckdb").exists()


@pytest.mark.parametrize("users", [b"id,name\n1,Ada\n", b"\0\0\0", b"", b"PAR1\xff\xfe\x00\n\xff"])
def test_files_that_are_something_else_are_refused(tmp_path: Path, users: bytes) -> None:
    raw = _put(tmp_path)
    (raw / "users.csv").write_bytes(users)
    with pytest.raises(ParleyError) as refused:
        duckmart.transform(raw, now=NOW)
    assert (refused.value.code, bool(refused.value.fix)) == ("columns_missing", True)


CLEAN_USERS = (
    "id,name,age,gender,location,signup_date,subscription_plan,device_type\n1,A,20,female,x,2024-01-01,Free,iOS\n"
)
CLEAN_EVENTS = "user_id,event_name,timestamp\n1,LOGIN,2024-01-01 00:00:00+00\n"


@pytest.mark.parametrize(
    ("users", "events", "code"),
    [
        (USERS, CLEAN_EVENTS, "not_clean"),
        (CLEAN_USERS.replace("20", "young"), CLEAN_EVENTS, "not_clean"),
        (CLEAN_USERS + CLEAN_USERS.splitlines()[1], CLEAN_EVENTS, "key_broken"),
        (CLEAN_USERS, CLEAN_EVENTS.replace("1,LOGIN", "2,LOGIN"), "key_broken"),
        (CLEAN_USERS, CLEAN_EVENTS.replace("LOGIN", ""), "key_broken"),
    ],
)
def test_only_clean_files_are_loaded_and_an_older_file_stays(
    tmp_path: Path, users: str, events: str, code: str
) -> None:
    folder = _put(tmp_path, CLEAN_USERS, CLEAN_EVENTS)
    path, written = duckmart.load(folder)
    assert written == {"users": 1, "events": 1}
    before = path.read_bytes()
    _put(tmp_path, users, events)
    with pytest.raises(Invalid) as refused:
        duckmart.load(folder)
    assert refused.value.code == code
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir() if "duckmart" in file.name] == ["duckmart.duckdb"]
    with pytest.raises(NotFound):
        duckmart.load(tmp_path / "nowhere")
