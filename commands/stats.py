"""What do the numbers look like, of everyone or of a segment, in the store or in a dataset?"""

import json as jsons
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Lines

from commands import new_app
from commands.instants import as_of as instant
from commands.segments import AsOf, DatasetName, Engine, Json
from db import addresses
from db.session import reading
from domain.errors import Invalid
from domain.segments import Definition, Member, parse
from domain.segments_english import money
from domain.windows import Window
from services import comparison, datasets, rfm, sources, stats
from services.figures import Figures, Question, What, answer
from services.sources import Source

app = new_app("Statistics: percentiles, top values, trends, comparisons and RFM groups.")

Of = Annotated[
    str | None, typer.Option("--segment", help="Of a segment only: a definition as JSON, or a saved segment's number.")
]
Last = Annotated[str | None, typer.Option("--last", help="Only what happened in the last 90d, 12w, 6mo, 1y ...")]
MetricName = Annotated[str, typer.Argument(help="A metric of the catalog, for example ltv.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100, help="How many rows.")]


@app.command()
def percentiles(
    metric: MetricName,
    at: Annotated[str, typer.Option("--at", help="Which percentiles, with commas.")] = "10,25,50,75,90,95,99",
    segment: Of = None,
    last: Last = None,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Give exact percentiles of a metric."""
    with _source(dataset, as_of, engine) as source:
        entry = source.catalog.metric(metric, "metric")
        narrowed: dict[str, Any] = {"definition": _definition(segment, source), "during": _during(last)}
        found = stats.percentiles(source, metric, _numbers(at), **narrowed)
    if json:
        typer.echo(jsons.dumps({"metric": metric, "percentiles": found}))
        return
    rows = [(f"{mark}th", _said(value, entry.kind, source.catalog.currency)) for mark, value in found.items()]
    _print(f"{entry.label}, percentiles", ("percentile", entry.label), rows)


@app.command()
def distribution(
    name: Annotated[str, typer.Argument(help="A metric or an attribute of the catalog.")],
    segment: Of = None,
    last: Last = None,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Show how a metric is spread, or how many have each value of an attribute."""
    with _source(dataset, as_of, engine) as source:
        what = "metric" if name in source.catalog.metrics else "attribute"
        _answer(source, "distribution", segment, last, json=json, **{what: name})


@app.command()
def top(  # noqa: PLR0913, PLR0917 - an option each
    name: Annotated[str, typer.Argument(help="An attribute, a property of --activity, or a metric of the people.")],
    activity: Annotated[str | None, typer.Option("--activity", help="Whose property it is, for example item.")] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="people, deeds (the default), or a number of the activity to add up.")
    ] = None,
    limit: Limit = stats.TOP,
    segment: Of = None,
    last: Last = None,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Rank the values of an attribute or a property, or the people with the most of a metric."""
    with _source(dataset, as_of, engine) as source:
        what = "property" if activity else "attribute" if name in source.catalog.attributes else "metric"
        slots = {what: name, "activity": activity, "by": by, "limit": limit}
        _answer(source, "top", segment, last, json=json, **slots)


@app.command()
def trend(
    name: Annotated[str, typer.Argument(help="An activity, a metric, or an attribute that is a day.")],
    per: Annotated[stats.Unit, typer.Option("--per", help="How long each stretch is.")] = "month",
    first: Annotated[bool, typer.Option("--first", help="Count only who did it for the first time.")] = False,  # noqa: FBT002
    segment: Of = None,
    last: Last = None,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Follow orders, revenue, new customers or any event over time."""
    with _source(dataset, as_of, engine) as source:
        catalog = source.catalog
        what = "activity" if name in catalog.activities else "metric" if name in catalog.metrics else "attribute"
        _answer(source, "trend", segment, last, json=json, **{what: name, "first": first, "interval": per})


@app.command()
def compare(
    one: Annotated[str, typer.Argument(help="A definition as JSON, or a saved segment's number.")],
    other: Annotated[str | None, typer.Argument(help="Another one; everyone without it.")] = None,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Compare two segments, and say which differences are more than chance."""
    with _source(dataset, as_of, engine) as source:
        found = comparison.compare(source, _definition(one, source), _definition(other, source))
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    title = f"{found.one.of} ({found.one.people:,}) against {found.other.of} ({found.other.people:,})"
    rows = [
        (each.label, *(_said(value, each.kind, found.currency) for value in each.median), each.verdict)
        for each in found.metrics
    ]
    rows += [(each.label, *(f"{share:.1%}" for share in each.share), each.verdict) for each in found.shares]
    _print(title, ("median, or share", "the first", "the second", "the first is"), rows)


@app.command("rfm")
def grid(
    segment: Of = None,
    dataset: DatasetName = None,
    as_of: AsOf = None,
    engine: Engine = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Show the groups of the RFM grid: how many buyers, and what they are worth."""
    with _source(dataset, as_of, engine) as source:
        found = rfm.table(source, definition=_definition(segment, source))
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    rows = [
        (
            each.label,
            f"{each.people:,}",
            f"{each.share:.1%}",
            money(each.revenue, found.currency),
            f"{each.revenue_share:.1%}",
        )
        for each in found.groups
    ]
    _print(f"{found.buyers:,} buyers of {found.of}", ("group", "buyers", "share", "revenue", "share of revenue"), rows)


@contextmanager
def _source(dataset: str | None, as_of: str | None, engine: str | None) -> Iterator[Source]:
    """The store, its export, or a dataset's file, as of the instant asked about."""
    name = dataset or "store"
    if engine == "postgres" and name != "store":
        fix = "Leave out --engine, or say --engine duckdb."
        raise Invalid("wrong_engine", f"The dataset {name} is a DuckDB file.", fix, "engine")
    with addresses.opened(), reading() as session:
        now: datetime = instant(session, as_of)
        if engine != "duckdb" and name == "store":
            yield sources.of_store(session, now=now)
            return
    with datasets.open_dataset(name) as opened:
        yield sources.of_dataset(opened, now=now)


def _definition(given: str | None, source: Source) -> Definition | None:
    """A file's definition, or one that means a saved segment."""
    if given is None:
        return None
    if given.isdecimal():
        return Definition(dataset=source.catalog.dataset, where=Member(id=int(given)))
    try:
        return parse({"dataset": source.catalog.dataset, **jsons.loads(Path(given).read_text(encoding="utf-8"))})
    except (OSError, ValueError, TypeError) as error:
        raise Invalid(
            "definition_unreadable", f"{given} is no JSON file: {error}", "Check its name and content."
        ) from None


def _during(last: str | None) -> Window | None:
    try:
        return Window(last=last) if last else None
    except ValueError:
        fix = "Write for example 60d, 12h, 8w, 6mo or 1y."
        raise Invalid("not_a_duration", f"{last!r} is not a length of time.", fix, "last") from None


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise Invalid("not_a_percentile", f"{text!r} is no list of numbers.", "For example 50,90.", "at") from None


def _answer(source: Source, what: What, segment: str | None, last: str | None, *, json: bool, **slots: Any) -> None:
    question = Question(what=what, definition=_definition(segment, source), during=_during(last), **slots)
    found = answer(source, question)
    if json:
        typer.echo(found.model_dump_json(indent=2, exclude_none=True))
        return
    head, rows = _rows(found)
    _print(f"{found.label}, {found.of}{f', {found.during}' if found.during else ''}", head, rows)


def _rows(found: Figures) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    kind, currency = found.kind, found.currency
    if found.distribution:
        spread = found.distribution
        return (found.label, "people"), [
            (f"from {_said(one.low, kind, currency)}", f"{one.people:,}") for one in spread.bins
        ]
    return (found.label, found.counted), [
        (row.label if row.whole else f"{row.label} (in part)", _said(row.value, kind, currency)) for row in found.rows
    ]


def _said(value: float | None, kind: str, currency: str) -> str:
    if value is None:
        return "not known"
    if kind == "money":
        return money(round(value, 2), currency)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _print(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = Lines(title=title, title_justify="left", box=None, pad_edge=False)
    for place, name in enumerate(head):
        lines.add_column(name, justify="right" if place else "left")
    for row in rows:
        lines.add_row(*row)
    Console().print(lines)
