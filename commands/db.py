"""Where is the database, and does it have the tables this version expects?"""

import subprocess
from typing import Annotated

import typer

from commands import new_app
from db import addresses, embedded, migrations
from settings import settings

app = new_app("The database: its address, its migrations, a prompt.")


@app.command()
def url() -> None:
    """Print the address of the database, for psql and other tools."""
    with addresses.opened() as found:
        typer.echo(found.postgres_url)
    configured = settings()
    if configured.postgres_url is None and not embedded.running(configured.home):
        typer.echo("It answers while Parley runs: start `parley up`, or ask with `parley db psql`.", err=True)


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    with addresses.opened() as found:
        typer.echo(f"The database is at revision {migrations.revision(found.postgres_url)}.")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments of psql, e.g. -c 'select 1'.")] = None,
) -> None:
    """Open PostgreSQL's own prompt on the database, which runs for as long as that does."""
    with addresses.opened() as found:
        ended = subprocess.run([embedded.psql(), found.postgres_url, *(arguments or [])], check=False)
    raise typer.Exit(ended.returncode)
