"""Which requests count as coming from our own pages?"""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api.origin import OurPagesOnly

ADDRESS = "https://parley.example.com"


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()
    app.add_middleware(OurPagesOnly, address=ADDRESS)

    @app.api_route("/", methods=["GET", "POST"])
    def changed() -> str:
        return "done"

    @app.websocket("/socket")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")

    with TestClient(app, base_url="http://inside:8000", cookies={"parley": "signed-in"}) as found:
        yield found


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ADDRESS},
        {"origin": "http://inside:8000"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {},
    ],
)
def test_our_own_pages_may_change_things(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "https://parley.example.com.elsewhere.example"},
        {"origin": "https://parley.example.com:444"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://inside:8001"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_may_not(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "foreign_origin"


def test_reading_is_not_changing(client: TestClient) -> None:
    assert client.get("/", headers={"origin": "https://elsewhere.example"}).status_code == 200


def test_programs_that_send_no_cookies_are_not_asked(client: TestClient) -> None:
    client.cookies.clear()
    assert client.post("/", headers={"origin": "https://provider.example"}).status_code == 200


def test_a_socket_of_another_site_is_closed_before_it_opens(client: TestClient) -> None:
    with client.websocket_connect("/socket", headers={"origin": ADDRESS}) as socket:
        assert socket.receive_text() == "hello"
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/socket", headers={"origin": "https://elsewhere.example"}),
    ):
        pass


def test_every_answer_says_how_it_may_be_used(client: TestClient) -> None:
    headers = client.get("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
