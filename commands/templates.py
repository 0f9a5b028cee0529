"""How are messages kept, looked at and changed from a terminal?"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from commands import new_app
from db import addresses, store
from db.session import reading, transaction
from domain.errors import Invalid, NotFound
from domain.segments import parse
from services import previews, segments, templates, users

app = new_app("Messages kept to be used again: save, preview, list.")

Name = Annotated[str, typer.Argument(help="The template's name or number.")]
By = Annotated[str, typer.Option("--by", help="The account that does it.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command("list")
def list_(json: Json = False) -> None:  # noqa: FBT002 - a switch
    """List the templates, the one changed last first."""
    with addresses.opened(), reading() as session:
        found, uses = templates.listed(session), templates.uses(session)
        if json:
            typer.echo(f"[{', '.join(one.model_dump_json() for one in found)}]")
            return
        for one in found:
            used = len(uses.get(one.id, ()))
            said = f"v{one.version}, {used} flow{'' if used == 1 else 's'}"
            typer.echo(f"{one.id:>6}  {one.channel:<8}  {one.locale:<5}  {said:<12}  {one.name}")


@app.command()
def show(
    name: Name,
    version: Annotated[int | None, typer.Option(help="A version other than the current one.")] = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Show the words of a template, its versions and the flows that use it."""
    with addresses.opened(), reading() as session:
        found = templates.named(session, name)
        found = templates.get(session, found.id, version)
        if json:
            typer.echo(found.model_dump_json(indent=2))
            return
        typer.echo(f"{found.name}, version {found.version} of {found.latest}, {found.channel}, {found.locale}")
        for label, text in (("Subject", found.content.subject), ("Preview", found.content.preview_text)):
            if text:
                typer.echo(f"{label}: {text}")
        typer.echo(f"\n{found.content.body}\n")
        for one in templates.versions(session, found.id):
            typer.echo(f"  v{one.version}  {one.created_at:%Y-%m-%d %H:%M}  {one.created_by}  {one.digest[:12]}")
        for use in templates.uses(session).get(found.id, ()):
            typer.echo(f"  used by flow {use.flow_id} ({use.status}): {use.name}, v{use.version}")


@app.command()
def save(
    name: Annotated[str, typer.Argument(help="The name; that of a saved template makes its next version.")],
    file: Annotated[Path, typer.Argument(help="The message itself as a text file; - reads standard input.")],
    subject: Annotated[str | None, typer.Option(help="The subject line; a new version keeps the one it has.")] = None,
    preview_text: Annotated[str | None, typer.Option(help="The line inboxes show after the subject.")] = None,
    channel: Annotated[str, typer.Option(help="email, sms or whatsapp; of a new template.")] = "email",
    locale: Annotated[str, typer.Option(help="The language, e.g. en or en-GB; of a new template.")] = "en",
    by: By = users.FIRST_USERNAME,
) -> None:
    """Save a message under a name, or its next version."""
    body = read(file)
    with addresses.opened(), transaction() as session:
        person, now = users.named(session, by), store.business_now(session)
        try:
            before = templates.named(session, name)
        except NotFound:
            content = templates.written(subject=subject or "", preview_text=preview_text or "", body=body)
            saved = templates.save(
                session, name=name, channel=channel, locale=locale, content=content, by=person.username, now=now
            )
        else:
            said = {"subject": subject, "preview_text": preview_text, "body": body}
            given = {key: text for key, text in said.items() if text is not None}
            content = templates.written(**{**before.content.model_dump(), **given})
            saved = templates.update(
                session, before.id, content=content, expected_version=before.latest, by=person.username, now=now
            )
        typer.echo(f"{saved.name} is saved as version {saved.version} of template {saved.id}.")
        _warn(previews.of_template(session, saved.content, saved.channel, now=now, samples=0))


@app.command()
def preview(
    name: Name,
    segment: Annotated[int | None, typer.Option(help="For the people of this segment; else all subscribers.")] = None,
    samples: Annotated[int, typer.Option(min=1, max=20, help="How many people's messages to show.")] = 1,
) -> None:
    """Show a message as real people would get it, and how many need a fallback."""
    with addresses.opened(), reading() as session:
        found, now = templates.named(session, name), store.business_now(session)
        whom = parse(segments.get(session, segment).definition) if segment is not None else None
        seen = previews.of_template(session, found.content, found.channel, now=now, definition=whom, samples=samples)
        for one in seen.samples:
            typer.echo(f"As {one.name or one.customer_id} gets it: {one.subject}\n\n{one.text}")
        _warn(seen)


@app.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002 - a switch
    by: By = users.FIRST_USERNAME,
) -> None:
    """Take a template out of the list; flows that use it keep their words."""
    with addresses.opened(), transaction() as session:
        found = templates.named(session, name)
        used = len(templates.uses(session).get(found.id, ()))
        if not yes and not typer.confirm(f"Delete {found.name}? {used} flows use it and keep its words."):
            raise typer.Exit(1)
        templates.delete(session, found.id, by=users.named(session, by).username, now=store.business_now(session))
        typer.echo(f"{found.name} is deleted.")


def _warn(seen: previews.TemplatePreview) -> None:
    for problem in seen.problems:
        typer.echo(f"  ! {problem.message} {problem.fix}".rstrip())


def read(file: Path) -> str:
    """The words in a text file, or on standard input for ``-``. Raises Invalid (``file_unreadable``)."""
    try:
        return (sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")).strip()
    except (OSError, ValueError) as error:
        raise Invalid("file_unreadable", f"{file} cannot be read: {error}", "Name a text file.", "file") from None
