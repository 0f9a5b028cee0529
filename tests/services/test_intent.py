"""Are companies put in the right tiers, by rules written down, without the CRM being touched?"""

import subprocess
import sys
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from domain.errors import Conflict, Invalid, Unavailable
from domain.intent import Boundary, Publication, Visit, lies_within
from services import datasets, intent
from tests import crm

TODAY = date(2024, 4, 30)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(query).fetchall()


def everything(path: Path) -> dict[str, str]:
    """The files in a folder and their content's digest."""
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in path.iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented CRM of 400 companies, which no test may change."""
    path = tmp_path_factory.mktemp("made") / "source.duckdb"
    intent.demo(path, companies=400, as_of=TODAY, seed=7)
    return path


def test_an_invented_crm_follows_from_its_seed_and_has_every_oddity(made: Path, tmp_path: Path) -> None:
    intent.demo(tmp_path / "again.duckdb", companies=400, as_of=TODAY, seed=7)
    for table in crm.COLUMNS:
        assert rows(tmp_path / "again.duckdb", f"from crm.{table} order by all") == rows(
            made, f"from crm.{table} order by all"
        )
    oddities = (
        "from crm.companies where domain is null",
        "from crm.companies where domain <> lower(trim(domain))",
        "from crm.news_publications group by id having count(*) > 1",
        "from crm.news_publications where publication_date_utc is null",
        "from crm.news_publications where company_website like '%example.info%'",
        "from crm.website_visits where email is null",
        "from crm.website_visits group by id having count(*) > 1",
        "from crm.contacts where email is null",
        "from crm.contacts anti join crm.outreach_emails on lower(trim(email)) = lower(\"to\") where email like '%@%'",
        """from crm.outreach_emails a join crm.outreach_emails b on a."from" = b."to"
        where a.subject = 'Re: ' || b.subject and a.sent_date_utc < b.sent_date_utc""",
    )
    for oddity in oddities:
        assert rows(made, f"select 1 {oddity} limit 1"), oddity
    assert len(rows(made, "select distinct role from planted.companies")) == 11


def test_a_working_copy_is_whole_and_the_source_stays_as_it_is(made: Path, tmp_path: Path) -> None:
    before = everything(made.parent)
    counted = intent.init(made, tmp_path / "work.duckdb")
    assert everything(made.parent) == before
    assert counted["companies"] == 401
    assert [file.name for file in tmp_path.iterdir()] == ["work.duckdb"]
    assert rows(tmp_path / "work.duckdb", "from crm.contacts order by all") == rows(
        made, "from crm.contacts order by all"
    )


def test_what_the_source_has_in_its_log_is_in_the_copy(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    source = crm.write(tmp_path / "from" / "source.duckdb", companies=[(1, None, "a.example.com")])
    dying = f"""
import duckdb, os
connection = duckdb.connect({str(source)!r})
connection.execute("insert into crm.companies values (2, null, 'b.example.com')")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", dying], check=True)
    before = everything(source.parent)
    assert len(before) == 2, "a log that was not worked in lies beside the file"
    assert intent.init(source, tmp_path / "work.duckdb")["companies"] == 2
    assert everything(source.parent) == before


def test_a_working_copy_that_is_there_is_replaced_only_on_demand(made: Path, tmp_path: Path) -> None:
    work = tmp_path / "work.duckdb"
    work.write_text("something else")
    with pytest.raises(Conflict) as refused:
        intent.init(made, work)
    assert refused.value.code == "file_exists"
    (tmp_path / "work.duckdb.wal").write_text("the log of something else")
    intent.init(made, work, force=True)
    assert [file.name for file in tmp_path.iterdir()] == ["work.duckdb"]
    with pytest.raises(Invalid) as same:
        intent.init(work, work, force=True)
    assert same.value.code == "same_file"
    with duckdb.connect(work) as _, pytest.raises(Unavailable) as busy:
        intent.init(made, work, force=True)
    assert busy.value.code == "file_in_use"


def test_a_source_that_somebody_writes_to_is_not_copied(tmp_path: Path) -> None:
    source = crm.write(tmp_path / "source.duckdb")
    with duckdb.connect(source), pytest.raises(Unavailable) as refused:
        intent.init(source, tmp_path / "work.duckdb")
    assert refused.value.code == "file_in_use"
    assert not (tmp_path / "work.duckdb").exists()


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ("drop table crm.website_visits", "missing_in_file", "website_visits"),
        ("alter table crm.companies drop domain", "missing_in_file", "domain"),
        ("alter table crm.news_publications alter publication_date_utc type varchar", "wrong_type_in_file", "publicat"),
        ("alter table crm.contacts alter email type int", "wrong_type_in_file", "email"),
        ("drop schema crm cascade", "missing_in_file", "companies"),
    ],
)
def test_a_file_that_is_no_crm_is_refused_by_name(tmp_path: Path, change: str, code: str, named: str) -> None:
    source = crm.write(tmp_path / "source.duckdb")
    with duckdb.connect(source) as connection:
        connection.execute(change)
    with pytest.raises(Invalid) as refused:
        intent.init(source, tmp_path / "work.duckdb")
    assert refused.value.code == code
    assert named in refused.value.message
    assert refused.value.fix
    assert [file.name for file in tmp_path.iterdir()] == ["source.duckdb"]


