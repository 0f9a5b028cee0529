"""What belongs together? A segment and the campaign for it, proposed in one go, stay about the same people.

Each is decided on its own. A flow carries the definition of its audience, so approving it does not need the segment to
be saved, and rejecting the segment leaves the flow as it was shown. But as long as both wait, changing whom the segment
means changes whom the flow is for.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy.orm import Session

from domain import flows as flow_values
from domain import segments as seg
from domain.errors import Invalid
from domain.flows import digest
from services import approvals, content, segments
from services.approvals import Approval
from services.flows import Value
from services.users import Person

DEFAULT_TIME = "10:00"

_NUMBER = re.compile(r"\d+(\.\d+)?")


class Wishes(Value):
    """What was asked of a campaign; the rest is drafted from data.

    ``waits`` are the pauses between its messages; a local ``start`` may lack its date or its time.
    """

    objective: str | None = None
    about: str = ""
    channel: Literal["email", "sms", "whatsapp"] = "email"
    waits: tuple[str, ...] | None = None
    name: str | None = None
    start: dict[str, Any] | None = None


def latest(session: Session, approval_id: uuid.UUID) -> Approval:
    """The proposal that stands where this one was, after all edits; itself, if it was never edited. Raises NotFound."""
    found = approvals.get(session, approval_id)
    while found.result and _replaced(found):
        found = approvals.get(session, uuid.UUID(found.result["replaced_by"]))
    return found


def standing(session: Session, thread_id: str) -> list[tuple[Approval, list[uuid.UUID]]]:
    """Each proposal of a conversation as it is now, oldest first, with the ids it had before its edits and has now."""
    found = approvals.of_thread(session, thread_id)
    next_of = {one.id: uuid.UUID(one.result["replaced_by"]) for one in found if _replaced(one) and one.result}
    ids: dict[uuid.UUID, list[uuid.UUID]] = {}
    for one in found:
        last = one.id
        while last in next_of:
            last = next_of[last]
        ids.setdefault(last, []).append(one.id)
    return [(one, ids[one.id]) for one in found if one.id in ids and not _replaced(one)]


def revise(
    session: Session, approval_id: uuid.UUID, changes: Mapping[str, Any], *, by: Person, now: datetime
) -> list[Approval]:
    """Change some keys of a pending proposal; a changed definition reaches the pending flows of the same plan too.

    Answers the new proposals, the changed one first. Raises what ``approvals.edit`` raises; then nothing is changed.
    """
    before = approvals.get(session, approval_id)
    if before.kind == "segment" and "definition" in changes:
        changes = {**changes, "assumptions": _carried(before.proposal, changes)}
    changed = [approvals.edit(session, approval_id, {**before.proposal, **changes}, by=by, now=now)]
    definition = changed[0].proposal.get("definition")
    if before.kind != "segment" or definition == before.proposal["definition"]:
        return changed
    for flow in _waiting_flows(session, before):
        proposal = _redrafted(session, flow.proposal, seg.parse(definition), now)
        changed.append(approvals.edit(session, flow.id, proposal, by=by, now=now))
    return changed


def _carried(before: Mapping[str, Any], changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The assumptions that still hold of a changed definition, with their numbers as they are now, and the new ones."""
    new = [dict(one) for one in changes.get("assumptions") or ()]
    was, now = seg.parse(before["definition"]), seg.parse(changes["definition"])
    kept = []
    for one in before.get("assumptions") or ():
        if any(other["word"] == one["word"] or (one["path"] and other["path"] == one["path"]) for other in new):
            continue
        moved = _moved(one, was, now) if one.get("path") else dict(one)
        if moved is not None:
            kept.append(moved)
    return [*kept, *new]


def _moved(assumption: Mapping[str, Any], was: seg.Definition, now: seg.Definition) -> dict[str, Any] | None:
    """An assumption about a number, at the place where that number stands now; ``None`` if its condition is gone."""
    old, new = _numbers(was), _numbers(now)
    about = next((key for key, place in old.items() if place[0] == assumption["path"]), None)
    if about is None or about not in new:
        return None
    path, value = new[about]
    text = str(assumption["text"]).replace(f"{assumption['value']:g}", f"{value:g}", 1)
    return {**assumption, "path": path, "value": value, "text": text}


