"""Which segments are there, and whom does one of them mean right now?"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from agent import cards
from console import page
from console.visitor import Transaction, Visitor
from db import store
from domain.segments import parse
from services import segments, segments_versions

router = APIRouter(prefix="/segments")


@router.get("")
def listed(request: Request, session: Transaction, person: Visitor) -> Response:
    """Every saved segment."""
    return page.show(request, session, person, "segments.html", segments=segments.listed(session))


@router.get("/{segment_id}")
def one(request: Request, session: Transaction, person: Visitor, segment_id: int) -> Response:
    """A segment counted anew, with its versions."""
    versions = segments_versions.listed(session, segment_id)
    saved = segments.get(session, segment_id)
    card = {
        **cards.audience(session, parse(saved.definition), at=store.business_now(session)),
        "assumptions": list(saved.assumptions),
        "unused_words": [],
    }
    return page.show(request, session, person, "segment.html", saved=saved, versions=versions, card=card)
