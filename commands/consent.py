"""How does somebody who asked on the phone, or by letter, get left alone, or come back?"""

from typing import Annotated

import typer
from sqlalchemy.orm import Session

from commands import new_app
from db import addresses, customers, store
from db.session import transaction
from domain.errors import NotFound
from services import consent

app = new_app("Who may be written to.")

Email = Annotated[str, typer.Argument(help="The person's email address.")]
Channel = Annotated[str, typer.Option(help="email, sms, whatsapp, or * for all of them.")]
SOURCE = "command line"


@app.command()
def stop(email: Email, channel: Channel = "*") -> None:
    """Leave a person alone; it holds as soon as this returns."""
    with addresses.opened(), transaction() as session:
        done = consent.stop(session, _named(session, email), channel, SOURCE, store.business_now(session))
    typer.echo(f"{email} gets no more on {', '.join(done.channels)}; {done.withdrawn} waiting messages were withdrawn.")
    if done.under_way:
        typer.echo(f"{len(done.under_way)} messages were on their way to a provider that does not answer.")


@app.command()
def start(email: Email, channel: Channel = "email") -> None:
    """Write to a person again who asked for it."""
    with addresses.opened(), transaction() as session:
        consent.start(session, _named(session, email), channel, SOURCE, store.business_now(session))
    typer.echo(f"{email} is subscribed on {channel}.")


@app.command("stop-all")
def stop_all() -> None:
    """Send nothing to anybody until resume-all."""
    with addresses.opened(), transaction() as session:
        consent.stop_all(session, SOURCE, store.business_now(session))
    typer.echo("Nothing is sent any more. `parley consent resume-all` lets it go on.")


@app.command("resume-all")
def resume_all() -> None:
    """Let the store send again."""
    with addresses.opened(), transaction() as session:
        consent.resume_all(session, SOURCE)
    typer.echo("Messages are sent again.")


def _named(session: Session, email: str) -> int:
    found = customers.named(session, email)
    if found is None:
        raise NotFound("no_customer", f"There is no customer {email}.", "Check the spelling.", "email")
    return found
