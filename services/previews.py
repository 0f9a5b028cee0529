"""What would this flow do: to how many people, when, in which words, and what should be mended first?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db import recipients as recipient_rows
from domain import enrollments as engine
from domain import flows as values
from domain.errors import Invalid
from domain.flows import FlowSpec, Send
from domain.messages import MARKETING
from domain.segments import Channel, Consent, Definition
from domain.templates import Content, Frame, Problem, Rendered, Template, compiled, render, render_text
from services import enrollments, flows, recipients, segments, templates
from services.flows import Value

SAMPLES = 3
UNSUBSCRIBE = "https://example.com/unsubscribe"


class SampleMessage(Value):
    """A message as one real member of the audience would get it."""

    customer_id: int
    name: str
    variant: str
    subject: str
    preview: str
    text: str
    html: str


class MessagePreview(Value):
    """One message of the flow: ``at`` is when a recipient in the store's zone gets it."""

    step: int
    channel: str
    at: datetime
    subjects: dict[str, str]
    samples: tuple[SampleMessage, ...]


class FlowPreview(Value):
    """``recipients`` are the audience without those held out; ``starts`` spans the first messages of all zones."""

    audience_size: int
    recipients: int
    reachable: dict[str, int]
    read_back: str
    zone: str
    starts: tuple[datetime, datetime]
    messages: tuple[MessagePreview, ...]
    problems: tuple[Problem, ...]

    @property
    def ready(self) -> bool:
        """Nothing stands in the way of proposing it."""
        return all(problem.level != "error" for problem in self.problems)


class TemplatePreview(Value):
    """A message before it is used: how many would get it, how some of them would, and what to mend."""

    recipients: int
    samples: tuple[SampleMessage, ...]
    problems: tuple[Problem, ...]


