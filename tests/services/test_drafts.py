"""Is a catalog drafted from any DuckDB file, with its guesses said, and does a check find what does not fit?"""

import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from domain.catalog import read
from domain.errors import Conflict, Invalid, NotFound
from domain.segments import parse
from services import datasets, drafts
from settings import settings
from tests.planted import NOW

SHOP = """
    create schema sales;
    create table sales.customers as select
        ('00000000-0000-0000-0000-' || lpad(i::varchar, 12, '0'))::uuid as customer_id, 'P' || i as "First Name",
        ['Oslo', 'Rome'][1 + i % 2] as city, date '2025-01-01' as created_at, i * 1.5 as "Credit Limit",
        {'a': i} as extra, i % 2 = 0 as vip from range(20) r(i);
    create table sales.orders as select i as id, customer_id, timestamp '2026-06-01' - interval (i) day as ordered_at,
        10::decimal(9, 2) as total_amount, i % 3 as product_id
        from (select customer_id, row_number() over (order by customer_id) as i from sales.customers limit 15);
    create table sales.products as select i as id, 'Thing ' || i as title from range(3) r(i);
    create table sales.visits as
        select customer_id, date '2026-06-15' as visit_date, ['VIEW', 'CLICK'][1 + i % 2] as action
        from (select customer_id, row_number() over (order by customer_id) as i from sales.customers);
    create table sales.profiles as select customer_id, 'no' as language from sales.customers;
    create table sales.colours as select 'red' as name;
    create view sales.big_orders as select * from sales.orders where total_amount > 100;
"""


def _made(path: Path, sql: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(path) as connection:
        connection.execute(sql)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A file that nobody wrote a catalog for."""
    return _made(tmp_path / "Shop Data.duckdb", SHOP)


def test_a_draft_finds_whom_it_is_about_and_what_they_did(shop: Path) -> None:
    path, draft = drafts.add(shop)
    assert path == settings().home / "datasets" / "shop_data.toml"
    written = read(tomllib.loads(path.read_text()))
    assert written == draft.catalog
    assert (written.entity.table, written.entity.key, written.entity.key_kind) == ("customers", "customer_id", "text")
    kinds = {name: entry.kind for name, entry in written.attributes.items()}
    assert kinds == {
        "first_name": "text",
        "city": "text",
        "created_at": "date",
        "credit_limit": "number",
        "vip": "boolean",
        "language": "text",
    }
    assert written.attributes["first_name"].private
    assert written.activities["order"].time_kind == "instant"
    assert written.activities["order"].properties["product_title"].at.join == "product"
    assert (written.activities["visit"].time_kind, written.activities["visit"].named_by) == ("date", "action")
    assert written.metrics["order_total_amount"].kind == "money"
    text = path.read_text()
    assert "# for example Oslo, Rome" in text
    assert all(f"# Assumed: {line}." in text for line in draft.assumed)
    assert any("visit_date: days" in line for line in draft.assumed)
    assert any("taken as UTC" in line for line in draft.assumed)
    assert draft.left_out == [
        "column customers.extra: a STRUCT(a BIGINT) cannot be compared",
        "table colours: it has no column that leads to customers",
        "table big_orders: it is empty",
    ]


ASKED: list[tuple[dict[str, Any], int]] = [
    ({"type": "attribute", "name": "city", "op": "eq", "value": "oslo"}, 10),
    ({"type": "attribute", "name": "credit_limit", "op": "lt", "value": 3}, 2),
    ({"type": "attribute", "name": "language", "op": "eq", "value": "NO"}, 20),
    ({"type": "activity", "name": "order", "during": {"last": "30d"}}, 15),
    ({"type": "activity", "name": "order", "where": [{"name": "product_title", "op": "eq", "value": "thing 1"}]}, 5),
    ({"type": "activity", "name": "CLICK", "during": {"last": "1d"}}, 10),
    ({"type": "metric", "name": "order_total_amount", "op": "eq", "value": 10}, 15),
    ({"type": "metric", "name": "days_since_last_order", "op": "lt", "value": 17}, 2),
    ({"type": "rank", "metric": "order_total_amount", "count": 1, "per": "city"}, 15),
]


def test_a_drafted_dataset_can_be_asked_as_it_is(shop: Path) -> None:
    drafts.add(shop, name="mine")
    with datasets.open_dataset("mine") as dataset:
        for where, size in ASKED:
            definition = parse({"dataset": "mine", "where": where})
            assert datasets.preview(dataset, definition, now=NOW).audience_size == size, where
    assert not [finding for finding in drafts.check("mine") if finding.wrong]


def test_a_catalog_is_replaced_only_when_asked_to(shop: Path) -> None:
    path, _ = drafts.add(shop)
    path.write_text(path.read_text() + "\n# mine\n")
    with pytest.raises(Conflict) as refused:
        drafts.add(shop)
    assert refused.value.code == "dataset_exists"
    assert "# mine" in path.read_text()
    drafts.add(shop, force=True)
    assert "# mine" not in path.read_text()
    with pytest.raises(Conflict):
        drafts.add(shop, name="duckmart")
    for name in ("store", "My Shop", "../shop"):
        with pytest.raises(Invalid):
            drafts.add(shop, name=name, force=True)


def test_the_guess_can_be_corrected(shop: Path) -> None:
    _, draft = drafts.add(shop, entity="products")
    assert (draft.catalog.entity.table, draft.catalog.entity.key) == ("products", "id")
    for entity, key, code in (
        ("prodcts", None, "unknown_table"),
        ("products", "name", "unknown_column"),
        ("customers", "city", "key_broken"),
        ("colours", None, "key_broken"),
        ("customers", "created_at", "key_broken"),
    ):
        with pytest.raises(Invalid) as refused:
            drafts.add(shop, entity=entity, key=key, force=True)
        assert (refused.value.code, bool(refused.value.fix)) == (code, True)


def test_a_file_without_anything_to_be_about_is_refused(tmp_path: Path) -> None:
    for i, sql in enumerate(("select 1", "create table t as select 1 as a", "create table t (id int)")):
        with pytest.raises(Invalid) as refused:
            drafts.add(_made(tmp_path / f"f{i}.duckdb", sql))
        assert refused.value.code == "no_entity"
    with pytest.raises(NotFound):
        drafts.add(tmp_path / "nothing.duckdb")
    (tmp_path / "text.duckdb").write_text("hello")
    with pytest.raises(Invalid) as refused:
        drafts.add(tmp_path / "text.duckdb")
    assert refused.value.code == "not_a_duckdb_file"


def test_a_check_finds_broken_keys_and_events_of_nobody(tmp_path: Path) -> None:
    path = _made(
        tmp_path / "club.duckdb",
        """
        create table members as select i as id, i as town_id from range(4) r(i);
        create table visits as select i as member_id, timestamp '2026-01-01' as at, 'x' as what from range(4) r(i);
        """,
    )
    drafts.add(path)
    assert not [finding.entry for finding in drafts.check("club") if finding.wrong]
    with duckdb.connect(path) as connection:
        connection.execute(
            "insert into members values (1, 1); insert into visits values (99, null, 'y'), (null, now(), 'z')"
        )
    found = {finding.entry: finding for finding in drafts.check("club")}
    assert found["entity: members"].wrong
    assert found["activity visit: visits"].text.startswith("6 rows; 2 of nobody, 1 without a time")
    with duckdb.connect(path) as connection:
        connection.execute("alter table members drop column town_id")
    with pytest.raises(Invalid) as refused:
        drafts.check("club")
    assert refused.value.code == "missing_in_file"
