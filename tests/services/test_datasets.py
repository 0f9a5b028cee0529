"""Does a DuckDB file answer as the store does, and is a file that cannot be asked refused in one line?"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy.orm import Session

from db import duck
from domain.errors import Invalid, NotFound, ParleyError, Unavailable
from domain.segments import parse
from services import datasets, segments, segments_history, store
from settings import settings
from tests.planted import NOW
from tests.segment_cases import CASES, DAY, named, shop


def test_every_condition_means_the_same_people_on_both_engines(session: Session, tmp_path: Path) -> None:
    planted = shop(session)
    names = {number: name for name, number in planted.ids.items()}
    store.export(session, tmp_path / "store.duckdb")
    with datasets.open_dataset("store", tmp_path / "store.duckdb") as dataset:
        for where, expected in CASES:
            definition = parse({"where": named(where, planted)})
            members = {names[int(found)] for found in datasets.member_ids(dataset, definition, now=NOW)}
            assert members == expected, where
            ours, theirs = (
                datasets.preview(dataset, definition, now=NOW - 3 * DAY),
                segments.preview(session, definition, now=NOW - 3 * DAY),
            )
            assert ours == theirs.model_copy(update={"sample": ()}), where


def test_the_export_tells_the_sizes_of_ninety_days_as_the_store_does(session: Session, tmp_path: Path) -> None:
    shop(session)
    store.export(session, tmp_path / "store.duckdb")
    above = {"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 50}}
    quiet = {"type": "activity", "name": "order", "op": "none", "during": {"last": "30d"}}
    definition = parse({"where": {"type": "all", "of": [above, quiet]}})
    days = [NOW - before * DAY for before in range(90)]
    with datasets.open_dataset("store", tmp_path / "store.duckdb") as dataset:
        found = datasets.sizes(dataset, definition, days)
    assert found == segments_history.sizes(session, definition, days)
    assert len(set(found.values())) > 1


def test_exporting_again_replaces_the_file_and_leaves_nothing_beside_it(session: Session, tmp_path: Path) -> None:
    planted = shop(session)
    store.export(session, tmp_path / "store.duckdb")
    planted.person("Fay")
    assert store.export(session, tmp_path / "store.duckdb")["customers"] == 6
    assert [file.name for file in tmp_path.iterdir()] == ["store.duckdb"]


def _nothing(path: Path) -> None:
    pass


def _text(path: Path) -> None:
    path.write_text("id,name\n1,Ada\n", encoding="utf-8")


def _half(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("create table t as select range as a from range(100000)")
    path.write_bytes(path.read_bytes()[:5000])


def _another(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("create table people (id int)")


def _old(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("create table t (a int)")
    raw = bytearray(path.read_bytes())
    raw[12:14] = (51).to_bytes(2, "little")  # what DuckDB 0.8 wrote there
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_nothing, "no_such_file"),
        (_text, "not_a_duckdb_file"),
        (_half, "damaged_file"),
        (_another, "missing_in_file"),
        (_old, "old_storage_version"),
    ],
)
def test_a_file_that_cannot_be_asked_is_refused(tmp_path: Path, make: Callable[[Path], None], code: str) -> None:
    path = tmp_path / "some.duckdb"
    make(path)
    definition = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})
    with (
        pytest.raises((Invalid, NotFound, Unavailable)) as caught,
        datasets.open_dataset("store", path) as dataset,
    ):
        datasets.preview(dataset, definition, now=NOW)
    assert isinstance(caught.value, ParleyError)
    assert caught.value.code == code
    assert caught.value.fix


CLUB = """
dataset = "club"
schemas = ["club", "main"]

[entity]
label = "member"
plural = "members"
table = "members"
key = "id"
key_kind = "text"
since = "joined_on"

[attributes.town]
label = "town"
kind = "text"
at = { column = "town" }

[activities.event]
label = "event"
table = "events"
entity_column = "member_id"
time_column = "happened_at"
named_by = "name"
"""

CLUB_SQL = """
    create schema club.club;
    create table club.club.members as select * from (values
        ('00000000-0000-0000-0000-00000000000a'::uuid, 'Oslo', date '2026-01-01'),
        ('00000000-0000-0000-0000-00000000000b'::uuid, 'Bergen', null),
        ('00000000-0000-0000-0000-00000000000c'::uuid, 'Oslo', date '2026-12-31')) as t(id, town, joined_on);
    create table events as select * from (values
        ('00000000-0000-0000-0000-00000000000a'::uuid, 'CHECK_IN', timestamp '2026-06-01 10:00'),
        ('00000000-0000-0000-0000-00000000000b'::uuid, 'LEFT', timestamp '2026-06-01 10:00')
        ) as t(member_id, name, happened_at);
"""


@pytest.fixture
def club() -> Path:
    """A dataset of a store's own: keys that are UUIDs, tables in two schemas, times without a zone."""
    folder = settings().home / "datasets"
    folder.mkdir(parents=True)
    (folder / "club.toml").write_text(CLUB)
    with duckdb.connect(settings().home / "club.duckdb") as connection:
        connection.execute(CLUB_SQL)
    return settings().home / "club.duckdb"


def _asked(where: dict[str, Any], dataset: str = "club") -> list[str]:
    with datasets.open_dataset(dataset) as opened:
        found = datasets.member_ids(opened, parse({"dataset": dataset, "where": where}), now=NOW)
        return [str(member)[-1] for member in found]


