"""Into which tier does everyone fall, in the store or in a dataset?"""

import json as jsons
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands import new_app
from commands.instants import as_of as instant
from commands.segments import AsOf, Json
from db import addresses
from db.session import reading, transaction
from domain.catalog import suggestion
from domain.errors import Invalid
from domain.tiers import Tiers
from domain.windows import instant as parsed
from services import datasets, sources, tiers
from services.catalog import STORE
from services.sources import Source

app = new_app("Tiers: ordered segments, everyone in exactly one.")

BY = "command line"
Set = Annotated[str, typer.Argument(metavar="NAME", help="A saved set, or a TOML or JSON file with one.")]
File = Annotated[Path | None, typer.Option("--file", help="The dataset's file, where it is not in the store's folder.")]


@app.command("list")
def list_(json: Json = False) -> None:  # noqa: FBT002 - a switch
    """List the sets that were saved and those that come along."""
    with addresses.opened(), reading() as session:
        found = tiers.listed(session)
    rows = [
        {
            "name": one.name,
            "version": one.version,
            "dataset": one.tiers.dataset,
            "tiers": [tier.name for tier in one.tiers.tiers],
        }
        for one in found
    ]
    if json:
        typer.echo(jsons.dumps(rows))
        return
    for one in found:
        version = f"version {one.version}" if one.version else "comes along"
        names = " > ".join(tier.name for tier in one.tiers.tiers)
        typer.echo(f"{one.name:<24} {one.tiers.dataset:<12} {version:<12} {names}")


@app.command()
def save(file: Annotated[Path, typer.Argument(help="A TOML or JSON file with a set of tiers.")]) -> None:
    """Save a set, as the next version of its name."""
    with addresses.opened(), transaction() as session:
        saved = tiers.save(session, tiers.read(file), by=BY, now=datetime.now(UTC))
    typer.echo(f"{saved.name}, version {saved.version}")


@app.command()
def count(name: Set, file: File = None, as_of: AsOf = None, json: Json = False) -> None:  # noqa: FBT002 - a switch
    """Count who is in each tier, and say what each means."""
    with _asked(name, file, as_of) as (source, asked):
        found = tiers.count(source, asked)
        said = {tier: source.said(definition) for tier, definition in asked.conditions}
    if json:
        typer.echo(jsons.dumps({"name": asked.name, "as_of": source.scope.as_of.isoformat(), "counts": found}))
        return
    for tier, size in found.items():
        typer.echo(f"{size:>12,}  {tier:<12} {said.get(tier, 'all others')}")


@app.command()
def members(
    name: Set,
    tier: Annotated[str, typer.Argument(help="Which tier.")],
    file: File = None,
    as_of: AsOf = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """List the ids of one tier, in rising order."""
    with _asked(name, file, as_of) as (source, asked):
        known = [one.name for one in asked.tiers]
        if tier not in known:
            raise Invalid(
                "unknown_tier", f"There is no tier {tier!r} in {asked.name}.", suggestion(tier, known), "tier"
            )
        ids = [one.id for one in tiers.place(source, asked) if one.tier == tier]
    typer.echo(jsons.dumps({"tier": tier, "member_ids": ids}) if json else "\n".join(map(str, ids)))


@contextmanager
def _asked(name: str, file: Path | None, as_of: str | None) -> Iterator[tuple[Source, Tiers]]:
    """A set with the data it is of. A file of tiers for a dataset's file needs no store."""
    written = tiers.read(Path(name)) if name.endswith((".toml", ".json")) else None
    if written is None or written.dataset == STORE:
        with addresses.opened(), reading() as session:
            written = written or tiers.get(session, name).tiers
            if written.dataset == STORE:
                yield sources.of_store(session, now=instant(session, as_of)), written
                return
    with datasets.open_file(written.dataset, file) as opened:
        now = parsed(as_of, opened.zone) if as_of else datetime.now(UTC)
        yield sources.of_dataset(opened, now=now), written
