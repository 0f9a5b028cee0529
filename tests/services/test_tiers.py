"""Is everyone in exactly one tier, the first that matches, on any dataset?"""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from commands.tiers import app
from db.session import transaction
from domain.errors import Invalid, NotFound
from domain.tiers import inclusive, parse
from services import sources, tiers
from services.catalog import file
from tests import crm
from tests.planted import NOW, Planted

LOYAL = {"type": "metric", "name": "order_count", "op": "gte", "value": 2}
BUYER = {"type": "activity", "name": "order", "op": "any", "during": {"last": "60d"}}
SET = {
    "name": "loyalty",
    "attributes": ["state"],
    "figures": [{"name": "orders", "metric": "order_count"}, {"name": "opened", "metric": "opens"}],
    "tiers": [{"name": "gold", "where": LOYAL}, {"name": "silver", "where": BUYER}, {"name": "rest"}],
}


def test_the_first_tier_that_matches_wins_and_the_last_takes_the_rest(session: Session) -> None:
    shop = Planted.store(session)
    for name, orders in {"Ada": 3, "Bob": 1, "Cid": 0, "Dan": 1}.items():
        shop.person(name, region="Texas")
        for i in range(orders):
            shop.order(name, 10, timedelta(days=90 if name == "Dan" else 10 + i))
    source, loyalty = sources.of_store(session, now=NOW), parse(SET)
    names = {number: name for name, number in shop.ids.items()}
    found = {names[one.id]: one for one in tiers.place(source, loyalty) if isinstance(one.id, int)}
    assert {name: one.tier for name, one in found.items()} == {
        "Ada": "gold",
        "Bob": "silver",
        "Cid": "rest",
        "Dan": "rest",
    }
    assert found["Ada"].shown == {"state": "Texas", "orders": 3, "opened": 0}
    assert tiers.count(source, loyalty) == {"gold": 1, "silver": 1, "rest": 2}


def test_the_sets_that_come_along_fit_their_catalogs() -> None:
    for path in tiers.SHIPPED.glob("*.toml"):
        shipped = tiers.shipped(path.stem)
        assert parse(shipped.as_json()) == shipped
        catalog = file(shipped.dataset)
        for name in shipped.attributes:
            catalog.attribute(name)
        for figure in shipped.figures:
            catalog.metric(figure.metric)
    with pytest.raises(NotFound) as refused:
        tiers.shipped("intents")
    assert refused.value.fix == "did you mean intent?"


def test_the_inclusive_reading_changes_windows_that_count_back_and_nothing_else() -> None:
    changed = inclusive(parse(SET)).as_json()
    assert changed["tiers"][1]["where"]["during"] == {"last": "60d", "inclusive": True}
    assert changed["tiers"][0]["where"] == LOYAL
    assert changed["figures"] == SET["figures"]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"tiers": [{"name": "a", "where": LOYAL}, {"name": "b", "where": BUYER}]}, "tiers_invalid", ""),
        ({"tiers": [{"name": "a"}, {"name": "b"}]}, "tiers_invalid", ""),
        ({"tiers": [{"name": "a", "where": LOYAL}, {"name": "a"}]}, "tiers_invalid", ""),
        ({"tiers": [{"name": "a"}]}, "tiers_invalid", "tiers"),
        ({"colour": "red"}, "tiers_invalid", "colour"),
        ({"attributes": ["tier"]}, "tiers_invalid", ""),
        (
            {"tiers": [{"name": "a", "where": {"type": "all", "of": []}}, {"name": "b"}]},
            "segment_invalid",
            "tiers.0.where.of",
        ),
    ],
)
def test_a_set_that_leaves_somebody_out_or_is_unclear_is_refused(
    change: dict[str, object], code: str, path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        parse({**SET, **change})
    assert refused.value.code == code
    assert refused.value.path.startswith(path)
    assert refused.value.fix


def test_a_name_that_the_dataset_does_not_have_is_refused(session: Session) -> None:
    Planted.store(session)
    for change in ({"attributes": ["height"]}, {"figures": [{"name": "x", "metric": "height"}]}):
        with pytest.raises(Invalid):
            tiers.place(sources.of_store(session, now=NOW), parse({**SET, **change}))


def test_a_saved_set_has_versions_and_stands_in_place_of_one_that_comes_along(session: Session) -> None:
    Planted.store(session)
    assert tiers.save(session, parse(SET), by="mia", now=NOW).version == 1
    changed = parse({**SET, "tiers": [{"name": "buyers", "where": BUYER}, {"name": "rest"}]})
    assert tiers.save(session, changed, by="mia", now=NOW).version == 2
    assert tiers.get(session, "loyalty") == tiers.Saved("loyalty", 2, changed)
    own = tiers.shipped("intent").model_copy(update={"label": "our own"})
    tiers.save(session, own, by="mia", now=NOW)
    assert [(one.name, one.version) for one in tiers.listed(session)] == [("intent", 1), ("loyalty", 2)]
    with pytest.raises(NotFound):
        tiers.get(session, "nothing")


def test_a_set_that_its_dataset_cannot_answer_is_not_saved(session: Session) -> None:
    Planted.store(session)
    for change in ({"figures": [{"name": "x", "metric": "height"}]}, {"dataset": "crm"}):
        with pytest.raises(Invalid):
            tiers.save(session, parse({**SET, **change}), by="mia", now=NOW)
    assert [one.version for one in tiers.listed(session)] == [0]


def test_the_command_line_saves_counts_and_lists(configured: str, tmp_path: Path) -> None:
    with transaction(configured) as committed:
        shop = Planted.store(committed)
        shop.person("Ada")
        shop.order("Ada", 10, timedelta(days=1))
        ada = shop.ids["Ada"]

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    (tmp_path / "loyalty.json").write_text(json.dumps(SET))
    assert run("save", str(tmp_path / "loyalty.json")) == "loyalty, version 1\n"
    assert "gold > silver > rest" in run("list")
    as_of = ("--as-of", NOW.isoformat())
    assert json.loads(run("count", "loyalty", "--json", *as_of))["counts"] == {"gold": 0, "silver": 1, "rest": 0}
    assert run("members", "loyalty", "silver", *as_of) == f"{ada}\n"
    path = crm.write(tmp_path / "crm.duckdb", companies=[(7, None, "a.example.com")])
    assert run("members", "intent", "LOW", "--file", str(path)) == "7\n"
    with pytest.raises(AssertionError):
        run("members", "intent", "HUGE", "--file", str(path))
