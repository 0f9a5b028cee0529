"""How are campaigns made and followed from a terminal?"""

import json as jsons
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from commands import new_app
from commands.instants import as_of as instant
from commands.templates import read
from db import addresses, store
from db.session import reading, transaction
from domain.errors import Invalid
from domain.templates import readable
from services import campaigns, previews, templates, users

app = new_app("Campaigns: one message to one segment.")

By = Annotated[str, typer.Option("--by", help="The account that does it.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def create(
    segment: Annotated[int, typer.Argument(help="The number of a saved segment.")],
    template: Annotated[str | None, typer.Option(help="The template to send.")] = None,
    file: Annotated[Path | None, typer.Option(help="The message as a text file; - reads standard input.")] = None,
    subject: Annotated[str, typer.Option(help="The subject line of a message from a file.")] = "",
    name: Annotated[str, typer.Option(help="What the campaign is called.")] = "",
    at: Annotated[str | None, typer.Option(help="A date or instant; else as soon as it is approved.")] = None,
    by: By = users.FIRST_USERNAME,
) -> None:
    """Propose a campaign for a segment; it is sent when `parley flow approve` approves it."""
    if (template is None) == (file is None):
        raise Invalid("message_missing", "Say what to send.", "Give either --template or --file.", "template")
    with addresses.opened(), transaction() as session:
        person, now = users.named(session, by), store.business_now(session)
        used = templates.named(session, template) if template else None
        words = templates.written(subject=subject, body=read(file)) if file else None
        made = campaigns.spec(
            session,
            segment_id=segment,
            name=name,
            channel=used.channel if used else "email",
            template_id=used.id if used else None,
            words=words,
            at=instant(session, at) if at else None,
        )
        asked = campaigns.propose(session, made, by=person.username, now=now, trace_id=uuid.uuid4().hex)
        typer.echo(f"{made.name}: {asked.proposal['audience']['size']:,} people, {asked.proposal['read_back']}.")
        for problem in previews.preview(session, made, now=now, samples=0).problems:
            typer.echo(f"  ! {problem.message} {problem.fix}".rstrip())
        typer.echo(f"Approve it with: parley flow approve {asked.id}")


@app.command("list")
def list_(json: Json = False) -> None:  # noqa: FBT002 - a switch
    """List the campaigns, newest first, with what came of them."""
    with addresses.opened(), reading() as session:
        found = campaigns.listed(session)
    if json:
        typer.echo(jsons.dumps([one.model_dump(mode="json") for one in found], indent=2))
        return
    figures = ("audience", "sent", "delivered", "failed", "left out")
    table = Table("#", "campaign", "segment", "status", *(Column(name, justify="right") for name in figures))
    for one in found:
        counts = one.counts
        numbers = (one.audience_size or 0, counts.sent, counts.delivered, counts.failed, one.left_out)
        segment = one.segment or one.read_back or "not approved yet"
        table.add_row(str(one.id), one.name, segment, one.status, *(f"{number:,}" for number in numbers))
    Console().print(table)


@app.command()
def show(
    campaign: Annotated[int, typer.Argument(help="The campaign's number.")],
    after: Annotated[int, typer.Option(help="Go on with the log beyond this customer's number.")] = 0,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="Lines of the log.")] = 20,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Show a campaign and its log: what became of each recipient."""
    with addresses.opened(), reading() as session:
        found = campaigns.get(session, campaign)
        lines = campaigns.log(session, campaign, after=after, limit=limit)
    if json:
        log = [line.model_dump(mode="json") for line in lines]
        typer.echo(jsons.dumps({**found.model_dump(mode="json"), "log": log}, indent=2))
        return
    typer.echo(f"{found.name} ({found.status}) to {found.segment or found.read_back or 'nobody yet'}")
    typer.echo(f"{found.channel}: {readable(found.subject)}")
    typer.echo(", ".join(f"{number:,} {name}" for name, number in found.counts.model_dump().items() if number))
    for line in lines:
        typer.echo(
            f"{line.customer_id:>8}  {_at(line.at)}  {line.standing:<9}  {line.recipient or line.name}  {line.words}"
        )


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