def test_a_crm_may_lie_in_any_of_two_schemas_have_more_columns_and_any_keys(tmp_path: Path) -> None:
    uuid = "00000000-0000-0000-0000-00000000000a"
    visits = [(uuid, "ada@a.example.com", TODAY)]
    path = crm.write(
        tmp_path / "source.duckdb",
        key="uuid",
        schema="main",
        companies=[(uuid, None, "a.example.com")],
        website_visits=visits,
    )
    with duckdb.connect(path) as connection:
        connection.execute("alter table companies add column size int")
        connection.execute("create table notes (id int)")
    with datasets.open_dataset("crm", path) as opened:
        assert opened.catalog.entity.key_kind == "text"
        assert opened.file.run("select company_id from visit").fetchall() == [(uuid,)]


def test_places_are_companies_by_host_whatever_the_address_looks_like(tmp_path: Path) -> None:
    urls = [
        "http://acme.example.com",
        "https://acme.example.com",
        "http://www.acme.example.com",
        "https://www.acme.example.com",
        "HTTPS://WWW.Acme.Example.COM/",
        "https://acme.example.com/press/2024?x=1#top",
        "https://acme.example.com:8443/press",
        "https://acme.example.com?x=1",
        "acme.example.com/press",
        " www.acme.example.com",
    ]
    others = [
        "https://notacme.example.com",
        "https://acme.example.com.example.org",
        "https://example.org/acme.example.com",
        "https://blog.acme.example.com",
        "n/a",
        "",
        None,
    ]
    news = [(i, "News", url, TODAY) for i, url in enumerate([*urls, *others])]
    shapes = [
        (1, None, " https://www.ACME.example.com/ "),
        (2, None, "acme.example.com"),
        (3, None, None),
        (4, None, ""),
    ]
    path = crm.write(tmp_path / "source.duckdb", companies=shapes, news_publications=news)
    with datasets.open_file("crm", path) as opened:
        found = opened.file.run("select company_id, list(id order by id) from news group by 1 order by 1").fetchall()
    assert found == [(1, list(range(len(urls)))), (2, list(range(len(urls))))]


def test_visits_are_a_companys_by_a_contacts_address_or_the_domain_but_never_by_free_mail(tmp_path: Path) -> None:
    visits = [
        "ada@a.example.com",  # her contact, and her domain: once
        " ADA@A.example.com ",
        "stranger@a.example.com",  # the domain
        "bob_1@gmail.com",  # a contact with free mail
        "else_1@gmail.com",  # a stranger with free mail
        "consultant@b.example.com",  # a contact of A with an address of B: both
        "x@sub.a.example.com",
        "n/a",
        "",
        None,
        "@",
    ]
    contacts = [
        (1, 1, "Ada", None, "Ada@a.example.com", None),
        (1, 2, "Ada", "again", "ada@A.example.com ", None),
        (1, 3, "Bob", None, "bob_1@gmail.com", None),
        (1, 4, "Con", None, "consultant@b.example.com", None),
        (2, 5, "Nobody", None, "n/a", None),
        (2, 6, "Nobody", None, None, None),
        (2, 7, "Nobody", None, "@", None),
    ]
    path = crm.write(
        tmp_path / "source.duckdb",
        companies=[(1, None, "a.example.com"), (2, None, "www.b.example.com"), (3, None, "gmail.com")],
        contacts=contacts,
        website_visits=[(i, email, TODAY) for i, email in enumerate(visits)],
    )
    with datasets.open_file("crm", path) as opened:
        found = opened.file.run("select company_id, list(id order by id) from visit group by 1 order by 1").fetchall()
    assert found == [(1, [0, 1, 2, 3, 5]), (2, [5])]


def tiers(path: Path, boundary: Boundary, as_of: date = TODAY) -> dict[object, str]:
    with datasets.open_file("crm", path) as opened:
        return {company.id: company.tier for company in intent.companies(opened, as_of=as_of, boundary=boundary)}


@pytest.mark.parametrize("boundary", Boundary)
def test_every_company_of_an_invented_crm_is_in_the_tier_that_was_planted(made: Path, boundary: Boundary) -> None:
    planted = dict(rows(made, f"select id, {boundary} from planted.companies"))
    assert tiers(made, boundary) == planted
    high = {company for company, tier in planted.items() if tier == "HIGH"}
    with datasets.open_file("crm", made) as opened:
        assert intent.high(opened, as_of=TODAY, boundary=boundary) == high


