"""Can a program ask any dataset over HTTP, is every refusal in the agreed shape, and does no request see another's?"""

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import httpx
import pytest

from api.bodies import MAX_BODY
from db.embedded import Addresses
from db.session import transaction
from services import tokens
from settings import ROOT
from tests.planted import Planted
from tests.served import Server, server

GUIDE = (ROOT / "docs" / "segmentation-api.md").read_text(encoding="utf-8")
ASKED = re.findall(r"^### \d+\. (.*)\n\n```sh\nask ([\s\S]*?)\n```\n\n```\w*\n([\s\S]*?)\n```", GUIDE, re.MULTILINE)

AS_OF = "2026-06-15T12:00:00Z"
AGED = {"type": "attribute", "name": "age", "op": "between", "value": [25, 34]}
IN_CALIFORNIA = {"type": "attribute", "name": "location", "op": "eq", "value": "California"}
LOGGED_IN = {"type": "all", "of": [IN_CALIFORNIA, {"type": "activity", "name": "LOGIN"}]}
PREVIEW = "/v1/datasets/duckmart/segments:preview"
MEMBERS = "/v1/datasets/duckmart/segments:members"


@pytest.fixture(scope="module")
def parley(addresses: Addresses, template: str) -> Iterator[Server]:
    """The application with the guide's DuckMart, made by the guide's commands, and a store of three customers."""
    with server(addresses, template) as found:
        for line in re.findall(r"^parley (duckmart .*)$", GUIDE, re.MULTILINE)[:3]:
            environment = os.environ | {"PARLEY_HOME": str(found.home)}
            subprocess.run([sys.executable, "cli.py", *shlex.split(line)], cwd=ROOT, env=environment, check=True)
        with transaction(found.database) as session:
            shop = Planted.store(session)
            for name in ("Ada", "Bob", "Cid"):
                shop.person(name, region="Texas" if name == "Ada" else "Ohio")
        yield found


def _token(parley: Server, *datasets: str) -> str:
    with transaction(parley.database) as session:
        return tokens.create(
            session, secrets.token_hex(4), secret=secrets.token_urlsafe(), datasets=datasets, by="test"
        )


@pytest.fixture(scope="module")
def api(parley: Server) -> Iterator[httpx.Client]:
    """A program with a token."""
    with httpx.Client(
        base_url=parley.address, headers={"Authorization": f"Bearer {_token(parley)}"}, timeout=60
    ) as client:
        yield client


def _by_hand(parley: Server, sql: str) -> list[int]:
    with duckdb.connect(parley.home / "duckmart.duckdb", read_only=True) as connection:
        return [row[0] for row in connection.execute(sql).fetchall()]


def test_both_example_segments_are_those_of_sql_by_hand(api: httpx.Client, parley: Server) -> None:
    for where, sql in (
        (AGED, "select id from users where age between 25 and 34 order by id"),
        (
            LOGGED_IN,
            """select id from users where location = 'California' and exists
               (select 1 from events where user_id = users.id and event_name = 'LOGIN') order by id""",
        ),
    ):
        expected = _by_hand(parley, sql)
        asked = {"version": 1, "where": where, "as_of": AS_OF}
        seen = api.post(PREVIEW, json=asked).json()
        assert (seen["audience_size"], seen["everyone"]) == (len(expected), 999)
        assert len(seen["sample_customer_ids"]) == 5
        assert set(seen["sample_customer_ids"]) <= set(expected)
        assert seen["as_of"] == AS_OF
        assert seen["conditions"][-1]["left"] == len(expected)
        assert api.post(MEMBERS, json=asked).json()["member_ids"] == expected


def test_a_preview_says_the_definition_back(api: httpx.Client) -> None:
    seen = api.post(PREVIEW, json={"where": LOGGED_IN}).json()
    assert seen["english"] == "location is “California” and at least one login"
    assert [condition["text"] for condition in seen["conditions"]] == seen["english"].split(" and ")


@pytest.mark.parametrize(("asked", "answer"), [pair for _, *pair in ASKED], ids=[title for title, *_ in ASKED])
def test_every_example_of_the_guide_is_answered_as_it_says(api: httpx.Client, asked: str, answer: str) -> None:
    address, body, *more = shlex.split(asked)
    headers = dict([more[1].split(": ")]) if more else {}
    found = api.post(f"/v1/datasets/{address}", content=body, headers=headers)
    if headers:
        assert found.text.strip() == answer
        return
    shown = json.loads(answer)
    assert {name: found.json()[name] for name in shown} == shown


