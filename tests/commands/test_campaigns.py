"""Can a campaign be made, approved and read from a terminal?"""

import json
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from commands import campaigns, flows
from db.session import transaction
from domain.errors import Invalid
from domain.segments import parse
from services import segments, users
from tests.planted import NOW, Planted
from tests.services.test_flows import SUBSCRIBED


@pytest.fixture(autouse=True)
def _shop(configured: str) -> None:
    with transaction(configured) as session:
        shop = Planted.store(session)
        shop.person("Ann")
        shop.consent("Ann", "subscribed", timedelta(days=900))
        users.ensure_admin(session, "a long enough password")
        segments.save(session, name="Subscribers", definition=parse(SUBSCRIBED), by="admin", now=NOW)


def run(app: object, *words: str, said: str = "") -> str:
    result = CliRunner().invoke(app, list(words), input=said)  # type: ignore[arg-type]
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_campaign_is_made_approved_listed_and_read() -> None:
    made = run(campaigns.app, "create", "1", "--file", "-", "--subject", "News", said="We have news.")
    approval = re.search(r"parley flow approve ([0-9a-f-]{36})", made)
    assert approval
    run(flows.app, "approve", approval[1], "--yes")
    (one,) = json.loads(run(campaigns.app, "list", "--json"))
    assert (one["segment"], one["audience_size"], one["status"]) == ("Subscribers", 1, "active")
    assert "Subscribers" in run(campaigns.app, "show", "1")
    assert json.loads(run(campaigns.app, "show", "1", "--json"))["log"][0]["name"] == "Ann"


def test_a_campaign_needs_a_message() -> None:
    with pytest.raises(Invalid, match="what to send"):
        run(campaigns.app, "create", "1")
