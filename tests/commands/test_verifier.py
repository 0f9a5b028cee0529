"""Does a command find somebody to ask about addresses, also when nothing runs and nothing is configured?"""

import pytest

from channels.patience import Patience
from channels.verifier import Verifier
from commands import verifier
from domain.verdicts import Finding, Status, Unanswered
from settings import settings


def test_without_anything_running_a_service_runs_as_long_as_it_is_asked() -> None:
    with verifier.opened(settings()) as found:
        assert found.ask(["ada@acme.example", "nobody"]) == [
            Finding(Status.VALID, "accepted_email"),
            Finding(Status.INVALID, "invalid_email"),
        ]
    [gone] = Verifier(found._url.removesuffix("/v2/verify"), patience=Patience(attempts=1)).ask(["ada@acme.example"])
    assert isinstance(gone, Unanswered)


def test_a_configured_service_is_asked_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_VERIFIER_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PARLEY_VERIFIER", "zerobounce")
    settings.cache_clear()
    with verifier.opened(settings()) as found:
        assert found.name == "zerobounce"
    assert not settings().home.exists()
