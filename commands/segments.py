"""Whom does a definition in a file mean?"""

import json as jsons
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from commands import new_app, segments_saved
from commands.instants import as_of as in_store_zone
from db import addresses
from db.session import reading
from domain.errors import Invalid
from domain.segments import Definition, parse
from domain.windows import instant
from services import catalog, datasets, segments

Found = TypeVar("Found")

app = new_app("Segments: whom a definition means, and what becomes of saved ones.")
app.add_typer(segments_saved.app)

File = Annotated[Path, typer.Argument(help="A definition as JSON; - reads it from standard input.")]
DatasetName = Annotated[str | None, typer.Option("--dataset", help="The dataset to ask; by default the definition's.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Ask as of a past date or instant.")]
Engine = Annotated[
    Literal["postgres", "duckdb"] | None,
    typer.Option(
        "--engine", help="duckdb asks the dataset's file in the store's folder; the store's comes of its export."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def preview(
    file: File,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Say a definition back in English and count whom it means, condition by condition."""
    found = _asked(file, dataset, as_of, engine, segments.preview, datasets.preview)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"{found.audience_size:,} of {found.everyone:,}: {found.read_back}")
    for line in found.lines:
        note = f" ({line.note})" if line.note else ""
        typer.echo(f"  {line.left:>12,}  {line.text}{note}")


@app.command()
def members(
    file: File,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """List the ids of whom a definition means, in rising order."""
    ids = _asked(file, dataset, as_of, engine, segments.member_ids, datasets.member_ids)
    typer.echo(jsons.dumps({"audience_size": len(ids), "member_ids": ids}) if json else "\n".join(map(str, ids)))


def _asked(
    file: Path,
    dataset: str | None,
    as_of: str | None,
    engine: str | None,
    in_store: Callable[..., Found],
    in_file: Callable[..., Found],
) -> Found:
    definition = _definition(file, dataset)
    name = definition.dataset
    if engine == "postgres" and name != catalog.STORE:
        fix = "Leave out --engine, or say --engine duckdb."
        raise Invalid("wrong_engine", f"The dataset {name} is a DuckDB file.", fix, "engine")
    if name != catalog.STORE:
        with datasets.open_dataset(name) as opened:
            now = instant(as_of, opened.zone) if as_of else datetime.now(UTC)
            return in_file(opened, definition, now=now)
    with addresses.opened(), reading() as session:
        now = in_store_zone(session, as_of)
        if engine != "duckdb":
            return in_store(session, definition, now=now)
    with datasets.open_dataset(name) as opened:
        return in_file(opened, definition, now=now)


def _definition(file: Path, dataset: str | None) -> Definition:
    try:
        raw: Any = jsons.loads(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(
            "definition_unreadable", f"{file} is no JSON file: {error}", "Check its name and content."
        ) from None
    if isinstance(raw, dict) and dataset is not None:
        named = raw.setdefault("dataset", dataset)
        if named != dataset:
            fix = "Leave out --dataset, or name the same one."
            raise Invalid("wrong_dataset", f"The definition is for the dataset {named}.", fix, "dataset")
    return parse(raw)