def test_a_catalog_in_the_stores_folder_is_a_dataset_and_its_keys_may_be_texts(club: Path) -> None:
    everyone = {"type": "attribute", "name": "town", "op": "set"}
    assert _asked(everyone) == ["a", "b"], "c joins later; when b did is not known"
    assert _asked({"type": "attribute", "name": "town", "op": "eq", "value": "oslo"}) == ["a"]
    assert _asked({"type": "activity", "name": "CHECK_IN"}) == ["a"]
    assert _asked({"type": "activity", "name": "event", "op": "gte", "value": 1}) == ["a", "b"]
    half = {"type": "bucket", "name": "x", "percent": 50}
    assert sorted(_asked(half) + _asked({"type": "not", "of": half})) == ["a", "b"]
    with datasets.open_dataset("club") as opened:
        definition = parse({"dataset": "club", "where": everyone})
        ids = datasets.member_ids(opened, definition, now=NOW)
        assert datasets.member_ids(opened, definition, now=NOW, after=ids[0], limit=5) == ids[1:]
        assert set(datasets.preview(opened, definition, now=NOW).sample_customer_ids) == set(ids)
        assert opened.catalog.attribute("town").values == ("Bergen", "Oslo")


GUESTS = """
dataset = "guests"
time_zone = "America/New_York"

[entity]
label = "guest"
plural = "guests"
table = "guests"
key = "id"
zone = "lives_in"

[attributes.seen]
label = "seen"
kind = "instant"
at = { column = "seen" }

[attributes.lives_in]
label = "time zone"
kind = "text"
at = { column = "lives_in" }

[activities.visit]
label = "visit"
table = "guests"
entity_column = "id"
time_column = "seen"

[metrics.idle]
label = "days idle"
kind = "number"
absent = 0
terms = [{ activity = "visit", measure = "days_since_last" }]
"""

GUESTS_SQL = """
    create table guests as select * from (values
        (1, timestamp '2025-06-15 02:00', 'Asia/Tokyo'),
        (2, timestamp '2025-06-16 02:00', 'Asia/Tokyo'),
        (3, null, null)) as t(id, seen, lives_in);
"""


@pytest.fixture
def guests() -> None:
    """A dataset whose instants have no offset and whose calendar is not UTC's."""
    folder = settings().home / "datasets"
    folder.mkdir(parents=True)
    (folder / "guests.toml").write_text(GUESTS)
    with duckdb.connect(settings().home / "guests.duckdb") as connection:
        connection.execute(GUESTS_SQL)


@pytest.mark.usefixtures("guests")
def test_an_instant_without_an_offset_is_in_utc_and_its_day_is_that_of_the_zone_asked_for() -> None:
    assert _asked({"type": "attribute", "name": "seen", "op": "anniversary_today"}, "guests") == ["2"]
    theirs = {"type": "attribute", "name": "seen", "op": "on", "value": "2025-06-15", "zone": "customer"}
    assert _asked(theirs, "guests") == ["1"]


@pytest.mark.usefixtures("guests")
def test_who_never_did_it_has_the_value_that_the_catalog_says_whatever_else_is_asked() -> None:
    fresh = {"type": "metric", "name": "idle", "op": "lt", "value": 5}
    also = {"type": "activity", "name": "visit", "op": "gte", "value": 0}
    assert _asked(fresh, "guests") == _asked({"type": "all", "of": [fresh, also]}, "guests") == ["3"]


def test_a_file_that_another_process_writes_to_is_read_from_a_copy(club: Path) -> None:
    writing = f"""
import duckdb
with duckdb.connect({str(club)!r}) as connection:
    connection.execute("update club.club.members set town = 'Voss' where town = 'Bergen'")
    print("written", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", writing], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "written\n"
        assert _asked({"type": "attribute", "name": "town", "op": "eq", "value": "Voss"}) == ["b"]
        process.stdin.write("\n")
        process.stdin.close()


def test_a_question_that_takes_too_long_is_stopped(club: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duck, "TIMEOUT_SECONDS", 0.05)
    with duck.opened(club) as file, pytest.raises(Unavailable) as refused:
        file.run("select count(*) from range(1000000000) a, range(100000) b where a.range % 7 = b.range % 5")
    assert refused.value.code == "too_slow"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (('column = "town"', 'column = "tonw"'), "missing_in_file"),
        (('kind = "text"', 'kind = "integer"'), "wrong_type_in_file"),
        (("[attributes.town]", "[attributes.town"), "catalog_invalid"),
        (('kind = "text"', 'kind = "txt"'), "catalog_invalid"),
        (('dataset = "club"', 'dataset = "other"'), "catalog_invalid"),
    ],
)
def test_a_catalog_that_does_not_fit_its_file_is_refused(club: Path, change: tuple[str, str], code: str) -> None:
    (settings().home / "datasets" / "club.toml").write_text(CLUB.replace(*change))
    with pytest.raises(Invalid) as refused:
        _asked({"type": "attribute", "name": "town", "op": "in", "value": [5]})
    assert refused.value.code == code


def test_no_dataset_reads_another_file(club: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("id,town\n1,Rome\n")
    (settings().home / "datasets" / "club.toml").write_text(
        CLUB.replace('table = "members"', f'table = "{tmp_path}/secret.csv"')
    )
    with pytest.raises(Invalid):
        _asked({"type": "attribute", "name": "town", "op": "set"})
    with pytest.raises(NotFound):
        _asked({"type": "attribute", "name": "town", "op": "set"}, dataset="clubs")
