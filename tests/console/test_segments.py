"""What can be seen and done on a segment's page, and by whom?"""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from console import site
from db import audit, store
from db.session import transaction
from domain.segments import parse
from services import segments, segments_refresh, segments_versions, users
from settings import settings
from tests.console.test_pages import PASSWORD, proof_in, sign_in
from tests.planted import Planted

TEXAS = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}
BUYERS = {"type": "activity", "name": "order", "op": "any"}
FORMULA = '=HYPERLINK("https://example.com")'


@pytest.fixture
def browser(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The console of a store with two segments: Texans (in two versions, counted), and Buyers."""
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    settings.cache_clear()
    with transaction() as session:
        shop = Planted.store(session)
        now = store.business_now(session)
        for name, region in ((FORMULA, "Texas"), ("Ben", "Texas"), ("Cleo", "Ohio")):
            shop.person(name, region=region, email=f"{region.lower()}{len(shop.ids)}@example.com")
        shop.order("Ben", 40, timedelta(days=3))
        session.flush()
        for name, where in (("Texans", BUYERS), ("Buyers", BUYERS)):
            segments.save(session, name=name, definition=parse({"where": where}), by="ana", now=now)
        segments_versions.update(session, 1, definition=parse({"where": TEXAS}), expected_version=1, by="ana", now=now)
        segments_refresh.refresh(session, 1, now=now)
        for name, role in (("ana", "marketer"), ("vic", "viewer")):
            users.add(session, name, PASSWORD, role, actor="test")  # type: ignore[arg-type]
    with TestClient(site.create(), follow_redirects=False) as client:
        yield client
    settings.cache_clear()


def proof(browser: TestClient) -> str:
    return proof_in(browser.get("/segments/1").text)


def test_the_page_shows_versions_uses_and_how_fresh_the_count_is(browser: TestClient) -> None:
    page = sign_in(browser).get("/segments/1").text
    assert "Version 2" in page
    assert "Restore" in page
    assert "2 as of" in page
    assert "Nothing yet" in page
    assert "just now" in browser.get("/segments").text


def test_history_near_misses_overlap_and_changes_are_parts_of_their_own(browser: TestClient) -> None:
    sign_in(browser)
    token = proof(browser)
    assert "Looking up 89 earlier days" in browser.get("/segments/1/history").text
    looked = browser.post("/segments/1/history", headers={"x-proof": token}).text
    assert "Looking up 83 earlier days" in looked
    assert 'class="counted"' in looked
    assert "Cleo" in browser.get("/segments/1/near").text
    shared = browser.get("/segments/1/overlap").text
    assert "Buyers" in shared
    assert "50.0 %" in shared
    why = browser.get("/segments/1/why?customer=Cleo").text
    assert "is not in the segment" in why
    assert "Ohio" in why
    assert browser.get("/segments/1/why?customer=Nobody").status_code == 404
    changes = browser.get("/segments/1/changes?older=1&newer=2").text
    assert "at least one order" in changes
    assert "state is “Texas”" in changes


def test_a_marketer_counts_restores_freezes_and_deletes(browser: TestClient) -> None:
    sign_in(browser)
    form = {"proof": proof(browser)}
    assert browser.post("/segments/1/refresh", data=form).status_code == 303
    assert browser.post("/segments/1/restore", data=form | {"version": "1", "expected": "1"}).status_code == 409
    assert browser.post("/segments/1/restore", data=form | {"version": "1", "expected": "2"}).status_code == 303
    assert "Version 3" in browser.get("/segments/1").text
    frozen = browser.post("/segments/1/freeze", data=form | {"name": "Buyers today"})
    assert "on the list “Buyers today”" in browser.get(frozen.headers["location"]).text
    assert browser.post("/segments/1/delete", data=form).headers["location"] == "/segments"
    assert "Texans" not in browser.get("/segments").text
    gone = browser.get("/segments/1").text
    assert "Deleted segment" in gone
    assert "Restore" not in gone


def test_a_viewer_changes_and_takes_nothing_and_nobody_does_without_signing_in(browser: TestClient) -> None:
    deeds = ("refresh", "restore", "freeze", "delete", "export")
    for deed in deeds:
        assert browser.post(f"/segments/1/{deed}").status_code == 403
    page = sign_in(browser, "vic").get("/segments/1").text
    assert "Export" not in page
    form = {"proof": proof_in(page), "version": "1", "expected": "2", "name": "x"}
    for deed in deeds:
        assert browser.post(f"/segments/1/{deed}", data=form).status_code == 403
    assert browser.post("/segments/1/delete", data={"proof": "guessed"}).status_code == 403


def test_an_export_holds_exactly_the_members_and_runs_no_formula(browser: TestClient, tmp_path: Path) -> None:
    sign_in(browser)
    form = {"proof": proof(browser), "columns": ["first_name", "email", "ltv"]}
    answer = browser.post("/segments/1/export", data=form | {"format": "csv"})
    assert "Texans%20" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows == [
        {"id": "1", "first_name": f"'{FORMULA}", "email": "texas0@example.com", "ltv": "0"},
        {"id": "2", "first_name": "Ben", "email": "texas1@example.com", "ltv": "40.00"},
    ]
    whole = browser.post("/segments/1/export", data=form | {"format": "parquet"})
    path = tmp_path / "texans.parquet"
    path.write_bytes(whole.content)
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet(?) order by id", [str(path)]).fetchall()
    assert [(row[0], row[1], float(row[3])) for row in found] == [(1, FORMULA, 0.0), (2, "Ben", 40.0)]
    wrong = browser.post("/segments/1/export", data=form | {"columns": ["shoe_size"]})
    assert wrong.status_code == 422
    with transaction() as session:
        acts = session.query(audit.AuditEntry).filter_by(action="segment.exported").all()
        assert [(act.actor, act.detail["format"], act.detail["people"]) for act in acts] == [
            ("ana", "csv", 2),
            ("ana", "parquet", 2),
        ]
