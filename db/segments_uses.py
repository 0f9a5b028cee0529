"""Where is a saved segment used? Wherever JSON names it: every such place is one row of a table here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import Session, aliased

from db.approvals import Approval
from db.campaigns import Campaign
from db.flows import ACTIVE, DRAFT, PAUSED, Flow, FlowVersion
from db.segments import GlossaryTerm, Segment, SegmentVersion
from db.tiers import TierSet

NAMED = '$.** ? (((@.type == "segment" || @.type == "list") && @.id == $id) || @.segment == $id || @.segment_id == $id)'
"""A condition on the segment anywhere in a definition, its members as a population, or a ``segment_id``."""


@dataclass(frozen=True)
class Place:
    """A kind of use: the key and the name of the row that uses it, which JSON is searched, and in which rows."""

    kind: str
    key: sa.SQLColumnExpression[Any]
    name: sa.SQLColumnExpression[Any]
    json: sa.SQLColumnExpression[Any]
    rows: sa.FromClause
    live: sa.ColumnElement[bool]


_current_flow = sa.join(Flow, FlowVersion, FlowVersion.flow_id == Flow.id).outerjoin(Campaign)
_live_flow = Flow.status.in_((DRAFT, ACTIVE, PAUSED))
_later = aliased(GlossaryTerm)
_newest = ~sa.exists().where(_later.word == GlossaryTerm.word, _later.version > GlossaryTerm.version)
_later_tiers = aliased(TierSet)
_newest_tiers = ~sa.exists().where(_later_tiers.name == TierSet.name, _later_tiers.version > TierSet.version)

PLACES = (
    Place(
        "segment",
        Segment.id,
        Segment.name,
        SegmentVersion.definition,
        sa.join(
            Segment,
            SegmentVersion,
            (SegmentVersion.segment_id == Segment.id) & (SegmentVersion.number == Segment.version),
        ),
        Segment.status == "active",
    ),
    Place("flow", Flow.id, Flow.name, FlowVersion.spec, _current_flow, _live_flow & Campaign.id.is_(None)),
    Place("campaign", Flow.id, Flow.name, FlowVersion.spec, _current_flow, _live_flow & Campaign.id.is_not(None)),
    Place(
        "approval",
        Approval.number,
        sa.func.coalesce(Approval.proposal["name"].astext, Approval.proposal["spec"]["name"].astext, Approval.kind),
        Approval.proposal,
        sa.inspect(Approval).local_table,
        Approval.status == "pending",
    ),
    Place(
        "glossary",
        GlossaryTerm.id,
        GlossaryTerm.word,
        GlossaryTerm.meaning,
        sa.inspect(GlossaryTerm).local_table,
        _newest,
    ),
    Place(
        "tiers",
        TierSet.name,
        TierSet.name,
        TierSet.definition,
        sa.inspect(TierSet).local_table,
        _newest_tiers,
    ),
)
"""Flows count with every version: people inside stay in the one they joined."""


def of(session: Session, segment_id: int) -> Sequence[tuple[str, str, str]]:
    """Kind, key and name of everything that uses a segment now, itself left out."""
    found: list[tuple[str, str, str]] = []
    for place in PLACES:
        named = {"id": segment_id}
        uses = sa.func.jsonb_path_exists(place.json, sa.cast(NAMED, JSONPATH), sa.cast(sa.literal(named, JSONB), JSONB))
        wanted = sa.select(sa.cast(place.key, sa.Text), place.name).select_from(place.rows).where(place.live, uses)
        found += [(place.kind, key, name) for key, name in session.execute(wanted.distinct().order_by(place.name))]
    return [use for use in found if use[:2] != ("segment", str(segment_id))]
