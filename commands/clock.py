"""What time is it in the store, and how does one get past a ten-day wait in the demo store?"""

import typer

from commands import new_app
from db import addresses, store
from db.session import reading, transaction
from services import clock, segments

app = new_app("The store's clock; the demo store's can be moved ahead.")


@app.command()
def show() -> None:
    """Print the store's time, in its own zone."""
    with addresses.opened(), reading() as session:
        typer.echo(f"{store.business_now(session).astimezone(segments.zone(session)):%Y-%m-%d %H:%M %Z}")


@app.command()
def advance(duration: str) -> None:
    """Move the demo store's clock ahead by DURATION, for example 10d, 12h or 1mo."""
    with addresses.opened(), transaction() as session:
        now = store.business_now(session)
        then = clock.advance(session, clock.ahead(duration, now=now), now=now, by="command line")
        typer.echo(f"It is now {then.astimezone(segments.zone(session)):%Y-%m-%d %H:%M %Z} in this store.")
