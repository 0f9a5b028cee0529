"""Does ``parley intent validate`` and ``alert`` tell the right people's team, once, whatever is killed meanwhile?"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import structlog
from sqlalchemy import text
from typer.testing import CliRunner

from channels.registry import alert_target
from commands.intent import app
from db.session import transaction
from domain.alerts import Day
from domain.email_addresses import parse
from domain.intent import Boundary
from domain.prospects import Prospect
from services import alerts, intent, prospects
from services.alert_claims import Sending
from services.alerts import Decision
from settings import ROOT, settings
from tests.channels.test_alerts import Receiver
from tests.channels.test_verifier import GOOD, Service

AS_OF = "2024-04-30"
COMPANIES = 300

EXPECTED = """
    select lower(trim(c.email)), p.address_kind, p.written from planted.contacts p
    join planted.companies q on q.id = p.company_id join crm.contacts c on c.id = p.id
    where q.{boundary} = 'HIGH' and c.email is not null
"""


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command logs to the standard error of its own time, also the one that made the module's files."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented CRM, which nothing may change."""
    path = tmp_path_factory.mktemp("crm") / "source.duckdb"
    intent.demo(path, companies=COMPANIES, as_of=date.fromisoformat(AS_OF), seed=11, news=3_000, visits=3_000)
    return path


@pytest.fixture(scope="module")
def validated(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its working copy with the verdicts of a service that looks nothing up."""
    work = tmp_path_factory.mktemp("crm") / "work.duckdb"

    def judge(email: str, _times: int) -> tuple[int, Any, dict[str, str]]:
        address = parse(email)
        if address is None:
            return 200, GOOD | {"result": "undeliverable", "reason": "invalid_email"}, {}
        risky = GOOD | {"result": "risky", "reason": "low_quality"}
        return 200, risky if address.role or address.disposable else GOOD, {}

    before = hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.MonkeyPatch.context() as patch, Service(judge).listening() as service:
        patch.setenv("PARLEY_HOME", str(work.parent / "var"))
        patch.setenv("PARLEY_VERIFIER_URL", service.url)
        settings.cache_clear()
        assert run("init", str(source), "--work", str(work))[0] == 0
        code, said = run("validate", "--work", str(work), "--as-of", AS_OF, "--boundary", "inclusive", "--json")
    settings.cache_clear()
    assert code == 0
    assert json.loads(said)["asked"] > 50
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    return work


@pytest.fixture
def work(validated: Path, tmp_path: Path, configured: str) -> Path:
    """A working copy of the test's own, and settings that name the servers of the tests."""
    shutil.copyfile(validated, tmp_path / "work.duckdb")
    return tmp_path / "work.duckdb"


def run(*words: str) -> tuple[int, str]:
    """The exit code of ``parley intent``, and what it printed."""
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout if result.exit_code != 2 else result.stderr


def alert(work: Path, url: str, *words: str, as_of: str = AS_OF) -> tuple[int, dict[str, Any]]:
    code, said = run("alert", "--work", str(work), "--as-of", as_of, "--endpoint", url, "--json", *words)
    return code, json.loads(said)


def expected(source: Path, boundary: str) -> set[str]:
    """Whom the planted answers say, by hand: business or private addresses to which nobody wrote lately."""
    with duckdb.connect(source, read_only=True) as connection:
        rows = connection.execute(EXPECTED.format(boundary=boundary)).fetchall()
    lately = {"lately"} | ({"on the boundary"} if boundary == "inclusive" else set())
    return {email for email, kind, written in rows if kind in {"business", "free mail"} and written not in lately}


@pytest.mark.parametrize("boundary", ["strict", "inclusive"])
def test_exactly_the_planted_contacts_are_alerted_and_everybody_else_has_a_reason(
    source: Path, work: Path, boundary: str
) -> None:
    with Receiver().listening() as receiver:
        dry_code, dry = alert(work, receiver.url, "--boundary", boundary, "--dry-run")
        assert (dry_code, receiver.said) == (0, [])
        code, said = alert(work, receiver.url, "--boundary", boundary)
        again_code, again = alert(work, receiver.url, "--boundary", boundary)
    wanted = expected(source, boundary)
    assert len(wanted) > 20
    assert Counter(body["to"] for _, body, _ in receiver.said) == Counter(wanted)
    assert all(set(body) == {"from", "to", "message", "subject"} for _, body, _ in receiver.said)
    told = {one["email"]: one["alert"] for one in said["decisions"] if one["outcome"] == "alerted"}
    assert told == {body["to"]: body for _, body, _ in receiver.said}
    assert {one["email"] for one in dry["decisions"] if one["outcome"] == "would_alert"} == wanted
    assert (code, again_code) == (0, 0)
    with duckdb.connect(source, read_only=True) as connection:
        everybody = connection.execute("select count(*) from crm.contacts").fetchall()[0][0]
    assert len(said["decisions"]) == everybody
    reasons = Counter(one["reason"] for one in said["decisions"] if one["outcome"] == "left_out")
    assert {"not_high", "no_address", "contacted_recently", "risky:low_quality"} <= reasons.keys()
    assert all(one["reason"] for one in said["decisions"] if one["outcome"] == "left_out")
    assert Counter(one["reason"] for one in again["decisions"])["already_alerted"] == len(wanted)


def test_without_verdicts_nobody_is_alerted(source: Path, work: Path, tmp_path: Path) -> None:
    shutil.copyfile(source, tmp_path / "fresh.duckdb")
    with Receiver().listening() as receiver:
        _, said = alert(tmp_path / "fresh.duckdb", receiver.url)
    assert receiver.said == []
    assert {one["reason"] for one in said["decisions"]} <= {"not_high", "no_address", "not_validated"}


def test_an_endpoint_that_fails_means_exit_code_one_and_the_next_run_does_the_rest(source: Path, work: Path) -> None:
    with Receiver(lambda number: (400, "no", {}) if number <= 2 else (200, "", {})).listening() as receiver:
        code, said = alert(work, receiver.url)
        assert (code, said["counts"]["failed"]) == (1, 2)
        code, said = alert(work, receiver.url)
        assert (code, said["counts"]["alerted"]) == (0, 2)
    assert len(receiver.said) == len(expected(source, "strict")) + 2


def test_for_people_the_outcome_is_a_few_lines(work: Path) -> None:
    with Receiver().listening() as receiver:
        code, said = run("alert", "--work", str(work), "--as-of", AS_OF, "--endpoint", receiver.url)
    assert code == 0
    assert "left out: not_high" in said
    assert said.splitlines()[-1].endswith("left out")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["alert"], "Set PARLEY_ALERT_URL"),
        (["alert", "--endpoint", "ftp://example.com"], "begins with http"),
        (["alert", "--dry-run", "--as-of", "yesterday"], "--as-of"),
        (["validate", "--boundary", "loose"], "--boundary"),
    ],
)
def test_what_is_wrong_is_said_and_is_exit_code_two(work: Path, words: list[str], told: str) -> None:
    code, said = run(*words, "--work", str(work))
    assert code == 2
    assert told in said


