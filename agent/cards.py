"""What does the card of a proposal show? Everything a person needs to decide it, as JSON, drawn anew each time.

A card is made from the approval's row and from the data behind it as of the decision, or as of now while it waits. So
it looks the same in the chat, after a reload and in the console, and nothing a browser sends can change what it says.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db import store
from domain import flows as flow_values
from domain import segments as seg
from domain.errors import ParleyError
from domain.flows import At, Exit, FlowSpec, Local, Now, Send, Step, Wait
from services import catalog, customers_changes, flows_orders, plans, previews, segments, sources, stats, templates
from services.approvals import Approval
from services.previews import FlowPreview

Card = dict[str, Any]


def draw(session: Session, approval_id: uuid.UUID, *, now: datetime) -> Card:
    """The card of the proposal that stands where this one was, after all edits. Raises NotFound.

    Keys of every card: ``kind``, ``approval_id``, ``digest``, ``status``, ``name``, ``zone``, ``currency``,
    ``proposed_by``, ``decided`` (``by``, ``at``, ``note``; empty while it waits), ``result``, and ``trouble``: in
    words, what kept the rest from being worked out.
    """
    return card_of(session, plans.latest(session, approval_id), now=now)


def card_of(session: Session, approval: Approval, *, now: datetime) -> Card:
    """The card of this very proposal; see ``draw``."""
    shop = store.current(session)
    zone = shop.time_zone if shop else "UTC"
    card: Card = {
        "kind": approval.kind,
        "approval_id": str(approval.id),
        "digest": approval.digest,
        "status": "expired" if approval.status == "pending" and approval.expires_at <= now else approval.status,
        "name": approval.proposal.get("name") or approval.proposal.get("spec", {}).get("name") or "",
        "zone": zone,
        "currency": shop.currency if shop else "USD",
        "proposed_by": approval.proposed_by,
        "decided": _decision(approval, ZoneInfo(zone)),
        "result": approval.result or {},
        "trouble": "",
    }
    try:
        card |= _DRAWN[approval.kind](session, approval, approval.decided_at or now)
    except ParleyError as error:
        card["trouble"] = f"{error.message} {error.fix}".strip()
    return card


def audience(session: Session, definition: seg.Definition, *, at: datetime) -> Card:
    """Whom a definition means at an instant: size, reach, what each condition leaves, a masked sample, a spread."""
    found = segments.preview(session, definition, now=at)
    return {
        "size": found.audience_size,
        "everyone": found.everyone,
        "reachable": [{"channel": channel, "people": people} for channel, people in found.reachable.items()],
        "lines": [line.model_dump(mode="json") for line in found.lines],
        "sample": [person.model_dump(mode="json") for person in found.sample],
        "distribution": _spread(session, definition, at),
        "as_of": _clock(at, segments.zone(session)),
    }


def _segment(session: Session, approval: Approval, at: datetime) -> Card:
    proposal = approval.proposal
    as_of = datetime.fromisoformat(proposal["as_of"]) if proposal.get("as_of") else at
    return {
        **audience(session, seg.parse(proposal["definition"]), at=as_of),
        "assumptions": list(proposal.get("assumptions") or ()),
        "unused_words": list(proposal.get("unused_words") or ()),
    }


def _spread(session: Session, definition: seg.Definition, at: datetime) -> Card | None:
    """How the first metric that is compared with a threshold is spread over everyone, and where the threshold lies."""
    for node in seg.walk(definition.where):
        if isinstance(node, seg.Metric) and node.during is None and not isinstance(node.value, tuple):
            spread = stats.distribution(sources.of_store(session, now=at), node.name)
            if not spread.bins:
                return None
            entry = catalog.current(session).metric(node.name, "metric")
            return {
                "label": spread.label,
                "money": entry.kind == "money",
                "bins": [one.model_dump() for one in spread.bins],
                "threshold": _threshold(session, node, at),
                "percentile": node.value.percentile if isinstance(node.value, seg.Percentile) else None,
                "above": node.op in {"gt", "gte"},
            }
    return None


def _threshold(session: Session, node: seg.Metric, at: datetime) -> float | None:
    match node.value:
        case seg.Percentile(percentile=percentile, among="everyone"):
            source = sources.of_store(session, now=at)
            return stats.percentiles(source, node.name, [percentile]).get(f"{percentile:g}")
        case Decimal() as number:
            return float(number)
        case _:
            return None


def _flow(session: Session, approval: Approval, at: datetime) -> Card:
    proposal = approval.proposal
    spec = flow_values.parse(proposal["spec"])
    zone = segments.zone(session)
    seen = previews.preview(session, spec, now=at)
    warnings = [f"{one.message} {one.fix}".strip() for one in seen.problems] if approval.status == "pending" else []
    return {
        "recipients": seen.recipients if approval.status == "pending" else proposal["audience"]["size"],
        "reachable": [{"channel": channel, "people": people} for channel, people in seen.reachable.items()],
        "read_back": proposal["read_back"],
        "start": _start(spec, zone),
        "proposed_start": proposal.get("proposed_start"),
        "evidence": proposal.get("evidence"),
        "steps": [_step(session, place, step, seen) for place, step in enumerate(spec.steps)],
        "guardrails": _guardrails(spec),
        "warnings": list(dict.fromkeys(warnings)),
        "ideas": list(proposal.get("ideas") or ()),
        "as_of": _clock(at, zone),
    }


def _start(spec: FlowSpec, zone: ZoneInfo) -> Card:
    match spec.start:
        case Now():
            return {"mode": "now", "text": "As soon as it is approved"}
        case Local(date=day, time=time):
            said = f"{day:%A}, {day.day} {day:%B} at {time:%H:%M}"
            return {
                "mode": "local",
                "text": f"{said}, each recipient's own time",
                "date": day.isoformat(),
                "time": f"{time:%H:%M}",
            }
        case At(at=instant):
            return {"mode": "at", "text": f"{_clock(instant, zone)} ({zone.key})", "at": instant.isoformat()}


def _step(session: Session, place: int, step: Step, seen: FlowPreview) -> Card:
    match step:
        case Wait(duration=duration):
            return {"type": "wait", "place": place, "duration": duration, "text": flow_values.spoken(duration)}
        case Exit():
            return {"type": "exit", "place": place}
        case Send():
            samples = next((message.samples for message in seen.messages if message.step == place), ())
            return {
                "type": "send",
                "place": place,
                "channel": step.channel,
                "template": _origin(session, step),
                "wordings": [{"name": name, **content.model_dump()} for name, content in step.contents().items()],
                "seen": [
                    {
                        "wording": one.variant,
                        "who": one.name,
                        "subject": one.subject,
                        "preview": one.preview,
                        "text": one.text,
                    }
                    for one in samples
                ],
            }


def _origin(session: Session, send: Send) -> str:
    """Where the words of a message come from: "Welcome, version 2"; empty for words of its own."""
    if send.template is None:
        return ""
    used = templates.get(session, send.template.id, send.template.version)
    return f"{used.name}, version {used.version}"


def _guardrails(spec: FlowSpec) -> list[str]:
    rails, said = spec.guardrails, []
    if rails.quiet_hours:
        said.append(f"Quiet {rails.quiet_hours.start:%H:%M} to {rails.quiet_hours.end:%H:%M}, recipient's time")
    if rails.cap:
        times = "message" if rails.cap.messages == 1 else "messages"
        days = "a day" if rails.cap.days == 1 else f"in {rails.cap.days} days"
        said.append(f"At most {rails.cap.messages} {times} {days}")
    if rails.holdout_percent:
        said.append(f"{rails.holdout_percent} % held out to measure lift")
    if "order" in spec.exit_on:
        said.append("Leaves on a purchase")
    said.append("Consent is checked again before each message")
    return said


def _decision(approval: Approval, zone: ZoneInfo) -> dict[str, str]:
    if approval.status == "pending" or approval.decided_at is None:
        return {}
    return {
        "by": approval.decided_by or "",
        "at": _clock(approval.decided_at, zone),
        "note": approval.note or "",
    }


def _clock(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def _order(_session: Session, approval: Approval, _at: datetime) -> Card:
    proposal = approval.proposal
    people = proposal["audience"]["size"]
    return {
        "title": "Flow",
        "says": flows_orders.ORDERS[proposal["order"]].says,
        "meaning": proposal["read_back"],
        "facts": [{"label": "In it now", "before": "", "after": f"{people:,} {'person' if people == 1 else 'people'}"}],
        "grave": proposal["order"] == "stop",
    }


def _customer(_session: Session, approval: Approval, _at: datetime) -> Card:
    proposal = approval.proposal
    if proposal.get("erased"):
        return {"title": "Customer", "says": "", "meaning": "This person was erased.", "facts": [], "grave": False}
    says, meaning = customers_changes.SAYS[proposal["action"]]
    after = proposal["values"] or dict.fromkeys(proposal["before"], "")
    return {
        "title": "Customer",
        "says": says,
        "meaning": meaning,
        "facts": [
            {
                "label": key.replace("_", " ").capitalize(),
                "before": _plain(proposal["before"].get(key)),
                "after": _plain(value),
            }
            for key, value in after.items()
        ],
        "grave": proposal["action"] == "delete",
    }


def _plain(value: Any) -> str:
    """A value of a customer's record as people read it."""
    match value:
        case None | "":
            return ""
        case dict():
            return ", ".join(f"{key.replace('_', ' ')}: {_plain(one)}" for key, one in value.items() if one is not None)
        case list() | tuple():
            return ", ".join(_plain(one) for one in value)
        case _:
            return str(value)


_DRAWN: dict[str, Callable[[Session, Approval, datetime], Card]] = {
    "segment": _segment,
    "flow": _flow,
    "activation": _flow,
    "order": _order,
    "customer": _customer,
}
