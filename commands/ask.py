"""What does Parley make of a sentence? The chat's answer on the command line; nothing is saved or sent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from agent.answers import ask as answered
from agent.datasets import ask as answered_by_file
from commands import new_app
from commands.instants import as_of as instant
from db import addresses
from db.session import reading
from domain.windows import instant as parsed
from services import datasets
from services.catalog import STORE

app = new_app()


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What you want to know or reach, in your own words.")],
    dataset: Annotated[str, typer.Option(help="The dataset that is asked; by default the store.")] = STORE,
    file: Annotated[
        Path | None, typer.Option(help="The dataset's file, where it is not in the store's folder.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="Ask as of a past date or instant.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Read a sentence as the chat does and show the segment, the campaign or the figures it asks for."""
    if dataset == STORE:
        with addresses.opened(), reading() as session:
            found = answered(text, session=session, now=instant(session, as_of))
    else:
        with datasets.open_dataset(dataset, file) as opened:
            now = parsed(as_of, opened.zone) if as_of else datetime.now(UTC)
            found = answered_by_file(text, dataset=opened, now=now)
    if json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        Console().print(Markdown(found.text))
