"""What can be asked besides the store, and how does a DuckDB file become something that can be?"""

import json as jsons
from pathlib import Path
from typing import Annotated

import typer

from commands import new_app
from domain.catalog import Attribute, Catalog
from domain.errors import Invalid
from services import catalog as catalogs
from services import datasets, drafts

app = new_app("Datasets: DuckDB files that segments can be asked of.")

WRONG = 2
SHOWN = 8

Name = Annotated[str, typer.Argument(help="A dataset, e.g. duckmart.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A DuckDB file; it is only read.")],
    name: Annotated[str | None, typer.Option(help="The dataset's name; by default the file's.")] = None,
    entity: Annotated[str | None, typer.Option(help="The table of those it is about, if the guess is wrong.")] = None,
    key: Annotated[str | None, typer.Option(help="The column that tells them apart.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the catalog that there is.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Draft a catalog for a file, to be edited, and say what was assumed."""
    path, draft = drafts.add(file, name=name, entity=entity, key=key, force=force)
    for line in draft.assumed:
        typer.echo(f"assumed: {line}")
    for line in draft.left_out:
        typer.echo(f"left out: {line}")
    typer.echo(f"{path}: {_size(draft.catalog)}")
    typer.echo(f"Edit it, then see: parley dataset check {draft.catalog.dataset}")


@app.command("list")
def listed() -> None:
    """List the datasets, where their catalogs are, and whether their files are there."""
    for name, path in catalogs.files().items():
        try:
            catalog = catalogs.file(name)
        except Invalid as error:
            typer.echo(f"{name:<16} {'':<12} {error.message}  ({path})")
            continue
        file = datasets.place(catalog)
        state = "PostgreSQL" if name == catalogs.STORE else str(file) if file.is_file() else f"{file} is not there"
        typer.echo(f"{name:<16} {catalog.entity.plural:<12} {state}  ({path})")


@app.command()
def show(name: Name, json: Json = False) -> None:  # noqa: FBT002 - a switch
    """Show what a dataset can be asked: attributes with frequent values, activities, metrics."""
    with datasets.open_dataset(name) as dataset:
        catalog = dataset.catalog
    if json:
        typer.echo(catalog.model_dump_json(indent=2, exclude_defaults=True))
        return
    typer.echo(f"{catalog.dataset}: {catalog.entity.plural} of {datasets.place(catalog)}")
    for what, entries in (("attributes", catalog.attributes), ("metrics", catalog.metrics)):
        typer.echo(f"\n{what}")
        for key, entry in entries.items():
            typer.echo(
                f"  {key:<28} {entry.kind:<9} {entry.label}{_values(entry) if isinstance(entry, Attribute) else ''}"
            )
    typer.echo("\nactivities")
    for key, activity in catalog.activities.items():
        properties = f"; of each: {', '.join(activity.properties)}" if activity.properties else ""
        typer.echo(f"  {key:<28} {activity.time_kind:<9} {activity.label}{properties}")


@app.command()
def check(name: Name, json: Json = False) -> None:  # noqa: FBT002 - a switch
    """Ask everything that a catalog names of its file once, and say what does not fit."""
    found = drafts.check(name)
    if json:
        typer.echo(jsons.dumps([vars(finding) for finding in found], indent=2))
    else:
        for finding in found:
            typer.echo(f"{'wrong' if finding.wrong else 'ok':<6} {finding.entry}: {finding.text}")
    raise typer.Exit(WRONG if any(finding.wrong for finding in found) else 0)


def _size(catalog: Catalog) -> str:
    counted = (
        f"{len(entries)} {what}"
        for what, entries in (
            ("attributes", catalog.attributes),
            ("activities", catalog.activities),
            ("metrics", catalog.metrics),
        )
    )
    return ", ".join(counted)


def _values(entry: Attribute) -> str:
    if not entry.values:
        return ""
    more = f" and {len(entry.values) - SHOWN:,} more" if len(entry.values) > SHOWN else ""
    return f": {', '.join(entry.values[:SHOWN])}{more}"
