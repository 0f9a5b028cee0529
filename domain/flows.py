"""What is a flow? To whom, when it starts, which messages with which waits between, what ends it early, what guards it.

A flow is one frozen value. ``parse`` reads it from JSON and says what is malformed; ``check`` says what is unwise or
cannot work. A campaign is a flow with a single message.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from domain import segments, templates
from domain.errors import Invalid
from domain.messages import MARKETING, Cap, Policy, Window
from domain.segments import Definition
from domain.templates import Content, Problem

MAX_STEPS = 20
MAX_VARIANTS = 5
MAX_WAIT = timedelta(days=366)
MAX_AHEAD = timedelta(days=366)
BEHIND = timedelta(hours=14)
"""How far the clocks of the westernmost zone are behind those of any store."""

_DURATION = re.compile(r"P(?:(?P<days>\d{1,3})D|(?P<weeks>\d{1,2})W|T(?P<hours>\d{1,4})H|T(?P<minutes>\d{1,5})M)")
_UNITS = {"days": "day", "weeks": "week", "hours": "hour", "minutes": "minute"}


def _duration(text: str) -> str:
    found = _DURATION.fullmatch(text)
    length = timedelta(**{unit: int(number) for unit, number in found.groupdict("0").items()}) if found else timedelta()
    if not timedelta() < length <= MAX_WAIT:
        message = f"{text!r} is no wait; write for example P10D (10 days), P2W or PT4H, at most a year"
        raise ValueError(message)
    return text


Duration = Annotated[str, AfterValidator(_duration)]
"""ISO 8601: ``P10D`` and ``P2W`` keep the recipient's local time of day, ``PT240H`` and ``PT30M`` are exact lengths."""


class Part(BaseModel):
    """What all parts of a flow share: frozen, and no field that a flow does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Audience(Part):
    """Who gets it: a saved segment in one version, or a definition. ``as_of`` fixes it as it was at a past instant."""

    segment_id: int | None = Field(default=None, gt=0)
    version: int | None = Field(default=None, gt=0)
    definition: Definition | None = None
    as_of: AwareDatetime | None = None

    @field_serializer("definition")
    def _canonical(self, definition: Definition | None) -> dict[str, Any] | None:
        return definition.as_json() if definition else None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.segment_id is None) == (self.definition is None):
            message = "give exactly one of segment_id and definition"
            raise ValueError(message)
        if (self.segment_id is None) != (self.version is None):
            message = "segment_id and version go together: a flow keeps the version that was approved"
            raise ValueError(message)
        return self


class Now(Part):
    """As soon as it is approved."""

    mode: Literal["now"] = "now"


class At(Part):
    """At one instant for everybody."""

    mode: Literal["at"] = "at"
    at: AwareDatetime


Clock = time
"""A time of day; the name of its own lets a field be called ``time``."""


class Local(Part):
    """On a day at a time of day on each recipient's own clock."""

    mode: Literal["local"] = "local"
    date: date
    time: time

    @field_validator("time")
    @classmethod
    def _wall_time(cls, value: Clock) -> Clock:
        if value.tzinfo is not None:
            message = "a local time has no zone"
            raise ValueError(message)
        return value.replace(second=0, microsecond=0)


class QuietHours(Part):
    """From when until when (recipient's local time) nothing arrives; may span midnight."""

    start: time = Field(alias="from")
    end: time = Field(alias="to")

    @model_validator(mode="after")
    def _some_hours_are_left(self) -> Self:
        if self.start == self.end:
            message = "from and to are the same: no hour of the day would be left"
            raise ValueError(message)
        return self


class MessageCap(Part):
    """At most so many messages per person in so many days; whoever had them is left out with that reason."""

    messages: int = Field(ge=1, le=100)
    days: int = Field(ge=1, le=90)


class Guardrails(Part):
    """The limits a flow runs within. ``max_audience`` is the largest audience an approval may cover."""

    quiet_hours: QuietHours | None = None
    cap: MessageCap | None = None
    holdout_percent: int = Field(default=0, ge=0, le=50)
    max_audience: int | None = Field(default=None, ge=1)

    def policy(self) -> Policy:
        """The limits each message carries with it."""
        quiet = self.quiet_hours
        return Policy(
            window=Window(opens=quiet.end, closes=quiet.start) if quiet else None,
            caps=(Cap("marketing", self.cap.messages, self.cap.days * 24),) if self.cap else (),
        )


class Variant(Part):
    """Another wording of a message; what it leaves empty stays as in the message itself."""

    subject: str = ""
    preview_text: str = ""
    body: str = ""


class Origin(Part):
    """The stored template a message comes from; with its version, the message says exactly what that version says."""

    id: int = Field(gt=0)
    version: int | None = Field(default=None, gt=0)


