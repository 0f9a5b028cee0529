"""What can be changed on a card, and what does a change make of the proposal?"""

import re
import uuid
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from domain.errors import Conflict, Invalid
from services import approvals, plans
from services.approvals import Approval
from services.users import Person

LONGEST_TEXT = 20_000

_OF_STEPS = re.compile(r"steps\.\d+\.(duration|(variants\.\d+\.)?(subject|preview_text|body))")


class Change(BaseModel):
    """One field of the card: the number of an assumption, a wording, a wait, the start, or the name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(max_length=200)
    value: float | str | dict[str, str]


def edit(
    session: Session, approval_id: uuid.UUID, digest: str, changes: Sequence[Change], *, by: Person, now: datetime
) -> list[Approval]:
    """Replace a pending proposal by one with these changes; answers the new ones, this one's first.

    Raises Conflict (``proposal_changed``) when ``digest`` is not what it is now, Invalid for what cannot be changed or
    is no good, and what ``plans.revise`` raises.
    """
    before = approvals.get(session, approval_id)
    if before.digest != digest:
        raise Conflict("proposal_changed", "This is not the proposal you were shown.", "Reload the page.", "digest")
    if not changes:
        raise Invalid("nothing_changed", "Nothing was changed.", "Change something, or leave it.", "changes")
    made = _CHANGED.get(before.kind, _nothing)(before.proposal, changes)
    return plans.revise(session, approval_id, made, by=by, now=now)


def _segment(proposal: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    definition = proposal["definition"]
    for change in changes:
        if change.path == "name":
            made["name"] = str(change.value)
            continue
        known = next((one for one in proposal.get("assumptions") or () if one.get("path") == change.path), None)
        if known is None or not isinstance(change.value, int | float):
            raise _fixed(change.path)
        definition = plans.amended(definition, change.path, _in_language(change.value, known))
        made.setdefault("name", _renamed(proposal["name"], known["value"], change.value))
    return made if definition == proposal["definition"] else {**made, "definition": definition}


def _renamed(name: str, before: float | None, after: float) -> str:
    """A name that says the number that was changed says the new one."""
    return name if before is None else re.sub(rf"\b{before:g}\b", f"{after:g}", name)


def _in_language(value: float, assumption: Mapping[str, Any]) -> float | str:
    """A number as the definition holds it: windows are written ``90d``, whole numbers without a point."""
    number = int(value) if float(value).is_integer() else value
    letter = {"days": "d", "weeks": "w", "months": "mo", "years": "y"}.get(str(assumption.get("unit")))
    return f"{number}{letter}" if letter else number


def _flow(proposal: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    spec = deepcopy(proposal["spec"])
    made: dict[str, Any] = {"spec": spec}
    for change in changes:
        if change.path == "name":
            spec["name"] = str(change.value)
        elif change.path == "start" and isinstance(change.value, dict):
            made["proposed_start"] = proposal.get("proposed_start") or spec["start"]
            spec["start"] = change.value
        elif _OF_STEPS.fullmatch(change.path) and isinstance(change.value, str):
            _set(spec, change.path, change.value[:LONGEST_TEXT])
        else:
            raise _fixed(change.path)
    return made


def _set(spec: dict[str, Any], path: str, value: str) -> None:
    *steps, last = path.split(".")
    place: Any = spec
    try:
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        _ = place[last]
    except (KeyError, IndexError):
        raise _fixed(path) from None
    place[last] = value


def _nothing(_proposal: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    raise _fixed(changes[0].path)


_CHANGED = {"segment": _segment, "flow": _flow, "activation": _flow}


def _fixed(path: str) -> Invalid:
    return Invalid("not_editable", f"{path} cannot be changed here.", "Ask for it in the chat.", path)
