"""How does a marketer take a segment along? As a file of its members, and the audit log knows who took it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy.orm import Session

from db import audit
from db import segments_export as files
from domain import segments as seg
from domain.errors import Invalid
from services import catalog as catalogs
from services import segments
from services.segments import Value

Format = Literal["csv", "parquet"]

MOST_COLUMNS = 50
TIMEOUT = "300s"

USUAL = ("email", "first_name", "last_name", "ltv", "order_count", "last_order_at")
"""Columns that are taken when none are named, as far as the store has them."""


class Column(Value):
    """Something that can be exported of each member."""

    name: str
    label: str
    usual: bool


class Exported(Value):
    """A written file: how many members it has, in which columns, ``id`` first."""

    people: int
    columns: tuple[str, ...]


def columns(session: Session) -> list[Column]:
    """What can be exported: the usual columns, then the other attributes and metrics of the catalog."""
    catalog = catalogs.current(session)
    entries = [*catalog.attributes.items(), *catalog.metrics.items()]
    found = [Column(name=name, label=entry.label, usual=name in USUAL) for name, entry in entries]
    return sorted(found, key=lambda one: not one.usual)


def export(
    session: Session,
    segment_id: int,
    path: Path,
    *,
    form: Format,
    by: str,
    now: datetime,
    chosen: Sequence[str] = (),
) -> Exported:
    """Write a segment's members as of ``now`` to a file; ``by`` is the signed-in person who takes them.

    Values are streamed, so a large segment needs no more memory than a small one. Raises NotFound, Invalid
    (``unknown_attribute``, ``too_many_columns``).
    """
    saved = segments.get(session, segment_id)
    wanted = tuple(dict.fromkeys(chosen)) or tuple(one.name for one in columns(session) if one.usual)
    if len(wanted) > MOST_COLUMNS:
        raise Invalid("too_many_columns", f"{len(wanted)} columns", f"choose at most {MOST_COLUMNS}", "columns")
    scope = segments.scope(session, now=now)
    statement = files.table(seg.parse(saved.definition), wanted, scope)
    with segments.planned(session, TIMEOUT):
        people = files.WRITERS[form](session, statement, files.kinds(wanted, scope), path)
    detail = {"version": saved.version, "format": form, "columns": list(wanted), "people": people}
    audit.record(session, actor=by, action="segment.exported", subject=f"segment:{segment_id}", detail=detail)
    return Exported(people=people, columns=("id", *wanted))
