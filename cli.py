"""What does ``parley`` understand? One line per command; each lives in the file of its noun under ``commands/``.

A file offers ``app``, a Typer with one command or several. It is imported when its command is asked for, so that a
quick command does not wait for the imports of a slow one.
"""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from domain.errors import ParleyError, Unavailable

COMMANDS = {
    "up": ("up", "Start everything and keep it running until Ctrl-C."),
    "ask": ("ask", "Read a sentence as the chat does, and show what it asks for."),
    "eval": ("evals", "Measure how often English becomes the right segment."),
    "segment": ("segments", "Segments: whom a definition means, and what becomes of saved ones."),
    "stats": ("stats", "Statistics: percentiles, top values, trends, comparisons and RFM groups."),
    "doctor": ("doctor", "Say what is configured, what is embedded, and what answers."),
    "db": ("db", "The database: its address, its migrations, a prompt."),
    "demo": ("demo", "Load the demo store into an empty database."),
    "clock": ("clock", "The store's clock; the demo store's can be moved ahead."),
    "import": ("ingest", "Bring in what a shop has: its orders."),
    "consent": ("consent", "Who may be written to: stop and start, one person or all sending."),
    "topic": ("topics", "Topics: what people can choose to be written to about."),
    "campaign": ("campaigns", "Campaigns: one message to one segment."),
    "flow": ("flows", "Flows and campaigns: draft, approve, follow."),
    "template": ("templates", "Messages kept to be used again: save, preview, list."),
    "store": ("store", "The store as a whole: its export."),
    "dataset": ("datasets", "Datasets: DuckDB files that segments can be asked of."),
    "duckmart": ("duckmart", "DuckMart, an example dataset of users and events."),
    "tiers": ("tiers", "Tiers: ordered segments, everyone in exactly one."),
    "intent": ("intent", "Buying intent: companies in tiers, from a CRM in a DuckDB file."),
    "token": ("tokens", "Tokens for programs that call the API."),
    "user": ("users", "Accounts of the team."),
}
"""Command -> (module under ``commands/``, one line of help)."""

FAILED, REFUSED = 1, 2
"""Exit codes: something needed was not there (trying again may help); the input or the configuration is wrong."""


class Commands(TyperGroup):
    """Lists all commands by their one line and loads the one that is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command by its line, then take the real one in its place."""
        name, found, rest = super().resolve_command(ctx, args)
        if name and found:
            found = typer.main.get_command(importlib.import_module(f"commands.{COMMANDS[name][0]}").app)
        return name, found, rest


app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def parley() -> None:
    """The customer data platform a marketer talks to."""


for _name, (_module, _line) in COMMANDS.items():
    app.command(_name, help=_line)(lambda: None)


def main() -> None:
    """Run a command; a refusal is one message and what to do about it, never a traceback."""
    try:
        app(prog_name="parley")
    except ParleyError as error:
        typer.echo(f"{error}\n{error.fix}".strip(), err=True)
        sys.exit(FAILED if isinstance(error, Unavailable) else REFUSED)


if __name__ == "__main__":
    main()
