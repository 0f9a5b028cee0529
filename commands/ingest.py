"""How does a shop bring along what it has: a file, a look at what was understood, a report that adds up?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from db import addresses
from db.session import transaction
from domain.errors import Invalid
from domain.ingest.columns import MEANINGS
from domain.ingest.report import Report
from services import ingest

app = typer.Typer(no_args_is_help=True, help="Bring in what a shop has: its orders.")

SHOWN = 12


@app.callback()
def bring() -> None:
    """Bring in what a shop has: its orders."""


@app.command()
def orders(  # noqa: PLR0913 - each is an option
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with one line per product bought.")],
    *,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="A field's column, for example price=UnitPrice; may be repeated.")
    ] = None,
    email_template: Annotated[
        str | None, typer.Option(help="Makes addresses where the file has none, for example {id}@example.com.")
    ] = None,
    consent: Annotated[
        Literal["subscribed", "pending", "none"] | None,
        typer.Option(help="Email consent of everybody the file does not say it of."),
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of the amounts, for example GBP.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone of the times, for example Europe/London.")] = None,
    dates: Annotated[
        Literal["dmy", "mdy"] | None, typer.Option(help="Whether the day or the month comes first.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a CSV that cannot be told.")] = None,
    rate: Annotated[
        list[str] | None, typer.Option(help="Worth of another currency in the store's, for example EUR=1.08.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the store, where there is none yet.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Import the order lines of another shop system. The same file again changes nothing."""
    choices = ingest.Choices(
        columns=_pairs(columns or [], "map"),
        email_template=email_template,
        consent=consent,
        currency=currency.upper() if currency else None,
        time_zone=time_zone,
        date_order=dates,
        encoding=encoding,
        rates={code.upper(): _decimal(worth) for code, worth in _pairs(rate or [], "rate").items()},
        name=name,
    )
    shown = Console(stderr=True)
    with addresses.opened(), _bar(shown) as bar, transaction() as session:
        task = bar.add_task(f"Reading {file.name}", total=None)

        def progress(done: int, whole: int) -> None:
            reading = done < whole
            bar.update(task, completed=done, total=whole, description="Reading" if reading else "Writing")

        report = ingest.orders(session, file, choices, now=datetime.now(UTC), actor="command line", progress=progress)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _print(report)


def _pairs(written: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in written:
        name, separator, value = text.partition("=")
        if not separator or not name.strip() or not value.strip():
            raise Invalid("option_invalid", f"--{option} {text!r} is not NAME=VALUE.", f"Write --{option} a=b.", option)
        pairs[name.strip()] = value.strip()
    return pairs


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise Invalid("rate_invalid", f"{text!r} is no number.", "Write for example --rate EUR=1.08.", "rate")
    return number


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _print(report: Report) -> None:
    console = Console(markup=False, highlight=False)
    console.print(f"\n{report.store}: {report.lines:,} lines of {report.file} ({report.format})\n", style="bold")
    understood = Table("What", "Column", box=SIMPLE_HEAD)
    for name, heading in report.columns.items():
        understood.add_row(f"{MEANINGS[name]} ({name})", escape(heading))
    console.print(understood)
    console.print("Another one: --map field=Column", style="dim")
    console.print(_sums(report))
    for line in _pointed_out(report):
        console.print(line)
    changes = [f"{count:,} {table.replace('_', ' ')} added" for table, count in report.added.items() if count]
    changes += [f"{count:,} {table} changed" for table, count in report.changed.items() if count]
    console.print(f"\n{', '.join(changes) or 'Nothing changed: all of this was here already'}.")
    if report.added["orders"] or report.added["refunds"]:
        console.print(f"Revenue {report.revenue:,.2f} {report.currency}, refunded {report.refunded:,.2f}.")
    for note in report.notes:
        console.print(f"- {note}", style="dim")


def _sums(report: Report) -> Table:
    sums = Table("", "Lines that are", box=SIMPLE_HEAD)
    for heading in ("Lines", "Pieces", "Amount"):
        sums.add_column(heading, justify="right")
    for bucket in report.buckets:
        fate = "taken" if bucket.taken else "set aside"
        sums.add_row(fate, bucket.meaning, f"{bucket.lines:,}", f"{bucket.quantity:,}", f"{bucket.amount:,.2f}")
    sums.add_section()
    sums.add_row("", "the file", f"{report.lines:,}", f"{report.quantity:,}", f"{report.amount:,.2f}")
    return sums


def _pointed_out(report: Report) -> Iterator[str]:
    if report.codes_set_aside:
        yield "\nNot products:"
    for code in report.codes_set_aside[:SHOWN]:
        yield f"  {code.code}  {code.title}  ({code.lines:,} lines, {code.reason})"
    if len(report.codes_set_aside) > SHOWN:
        yield f"  and {len(report.codes_set_aside) - SHOWN:,} more; --json lists all"
    if report.odd_prices:
        odd = report.odd_prices[0]
        yield (
            f"\n{len(report.odd_prices):,} prices are far above what the product usually costs and were taken, "
            f"for example {odd.code} at {odd.price:,} instead of {odd.usual:,}."
        )
    for trouble, count in report.unreadable.items():
        yield f"\nUnreadable: {trouble} ({count:,} lines; the first are {report.unreadable_lines})"
