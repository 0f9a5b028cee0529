"""How does one get a shop to try things on?"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from db import addresses
from db.session import transaction
from services import demo
from settings import settings

app = typer.Typer()


@app.command()
def load(
    customers: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="How many people.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same shop.")] = demo.SEED,
) -> None:
    """Load the demo store into an empty database."""
    with addresses.opened(), transaction() as session:
        loaded = demo.load(session, seed=seed, now=datetime.now(UTC), customers=customers or settings().demo_customers)
    typer.echo(f"{demo.NAME}: " + ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in loaded.items()))
