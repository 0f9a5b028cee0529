"""Can one ask in one's own words about a dataset that is a DuckDB file: about companies and their buying intent?"""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from agent.answers import Answer, ask
from agent.datasets import ask as ask_file
from commands.ask import app
from services import datasets
from settings import settings
from tests import crm
from tests.planted import NOW, Planted

TODAY = date(2024, 4, 30)
NOON = datetime(2024, 4, 30, 12, tzinfo=UTC)


def small(path: Path, today: date) -> Path:
    """A high, a medium and a low one; the high one was written to today."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return crm.write(
        path,
        companies=[(1, "1 Example Street", "high.example.com"), (2, None, "medium.example.com"), (3, None, None)],
        contacts=[(1, 1, "Ada", None, "ada@high.example.com", None)],
        website_visits=[(1, "ada@high.example.com", today)],
        news_publications=[
            (1, "Opens **a** site", "https://www.high.example.com/press", today),
            (2, "Moves", "http://medium.example.com", today),
        ],
        outreach_emails=[(1, "ada@high.example.com", "rep@example.com", "Hello", today)],
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("which companies show high buying intent?", {1}),
        ("companies about to buy", {1}),
        ("accounts with medium intent", {2}),
        ("companies with low buying intent", {3}),
        ("companies that visited our website in the last 7 days", {1}),
        ("companies in the news this month that were not contacted in the last 14 days", {2}),
        ("companies with at least 1 news publication in the last 30 days", {1, 2}),
    ],
)
def test_sentences_about_companies_mean_the_right_ones(tmp_path: Path, text: str, found: set[int]) -> None:
    with datasets.open_dataset("crm", small(tmp_path / "source.duckdb", TODAY)) as opened:
        answer = ask_file(text, dataset=opened, now=NOON)
    assert answer.action == "segment", answer.text
    assert {row["id"] for row in answer.members} == found
    assert answer.audience_size == len(found)
    assert not answer.unused_words


def test_figures_help_and_what_is_not_known_are_answered_in_words(tmp_path: Path) -> None:
    with datasets.open_dataset("crm", small(tmp_path / "source.duckdb", TODAY)) as opened:

        def said(text: str) -> Answer:
            return ask_file(text, dataset=opened, now=NOON)

        counted = said("how many companies have low buying intent")
        assert counted.action == "answer"
        assert counted.text.startswith("**1 company**")
        assert counted.figures is not None
        assert "website visits" in said("help").text
        assert said("companies that levitate").action in {"clarify", "refuse"}


def test_the_answer_names_the_companies_and_the_rule(tmp_path: Path) -> None:
    with datasets.open_dataset("crm", small(tmp_path / "source.duckdb", TODAY)) as opened:
        answer = ask_file("which companies show high buying intent?", dataset=opened, now=NOON)
    assert answer.text.startswith("**1 company** (33.3% of 3)")
    assert "high.example.com, 1 Example Street (company 1)" in answer.text
    assert answer.read_back == (
        "at least one website visit in the last 7 days and at least one news publication in the last 7 days"
    )


def test_the_command_line_asks_a_dataset_without_a_store(tmp_path: Path) -> None:
    path = small(tmp_path / "source.duckdb", TODAY)
    words = ["which companies show high buying intent?", "--dataset", "crm", "--file", str(path)]
    result = CliRunner().invoke(app, [*words, "--as-of", "2024-04-30", "--json"])
    assert result.exit_code == 0, result.output
    assert [row["domain"] for row in json.loads(result.stdout)["members"]] == ["high.example.com"]


def test_the_stores_chat_answers_about_the_crm_too(session: Session) -> None:
    Planted.store(session)
    small(settings().home / "crm.duckdb", NOW.date())
    answer = ask("Which companies show high buying intent?", session=session, now=NOW)
    assert answer.text.startswith("**1 company**")
    assert "- high.example.com, 1 Example Street (company 1)" in answer.text
    assert "Asked of the dataset crm" in answer.text
    low = ask("which companies have low buying intent", session=session, now=NOW)
    assert "- nothing on file (company 3)" in low.text


def test_the_working_copy_that_is_configured_is_the_one_that_is_asked(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Planted.store(session)
    monkeypatch.setenv("PARLEY_INTENT_WORK", str(small(tmp_path / "work.duckdb", NOW.date())))
    settings.cache_clear()
    assert ask("companies with high buying intent", session=session, now=NOW).audience_size == 1
