"""Are exactly the addresses that matter asked about, once, and do the verdicts stay whatever goes wrong?"""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from channels.patience import Patience
from channels.verifier import Verifier
from domain.errors import Unavailable
from domain.intent import Boundary
from services import intent, verdicts
from services.verdicts import Validation
from tests import crm
from tests.channels.test_verifier import GOOD, Reply, Service

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
AS_OF = date(2024, 4, 30)
LATELY, BOUNDARY = date(2024, 4, 28), date(2024, 4, 23)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Acme is hot, Bolt only if the boundary counts, Cold never; Acme's people have every kind of address."""
    return crm.write(
        tmp_path / "work.duckdb",
        companies=[(1, None, "acme.example"), (2, None, "bolt.example"), (3, None, "cold.example")],
        contacts=[
            (1, 11, "Ada", "A", " Ada@Acme.example", None),
            (1, 12, "Ben", "B", "ben@acme.example", None),
            (1, 13, "Cid", "C", "ADA@acme.example", None),
            (1, 14, "Dot", "D", None, None),
            (2, 21, "Eve", "E", "eve@bolt.example", None),
            (3, 31, "Fay", "F", "fay@cold.example", None),
        ],
        news_publications=[
            (1, "New round", "https://www.acme.example/x", LATELY),
            (2, "Opens", "http://bolt.example", BOUNDARY),
        ],
        website_visits=[(1, "ada@acme.example", LATELY), (2, "eve@bolt.example", LATELY)],
    )


@contextmanager
def service(reply: Callable[[str, int], Reply | None] = lambda *_: (200, GOOD, {})) -> Iterator[Service]:
    with Service(reply).listening() as found:
        yield found


def validate(work: Path, asked: Service, now: datetime = NOW, **changes: Any) -> Validation:
    patience = Patience(attempts=1)
    verifier = Verifier(asked.url, timeout=timedelta(seconds=5), concurrency=1, patience=patience)
    given: dict[str, Any] = {
        "as_of": AS_OF,
        "boundary": Boundary.STRICT,
        "keep": timedelta(days=30),
        "patience": timedelta(seconds=20),
    }
    return verdicts.validate(work, verifier=verifier, now=now, **(given | changes))


def written(work: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(work, read_only=True) as connection:
        return connection.execute("from crm.email_validations order by email").fetchall()


def test_the_addresses_of_high_companies_are_asked_about_and_written_beside_the_contacts(work: Path) -> None:
    bad = GOOD | {"result": "undeliverable", "reason": "rejected_email"}
    with service(lambda email, _: (200, bad if "ben" in email else GOOD, {})) as asked:
        found = validate(work, asked)
    assert dict(asked.times) == {"ada@acme.example": 1, "ben@acme.example": 1}
    assert (found.addresses, found.asked, found.complete) == (2, 2, True)
    assert written(work) == [
        ("ada@acme.example", "valid", "accepted_email", NOW, "kickbox"),
        ("ben@acme.example", "invalid", "rejected_email", NOW, "kickbox"),
    ]


def test_the_boundary_decides_whose_addresses_matter(work: Path) -> None:
    with service() as asked:
        assert validate(work, asked, boundary=Boundary.INCLUSIVE).asked == 3
    assert "eve@bolt.example" in asked.times


def test_a_verdict_is_asked_for_again_when_it_is_old_or_none(work: Path) -> None:
    unknown = GOOD | {"result": "unknown", "reason": "timeout"}
    with service(lambda email, _: (200, unknown if "ben" in email else GOOD, {})) as asked:
        validate(work, asked)
        assert validate(work, asked, NOW + timedelta(days=30)).asked == 1
        assert validate(work, asked, NOW + timedelta(days=31)).asked == 2
    assert dict(asked.times) == {"ada@acme.example": 2, "ben@acme.example": 3}
    assert {row[3] for row in written(work)} == {NOW + timedelta(days=31)}


def test_what_was_answered_before_the_account_was_empty_is_kept(work: Path) -> None:
    empty = {"message": "Insufficient balance", "success": False}
    with service(lambda email, _: (200, GOOD, {}) if "ada" in email else (403, empty, {})) as asked:
        found = validate(work, asked)
    assert [(email, why.code) for email, why in found.unanswered] == [("ben@acme.example", "quota")]
    assert not found.complete
    assert [row[0] for row in written(work)] == ["ada@acme.example"]
    assert found.as_dict()["unanswered"] == {"quota": 1}
    with service() as asked:
        assert validate(work, asked).asked == 1
    assert len(written(work)) == 2


def test_a_file_that_another_process_has_is_waited_for_and_not_for_ever(work: Path) -> None:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    with (
        service() as asked,
        subprocess.Popen(
            [sys.executable, "-c", hold, str(work)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder,
    ):
        assert holder.stdout
        assert holder.stdin
        holder.stdout.readline()
        with pytest.raises(Unavailable, match=r"another process has had work\.duckdb open") as refused:
            validate(work, asked, patience=timedelta(seconds=0.2))
        assert refused.value.code == "file_busy"
        threading.Timer(0.5, holder.stdin.close).start()
        assert validate(work, asked).complete
    assert len(written(work)) == 2


def test_a_new_working_copy_takes_over_the_verdicts_of_the_one_it_replaces(work: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    intent.init(work, copy)
    with service() as asked:
        validate(copy, asked)
        intent.init(work, copy, force=True)
        assert validate(copy, asked).asked == 0
    assert len(written(copy)) == 2
    copy.write_text("somebody wrote this by mistake")
    intent.init(work, copy, force=True)


def test_verdicts_go_where_the_contacts_are(tmp_path: Path) -> None:
    work = crm.write(
        tmp_path / "plain.duckdb",
        schema="main",
        companies=[(1, None, "acme.example")],
        contacts=[(1, 11, "Ada", "A", "ada@acme.example", None)],
        news_publications=[(1, "New round", "acme.example", LATELY)],
        website_visits=[(1, "x@acme.example", LATELY)],
    )
    with service() as asked:
        validate(work, asked)
        assert validate(work, asked).asked == 0
    with duckdb.connect(work, read_only=True) as connection:
        assert connection.execute("select count(*) from main.email_validations").fetchall() == [(1,)]
