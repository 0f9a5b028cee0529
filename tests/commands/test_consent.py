"""Does a stop said at a terminal hold, and can it be taken back?"""

import sys
from collections.abc import Callable

import pytest
from sqlalchemy import text

import cli
from db.session import transaction
from settings import settings
from tests.couriers import Recorder, send, states, store_with

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], database: str, redis_url: str) -> Run:
    """Runs ``parley`` on the test's database; gives the exit code and all that was said."""
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    monkeypatch.setenv("PARLEY_REDIS_URL", redis_url)

    def parley(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["parley", *words])
        settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return parley


def test_a_stop_withdraws_what_waits_and_start_brings_the_person_back(run: Run, database: str) -> None:
    store_with(database, 2)
    code, said = run("consent", "stop", " PERSON1@example.com", "--channel", "email")
    assert code == 0
    assert "1 waiting messages were withdrawn" in said
    provider = Recorder()
    send(database, provider)
    assert [letter.recipient for letter in provider.letters] == ["person2@example.com"]
    assert run("consent", "start", "person1@example.com")[0] == 0
    with transaction(database) as session:
        found = session.scalars(text("select state from consents where until_at is null")).all()
    assert found == ["subscribed", "subscribed"]


def test_a_stranger_is_said_to_be_one(run: Run, database: str) -> None:
    store_with(database)
    code, said = run("consent", "stop", "nobody@example.com")
    assert code != 0
    assert "There is no customer nobody@example.com" in said


def test_all_sending_can_be_stopped(run: Run, database: str) -> None:
    store_with(database)
    provider = Recorder()
    assert run("consent", "stop-all")[0] == 0
    send(database, provider)
    assert states(database) == {"queued": 1}
    assert run("consent", "resume-all")[0] == 0
    send(database, provider)
    assert states(database) == {"accepted": 1}


def test_topics_are_offered_chosen_and_left(run: Run, database: str) -> None:
    store_with(database, 2)
    assert run("topic", "add", "coffee", "--label", "Coffee news")[0] == 0
    assert run("topic", "list") == (0, f"{'coffee':24}Coffee news\n")
    assert run("topic", "subscribe", "person1@example.com", "coffee")[0] == 0
    code, said = run("topic", "subscribe", "person1@example.com", "cofee")
    assert (code, "coffee" in said) == (2, True)
    code, said = run("topic", "unsubscribe", "person1@example.com", "coffee")
    assert (code, "nothing more about coffee" in said) == (0, True)
    with transaction(database) as session:
        found = session.execute(text("select state, until_at is null as holds from topic_consents order by id")).all()
    assert [tuple(one) for one in found] == [("subscribed", False), ("unsubscribed", True)]