def test_the_guide_has_enough_examples_and_names_every_route(parley: Server) -> None:
    assert len(ASKED) == len(re.findall(r"^### \d+", GUIDE, re.MULTILINE)) >= 25
    described = httpx.get(f"{parley.address}/v1/openapi.json").json()["paths"]
    for path, methods in described.items():
        if "/datasets" in path or "/schemas" in path:
            assert all(f"`{method.upper()} {path}`" in GUIDE for method in methods), path


def test_members_come_in_pages_that_fit_together_even_with_no_instant_named(api: httpx.Client, parley: Server) -> None:
    expected = _by_hand(parley, "select id from users where age between 25 and 34 order by id")
    found: list[int] = []
    asked: dict[str, Any] = {"where": AGED, "limit": 100}
    said = set()
    while True:
        page = api.post(MEMBERS, json=asked).json()
        found += page["member_ids"]
        said.add((page["total"], page["as_of"]))
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert found == expected
    assert [total for total, _ in said] == [len(expected)]
    assert api.post(f"{MEMBERS}?limit=100", json={"where": AGED}).json()["member_ids"] == expected[:100]


def test_members_can_be_streamed_line_by_line(api: httpx.Client, parley: Server) -> None:
    asked = {"where": {"type": "attribute", "name": "age", "op": "set"}}
    expected = _by_hand(parley, "select id from users where age is not null order by id")
    with api.stream("POST", MEMBERS, json=asked, headers={"Accept": "application/x-ndjson"}) as answer:
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        assert answer.headers["parley-members"] == str(len(expected))
        assert [json.loads(line)["id"] for line in answer.iter_lines()] == expected


def test_the_store_is_asked_the_same_way(api: httpx.Client) -> None:
    where = {"type": "attribute", "name": "state", "op": "eq", "value": "texas"}
    asked = {"dataset": "store", "where": where, "as_of": "2026-06-15"}
    seen = api.post("/v1/datasets/store/segments:preview", json=asked).json()
    assert (seen["audience_size"], seen["everyone"], seen["reachable"]["email"]) == (1, 3, 0)
    assert "sample" not in seen, "no names or addresses"
    members = api.post("/v1/datasets/store/segments:members", json=asked).json()
    assert members["member_ids"] == seen["sample_customer_ids"]


def test_many_questions_at_once_are_each_answered_as_alone(api: httpx.Client, parley: Server) -> None:
    asked = [
        (
            {"type": "activity", "name": name, "op": "gte", "value": count, "during": {"last": f"{days}d"}},
            f"{200 + days}-01-01",
        )
        for name in ("LOGIN", "PURCHASE", "PAGE_VIEW")
        for count in (1, 2, 3)
        for days in (30, 300)
    ]
    bodies = [{"where": where, "as_of": AS_OF} for where, _ in asked] * 3
    bodies += [{"where": AGED, "as_of": "2025-01-01"}, {"where": {"type": "tag", "name": "x"}}] * 5

    def sizes(body: dict[str, Any]) -> Any:
        with httpx.Client(base_url=parley.address, headers=api.headers, timeout=60) as client:
            return client.post(PREVIEW, json=body).json()

    alone = [sizes(body) for body in bodies[: len(asked)]] + [sizes(body) for body in bodies[-2:]]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(sizes, bodies))
    expected = alone[: len(asked)] * 3 + alone[-2:] * 5
    for answers in (together, expected):
        for answer in answers:
            answer.get("error", {}).pop("message", None)
    assert together == expected
    assert len({answer["audience_size"] for answer in alone[: len(asked)]}) > 5


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        ("{not json", 400, "not_json", ""),
        ("[" * 100_000, 400, "not_json", ""),
        ("[1]", 422, "segment_invalid", ""),
        (" " * (MAX_BODY + 1), 413, "too_large", ""),
        ({}, 422, "segment_invalid", "where"),
        ({"where": AGED, "dataset": "store"}, 422, "wrong_dataset", "dataset"),
        ({"where": {"type": "all", "of": []}}, 422, "segment_invalid", "where.of"),
        ({"where": {**AGED, "name": "agee"}}, 422, "unknown_attribute", "where.name"),
        ({"where": {**AGED, "op": "gt", "value": "old"}}, 422, "wrong_type", "where.value"),
        ({"where": AGED, "version": 2}, 422, "segment_invalid", "version"),
        ({"where": AGED, "as_of": "soon"}, 422, "as_of_invalid", "as_of"),
        ({"where": AGED, "as_of": "0001-01-01"}, 422, "as_of_invalid", "as_of"),
        ({"where": AGED, "as_of": 7}, 422, "request_invalid", "as_of"),
        ({"where": AGED, "limit": "many"}, 422, "request_invalid", "limit"),
        ({"where": AGED, "limit": 0}, 422, "request_invalid", "limit"),
        ({"where": AGED, "limit": True}, 422, "request_invalid", "limit"),
        ({"where": AGED, "limit": 10_001}, 422, "limit_too_large", "limit"),
        ({"where": AGED, "cursor": "x"}, 422, "cursor_invalid", "cursor"),
        ({"where": AGED, "cursor": "WzFd"}, 422, "cursor_invalid", "cursor"),
        ({"where": {"type": "segment", "id": 1}}, 404, "unknown_segment", "where.id"),
        ({"where": {"type": "consent", "channel": "email"}}, 422, "not_in_dataset", None),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_shape(
    api: httpx.Client, body: Any, status: int, code: str, path: str | None
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = api.post(MEMBERS, content=content)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "fix", "path"}
    assert (error["code"], error["path"]) == (code, error["path"] if path is None else path)
    assert error["fix"]


