"""What became of a saved segment, and what is done with it? It is named by its name or its id."""

import json as jsons
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Column, Table

from commands import new_app
from commands.instants import as_of as instant
from db import addresses, store
from db.session import reading, transaction
from domain.errors import Invalid
from domain.segments import parse
from services import (
    customers,
    segments,
    segments_export,
    segments_history,
    segments_lists,
    segments_near,
    segments_overlap,
    segments_refresh,
    segments_uses,
    segments_versions,
    segments_why,
    users,
)

app = new_app("Saved segments.")

Segment = Annotated[str, typer.Argument(help="The segment's name or id.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Ask as of a past date or instant.")]
By = Annotated[str, typer.Option("--by", help="The account that does it.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]

FORMS: dict[str, segments_export.Format] = {".csv": "csv", ".parquet": "parquet"}
MARKS = {True: "yes", False: "no", None: "unknown"}


@app.command("list")
def list_(json: Json = False) -> None:  # noqa: FBT002 - a switch
    """List the saved segments with their size and how fresh it is."""
    with addresses.opened(), reading() as session:
        found, fresh = segments.listed(session), segments_refresh.all_freshness(session)
        now = store.business_now(session)
        rows = [{**one.model_dump(mode="json"), "counted": _plain(fresh.get(one.id))} for one in found]
        if json:
            typer.echo(jsons.dumps(rows, indent=2))
            return
        table = _table("Id", "Name", "Size", "Counted", "Version")
        for one in found:
            last = fresh.get(one.id)
            counted = last if last and last.as_of else None
            size = counted.size if counted else one.audience_size
            when = segments_refresh.age(counted, segments.zone(session), now) if counted else "when saved"
            table.add_row(str(one.id), one.name, f"{size:,}", when, str(one.version))
        Console().print(table)


@app.command()
def save(
    file: Annotated[Path, typer.Argument(help="A definition as JSON.")],
    name: Annotated[str, typer.Option("--name", help="What to call it.")],
    by: By = users.FIRST_USERNAME,
) -> None:
    """Save a definition as a new segment."""
    with addresses.opened(), transaction() as session:
        definition = parse(jsons.loads(file.read_text(encoding="utf-8")))
        now = store.business_now(session)
        made = segments.save(session, name=name, definition=definition, by=users.named(session, by).username, now=now)
    typer.echo(f"{made.name} is segment {made.id}: {made.audience_size:,} people, {made.read_back}.")


@app.command()
def refresh(
    segment: Annotated[str | None, typer.Argument(help="The segment's name or id; without one, all of them.")] = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Count saved segments now, and record who came and went."""
    done = []
    with addresses.opened():
        with transaction() as session:
            ids = [segments.named(session, segment).id] if segment else [one.id for one in segments.listed(session)]
        for segment_id in ids:
            with transaction() as session:
                done.append(segments_refresh.refresh(session, segment_id, now=store.business_now(session)))
                if not json:
                    one = done[-1]
                    typer.echo(f"{one.name}: {one.size:,} people, {one.entered:,} came, {one.exited:,} went.")
    if json:
        typer.echo(jsons.dumps([one.model_dump(mode="json") for one in done], indent=2))


@app.command()
def history(
    segment: Segment,
    days: Annotated[int, typer.Option("--days", help="So many days back; days never counted are looked up.")] = 90,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Show a segment's size day by day, and who came and went lately."""
    with addresses.opened(), transaction() as session:
        now = store.business_now(session)
        found = segments_history.history(session, segments.named(session, segment).id, days=days, now=now)
        if json:
            typer.echo(found.model_dump_json(indent=2))
            return
        zone = segments.zone(session)
        table = _table("Day", "Size", "Came", "Went", "")
        most = max((point.size for point in found.points), default=0) or 1
        for point in found.points:
            moved = ("" if number is None else f"{number:,}" for number in (point.entered, point.exited))
            bar = "▇" * round(24 * point.size / most)
            table.add_row(f"{point.as_of.astimezone(zone):%-d %b %Y}", f"{point.size:,}", *moved, bar)
        Console().print(table)


@app.command()
def diff(
    segment: Segment,
    older: Annotated[int | None, typer.Argument(help="A version; by default the one before the newer.")] = None,
    newer: Annotated[int | None, typer.Argument(help="A later version; by default the current one.")] = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Compare two versions, condition by condition."""
    with addresses.opened(), reading() as session:
        saved = segments.named(session, segment)
        last = newer or saved.version
        found = segments_versions.difference(session, saved.id, older or max(1, last - 1), last)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"{saved.name}, version {found.older} to {found.newer}: {found.size_before:,} to {found.size_after:,}")
    for change in found.changes:
        if change.before is not None:
            typer.echo(f"  - {change.before}")
        if change.after is not None:
            typer.echo(f"  + {change.after}")
    if not found.changes:
        typer.echo("  They mean the same.")


@app.command()
def restore(
    segment: Segment,
    version: Annotated[int, typer.Argument(help="The version to go back to.")],
    by: By = users.FIRST_USERNAME,
) -> None:
    """Make a past version the current one again, as a new version."""
    with addresses.opened(), transaction() as session:
        saved = segments.named(session, segment)
        made = segments_versions.restore(
            session,
            saved.id,
            version,
            expected_version=saved.version,
            by=users.named(session, by).username,
            now=store.business_now(session),
        )
    typer.echo(f"{made.name} is as in version {version} again; that is version {made.version} now.")


@app.command()
def uses(segment: Segment, json: Json = False) -> None:  # noqa: FBT002 - a switch
    """List what uses a segment."""
    with addresses.opened(), reading() as session:
        found = segments_uses.uses(session, segments.named(session, segment).id)
    if json:
        typer.echo(jsons.dumps([one.model_dump() for one in found], indent=2))
        return
    for one in found:
        typer.echo(f"{one.kind} {one.key}: {one.name}")
    if not found:
        typer.echo("Nothing uses it.")


@app.command()
def delete(segment: Segment, yes: Yes = False, by: By = users.FIRST_USERNAME) -> None:  # noqa: FBT002 - a switch
    """Delete a segment that nothing uses; its past stays."""
    with addresses.opened(), transaction() as session:
        saved = segments.named(session, segment)
        if not yes and not typer.confirm(f"Delete {saved.name}?"):
            raise typer.Exit(1)
        person = users.named(session, by).username
        segments_uses.delete(session, saved.id, by=person, now=store.business_now(session))
    typer.echo(f"{saved.name} is deleted.")


@app.command()
def overlap(
    segments_: Annotated[list[str], typer.Argument(metavar="SEGMENT...", help="Two to eight names or ids.")],
    as_of: AsOf = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Count how many people segments share."""
    with addresses.opened(), reading() as session:
        ids = [segments.named(session, one).id for one in segments_]
        found = segments_overlap.of_saved(session, ids, now=instant(session, as_of))
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    for one in found.segments:
        typer.echo(f"{one.size:>12,}  {one.name}")
    for pair in found.pairs:
        index = "" if pair.jaccard is None else f", Jaccard {pair.jaccard:.3f}"
        typer.echo(f"{pair.both:>12,}  in both {pair.first} and {pair.second}{index}")


@app.command()
def near(segment: Segment, as_of: AsOf = None, json: Json = False) -> None:  # noqa: FBT002 - a switch
    """Show who fails exactly one condition of a segment, and by how much."""
    with addresses.opened(), reading() as session:
        definition = parse(segments.named(session, segment).definition)
        found = segments_near.near_misses(session, definition, now=instant(session, as_of))
    if json:
        typer.echo(jsons.dumps([one.model_dump(mode="json") for one in found], indent=2))
        return
    for one in found:
        typer.echo(f"{one.count:>12,}  would be in but for: {one.text}{f'; {one.said}' if one.said else ''}")
        for person in one.people:
            typer.echo(f"{'':14}{person.customer.name} (customer {person.customer.id}) {person.said}".rstrip())


@app.command()
def why(
    segment: Segment,
    customer: Annotated[str, typer.Argument(help="The customer's email address, id, phone number or name.")],
    as_of: AsOf = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Say why a customer is in a segment, or not: each condition with the fact it rests on."""
    with addresses.opened(), reading() as session:
        saved = segments.named(session, segment)
        now = instant(session, as_of)
        customer_id = customers.named(session, customer, now=now).id
        found = segments_why.why(session, parse(saved.definition), customer_id, now=now)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"Customer {customer_id} is {'' if found.member else 'not '}in {saved.name}.")
    for reason in found.reasons:
        met = None if reason.holds is None else reason.holds != reason.negated
        typer.echo(f"  {MARKS[met]:<8}{'not ' if reason.negated else ''}{reason.text}: {reason.fact}")


@app.command()
def snapshot(
    segment: Segment,
    name: Annotated[str, typer.Option("--name", help="What to call the list.")],
    as_of: AsOf = None,
    by: By = users.FIRST_USERNAME,
) -> None:
    """Freeze who is in a segment, or was, into a list that can be used like a segment."""
    with addresses.opened(), transaction() as session:
        made = segments_lists.snapshot(
            session,
            segments.named(session, segment).id,
            name=name,
            by=users.named(session, by).username,
            now=store.business_now(session),
            as_of=instant(session, as_of) if as_of else None,
        )
    typer.echo(f"{made.name} is segment {made.id}: {made.audience_size:,} people, who stay the same.")


@app.command()
def export(
    segment: Segment,
    file: Annotated[Path, typer.Argument(help="The file to write: .csv or .parquet.")],
    columns: Annotated[str, typer.Option("--columns", help="Attributes and metrics, with commas between.")] = "",
    by: By = users.FIRST_USERNAME,
) -> None:
    """Write a segment's members to a CSV or Parquet file; the audit log says who did."""
    form = FORMS.get(file.suffix.lower())
    if form is None:
        raise Invalid("export_format", f"{file.name} is neither .csv nor .parquet.", "Name the file so.", "file")
    with addresses.opened(), transaction() as session:
        made = segments_export.export(
            session,
            segments.named(session, segment).id,
            file,
            form=form,
            by=users.named(session, by).username,
            now=store.business_now(session),
            chosen=[name.strip() for name in columns.split(",") if name.strip()],
        )
    typer.echo(f"{file}: {made.people:,} people with {', '.join(made.columns)}")


def _table(*names: str) -> Table:
    numbers = {"Id", "Size", "Came", "Went", "Version"}
    return Table(*(Column(name, justify="right" if name in numbers else "left") for name in names), box=None)


def _plain(value: BaseModel | None) -> Any:
    return value.model_dump(mode="json") if value else None
