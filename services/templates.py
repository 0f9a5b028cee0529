"""What can be done with a stored message: save it, look at its versions, use it in a flow, delete it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import audit
from db import templates as rows
from domain import flows, templates
from domain.errors import Conflict, Invalid, NotFound
from domain.flows import FlowSpec, Origin, Send
from domain.messages import CHANNELS
from domain.segments import Channel
from domain.templates import Content, Problem
from services import recipients
from services.segments import LONGEST_ID, Value

MAX_NAME = 120
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


class Saved(Value):
    """A stored message in one version; ``latest`` is the number of the newest."""

    id: int
    name: str
    channel: Channel
    locale: str
    status: str
    version: int
    latest: int
    content: Content
    digest: str
    created_by: str
    created_at: datetime


class Use(Value):
    """A flow whose current version says what a version of a template says."""

    flow_id: int
    name: str
    status: str
    version: int


def written(*, subject: str = "", preview_text: str = "", body: str = "") -> Content:
    """The words of a message. Raises Invalid (``template_too_long``)."""
    try:
        return Content(
            subject=subject.strip(), preview_text=preview_text.strip(), body=body.strip().replace("\r\n", "\n")
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid("template_too_long", first["msg"], "Shorten it.", str(first["loc"][0])) from None


def save(
    session: Session, *, name: str, channel: str, content: Content, by: str, now: datetime, locale: str = "en"
) -> Saved:
    """Keep a new message.

    Raises Invalid (``template_name_missing``, ``unknown_channel``, ``locale_invalid``, ``template_not_ready`` for the
    first error in its words), Conflict (``template_name_taken``).
    """
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME:
        raise Invalid("template_name_missing", "A template needs a name.", f"At most {MAX_NAME} characters.", "name")
    if channel not in CHANNELS:
        raise Invalid(
            "unknown_channel", f"There is no channel {channel!r}.", f"Known: {', '.join(CHANNELS)}.", "channel"
        )
    if not _LOCALE.fullmatch(locale):
        raise Invalid("locale_invalid", f"{locale!r} is no language.", "Write for example en or en-GB.", "locale")
    require_ready(session, content, channel)
    row = rows.Template(
        name=name, channel=channel, locale=locale, status=rows.ACTIVE, version=0, created_by=by, created_at=now
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        fix = "Choose another name, or save a new version of that template."
        raise Conflict("template_name_taken", f"There is already a template {name!r}.", fix, "name") from None
    return _add_version(session, row, content, by, now)


def update(
    session: Session, template_id: int, *, content: Content, expected_version: int, by: str, now: datetime
) -> Saved:
    """Save a new version; words that are the same already make none.

    Raises what ``save`` raises for the words, NotFound, Conflict (``template_changed``).
    """
    row = _active(session, template_id)
    if row.version != expected_version:
        message = f"Version {row.version} of {row.name} was saved meanwhile; you edited version {expected_version}."
        raise Conflict("template_changed", message, "Load it again and repeat the change.", "expected_version")
    require_ready(session, content, row.channel)
    if get(session, template_id).content == content:
        return get(session, template_id)
    return _add_version(session, row, content, by, now)


def get(session: Session, template_id: int, version: int | None = None) -> Saved:
    """A template in its current version, or in the one asked for, deleted or not. Raises NotFound."""
    row = session.get(rows.Template, template_id)
    if row is None:
        raise NotFound("unknown_template", f"There is no template {template_id}.", "List the templates.", "template")
    found = session.get(rows.TemplateVersion, (template_id, version or row.version))
    if found is None:
        raise NotFound("unknown_version", f"{row.name} has no version {version}.", "List its versions.", "version")
    return _saved(row, found)


def named(session: Session, name: str) -> Saved:
    """The template of that name, or with that number. Raises NotFound, naming those there are."""
    row = rows.named(session, name.strip())
    if row is None and name.strip().isdecimal() and len(name.strip()) < LONGEST_ID:
        row = session.get(rows.Template, int(name))
    if row is None or row.status != rows.ACTIVE:
        known = ", ".join(row.name for row, _ in rows.listed(session)[:10]) or "none yet"
        raise NotFound("unknown_template", f"There is no template {name!r}.", f"Saved: {known}.", "template")
    return get(session, row.id)


def listed(session: Session) -> list[Saved]:
    """All templates that were not deleted, the one changed last first."""
    return [_saved(row, version) for row, version in rows.listed(session)]


def versions(session: Session, template_id: int) -> list[Saved]:
    """All versions, newest first. Raises NotFound."""
    get(session, template_id)
    row = session.get_one(rows.Template, template_id)
    return [_saved(row, version) for version in rows.versions(session, template_id)]


def uses(session: Session) -> Mapping[int, list[Use]]:
    """The flows that use each template, newest flow first, by template id."""
    found: dict[int, list[Use]] = {}
    for row in rows.uses(session):
        found.setdefault(row["template_id"], []).append(Use.model_validate(dict(row)))
    return found


def delete(session: Session, template_id: int, *, by: str, now: datetime) -> Saved:
    """Take a template out of the list; flows that use it keep their words. Raises NotFound."""
    row = _active(session, template_id)
    row.status, row.updated_at = rows.ARCHIVED, now
    session.flush()
    _note(session, "template.deleted", row, by)
    return get(session, template_id)


def problems(session: Session, content: Content, channel: str) -> list[Problem]:
    """Everything that is wrong with a message, whoever gets it."""
    return templates.check(content, channel=channel, custom=recipients.custom_names(session))


def require_ready(session: Session, content: Content, channel: str) -> None:
    """Raise Invalid (``template_not_ready``) for the first error in a message; warnings pass."""
    for problem in problems(session, content, channel):
        if problem.level == "error":
            raise Invalid("template_not_ready", problem.message, problem.fix, problem.path)


def filled(session: Session, spec: FlowSpec) -> FlowSpec:
    """The flow with the words of the templates its messages name, each with the version they come from.

    A message that says something else than its template does has been rewritten and names it no more.
    Raises NotFound (``unknown_template``), Invalid (``template_channel``).
    """
    steps = [
        _filled(session, step, f"steps.{place}.template") if isinstance(step, Send) and step.template else step
        for place, step in enumerate(spec.steps)
    ]
    return spec.model_copy(update={"steps": tuple(steps)})


def outdated(session: Session, spec: FlowSpec) -> list[Problem]:
    """A warning for each message whose template has a newer version than the one it says."""
    found = []
    for number, (place, send) in enumerate(spec.sends, 1):
        if send.template and send.template.version:
            used = get(session, send.template.id, send.template.version)
            if used.status == rows.ACTIVE and used.latest > used.version:
                message = f"Step {number} says version {used.version} of {used.name}; there is version {used.latest}."
                fix = "Choose the template again to take its newest words."
                found.append(Problem(f"steps.{place}.template", message, fix, "warning"))
    return found


def _filled(session: Session, send: Send, path: str) -> Send:
    if send.template is None:
        return send
    try:
        used = get(session, send.template.id, send.template.version)
    except NotFound as error:
        error.path = path
        raise
    if used.channel != send.channel:
        message = f"{used.name} is written for {used.channel}, this message goes out on {send.channel}."
        raise Invalid("template_channel", message, "Choose a template of that channel.", path)
    kept = used.content
    own = Content(subject=send.subject, preview_text=send.preview_text, body=send.body)
    says = own if send.body else Content(**{**kept.model_dump(), **{k: v for k, v in own.model_dump().items() if v}})
    origin = Origin(id=used.id, version=used.version) if says == kept else None
    return send.model_copy(update={**says.model_dump(), "template": origin})


def _active(session: Session, template_id: int) -> rows.Template:
    row = session.get(rows.Template, template_id, with_for_update=True, populate_existing=True)
    if row is None or row.status != rows.ACTIVE:
        raise NotFound("unknown_template", f"There is no template {template_id}.", "List the templates.", "template")
    return row


def _add_version(session: Session, row: rows.Template, content: Content, by: str, now: datetime) -> Saved:
    row.version += 1
    row.updated_at = now
    words: dict[str, Any] = content.model_dump()
    made = {**words, "digest": flows.digest(words), "created_by": by, "created_at": now}
    session.add(rows.TemplateVersion(template_id=row.id, number=row.version, **made))
    session.flush()
    _note(session, "template.saved", row, by)
    return get(session, row.id)


def _note(session: Session, action: str, row: rows.Template, by: str) -> None:
    detail = {"name": row.name, "version": row.version}
    audit.record(session, actor=by, action=action, subject=f"template:{row.id}", detail=detail)


def _saved(row: rows.Template, version: rows.TemplateVersion) -> Saved:
    return Saved(
        id=row.id,
        name=row.name,
        channel=row.channel,  # type: ignore[arg-type]  # validated
        locale=row.locale,
        status=row.status,
        version=version.number,
        latest=row.version,
        content=Content(subject=version.subject, preview_text=version.preview_text, body=version.body),
        digest=version.digest,
        created_by=version.created_by,
        created_at=version.created_at,
    )
