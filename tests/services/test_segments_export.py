"""Do files of members hold what is known of them, whatever imported data calls it?"""

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy.orm import Session

from domain.segments import parse
from services import segments, segments_export
from services.segments_export import Format
from tests.planted import NOW, Planted

FORMULA, QUOTED = "=1+1", "it's"
CUSTOM = {FORMULA: "-5", QUOTED: "yes", "sizes": ["S", "Größe 3"], "home": {"pets": {"cat": True}}}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_nested_attributes_leave_as_json_and_no_name_runs_as_a_formula(
    session: Session, tmp_path: Path, form: Format
) -> None:
    shop = Planted.store(session)
    shop.person("Ada", custom=CUSTOM)
    shop.person("Ben")
    where = parse({"where": {"type": "not", "of": {"type": "tag", "name": "vip"}}})
    segment = segments.save(session, name="Everybody", definition=where, by="mia", now=NOW).id
    path = tmp_path / f"members.{form}"
    done = segments_export.export(session, segment, path, form=form, by="mia", now=NOW, chosen=tuple(CUSTOM))
    assert done.people == 2
    names, ada, ben = _rows(path)
    shown = {"csv": (f"'{FORMULA}", "'-5", ""), "parquet": (FORMULA, "-5", None)}[form]
    assert names == ["id", shown[0], *[name for name in CUSTOM if name != FORMULA]]
    assert (ada[1], *ben[1:]) == (shown[1], *[shown[2]] * 4)
    assert [json.loads(value) for value in ada[3:]] == [CUSTOM["sizes"], CUSTOM["home"]]


def _rows(path: Path) -> list[list[Any]]:
    """The names of a file's columns, then its rows by id."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(path)).order("id")
        return [found.columns, *map(list, found.fetchall())]
