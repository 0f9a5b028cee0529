"""Can messages be kept, tried and deleted from a terminal?"""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.templates import app
from db.session import transaction
from domain.errors import Invalid, NotFound
from services import users
from tests.planted import Planted


@pytest.fixture(autouse=True)
def _shop(configured: str) -> None:
    with transaction(configured) as session:
        shop = Planted.store(session)
        shop.person("Ann")
        shop.consent("Ann", "subscribed", timedelta(days=900))
        users.ensure_admin(session, "a long enough password")


def run(*words: str, said: str = "") -> str:
    result = CliRunner().invoke(app, list(words), input=said)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_message_is_kept_tried_changed_and_deleted(tmp_path: Path) -> None:
    file = tmp_path / "hello.txt"
    file.write_text("Hello {{ customer.first_name }} from {{ customer.city }}")
    first = run("save", "Hello", str(file), "--subject", "News")
    assert "saved as version 1" in first
    assert "1 of 1 recipients have no city: a fallback is needed." in first
    assert "version 2" in run("save", "hello", "-", said="Hello {{ customer.first_name }}")
    assert "v2, 0 flows" in run("list")
    assert "Subject: News" in run("show", "Hello")
    assert "customer.city" in run("show", "1", "--version", "1")
    assert "As Ann gets it: News\n\nHello Ann" in run("preview", "Hello")
    assert "is deleted" in run("delete", "Hello", said="y\n")
    with pytest.raises(NotFound, match="no template 'Hello'"):
        run("show", "Hello")


def test_an_unknown_placeholder_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(Invalid) as refused:
        run("save", "Bad", "-", "--subject", "News", said="Hi {{ customer.name }}")
    assert (refused.value.path, refused.value.message) == ("body", "There is no customer.name.")
    assert "customer." in refused.value.fix