BOUNDARIES = [
    # days since the visit, days since the news, strict, inclusive
    (0, 0, "HIGH", "HIGH"),
    (6, 6, "HIGH", "HIGH"),
    (7, 6, "MEDIUM", "HIGH"),
    (6, 7, "MEDIUM", "HIGH"),
    (7, 7, "MEDIUM", "HIGH"),
    (8, 6, "MEDIUM", "MEDIUM"),
    (6, 8, "MEDIUM", "MEDIUM"),
    (0, 29, "MEDIUM", "MEDIUM"),
    (0, 30, "LOW", "MEDIUM"),
    (0, 31, "LOW", "LOW"),
    (0, None, "LOW", "LOW"),
    (None, 0, "MEDIUM", "MEDIUM"),
    (-1, 0, "MEDIUM", "MEDIUM"),  # dated ahead
    (0, -1, "LOW", "LOW"),
    (None, None, "LOW", "LOW"),
]


def test_the_boundary_days_count_as_it_is_written(tmp_path: Path) -> None:
    def on(days: int | None) -> date | None:
        return None if days is None else TODAY - timedelta(days=days)

    hosts = {i: f"c{i}.example.com" for i in range(len(BOUNDARIES))}
    path = crm.write(
        tmp_path / "source.duckdb",
        companies=[(i, None, host) for i, host in hosts.items()],
        website_visits=[(i, f"x@{hosts[i]}", on(visit)) for i, (visit, *_) in enumerate(BOUNDARIES)],
        news_publications=[(i, "News", f"https://{hosts[i]}", on(news)) for i, (_, news, *_) in enumerate(BOUNDARIES)],
    )
    assert tiers(path, Boundary.STRICT) == {i: strict for i, (_, _, strict, _) in enumerate(BOUNDARIES)}
    assert tiers(path, Boundary.INCLUSIVE) == {i: inclusive for i, (*_, inclusive) in enumerate(BOUNDARIES)}


def test_the_23rd_of_april_is_not_within_7_days_of_the_30th() -> None:
    said = {day: (lies_within(date(2024, 4, day), 7, TODAY, Boundary.STRICT)) for day in (22, 23, 24, 30)}
    assert said == {22: False, 23: False, 24: True, 30: True}
    assert lies_within(date(2024, 4, 23), 7, TODAY, Boundary.INCLUSIVE)
    assert not lies_within(date(2024, 4, 22), 7, TODAY, Boundary.INCLUSIVE)
    assert not lies_within(date(2024, 5, 1), 7, TODAY, Boundary.INCLUSIVE)


def test_companies_come_with_the_facts_behind_their_tier_the_likeliest_first(tmp_path: Path) -> None:
    path = crm.write(
        tmp_path / "source.duckdb",
        companies=[(1, "1 Example Street", "a.example.com"), (2, None, "b.example.com"), (3, None, None)],
        website_visits=[
            (1, "x@a.example.com", date(2024, 4, 20)),
            (2, "X@b.example.com", date(2024, 4, 28)),
            (2, "X@b.example.com", date(2024, 4, 28)),
            (3, "y@b.example.com", TODAY),
            (4, "y@b.example.com", date(2024, 5, 1)),
        ],
        news_publications=[
            (1, "Opens", "https://a.example.com", date(2024, 3, 1)),
            (2, "Moves", "https://b.example.com", date(2024, 4, 25)),
            (3, None, "https://b.example.com", date(2024, 4, 10)),
        ],
    )
    report = intent.report(path, as_of=TODAY, boundary=Boundary.STRICT)
    assert report.counts == {"HIGH": 1, "MEDIUM": 0, "LOW": 2}
    assert report.rules["LOW"] == "all others"
    best, second, last = report.companies
    assert (best.id, best.tier, best.domain) == (2, "HIGH", "b.example.com")
    assert (best.facts.visits_last_7_days, best.facts.news_last_7_days, best.facts.news_last_30_days) == (2, 1, 2)
    assert best.facts.visits == (Visit(TODAY, "y@b.example.com"), Visit(date(2024, 4, 28), "x@b.example.com"))
    assert best.facts.news == (Publication(date(2024, 4, 25), "Moves"), Publication(date(2024, 4, 10), None))
    assert (second.id, second.tier, second.address) == (1, "LOW", "1 Example Street")
    assert (second.facts.last_visit_on, second.facts.last_news_on) == (date(2024, 4, 20), date(2024, 3, 1))
    assert (last.id, last.facts.last_visit_on, last.facts.visits) == (3, None, ())


def test_a_company_that_stands_there_twice_is_one(tmp_path: Path) -> None:
    path = crm.write(
        tmp_path / "source.duckdb",
        companies=[
            (1, "1 Example Street", None),
            (1, None, "a.example.com"),
            (1, None, "a.example.com"),
            (None, None, "x"),
        ],
        news_publications=[(1, "Opens", "https://a.example.com", TODAY)],
    )
    assert tiers(path, Boundary.STRICT) == {1: "MEDIUM"}


def test_a_copy_that_cannot_be_written_is_refused(made: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for work in (tmp_path / "nowhere" / "work.duckdb", tmp_path / "folder"):
        with pytest.raises(Invalid) as refused:
            intent.init(made, work, force=True)
        assert refused.value.code == "cannot_write_file"
    assert [found.name for found in tmp_path.iterdir()] == ["folder"]
