"""How does a program get to call the API, and how is it stopped?"""

import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands import new_app
from db import addresses
from db.session import reading, transaction
from services import tokens

app = new_app("Tokens for programs that call the API.")

ACTOR = "command line"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will use it.")],
    dataset: Annotated[list[str] | None, typer.Option(help="A dataset it may ask; by default all. Repeatable.")] = None,
) -> None:
    """Make a token and print it, once."""
    with addresses.opened(), transaction() as session:
        token = tokens.create(session, name, secret=secrets.token_urlsafe(32), datasets=dataset or (), by=ACTOR)
    typer.echo(token)
    typer.echo("It is not shown again. Send it as: Authorization: Bearer TOKEN", err=True)


@app.command("list")
def listed() -> None:
    """List the tokens and whether they still work."""
    with addresses.opened(), reading() as session:
        for token in tokens.listed(session):
            state = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else "works"
            used = f"last used {token.last_used_on}" if token.last_used_on else "never used"
            typer.echo(f"{token.name:<24} {state}, {used}, {', '.join(token.datasets) or 'every dataset'}")


@app.command()
def revoke(name: str) -> None:
    """End a token at once."""
    with addresses.opened(), transaction() as session:
        tokens.revoke(session, name, by=ACTOR, now=datetime.now(UTC))
    typer.echo(f"{name} may not call any more.")
