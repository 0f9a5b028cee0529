"""Does ``parley token`` make a token, list it and end it?"""

from typer.testing import CliRunner

from commands.tokens import app
from db.session import transaction
from services import tokens
from tests.planted import NOW


def test_a_token_is_made_listed_and_revoked(configured: str) -> None:
    run = CliRunner().invoke
    made = run(app, ["create", "analyst", "--dataset", "duckmart"])
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    with transaction(configured) as session:
        assert tokens.caller(session, token, now=NOW) == tokens.Caller("token:analyst", ("duckmart",))
    assert "analyst" in run(app, ["list"]).output
    assert run(app, ["revoke", "analyst"]).exit_code == 0
    assert "revoked" in run(app, ["list"]).output
    with transaction(configured) as session:
        assert tokens.caller(session, token, now=NOW) is None
