"""How does the store leave for analysis?"""

from pathlib import Path
from typing import Annotated

import typer

from commands import new_app
from db import addresses
from db.session import reading
from services import store
from settings import settings

app = new_app("The store as a whole: its export.")


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(help="The DuckDB file to write; by default in the store's folder.")
    ] = None,
) -> None:
    """Write what segments can ask to a DuckDB file, for analysis and for ``--engine duckdb``."""
    path = file or settings().home / store.FILE
    with addresses.opened(), reading() as session:
        written = store.export(session, path)
    rows = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in written.items())
    typer.echo(f"{path}: {rows}")
