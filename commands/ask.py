"""What does Parley make of a sentence? The chat's answer on the command line; nothing is saved or sent."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from agent.answers import ask as answered
from commands import new_app
from commands.instants import as_of as instant
from db import addresses
from db.session import reading

app = new_app()


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What you want to know or reach, in your own words.")],
    as_of: Annotated[str | None, typer.Option(help="Ask as of a past date or instant.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Read a sentence as the chat does and show the segment, the campaign or the figures it asks for."""
    with addresses.opened(), reading() as session:
        found = answered(text, session=session, now=instant(session, as_of))
    if json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        Console().print(Markdown(found.text))
