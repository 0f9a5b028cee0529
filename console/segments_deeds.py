"""What can be done with a saved segment from its page: count, restore, freeze, export, delete."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, RedirectResponse, Response

from console.visitor import Decider, Pressed, Transaction
from db import store
from services import (
    segments,
    segments_export,
    segments_lists,
    segments_refresh,
    segments_uses,
    segments_versions,
)

router = APIRouter(prefix="/segments/{segment_id}", dependencies=[Pressed])

MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@router.post("/refresh")
def refresh(session: Transaction, person: Decider, segment_id: int) -> Response:  # noqa: ARG001 - only who may decide
    """Count it now."""
    segments_refresh.refresh(session, segment_id, now=store.business_now(session))
    return _back(segment_id)


@router.post("/restore")
def restore(
    session: Transaction,
    person: Decider,
    segment_id: int,
    version: Annotated[int, Form(ge=1)],
    expected: Annotated[int, Form(ge=1)],
) -> Response:
    """Make a past version the current one again; ``expected`` is the one the page showed as current."""
    now = store.business_now(session)
    segments_versions.restore(session, segment_id, version, expected_version=expected, by=person.username, now=now)
    return _back(segment_id)


@router.post("/freeze")
def freeze(
    session: Transaction, person: Decider, segment_id: int, name: Annotated[str, Form(max_length=120)]
) -> Response:
    """Make a list of who is in it now, and show that."""
    now = store.business_now(session)
    return _back(segments_lists.snapshot(session, segment_id, name=name, by=person.username, now=now).id)


@router.post("/delete")
def delete(session: Transaction, person: Decider, segment_id: int) -> Response:
    """Delete it, if nothing uses it."""
    segments_uses.delete(session, segment_id, by=person.username, now=store.business_now(session))
    return RedirectResponse("/segments", 303)


@router.post("/export")
def export(
    session: Transaction,
    person: Decider,
    segment_id: int,
    form: Annotated[segments_export.Format, Form(alias="format")] = "csv",
    columns: Annotated[tuple[str, ...], Form()] = (),
) -> Response:
    """Its members as a file, written whole before the first byte goes out, so that no half one ever does."""
    folder = Path(mkdtemp(prefix="parley-export-"))
    try:
        path = folder / f"segment-{segment_id}.{form}"
        now = store.business_now(session)
        segments_export.export(session, segment_id, path, form=form, by=person.username, now=now, chosen=columns)
    except BaseException:
        shutil.rmtree(folder)
        raise
    name = f"{segments.get(session, segment_id).name} {now:%Y-%m-%d}.{form}".replace("/", "-")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    gone = BackgroundTask(shutil.rmtree, folder)
    return FileResponse(path, media_type=MEDIA[form], headers=headers, background=gone)


def _back(segment_id: int) -> RedirectResponse:
    return RedirectResponse(f"/segments/{segment_id}", 303)