def test_a_cursor_belongs_to_one_definition_and_one_instant(api: httpx.Client) -> None:
    cursor = api.post(MEMBERS, json={"where": AGED, "limit": 1}).json()["next_cursor"]
    for asked, code in (
        ({"where": IN_CALIFORNIA, "cursor": cursor}, "cursor_foreign"),
        ({"where": AGED, "cursor": cursor, "as_of": AS_OF}, "as_of_twice"),
    ):
        assert api.post(MEMBERS, json=asked).json()["error"]["code"] == code
    assert api.post(f"{MEMBERS}?limit=3", json={"where": AGED, "limit": 4}).json()["error"]["code"] == "said_twice"


def test_only_who_is_known_may_ask_and_only_what_the_token_says(api: httpx.Client, parley: Server) -> None:
    body = {"where": AGED}
    refused = httpx.post(parley.address + PREVIEW, json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "not_signed_in")
    assert refused.headers["www-authenticate"] == "Bearer"
    wrong = httpx.post(parley.address + PREVIEW, json=body, headers={"Authorization": "Bearer parley_x"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "token_unknown")
    narrow = {"Authorization": f"Bearer {_token(parley, 'duckmart')}"}
    assert httpx.post(parley.address + PREVIEW, json=body, headers=narrow).status_code == 200
    for address in ("/v1/datasets/store", "/v1/datasets/crm"):
        other = httpx.get(parley.address + address, headers=narrow)
        assert (other.status_code, other.json()["error"]["code"]) == (403, "dataset_not_allowed")
    listed = httpx.get(f"{parley.address}/v1/datasets", headers=narrow).json()["datasets"]
    assert [dataset["name"] for dataset in listed] == ["duckmart"]


def test_who_is_signed_in_may_ask_from_our_own_pages_alone(parley: Server) -> None:
    parley.person("mia")
    with parley.visitor("mia") as visitor:
        assert visitor.post(PREVIEW, json={"where": AGED}).status_code == 200
        foreign = visitor.post(PREVIEW, json={"where": AGED}, headers={"origin": "https://elsewhere.example.com"})
        assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "foreign_origin")


def test_a_dataset_says_what_can_be_asked_of_it(api: httpx.Client) -> None:
    names = [dataset["name"] for dataset in api.get("/v1/datasets").json()["datasets"]]
    assert {"store", "duckmart"} <= set(names)
    found = api.get("/v1/datasets/duckmart").json()
    fields = {field["name"]: field for field in found["attributes"]}
    assert fields["age"]["kind"] == "integer"
    assert "between" in fields["age"]["operators"]
    assert "California" in fields["location"]["values"]
    assert "SUPPORT_TICKET" in [activity["name"] for activity in found["activities"]]
    assert api.get("/v1/datasets/store").json()["metrics"]
    gone = api.get("/v1/datasets/duckmat")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "unknown_dataset")
    assert "duckmart" in gone.json()["error"]["fix"]
    assert api.post("/v1/datasets/duckmat/segments:preview", json={"where": AGED}).status_code == 404


def test_the_description_of_the_api_stands_for_itself(parley: Server) -> None:
    found = httpx.get(f"{parley.address}/v1/openapi.json")
    assert found.status_code == 200
    paths = found.json()["paths"]
    assert {PREVIEW.replace("duckmart", "{dataset}"), MEMBERS.replace("duckmart", "{dataset}")} <= set(paths)
    assert found.json()["components"]["securitySchemes"]
    assert not re.search(r"https?://(?!json-schema\.org)", found.text.replace(parley.address, ""))
