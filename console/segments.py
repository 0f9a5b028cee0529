"""Which segments are there, whom does one of them mean right now, and how did that change?"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from agent import cards
from console import page, plots
from console.visitor import Pressed, Transaction, Visitor
from db import store
from domain.segments import parse
from services import (
    customers,
    segments,
    segments_export,
    segments_history,
    segments_near,
    segments_overlap,
    segments_refresh,
    segments_uses,
    segments_versions,
    segments_why,
)

router = APIRouter(prefix="/segments")

DAYS = 90
AT_ONCE = 6
"""Days looked up in one request; the page asks again until none is missing."""

BUDGET = timedelta(minutes=2)
"""Days that were never counted are looked up without being asked for when that takes no longer, all in all."""

COMPARED = 7


@router.get("")
def listed(request: Request, session: Transaction, person: Visitor) -> Response:
    """Every saved segment."""
    found, fresh = segments.listed(session), segments_refresh.all_freshness(session)
    return page.show(request, session, person, "segments.html", segments=found, fresh=fresh, age=_age(session))


@router.get("/{segment_id}")
def one(request: Request, session: Transaction, person: Visitor, segment_id: int) -> Response:
    """A segment counted anew, with its versions and what is done with it."""
    saved, now = segments.get(session, segment_id), store.business_now(session)
    live = saved.status == "active"
    card = {
        **(cards.audience(session, parse(saved.definition), at=now) if live else {}),
        "assumptions": list(saved.assumptions),
        "unused_words": [],
    }
    return page.show(
        request,
        session,
        person,
        "segment.html",
        saved=saved,
        card=card,
        live=live,
        versions=segments_versions.listed(session, segment_id),
        uses=segments_uses.uses(session, segment_id),
        fresh=segments_refresh.freshness(session, segment_id),
        age=_age(session),
        columns=segments_export.columns(session),
        others=[other for other in segments.listed(session) if other.id != segment_id],
    )


@router.get("/{segment_id}/history")
def history(request: Request, session: Transaction, person: Visitor, segment_id: int) -> Response:
    """The size over time as far as it is known, and who came and went lately."""
    return _history(request, session, person, segment_id, looking_up=False)


@router.post("/{segment_id}/history", dependencies=[Pressed])
def look_up(request: Request, session: Transaction, person: Visitor, segment_id: int) -> Response:
    """The same with some more days looked up."""
    now = store.business_now(session)
    segments_history.history(session, segment_id, days=DAYS, now=now, at_most=AT_ONCE)
    return _history(request, session, person, segment_id, looking_up=True)


@router.get("/{segment_id}/near")
def near(request: Request, session: Transaction, person: Visitor, segment_id: int) -> Response:
    """Who fails one condition and no other."""
    definition = parse(segments.get(session, segment_id).definition)
    found = segments_near.near_misses(session, definition, now=store.business_now(session), people=3)
    return page.show(request, session, person, "segment_near.html", near=found)


@router.get("/{segment_id}/overlap")
def overlap(request: Request, session: Transaction, person: Visitor, segment_id: int) -> Response:
    """How many people it shares with the other segments saved lately."""
    others = [other for other in segments.listed(session) if other.id != segment_id][:COMPARED]
    found = None
    if others:
        ids = [segment_id, *(other.id for other in others)]
        found = segments_overlap.of_saved(session, ids, now=store.business_now(session))
    return page.show(request, session, person, "segment_overlap.html", overlap=found, others=others)


@router.get("/{segment_id}/why")
def why(
    request: Request,
    session: Transaction,
    person: Visitor,
    segment_id: int,
    customer: Annotated[str, Query(min_length=1, max_length=320)],
) -> Response:
    """Each condition about one customer, named by what is known of them."""
    now = store.business_now(session)
    one = customers.named(session, customer, now=now)
    definition = parse(segments.get(session, segment_id).definition)
    return page.show(
        request,
        session,
        person,
        "segment_why.html",
        customer=one,
        why=segments_why.why(session, definition, one.id, now=now),
        stays=segments_history.stays(session, segment_id, one.id),
    )


@router.get("/{segment_id}/changes")
def changes(
    request: Request,
    session: Transaction,
    person: Visitor,
    segment_id: int,
    older: Annotated[int, Query(ge=1)],
    newer: Annotated[int, Query(ge=1)],
) -> Response:
    """What changed from one version to another."""
    found = segments_versions.difference(session, segment_id, older, newer)
    return page.show(request, session, person, "segment_changes.html", difference=found)


def _history(request: Request, session: Transaction, person: Visitor, segment_id: int, *, looking_up: bool) -> Response:
    now = store.business_now(session)
    found = segments_history.recorded(session, segment_id, days=DAYS, now=now)
    fresh = segments_refresh.freshness(session, segment_id)
    cheap = fresh is not None and timedelta(milliseconds=fresh.took_ms) * len(found.missing) <= BUDGET
    drawn = [(point.as_of, point.size, point.source == "counted") for point in found.points]
    return page.show(
        request,
        session,
        person,
        "segment_history.html",
        segment_id=segment_id,
        history=found,
        days=DAYS,
        line=plots.line(drawn) if len(drawn) > 1 else None,
        goes_on=bool(found.missing) and (looking_up or (cheap and person.may_decide)),
        moves=segments_history.moves(session, segment_id, now=now, limit=8),
        fresh=fresh,
    )


def _age(session: Transaction) -> Callable[[segments_refresh.Freshness], str]:
    zone, now = segments.zone(session), store.business_now(session)
    return lambda found: segments_refresh.age(found, zone, now)