class Send(Part):
    """One message. With variants, each recipient gets one of all wordings, always the same one.

    The words of a stored ``template`` are copied into the message when it is saved or proposed, so that what was
    approved stays, however the template is edited later.
    """

    type: Literal["send"] = "send"
    channel: Literal["email", "sms", "whatsapp"] = "email"
    subject: str = ""
    preview_text: str = ""
    body: str
    variants: tuple[Variant, ...] = Field(default=(), max_length=MAX_VARIANTS - 1)
    template: Origin | None = Field(default=None, exclude_if=lambda origin: origin is None)

    @model_validator(mode="before")
    @classmethod
    def _words_may_be_the_templates(cls, raw: Any) -> Any:
        return {"body": "", **raw} if isinstance(raw, dict) and raw.get("template") is not None else raw

    def contents(self) -> dict[str, Content]:
        """The wordings by name: ``A`` is the message itself, ``B`` ... its variants."""
        own = {"subject": self.subject, "preview_text": self.preview_text, "body": self.body}
        changes = ({}, *({name: text for name, text in variant if text} for variant in self.variants))
        return {chr(ord("A") + place): Content(**{**own, **change}) for place, change in enumerate(changes)}


class Wait(Part):
    """A pause before the next step."""

    type: Literal["wait"] = "wait"
    duration: Duration


class Exit(Part):
    """The end, said explicitly."""

    type: Literal["exit"] = "exit"


Start = Annotated[Now | At | Local, Field(discriminator="mode")]
Step = Annotated[Send | Wait | Exit, Field(discriminator="type")]


