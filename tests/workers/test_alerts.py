"""Does a worker do every day what is configured, and nothing where nothing is?"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from pydantic import ValidationError
from sqlalchemy import text
from structlog.testing import capture_logs

from commands.up import _children
from db.session import reading
from settings import Settings, settings
from tests import crm
from tests.channels.test_alerts import Receiver
from tests.channels.test_verifier import GOOD, Service
from workers import alerts
from workers.app import ALERTS, app, schedule

TODAY = datetime.now(UTC).date()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """One company that is hot today."""
    return crm.write(
        tmp_path / "work.duckdb",
        companies=[(1, None, "acme.example")],
        contacts=[(1, 11, "Ada", "A", "ada@acme.example", None)],
        news_publications=[(1, "New round", "acme.example", TODAY - timedelta(days=2))],
        website_visits=[(1, "ada@acme.example", TODAY - timedelta(days=1))],
    )


def configure(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"PARLEY_{name.upper()}", value)
    settings.cache_clear()


def test_a_day_is_validated_and_alerted_and_a_second_hint_changes_nothing(
    work: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Service(lambda *_: (200, GOOD, {})).listening() as service, Receiver().listening() as receiver:
        configure(
            monkeypatch,
            postgres_url=database,
            intent_work=str(work),
            verifier_url=service.url,
            alert_url=receiver.url,
        )
        alerts.alert()
        alerts.alert()
    assert [body["to"] for _, body, _ in receiver.said] == ["ada@acme.example"]
    assert dict(service.times) == {"ada@acme.example": 1}
    with reading(database) as session:
        assert session.scalars(text("select state from alerts")).all() == ["sent"]


def test_what_is_missing_is_said_in_the_log_and_ends_nothing(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    structlog.reset_defaults()
    alerts.alert()
    configure(monkeypatch, intent_work=str(work))
    with capture_logs() as said:
        alerts.alert()
    assert [(line["event"], line["code"]) for line in said] == [("alerts_interrupted", "no_verifier")]


def test_beat_starts_it_once_a_day_at_the_hour_that_is_set() -> None:
    assert schedule(Settings()) == {}
    planned = schedule(Settings(intent_work=Path("work.duckdb"), intent_at="22:05"))["alerts"]
    assert planned["task"] == ALERTS
    assert (planned["schedule"].hour, planned["schedule"].minute) == ({22}, {5})
    assert app.conf.timezone == "UTC"
    assert ALERTS in app.tasks


def test_beat_runs_only_where_there_is_something_to_start(tmp_path: Path) -> None:
    def names(configured: Settings) -> list[str]:
        return [child.name for child in _children(configured, 8000, {}, tmp_path, verbose=False)]

    assert "beat" not in names(Settings(home=tmp_path))
    assert names(Settings(home=tmp_path, intent_work=tmp_path / "work.duckdb"))[-1] == "beat"


@pytest.mark.parametrize("at", ["24:00", "6:30", "noon", "06:60"])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(ValidationError, match="intent_at"):
        Settings(intent_at=at)