def _numbers(definition: seg.Definition) -> dict[tuple[str, ...], tuple[str, float]]:
    """Every number of a definition, its path and value, by the condition and the field it belongs to."""
    found: dict[tuple[str, ...], tuple[str, float]] = {}

    def look(value: Any, path: str, about: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            if "type" in value:
                about = tuple(str(value[key]) for key in ("type", "name", "metric", "channel") if key in value)
            for key, item in value.items():
                look(item, f"{path}.{key}".lstrip("."), (*about, key))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                look(item, f"{path}.{place}", about)
        else:
            number = _NUMBER.match(str(value))
            if number and not isinstance(value, bool):
                found.setdefault(about, (path, float(number[0])))

    look(definition.as_json(), "", ())
    return found


def campaign(session: Session, definition: seg.Definition, wishes: Wishes, *, now: datetime) -> dict[str, Any]:
    """A flow proposal drafted from data; it remembers the wishes, so that it can be drafted anew for other people."""
    drafting = wishes.model_dump(exclude={"objective", "start"})
    made = content.propose_flow(session, definition, wishes.objective, now=now, **drafting)
    proposal = made.as_proposal()
    if wishes.start is not None:
        tomorrow = now.astimezone(segments.zone(session)).date() + timedelta(days=1)
        proposal["spec"]["start"] = _start(wishes.start, proposal["spec"]["start"], tomorrow)
        proposal["spec"] = flow_values.parse(proposal["spec"]).as_json()
    return {**proposal, "wishes": wishes.model_dump(mode="json"), "drafted": _drafted(proposal["spec"])}


def _start(said: Mapping[str, Any], drafted: Mapping[str, Any], tomorrow: date) -> dict[str, Any]:
    """A start whose day or time of day may have been left out."""
    if said.get("mode") != "local":
        return dict(said)
    proposed = drafted if drafted["mode"] == "local" else {"date": tomorrow.isoformat(), "time": DEFAULT_TIME}
    return {**proposed, **said}


def amended(definition: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """A definition with one number changed, e.g. ``where.of.2.during.last`` to ``90d``. Raises Invalid.

    This is what changing an assumption on the card does.
    """
    steps = path.split(".")
    whole = seg.parse(definition).as_json()
    place: Any = whole
    try:
        for step in steps[:-1]:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if isinstance(place, list):
            place[int(steps[-1])] = value
        else:
            _ = place[steps[-1]]
            place[steps[-1]] = value
    except (KeyError, IndexError, ValueError, TypeError):
        message = f"the definition has no {path}"
        raise Invalid("unknown_place", message, "take the path from the assumption", path) from None
    return seg.parse(whole).as_json()


def _redrafted(
    session: Session, before: Mapping[str, Any], definition: seg.Definition, now: datetime
) -> dict[str, Any]:
    """The proposal for other people: evidence and words anew, but words that a person wrote stay as they are."""
    spec = before["spec"]
    whom = {**spec, "audience": {**spec["audience"], "definition": definition.as_json()}}
    if before.get("wishes") is None:
        return {**before, "spec": whom}
    made = campaign(session, definition, Wishes.model_validate(before["wishes"]), now=now)
    drafted = _drafted(spec)
    if drafted["words"] != before["drafted"]["words"]:
        made["spec"] = whom
    elif drafted["start"] != before["drafted"]["start"]:
        made["spec"]["start"] = spec["start"]
    return {**before, **made}


def _drafted(spec: Mapping[str, Any]) -> dict[str, str]:
    """What was drafted, so that what a person changed since can be told apart: the words, and when it starts."""
    words = {key: value for key, value in spec.items() if key not in {"audience", "start"}}
    return {"words": digest(words), "start": digest(spec["start"])}


def _replaced(approval: Approval) -> bool:
    return "replaced_by" in (approval.result or {})


def _waiting_flows(session: Session, segment: Approval) -> list[Approval]:
    plan, thread = segment.proposal.get("plan_id"), segment.thread_id
    if plan is None or thread is None:
        return []
    return [
        found
        for found in approvals.of_thread(session, thread)
        if found.kind == "flow"
        and found.status == "pending"
        and found.proposal.get("plan_id") == plan
        and found.proposal["spec"]["audience"].get("definition") == segment.proposal["definition"]
    ]
