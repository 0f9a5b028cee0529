"""Can a campaign be drafted, approved and followed from a terminal, and never started without approval?"""

import re
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from commands import flows
from commands.flows import app
from db.session import transaction
from domain.errors import Conflict, Invalid, NotFound
from services import demo, results, users

LATELY = "customers who ordered in the last year"


@pytest.fixture(autouse=True)
def _shop(configured: str) -> None:
    """A small demo store with an account."""
    with transaction(configured) as session:
        demo.load(session, now=datetime.now(UTC), customers=200)
        users.ensure_admin(session, "a long enough password")


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def drafted() -> str:
    found = re.search(r"parley flow approve ([0-9a-f-]{36})", run("draft", LATELY, "--send-now"))
    assert found
    return found[1]


def test_a_campaign_is_drafted_approved_once_and_listed() -> None:
    approval = drafted()
    assert run("list") == ""
    assert "is approved by admin" in run("approve", approval, "--yes")
    with pytest.raises(Conflict):
        run("approve", approval, "--yes")
    number, status, *_ = run("list").split()
    assert status == "active"
    assert "delivered" in run("results", number)


def test_a_sentence_that_means_nobody_drafts_nothing() -> None:
    with pytest.raises(Invalid, match="jazz"):
        run("draft", "customers who like jazz")


def test_nobody_without_an_account_may_approve() -> None:
    approval = drafted()
    with pytest.raises(NotFound):
        run("approve", approval, "--yes", "--by", "eve")
    assert run("list") == ""


@pytest.mark.parametrize(
    ("status", "delivered", "under_way"), [("done", 0, True), ("done", 1, False), ("paused", 0, False)]
)
def test_waiting_lasts_until_the_receipts_are_in(status: str, delivered: int, under_way: bool) -> None:  # noqa: FBT001
    counts = results.Counts(planned=1, sent=1, delivered=delivered)
    step = results.StepResult(step=0, channel="email", subject="", counts=counts, left_out={}, variants={})
    found = results.Results(
        flow_id=1, version=1, status=status, audience_size=1, people={"done": 1}, left={}, steps=(step,)
    )
    assert flows._under_way(found) is under_way
