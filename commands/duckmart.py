"""How does one try segments on users and events: write raw files, clean them, load them?"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from commands import new_app
from domain.windows import instant
from services import duckmart
from settings import settings

app = new_app("DuckMart, an example dataset of users and events: raw files, clean files, a DuckDB file.")

Folder = Annotated[Path | None, typer.Argument(help="A folder; by default duckmart in the store's folder.")]


@app.command()
def generate(
    folder: Folder = None,
    users: Annotated[int, typer.Option(min=1, help="How many people.")] = 10_000,
    events: Annotated[int, typer.Option(min=0, help="How many events.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same people.")] = duckmart.SEED,
    odd: Annotated[float, typer.Option(min=0, max=1, help="Share of lines that are not as they should be.")] = 0.02,
    as_of: Annotated[str | None, typer.Option(help="When the events end; by default this morning, in UTC.")] = None,
) -> None:
    """Write users.csv and events.csv as other programs would."""
    to = _folder(folder)
    now = instant(as_of or datetime.now(UTC).date().isoformat(), ZoneInfo("UTC"))
    made = duckmart.generate(to, users=users, events=events, seed=seed, now=now, odd=odd)
    typer.echo(f"{to}: {made['users']:,} lines of users, {made['events']:,} of events")
    typer.echo(f"Clean them with: parley duckmart transform {to}")


@app.command()
def transform(
    folder: Folder = None,
    into: Annotated[Path | None, typer.Option(help="The folder of the clean files; by default clean below.")] = None,
) -> None:
    """Clean users.csv and events.csv; what is left out or emptied is listed in set_aside.csv."""
    raw = _folder(folder)
    found = duckmart.transform(raw, into, now=datetime.now(UTC))
    typer.echo(f"users: {found.users_read:,} lines read, {found.users:,} written")
    typer.echo(f"events: {found.events_read:,} lines read, {found.events:,} written")
    for row in found.aside:
        much = f"{row.lines:,} left out" if row.lines else f"{row.values:,} emptied"
        typer.echo(f"  {row.file}, {row.field or 'line'}: {much}, {row.reason}, for example {row.example!r}")
    typer.echo(f"Load them with: parley duckmart load {into or raw / duckmart.CLEAN}")


@app.command()
def load(
    folder: Annotated[Path | None, typer.Argument(help="The folder of the clean files.")] = None,
    file: Annotated[Path | None, typer.Option(help="The DuckDB file to write; by default the dataset's own.")] = None,
) -> None:
    """Load clean files into a DuckDB file, with types and keys checked; an older one is replaced."""
    path, written = duckmart.load(folder or _folder(None) / duckmart.CLEAN, file)
    typer.echo(f"{path}: " + ", ".join(f"{count:,} {table}" for table, count in written.items()))


def _folder(folder: Path | None) -> Path:
    return folder or settings().home / duckmart.DATASET
