"""Who meets a definition, in any dataset: how many, a few of them, or all of them?"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response, StreamingResponse

from api import bodies
from api.answers import REFUSALS
from api.caller import Authorized
from db import store
from db.session import reading
from domain.errors import Invalid
from domain.segments import Definition, parse
from domain.segments_schema import schema
from domain.windows import instant
from services import catalog, datasets, members, segments, sources
from services.segments import PreviewLine
from services.sources import Source

router = APIRouter(prefix="/v1", tags=["segments"])

PAGE = 1_000
LARGEST_PAGE = 10_000
LINES = "application/x-ndjson"
LINES_AT_ONCE = 1_000

AT_ONCE = anyio.CapacityLimiter(8)
"""So many questions are asked at a time; further ones wait, and everybody else's requests do not."""

ASKING = {"as_of", "limit", "cursor"}
"""What may stand beside the definition in the body, or in the address."""

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["where"],
                    "properties": {
                        "version": {"const": 1},
                        "dataset": {"type": "string", "description": "May be left out; no other than in the address."},
                        "where": {"type": "object", "description": "A condition; see /v1/schemas/segment."},
                        "as_of": {"type": "string", "description": "A date or an instant; by default now."},
                        "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE},
                        "cursor": {"type": "string"},
                    },
                },
                "example": {
                    "version": 1,
                    "where": {"type": "attribute", "name": "age", "op": "between", "value": [25, 34]},
                },
            }
        },
    }
}

T = TypeVar("T")
AsOf = Annotated[str | None, Query(description="A date or an instant; by default now.")]


class Previewed(BaseModel):
    """``audience_size`` of ``everyone``; ``conditions`` that must all hold, each with how many meet it and are left."""

    dataset: str
    audience_size: int
    everyone: int
    sample_customer_ids: list[int | str]
    as_of: datetime
    english: str
    conditions: list[PreviewLine]
    reachable: dict[str, int]


class Members(BaseModel):
    """A page of ids in rising order; ``total`` as of the first page; ``next_cursor`` is null on the last."""

    dataset: str
    total: int
    as_of: datetime
    member_ids: list[int | str]
    next_cursor: str | None


@router.post("/datasets/{dataset}/segments:preview", responses=REFUSALS, openapi_extra=BODY)
async def preview(dataset: str, request: Request, caller: Authorized, as_of: AsOf = None) -> Previewed:
    """Count whom a definition means, condition by condition, and say it back in English."""
    caller.require(dataset)
    definition, asked = _read(await bodies.read(request), dataset, {"as_of": as_of})
    return await _aside(_preview, dataset, definition, asked.get("as_of"))


