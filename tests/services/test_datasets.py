"""Does a DuckDB file answer as the store does, and is a file that cannot be asked refused in one line?"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid, NotFound, ParleyError, Unavailable
from domain.segments import parse
from services import datasets, segments, store
from tests.planted import NOW
from tests.segment_cases import CASES, DAY, shop


def test_every_condition_means_the_same_people_on_both_engines(session: Session, tmp_path: Path) -> None:
    planted = shop(session)
    names = {number: name for name, number in planted.ids.items()}
    store.export(session, tmp_path / "store.duckdb")
    with datasets.open_dataset("store", tmp_path / "store.duckdb") as dataset:
        for where, expected in CASES:
            definition = parse({"where": where})
            members = {names[found] for found in datasets.member_ids(dataset, definition, now=NOW)}
            assert members == expected, where
            ours, theirs = (
                datasets.preview(dataset, definition, now=NOW - 3 * DAY),
                segments.preview(session, definition, now=NOW - 3 * DAY),
            )
            assert ours == theirs.model_copy(update={"sample": ()}), where


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