def preview(session: Session, spec: FlowSpec, *, now: datetime, samples: int = SAMPLES) -> FlowPreview:
    """Look at a flow before it runs; nothing is saved. Raises what its definition and the templates it names raise."""
    spec = templates.filled(session, spec)
    as_of = spec.audience.as_of or now
    seen = segments.preview(session, flows.definition(session, spec.audience), now=as_of)
    ids = flows.member_ids(session, spec.audience, now=now)
    zone = str(segments.zone(session))
    problems = [*flows.problems(session, spec, now=now), *_reach(spec, seen.reachable, len(ids))]
    broken = any(problem.level == "error" and problem.path.startswith("steps.") for problem in problems)
    if not broken:
        problems += _fallbacks(session, spec, ids)
    chosen = ids[:: max(1, len(ids) // samples)][:samples] if samples else []
    first = values.first_due(spec.start, zone, now)
    at = {moment.step: moment.at for moment in engine.timeline(spec, first, zone)}
    return FlowPreview(
        audience_size=len(ids),
        recipients=round(len(ids) * (1 - spec.guardrails.holdout_percent / 100)),
        reachable=seen.reachable,
        read_back=seen.read_back,
        zone=zone,
        starts=_starts(session, spec, ids, now) or (first, first),
        messages=tuple(
            MessagePreview(
                step=place,
                channel=send.channel,
                at=at[place],
                subjects={name: content.subject for name, content in send.contents().items()},
                samples=() if broken else _samples(session, spec, place, send, chosen, as_of),
            )
            for place, send in spec.sends
            if place in at
        ),
        problems=tuple(problems),
    )


def of_template(
    session: Session,
    content: Content,
    channel: Channel,
    *,
    now: datetime,
    definition: Definition | None = None,
    samples: int = SAMPLES,
) -> TemplatePreview:
    """A message as people of a segment, or of all subscribers of its channel, would get it. Nothing is saved."""
    whom = definition or Definition(where=Consent(channel=channel))
    ids = segments.member_ids(session, whom, now=now)
    problems = templates.problems(session, content, channel)
    if any(problem.level == "error" for problem in problems):
        return TemplatePreview(recipients=len(ids), samples=(), problems=tuple(problems))
    problems += recipients.missing_fallbacks(session, content, ids)
    chosen = ids[:: max(1, len(ids) // samples)][:samples] if samples else []
    turns = [(customer_id, "A", content) for customer_id in chosen]
    shown = _shown(session, channel, MARKETING, turns, now)
    return TemplatePreview(recipients=len(ids), samples=shown, problems=tuple(problems))


def _reach(spec: FlowSpec, reachable: dict[str, int], size: int) -> list[Problem]:
    problems = []
    if not size:
        problems.append(Problem("audience", "Nobody is in this audience.", "Widen the segment."))
    channels = dict.fromkeys(send.channel for _, send in spec.sends)
    for channel in channels:
        missing = size - reachable.get(channel, 0)
        if spec.message_class == "marketing" and missing > 0:
            message = f"{missing:,} of {size:,} people cannot be reached on {channel} and will be left out."
            fix = f"Add the condition that they are subscribed to {channel}."
            problems.append(Problem("audience", message, fix, "warning"))
    allowed = spec.guardrails.max_audience
    if allowed is not None and size > allowed:
        message = f"{size:,} people are in this audience; the flow allows {allowed:,}."
        problems.append(Problem("guardrails.max_audience", message, "Narrow the audience, or raise the limit."))
    return problems


def _fallbacks(session: Session, spec: FlowSpec, ids: Sequence[int]) -> list[Problem]:
    problems: dict[tuple[str, str], Problem] = {}
    for number, (place, send) in enumerate(spec.sends, 1):
        for content in send.contents().values():
            for one in recipients.missing_fallbacks(session, content, ids, step=number):
                problems.setdefault((one.path, one.message), Problem(f"steps.{place}", one.message, one.fix, one.level))
    return list(problems.values())


def _starts(session: Session, spec: FlowSpec, ids: Sequence[int], now: datetime) -> tuple[datetime, datetime] | None:
    zones = {enrollments.zone_of(session, stored) for stored in recipient_rows.time_zones(session, ids)}
    dues = [values.first_due(spec.start, zone, now) for zone in zones]
    return (min(dues), max(dues)) if dues else None


def _samples(
    session: Session, spec: FlowSpec, place: int, send: Send, ids: Sequence[int], now: datetime
) -> tuple[SampleMessage, ...]:
    """Each member with the next wording in turn, so that the samples show as many wordings as they can."""
    contents = list(send.contents().items())
    turns = [(customer_id, *contents[(turn + place) % len(contents)]) for turn, customer_id in enumerate(ids)]
    return _shown(session, send.channel, spec.message_class, turns, now)


def _shown(
    session: Session, channel: str, message_class: str, turns: Sequence[tuple[int, str, Content]], now: datetime
) -> tuple[SampleMessage, ...]:
    """What each customer of ``turns`` gets in the wording that is theirs; left out where it cannot be rendered."""
    frame = recipients.frame(session, message_class=message_class, unsubscribe_url=UNSUBSCRIBE)
    names = {member.id: member.name for member in segments.masked(session, [one for one, _, _ in turns], now=now)}
    shown = []
    for customer_id, variant, content in turns:
        template = compiled(content)
        context = recipients.contexts(session, [customer_id], template.variables)[customer_id]
        try:
            words = _words(channel, template, context, frame)
        except Invalid:
            continue  # the problems say so already
        shown.append(
            SampleMessage(
                customer_id=customer_id,
                name=names.get(customer_id, ""),
                variant=variant,
                subject=words.subject,
                preview=words.preview,
                text=words.text,
                html=words.html,
            )
        )
    return tuple(shown)


def _words(channel: str, template: Template, context: Mapping[str, Any], frame: Frame) -> Rendered:
    if channel == "email":
        return render(template, context, frame)
    return Rendered("", "", render_text(template, context, frame), "")