class FlowSpec(Part):
    """A whole flow. ``exit_on`` defaults to leaving on a purchase for marketing and to nothing for other messages."""

    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=120)
    audience: Audience
    message_class: Literal["marketing", "transactional"] = "marketing"
    topic: str | None = Field(default=None, min_length=1, max_length=100)
    start: Start = Now()
    exit_on: tuple[Literal["order"], ...]
    guardrails: Guardrails = Guardrails()
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS)

    @model_validator(mode="before")
    @classmethod
    def _leave_on_purchase(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "exit_on" not in raw:
            return {**raw, "exit_on": ["order"] if raw.get("message_class", MARKETING) == MARKETING else []}
        return raw

    def as_json(self) -> dict[str, Any]:
        """The canonical JSON form, every field present."""
        return self.model_dump(mode="json")

    @property
    def sends(self) -> list[tuple[int, Send]]:
        """The messages with their places among the steps."""
        return [(place, step) for place, step in enumerate(self.steps) if isinstance(step, Send)]

    @property
    def is_campaign(self) -> bool:
        """One message and nothing after it."""
        return len(self.sends) == 1 and not any(isinstance(step, Wait) for step in self.steps)


def parse(raw: object) -> FlowSpec:
    """Read a flow from JSON data.

    Raises Invalid (``flow_invalid``) whose path is the dotted place of the mistake, e.g. ``steps.1.duration``, or what
    ``segments.parse`` raises for the definition in it.
    """
    if isinstance(raw, Mapping) and isinstance(audience := raw.get("audience"), Mapping):
        definition = audience.get("definition")
        if definition is not None and not isinstance(definition, Definition):
            try:
                known = segments.parse(definition)
            except Invalid as error:
                error.path = f"audience.definition.{error.path}".rstrip(".")
                raise
            raw = {**raw, "audience": {**audience, "definition": known}}
    try:
        return FlowSpec.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(
            str(part) for part in first["loc"] if part not in {"send", "wait", "exit", "now", "at", "local"}
        )
        if first["loc"][-1:] == ("at",):
            path = "start.at"
        raise Invalid("flow_invalid", first["msg"].removeprefix("Value error, "), _fix(first), path) from None


def check(
    spec: FlowSpec, *, now: datetime, zone: str = "UTC", custom: Collection[str] = (), topics: Collection[str] = ()
) -> list[Problem]:
    """Everything that keeps a flow from being proposed (errors) or is worth a second look (warnings), in reading order.

    ``zone`` is the store's; ``custom`` are the names of its custom attributes, ``topics`` of what people can choose.
    """
    return [
        *_topic_problems(spec, topics),
        *_start_problems(spec, now, zone),
        *_step_problems(spec),
        *_message_problems(spec, custom),
    ]


def digest(value: Mapping[str, Any]) -> str:
    """The SHA-256 of the canonical JSON of anything that is shown and then approved."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def spoken(duration: str) -> str:
    """``P10D`` as people say it: ``10 days``."""
    found = _DURATION.fullmatch(duration)
    if not found:
        raise ValueError(duration)
    unit, number = next((unit, int(text)) for unit, text in found.groupdict().items() if text)
    return f"{number} {_UNITS[unit]}{'' if number == 1 else 's'}"


def wait_until(start: datetime, duration: str, zone: str) -> datetime:
    """When a wait that began at ``start`` is over, in UTC.

    Days and weeks are counted on the recipient's calendar and keep the time of day. A time of day that the clocks skip
    counts with the offset from before the change, one they show twice means the first (RFC 5545, 3.3.5).
    """
    found = _DURATION.fullmatch(duration)
    if not found:
        raise ValueError(duration)
    length = timedelta(**{unit: int(number) for unit, number in found.groupdict("0").items()})
    if found["days"] or found["weeks"]:
        wall = start.astimezone(ZoneInfo(zone)).replace(fold=0, tzinfo=None) + length
        return instant(wall, zone)
    return start.astimezone(UTC) + length


def instant(wall: datetime, zone: str) -> datetime:
    """The instant, in UTC, at which a zone's clocks show ``wall``; on skipped and repeated times see ``wait_until``."""
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def first_due(start: Now | At | Local, zone: str, now: datetime) -> datetime:
    """When a recipient in ``zone`` who joins at ``now`` gets the first step, in UTC, never before ``now``.

    Where the local moment is over already, the same time of day of the next day is taken: nobody gets a message at an
    hour that nobody chose.
    """
    now = now.astimezone(UTC)
    match start:
        case Now():
            return now
        case At():
            return max(start.at.astimezone(UTC), now)
        case Local():
            day = max(start.date, now.astimezone(ZoneInfo(zone)).date())
            due = instant(datetime.combine(day, start.time), zone)
            return due if due >= now else instant(datetime.combine(day + timedelta(days=1), start.time), zone)


def _topic_problems(spec: FlowSpec, topics: Collection[str]) -> Iterator[Problem]:
    if spec.topic is not None and spec.topic not in topics:
        known = ", ".join(sorted(topics)) or "none yet"
        yield Problem("topic", f"There is no topic {spec.topic!r}.", f"Remove it, or choose one of: {known}.")


def _start_problems(spec: FlowSpec, now: datetime, zone: str) -> Iterator[Problem]:
    match spec.start:
        case At(at=at) if at < now:
            said = at.astimezone(ZoneInfo(zone)).strftime("%-d %B %Y, %H:%M")
            yield Problem("start.at", f"{said} ({zone}) is in the past.", "Choose a later time, or send now.")
        case Local(date=day, time=clock) if instant(datetime.combine(day, clock), zone) < now - BEHIND:
            yield Problem("start.date", f"{day} {clock:%H:%M} is in the past.", "Choose a later day, or send now.")
        case At(at=at) if at > now + MAX_AHEAD:
            yield Problem("start.at", f"{at.date()} is more than a year ahead.", "Choose an earlier day.")
        case Local(date=day) if day > (now + MAX_AHEAD).date():
            yield Problem("start.date", f"{day} is more than a year ahead.", "Choose an earlier day.")


def _step_problems(spec: FlowSpec) -> Iterator[Problem]:
    if not spec.sends:
        yield Problem("steps", "This flow sends nothing.", "Add a message.")
    last = len(spec.steps) - 1
    for place, step in enumerate(spec.steps):
        path = f"steps.{place}"
        if isinstance(step, Wait) and (place == last or isinstance(spec.steps[place + 1], Exit)):
            yield Problem(path, "Nothing comes after this wait.", "Add a message after it, or remove it.")
        if isinstance(step, Exit) and place < last:
            yield Problem(path, "The steps after this exit never run.", "Move the exit to the end, or remove it.")


def _message_problems(spec: FlowSpec, custom: Collection[str]) -> Iterator[Problem]:
    for place, send in spec.sends:
        if send.channel != "email" and send.subject:
            path = f"steps.{place}.subject"
            yield Problem(path, f"A message on {send.channel} has no subject.", "Remove it, or use email.", "warning")
        seen: set[tuple[str, str]] = set()
        for index, content in enumerate(send.contents().values()):
            where = f"steps.{place}" if index == 0 else f"steps.{place}.variants.{index - 1}"
            for problem in templates.check(content, channel=send.channel, custom=custom):
                if index and (problem.path, problem.message) in seen:
                    continue  # inherited from the message itself
                seen.add((problem.path, problem.message))
                yield Problem(f"{where}.{problem.path}", problem.message, problem.fix, problem.level)


def _fix(error: Any) -> str:
    return {
        "missing": "Add the field.",
        "extra_forbidden": "Remove the field, or check its spelling.",
        "too_short": "Add at least one.",
        "too_long": "Use fewer.",
        "string_too_short": "Fill it in.",
        "timezone_aware": 'Write the zone too, for example "2026-03-01T09:00:00+01:00".',
        "union_tag_invalid": "Use one of the names listed.",
        "union_tag_not_found": 'Steps need a "type" (send, wait, exit), the start a "mode" (now, at, local).',
    }.get(error["type"], "Correct the value.")
