"""Does one click unsubscribe, from any mail program, and does nothing else?"""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.receiver import app
from db.session import transaction
from settings import settings
from tests.couriers import Recorder, send, store_with

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The receiver on the test's database, from anywhere, keeping no cookies."""
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    settings.cache_clear()
    with TestClient(app, client=("198.51.100.7", 50000), follow_redirects=False) as found:
        yield found
        assert not found.cookies
    settings.cache_clear()


@pytest.fixture
def link(database: str) -> str:
    """The path of the link in a message that was sent."""
    store_with(database)
    provider = Recorder()
    send(database, provider)
    return "/" + provider.letters[0].headers["List-Unsubscribe"].strip("<>").split("/", 3)[3]


def _subscribed(url: str) -> bool:
    with transaction(url) as session:
        state: str = session.scalars(text("select state from consents where until_at is null")).one()
        return state == "subscribed"


def test_looking_changes_nothing(client: TestClient, database: str, link: str) -> None:
    for ask in (client.get, client.head, client.options):
        ask(link)
    page = client.get(link)
    assert page.status_code == 200
    assert "<form method" in page.text
    assert "Example Coffee" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert _subscribed(database)


@pytest.mark.parametrize(
    "body",
    [
        {"data": ONE_CLICK},
        {"files": {name: (None, value) for name, value in ONE_CLICK.items()}},
        {"content": b""},
        {"content": b"\x00\xff not a form", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["urlencoded", "multipart", "empty", "rubbish"],
)
def test_one_click_works_with_any_body(client: TestClient, database: str, link: str, body: dict[str, object]) -> None:
    answer = client.post(link, **body)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert not _subscribed(database)


def test_twice_is_as_good_as_once(client: TestClient, database: str, link: str) -> None:
    assert [client.post(link, data=ONE_CLICK).status_code for _ in range(2)] == [200, 200]
    with transaction(database) as session:
        assert session.scalars(text("select count(*) from consents where state = 'unsubscribed'")).one() == 1
        proof = session.execute(text("select method, ip from consents where until_at is null")).one()
        assert proof == ("link", "198.51.100.7")
        assert session.scalars(text("select unsubscribed from messages")).one()


def test_a_forged_link_is_refused(client: TestClient, database: str, link: str) -> None:
    forged = link[:-3] + ("AAA" if not link.endswith("AAA") else "BBB")
    assert client.get(forged).status_code == client.post(forged, data=ONE_CLICK).status_code == 404
    assert client.post("/unsubscribe/" + "x" * 5000).status_code == 404
    assert _subscribed(database)


def test_somebody_erased_since_is_told_the_same(client: TestClient, database: str, link: str) -> None:
    with transaction(database) as session:
        session.execute(text("delete from customers"))
    assert client.post(link, data=ONE_CLICK).status_code == 200
