"""Who reaches the chat, and what of Chainlit is reachable?"""

import http.client
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import closing

import httpx
import jwt
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from db import chats, users
from db.session import transaction
from tests.served import Server

SOCKET = "/chat/ws/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
def ana(served: Server) -> Iterator[httpx.Client]:
    with served.visitor("ana") as client:
        yield client


@pytest.fixture
def ben(served: Server) -> Iterator[httpx.Client]:
    with served.visitor("ben") as client:
        yield client


@pytest.fixture
def anas_chat(served: Server) -> uuid.UUID:
    chat_id = uuid.uuid4()
    with transaction(served.database) as session:
        owner = users.named(session, "ana")
        assert owner is not None
        chats.touch(session, chat_id, owner.id, title="Ana's own")
    return chat_id


def cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def upgraded(served: Server, *, origin: str, cookie: str) -> int:
    """The status a browser hears when a page of ``origin`` opens a socket: 101 when it opens."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Origin": origin,
        "Cookie": cookie,
    }
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)) as connection:
        connection.request("GET", SOCKET, headers=headers)
        with connection.getresponse() as answer:
            return answer.status


def joined(served: Server, client: httpx.Client, chat_id: uuid.UUID) -> bool:
    """Whether a signed-in person may join a conversation over a socket (Socket.IO's first three messages)."""
    url, cookie = served.address.replace("http", "ws") + SOCKET, {"Cookie": cookies(client)}
    about = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": None, "chatProfile": None}
    with connect(url, origin=Origin(served.address), additional_headers=cookie) as socket:
        assert str(socket.recv(timeout=10)).startswith("0")
        socket.send(f"40{json.dumps({**about, 'threadId': str(chat_id)})}")
        return str(socket.recv(timeout=10)).startswith("40")


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page_and_back(served: Server) -> None:
    answer = httpx.get(f"{served.address}/chat/thread/0b6f3f0e-6f0b-5f43-8d6b-0e2a2f4d7a11")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/chat/thread/0b6f3f0e-6f0b-5f43-8d6b-0e2a2f4d7a11"


@pytest.mark.parametrize("path", ["/chat/user", "/chat/project/settings", "/chat/auth/config"])
def test_calls_without_a_sign_in_are_refused(served: Server, path: str) -> None:
    assert httpx.get(served.address + path).status_code == 401


def test_a_sign_in_opens_the_chat(ana: httpx.Client) -> None:
    assert ana.get("/chat").status_code == 200
    assert ana.get("/chat/user").json()["identifier"] == "ana"


def test_the_page_loads_nothing_from_elsewhere(ana: httpx.Client) -> None:
    html = ana.get("/chat").text
    assert not re.findall(r"""(?:href|src|content)=["'](?:https?:)?//[^"']+""", html)
    assert "default-src 'self'" in ana.get("/chat").headers["content-security-policy"]


def test_chainlits_own_token_never_reaches_the_browser(ana: httpx.Client) -> None:
    for path in ("/chat", "/chat/user", "/chat/project/settings"):
        assert "access_token" not in ana.get(path).headers.get("set-cookie", "")
    assert not [name for name in ana.cookies if name.startswith("access_token")]


def test_chainlits_own_token_opens_nothing_even_when_it_is_genuine(served: Server) -> None:
    secret = (served.home / "secrets" / "chainlit").read_text()
    token = jwt.encode({"identifier": "ana", "metadata": {}, "exp": 4_000_000_000}, secret, algorithm="HS256")
    for headers in ({"cookie": f"access_token={token}"}, {"authorization": f"Bearer {token}"}):
        assert httpx.get(f"{served.address}/chat/user", headers=headers).status_code == 401


def test_a_token_beside_ones_own_sign_in_changes_nothing(served: Server, ben: httpx.Client) -> None:
    secret = (served.home / "secrets" / "chainlit").read_text()
    token = jwt.encode({"identifier": "ana", "metadata": {}, "exp": 4_000_000_000}, secret, algorithm="HS256")
    forged = {"cookie": f"{cookies(ben)}; access_token={token}", "authorization": f"Bearer {token}"}
    assert httpx.get(f"{served.address}/chat/user", headers=forged).json()["identifier"] == "ben"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_card_cannot_be_forged_or_taken_away_by_a_request(ana: httpx.Client, method: str) -> None:
    forged = {"element": {"id": str(uuid.uuid4()), "type": "custom", "name": "SegmentCard"}, "sessionId": "x"}
    assert ana.request(method, "/chat/project/element", json=forged).status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/chat/login", 404),
        ("POST", "/chat/auth/jwt", 404),
        ("POST", "/chat/auth/header", 404),
        ("GET", "/chat/auth/oauth/google", 404),
        ("POST", "/chat/mcp", 405),
        ("PUT", "/chat/feedback", 405),
        ("PUT", "/chat/project/thread/share", 405),
        ("POST", "/chat/project/file", 404),
        ("GET", "/chat/copilot/index.js", 404),
        ("GET", "/chat/share/0b6f3f0e-6f0b-5f43-8d6b-0e2a2f4d7a11", 404),
    ],
)
def test_ways_in_that_are_not_used_are_shut(ana: httpx.Client, method: str, path: str, status: int) -> None:
    assert ana.request(method, path, json={}).status_code == status