@router.post("/datasets/{dataset}/segments:members", response_model=Members, responses=REFUSALS, openapi_extra=BODY)
async def list_members(
    dataset: str,
    request: Request,
    caller: Authorized,
    as_of: AsOf = None,
    limit: Annotated[int | None, Query(ge=1, description=f"At most {LARGEST_PAGE:,}; lines have no limit.")] = None,
    cursor: Annotated[str | None, Query(description="next_cursor of the page before.")] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """List whom a definition means: a page of ids, or with ``Accept: application/x-ndjson`` all of them, one a line."""
    caller.require(dataset)
    definition, asked = _read(await bodies.read(request), dataset, {"as_of": as_of, "limit": limit, "cursor": cursor})
    return await _aside(_lines if LINES in accept else _page, dataset, definition, asked)


@router.get("/schemas/segment")
def describe() -> JSONResponse:
    """The JSON Schema (2020-12) of definitions."""
    return JSONResponse(schema(), media_type="application/schema+json")


async def _aside(work: Callable[..., T], *given: Any) -> T:
    return await anyio.to_thread.run_sync(lambda: work(*given), limiter=AT_ONCE)


def _preview(dataset: str, definition: Definition, as_of: str | None) -> Previewed:
    with _asked(dataset, as_of) as source:
        found = members.preview(source, definition)
    return Previewed(
        dataset=dataset,
        audience_size=found.audience_size,
        everyone=found.everyone,
        sample_customer_ids=list(found.sample_customer_ids),
        as_of=found.as_of,
        english=found.read_back,
        conditions=list(found.lines),
        reachable=found.reachable,
    )


def _page(dataset: str, definition: Definition, asked: dict[str, Any]) -> JSONResponse:
    limit = asked.get("limit", PAGE)
    if limit > LARGEST_PAGE:
        fix = f"Ask for the next page with its cursor, or for all with `Accept: {LINES}`."
        raise Invalid("limit_too_large", f"A page has at most {LARGEST_PAGE:,} members.", fix, "limit")
    begun = _begun(asked)
    with _asked(dataset, asked.get("as_of"), begun) as source:
        found = members.page(source, definition, limit=limit, cursor=begun)
        at = source.scope.as_of
    onward = str(found.next) if found.next else None
    answer = Members(dataset=dataset, total=found.total, as_of=at, member_ids=found.member_ids, next_cursor=onward)
    return JSONResponse(answer.model_dump(mode="json"))


def _lines(dataset: str, definition: Definition, asked: dict[str, Any]) -> StreamingResponse:
    begun = _begun(asked)
    with _asked(dataset, asked.get("as_of"), begun) as source:
        after = begun.after if begun else None
        found = members.ids(source, definition, after=after, limit=asked.get("limit"))
    chunks = (
        "".join(f'{{"id": {json.dumps(one)}}}\n' for one in found[start : start + LINES_AT_ONCE])
        for start in range(0, len(found), LINES_AT_ONCE)
    )
    said = {"Parley-Members": str(len(found)), "Parley-As-Of": source.scope.as_of.isoformat()}
    return StreamingResponse(chunks, media_type=LINES, headers=said)


@contextmanager
def _asked(dataset: str, as_of: str | None, begun: members.Cursor | None = None) -> Iterator[Source]:
    """A dataset as of an instant; pages are all as of the first one's."""
    if dataset == catalog.STORE:
        with reading() as session:
            zone = segments.zone(session)
            at = instant(as_of, zone) if as_of else begun.as_of if begun else store.business_now(session)
            yield sources.of_store(session, now=at)
        return
    with datasets.open_dataset(dataset) as opened:
        at = instant(as_of, opened.zone) if as_of else begun.as_of if begun else datetime.now(UTC)
        yield sources.of_dataset(opened, now=at)


def _begun(asked: dict[str, Any]) -> members.Cursor | None:
    if "cursor" not in asked:
        return None
    if "as_of" in asked:
        fix = "Leave as_of out: every page is as of the first one's instant."
        raise Invalid("as_of_twice", "The cursor already says as of when.", fix, "as_of")
    return members.cursor(asked["cursor"])


def _read(body: bytes, dataset: str, asked: dict[str, Any]) -> tuple[Definition, dict[str, Any]]:
    """The definition in a body, and what was asked beside it, in the body or the address."""
    catalog.file(dataset)
    said = bodies.parsed(body, 'Send a definition such as {"version": 1, "where": {...}}.')
    if not isinstance(said, dict):
        raise Invalid("segment_invalid", "A definition is an object.", 'Send {"version": 1, "where": {...}}.')
    definition = {name: value for name, value in said.items() if name not in ASKING}
    named = definition.setdefault("dataset", dataset)
    if named != dataset:
        fix = "Leave dataset out of the definition, or ask at its own address."
        raise Invalid("wrong_dataset", f"The definition is for the dataset {named!r}.", fix, "dataset")
    for name in ASKING & said.keys():
        if asked.get(name) not in {None, said[name]}:
            raise Invalid("said_twice", f"{name} is given twice, and differs.", "Give it once.", name)
        asked[name] = said[name]
    asked = {name: value for name, value in asked.items() if value is not None}
    for name, kind in (("as_of", str), ("cursor", str), ("limit", int)):
        if name in asked and (not isinstance(asked[name], kind) or asked[name] is True):
            raise Invalid("request_invalid", f"{name} is not of the right type.", f"Send a {kind.__name__}.", name)
    if asked.get("limit", 1) < 1:
        raise Invalid("request_invalid", "limit is below 1.", "Ask for at least one member.", "limit")
    return parse(definition), asked
