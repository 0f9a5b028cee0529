"""Does ``parley token`` make a token, list it and end it?"""

import pytest
from typer.testing import CliRunner

from commands.tokens import app
from db.session import transaction
from services import tokens
from settings import settings
from tests.planted import NOW


def test_a_token_is_made_listed_and_revoked(database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    monkeypatch.setenv("PARLEY_REDIS_URL", redis_url)
    settings.cache_clear()
    run = CliRunner().invoke
    made = run(app, ["create", "analyst", "--dataset", "duckmart"])
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    with transaction(database) as session:
        assert tokens.caller(session, token, now=NOW) == tokens.Caller("token:analyst", ("duckmart",))
    assert "analyst" in run(app, ["list"]).output
    assert run(app, ["revoke", "analyst"]).exit_code == 0
    assert "revoked" in run(app, ["list"]).output
    with transaction(database) as session:
        assert tokens.caller(session, token, now=NOW) is None
