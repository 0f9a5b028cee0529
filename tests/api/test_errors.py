"""Has every refusal one shape, and each kind its status?"""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import errors
from domain.errors import Conflict, Forbidden, Invalid, NotFound, ParleyError, Unavailable

KINDS: dict[str, tuple[ParleyError, int]] = {
    "invalid": (Invalid("a", "b", "c", "d"), 422),
    "missing": (NotFound("a", "b", "c", "d"), 404),
    "conflict": (Conflict("a", "b", "c", "d"), 409),
    "forbidden": (Forbidden("a", "b", "c", "d"), 403),
    "unavailable": (Unavailable("a", "b", "c", "d", retry_after=7), 503),
}


@pytest.fixture
def client() -> Iterator[TestClient]:
    """An application whose routes raise."""
    app = FastAPI()
    errors.install(app)

    @app.get("/{kind}")
    def fail(kind: str, number: int = 0) -> int:
        if kind == "bug":
            raise RuntimeError("the secret is 12345")
        if kind in KINDS:
            raise KINDS[kind][0]
        return number

    with TestClient(app, raise_server_exceptions=False) as found:
        yield found


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_status(client: TestClient, kind: str) -> None:
    answer = client.get(f"/{kind}")
    assert answer.status_code == KINDS[kind][1]
    assert answer.json() == {"error": {"code": "a", "message": "b", "fix": "c", "path": "d"}}
    assert answer.headers.get("Retry-After") == ("7" if kind == "unavailable" else None)


def test_what_the_framework_refuses_has_the_same_shape(client: TestClient) -> None:
    said = [client.get("/fine?number=x"), client.get("/no/such/page"), client.post("/fine")]
    assert [answer.status_code for answer in said] == [422, 404, 405]
    assert [answer.json()["error"]["code"] for answer in said] == [
        "request_invalid",
        "no_such_page",
        "method_not_allowed",
    ]
    assert said[0].json()["error"]["path"] == "number"


def test_a_bug_tells_nothing_of_its_insides(client: TestClient) -> None:
    answer = client.get("/bug")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "12345" not in answer.text
