"""What can be done from a terminal? One file per noun; ``cli.py`` lists them.

To add a command, write ``commands/<noun>.py`` with ``app = new_app()`` and functions under ``@app.command()``, and give
it a line in ``cli.COMMANDS``. A command that needs the store wraps its work in ``with addresses.opened(),
transaction() as session``; errors of the five kinds may simply be raised.
"""

import typer


def new_app(line: str = "") -> typer.Typer:
    """A Typer that looks like all the others; a file with several commands says in one line what they are about."""
    return typer.Typer(help=line or None, no_args_is_help=bool(line), add_completion=False, rich_markup_mode=None)