def test_a_socket_opens_for_our_own_page(served: Server, ana: httpx.Client) -> None:
    assert upgraded(served, origin=served.address, cookie=cookies(ana)) == 101


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1", ""])
def test_a_socket_of_another_site_is_refused_though_the_browser_sends_the_cookie(
    served: Server, ana: httpx.Client, origin: str
) -> None:
    assert upgraded(served, origin=origin, cookie=cookies(ana)) == 403


def test_a_socket_without_a_sign_in_is_refused(served: Server) -> None:
    assert upgraded(served, origin=served.address, cookie="") == 403


def test_a_request_of_another_site_that_changes_something_is_refused(ana: httpx.Client, anas_chat: uuid.UUID) -> None:
    foreign = {"origin": "https://elsewhere.example"}
    answer = ana.request("DELETE", "/chat/project/thread", json={"threadId": str(anas_chat)}, headers=foreign)
    assert answer.status_code == 403
    assert ana.get(f"/chat/project/thread/{anas_chat}").status_code == 200


def test_another_persons_conversation_cannot_be_read_renamed_or_deleted(
    ana: httpx.Client, ben: httpx.Client, anas_chat: uuid.UUID
) -> None:
    named = {"threadId": str(anas_chat)}
    assert ben.get(f"/chat/project/thread/{anas_chat}").status_code == 401
    assert ben.put("/chat/project/thread", json={**named, "name": "Ben's now"}).status_code == 401
    assert ben.request("DELETE", "/chat/project/thread", json=named).status_code == 401
    assert ana.get(f"/chat/project/thread/{anas_chat}").json()["name"] == "Ana's own"


def test_lists_hold_ones_own_conversations_only(ana: httpx.Client, ben: httpx.Client, anas_chat: uuid.UUID) -> None:
    wanted = {"pagination": {"first": 50}, "filter": {"userId": "1"}}
    listed = [[row["id"] for row in c.post("/chat/project/threads", json=wanted).json()["data"]] for c in (ana, ben)]
    assert str(anas_chat) in listed[0]
    assert listed[1] == []


def test_another_persons_conversation_cannot_be_joined_over_a_socket(
    served: Server, ana: httpx.Client, ben: httpx.Client, anas_chat: uuid.UUID
) -> None:
    assert joined(served, ana, anas_chat)
    assert not joined(served, ben, anas_chat)


def test_signing_out_of_the_chat_ends_the_sign_in_everywhere(served: Server) -> None:
    with served.visitor("ana") as client:
        assert client.post("/chat/logout").json() == {"success": True}
        kept = dict(client.cookies)
        assert client.get("/chat/user").status_code == 401
        assert client.get("/").status_code == 303
        assert not kept


def test_a_conversation_can_be_renamed_searched_and_forgotten_by_its_owner(
    ana: httpx.Client, anas_chat: uuid.UUID
) -> None:
    named = {"threadId": str(anas_chat)}
    title = f"Spring {uuid.uuid4().hex[:8]}"
    assert ana.put("/chat/project/thread", json={**named, "name": title}).status_code == 200
    wanted = {"pagination": {"first": 10}, "filter": {"search": title}}
    assert [row["id"] for row in ana.post("/chat/project/threads", json=wanted).json()["data"]] == [str(anas_chat)]
    assert ana.request("DELETE", "/chat/project/thread", json=named).status_code == 200
    assert ana.get(f"/chat/project/thread/{anas_chat}").status_code == 404
