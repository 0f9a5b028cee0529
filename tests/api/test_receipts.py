"""Are receipts stored before the answer says yes, in the agreed shape, from nobody but the provider?"""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.bodies import MAX_BODY
from api.receipts import MAX_RECEIPTS
from api.receiver import app
from channels.vendor import signed
from db.session import transaction
from settings import secret, settings


def _receipt(**changes: Any) -> dict[str, Any]:
    said = {
        "communicationLogId": str(uuid.uuid4()),
        "vendorMessageId": "v-1",
        "status": "SENT",
        "timestamp": "2026-07-01T12:00:00Z",
    }
    return said | changes


@pytest.fixture
def client(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The receiver on an empty database, asked from this machine."""
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    settings.cache_clear()
    with TestClient(app, client=("127.0.0.1", 50000), raise_server_exceptions=False) as found:
        yield found
    settings.cache_clear()


def _stored(url: str) -> int:
    with transaction(url) as session:
        found: int = session.scalars(text("select count(*) from inbox")).one()
        return found


def test_one_receipt_and_an_array_are_taken(client: TestClient, database: str) -> None:
    one = _receipt()
    answer = client.post("/v1/receipts", json=one)
    assert (answer.status_code, answer.json()) == (202, {"received": 1, "new": 1})
    again = client.post("/v1/receipts", json=[one, _receipt(), _receipt()])
    assert again.json() == {"received": 3, "new": 2}
    assert _stored(database) == 3


def test_what_was_said_is_kept_as_it_came(client: TestClient, database: str) -> None:
    client.post("/v1/receipts", json=_receipt(status="Sent", extra={"a": [1]}))
    with transaction(database) as session:
        row = session.execute(text("select status, raw from inbox")).one()
    assert (row.status, row.raw["status"], row.raw["extra"]) == ("sent", "Sent", {"a": [1]})


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ([_receipt(), _receipt(status="")], "receipt_invalid", "1.status"),
        (_receipt(communicationLogId="x"), "receipt_invalid", "communicationLogId"),
        (_receipt(timestamp="soon"), "receipt_invalid", "timestamp"),
        ([_receipt(), 7], "receipt_invalid", "1"),
        ("words", "receipt_invalid", ""),
        ([_receipt()] * (MAX_RECEIPTS + 1), "too_many", ""),
    ],
)
def test_a_malformed_array_is_refused_whole_and_the_place_is_named(
    client: TestClient, database: str, said: Any, code: str, path: str
) -> None:
    answer = client.post("/v1/receipts", json=said)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["path"]) == (code, path)
    assert set(error) == {"code", "message", "fix", "path"}
    assert _stored(database) == 0


def test_bytes_that_are_no_json_or_too_many_are_refused(client: TestClient) -> None:
    for body in (b"{", b"[" * 100_000):
        assert client.post("/v1/receipts", content=body).json()["error"]["code"] == "not_json"
    for said in (_receipt(code="\0"), _receipt(status="\0")):
        assert client.post("/v1/receipts", json=said).json()["error"]["code"] == "value_impossible"
    large = client.post("/v1/receipts", content=b" " * (MAX_BODY + 1))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    assert set(large.json()["error"]) == {"code", "message", "fix", "path"}


def test_a_database_that_is_away_is_not_a_yes(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_POSTGRES_URL", "postgresql://nobody@/nothing?host=/nonexistent")
    settings.cache_clear()
    answer = client.post("/v1/receipts", json=_receipt())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_without_a_secret_only_this_machine_is_heard(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    settings.cache_clear()
    with TestClient(app, client=("198.51.100.7", 50000)) as stranger:
        answer = stranger.post("/v1/receipts", json=_receipt())
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "receipts_unsigned")
    assert _stored(database) == 0


def test_a_page_in_a_browser_on_this_machine_is_not_heard(client: TestClient, database: str) -> None:
    answer = client.post("/v1/receipts", json=_receipt(), headers={"Origin": "https://elsewhere.example.com"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "receipts_unsigned")
    assert _stored(database) == 0


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_behind_a_proxy_on_this_machine_a_secret_is_needed(client: TestClient, database: str, header: str) -> None:
    answer = client.post("/v1/receipts", json=_receipt(), headers={header: "127.0.0.1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "receipts_unsigned")
    assert "PARLEY_RECEIPTS_SECRET" in answer.json()["error"]["fix"]
    assert _stored(database) == 0


def test_where_people_reach_it_from_elsewhere_a_secret_is_needed(
    client: TestClient, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_PUBLIC_URL", "https://parley.example.com")
    settings.cache_clear()
    assert client.post("/v1/receipts", json=_receipt()).status_code == 403
    body, now = json.dumps(_receipt()).encode(), int(time.time())
    for known, status in (("somebody else's", 403), (secret("receipts"), 202)):
        answer = client.post("/v1/receipts", content=body, headers=signed(known, body, now))
        assert answer.status_code == status
    assert _stored(database) == 1


def test_with_a_secret_only_who_knows_it_is_heard_and_not_for_long(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    monkeypatch.setenv("PARLEY_RECEIPTS_SECRET", "between us")
    settings.cache_clear()
    body, now = json.dumps(_receipt()).encode(), int(time.time())
    tried = {
        "right": (body, signed("between us", body, now)),
        "none": (body, {}),
        "wrong secret": (body, signed("somebody else", body, now)),
        "changed body": (body + b" ", signed("between us", body, now)),
        "old": (body, signed("between us", body, now - 400)),
        "new time, old seal": (body, signed("between us", body, now - 400) | {"X-Vendor-Timestamp": str(now)}),
        "no time": (body, signed("between us", body, now) | {"X-Vendor-Timestamp": "now"}),
    }
    with TestClient(app, client=("198.51.100.7", 50000)) as client:
        statuses = {
            name: client.post("/v1/receipts", content=content, headers=headers).status_code
            for name, (content, headers) in tried.items()
        }
    assert statuses == {name: 202 if name == "right" else 403 for name in tried}
    assert _stored(database) == 1