@pytest.mark.parametrize("command", ["validate", "alert"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no file"),
        (b"not a database at all, just text", "is not a DuckDB file"),
        (b"\x00" * 8 + b"DUCK" + (39).to_bytes(8, "little") + b"\x00" * 5_000, "old storage version 39"),
        ("drop table crm.contacts", "has no table contacts"),
        ("alter table crm.website_visits drop column email", "no column email"),
        ("alter table crm.website_visits alter event_date_utc type varchar", "event_date_utc"),
    ],
)
def test_a_file_that_is_no_crm_is_one_clear_line_and_exit_code_two(
    source: Path, work: Path, tmp_path: Path, content: bytes | str | None, told: str, command: str
) -> None:
    file = tmp_path / "bad.duckdb"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        shutil.copyfile(source, file)
        with duckdb.connect(file) as connection:
            connection.execute(content)
    code, said = run(command, "--work", str(file), *(["--dry-run"] if command == "alert" else []))
    assert code == 2
    assert told in said
    assert len(said.strip().splitlines()) == 1


@contextlib.contextmanager
def processes(count: int, arguments: list[str], environment: dict[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many runs of the command line at once."""
    command = [sys.executable, "cli.py", "intent", *arguments]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.fault
def test_runs_at_once_some_of_them_killed_alert_each_contact_once(
    source: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LEASE_SECONDS": "1", "PROVIDER_TIMEOUT_SECONDS": "2", "ALERT_GUARANTEE": "key"}.items():
        monkeypatch.setenv(f"PARLEY_{name}", value)
    settings.cache_clear()
    wanted = expected(source, "strict")
    taken: dict[str, tuple[str, str]] = {}
    killed: list[subprocess.Popen[bytes]] = []
    victims: list[subprocess.Popen[bytes]] = []
    lock = threading.Lock()

    def take(number: int) -> tuple[int, str, dict[str, str]] | None:
        """Take an alert, each key once; every fifth call loses a process, and with it perhaps the answer."""
        with lock:
            _, body, headers = receiver.said[number - 1]
            known = taken.setdefault(headers["Idempotency-Key"], (body["to"], json.dumps(body)))
            assert known == (body["to"], json.dumps(body)), "the same key has the same words"
            if number % 5 == 0 and victims:
                killed.append(victims.pop())
                os.kill(killed[-1].pid, signal.SIGKILL)
        time.sleep(0.02)
        return 200, "", {}

    receiver = Receiver(take)
    monkeypatch.setenv("PARLEY_ALERT_URL", receiver.url)
    settings.cache_clear()
    arguments = ["alert", "--work", str(work), "--as-of", AS_OF]
    with receiver.listening(), processes(4, arguments, dict(os.environ)) as started:
        victims.extend(started[:3])
        until(lambda: len(killed) == 3, "three runs were killed")
        found = prospects.read(work, day())
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda _: once(found), range(16)))
        until(lambda: "in_progress" not in {one.reason for one in once(found)}, "the leases of the dead are over")
        assert started[3].wait(60) == 0
        last = once(found)
    assert {one.outcome for one in last} == {"left_out"}
    assert Counter(to for to, _ in taken.values()) == Counter(wanted)
    assert len(receiver.said) - len(wanted) <= 3 * alerts.CALLS, "only what the killed held was posted again"


def day() -> Day:
    """The day in question, read strictly."""
    return Day(date.fromisoformat(AS_OF), Boundary.STRICT, datetime.now(UTC), timedelta(days=30))


def once(found: list[Prospect]) -> list[Decision]:
    """A run within this process."""
    with contextlib.closing(alert_target(settings())) as target:
        sending = Sending.configured(target, settings())
        return alerts.run(transaction, found, day(), sending, dry_run=False)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something to hold."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_the_ledger_says_what_became_of_each_alert(work: Path, database: str) -> None:
    with Receiver(lambda number: None if number == 1 else (200, "", {})).listening() as receiver:
        code, said = alert(work, receiver.url)
    assert code == 1
    assert said["counts"]["outcome_unknown"] == 1
    with transaction(database) as session:
        states = session.execute(text("select state, count(*) from alerts group by state order by state")).all()
    assert [tuple(row) for row in states] == [("outcome_unknown", 1), ("sent", said["counts"]["alerted"])]
