"""Which companies are about to buy, and who is told?"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from typer.core import TyperGroup

from commands import alerts
from domain.catalog import suggestion
from domain.errors import Invalid, ParleyError, Unavailable
from domain.intent import Boundary, Company
from services import intent

FAILED, REFUSED = 1, 2
FILE_IN_USE = "file_in_use"


class OneLine(TyperGroup):
    """Says what is wrong in one line. A file that cannot be used is the caller's to mend, like any wrong input."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; refusals end with 2, what may work later with 1."""
        try:
            return super().invoke(ctx)
        except ParleyError as error:
            typer.echo("; ".join(" ".join(part.split()) for part in (error.message, error.fix) if part), err=True)
            later = isinstance(error, Unavailable) and error.code != FILE_IN_USE
            raise typer.Exit(FAILED if later else REFUSED) from None


app = typer.Typer(
    cls=OneLine,
    help="Buying intent: companies in tiers, from a CRM in a DuckDB file.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Work = Annotated[Path, typer.Option("--work", help="The working copy that parley intent init made.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that counts as today.")]
Reading = Annotated[
    Boundary,
    typer.Option("--boundary", help="Whether the day exactly N days ago is within the last N days: inclusive, or not."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer as one JSON document.")]


@app.command()
def demo(
    file: Annotated[Path, typer.Argument(help="The DuckDB file to write.")],
    companies: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many companies.")] = 1_000,
    as_of: Day = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same companies.")] = 7,
    news: Annotated[int | None, typer.Option(min=0, help="About so many publications; 50 per company.")] = None,
    visits: Annotated[int | None, typer.Option(min=0, help="About so many website visits; 50 per company.")] = None,
) -> None:
    """Write an invented CRM with all that is odd in real ones, and its answers under the schema planted."""
    written = intent.demo(file, companies=companies, as_of=day(as_of), seed=seed, news=news, visits=visits)
    typer.echo(f"{file}: {_listed(written)}")


@app.command()
def init(
    source: Annotated[Path, typer.Argument(help="The CRM's DuckDB file; it is read and never changed.")],
    work: Work,
    force: Annotated[bool, typer.Option("--force", help="Replace a working copy that is there.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Copy a CRM to work on; the copy appears when it is whole."""
    typer.echo(f"{work}: {_listed(intent.init(source, work, force=force))}")


@app.command()
def tiers(
    work: Work,
    as_of: Day = None,
    boundary: Reading = Boundary.STRICT,
    tier: Annotated[str | None, typer.Option("--tier", help="List one tier only, for example HIGH.")] = None,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """List every company with its tier and the facts behind it, the most likely buyers first."""
    found = intent.report(work, as_of=day(as_of), boundary=boundary)
    if tier is not None:
        found = replace(found, companies=_of_tier(found, tier))
    if json:
        sys.stdout.buffer.write(TypeAdapter(intent.Report).dump_json(found, indent=2) + b"\n")
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in found.counts.items())
    typer.echo(f"As of {found.as_of}, boundary {found.boundary}: {counts}")
    for name, rule in found.rules.items():
        typer.echo(f"  {name:<8}{rule}")
    if found.companies:
        typer.echo("\n" + "\n".join(_table(found.companies)))


@app.command()
def validate(
    work: Work,
    as_of: Day = None,
    boundary: Reading = Boundary.STRICT,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a file that another process has.")] = 60,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Verify the addresses of companies with high intent, and write the verdicts into the working copy.

    Exit code 1 when an address was left without an answer; run it again for those.
    """
    if not alerts.validate(work, day(as_of), boundary, wait, json=json):
        raise typer.Exit(FAILED)


@app.command()
def alert(
    work: Work,
    as_of: Day = None,
    boundary: Reading = Boundary.STRICT,
    endpoint: Annotated[
        str | None, typer.Option(help="Where to post alerts, in place of the configured target.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide about everybody and tell nobody.")] = False,  # noqa: FBT002 - a switch
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Tell business development about contacts with high intent and a valid address, each once.

    Exit code 1 when an alert failed and the next run will try it again.
    """
    if not alerts.alert(work, day(as_of), boundary, endpoint, dry_run=dry_run, json=json):
        raise typer.Exit(FAILED)


def _of_tier(found: intent.Report, tier: str) -> list[Company]:
    named = {name.lower(): name for name in found.counts}
    if tier.lower() not in named:
        raise Invalid("unknown_tier", f"there is no tier {tier!r}", suggestion(tier, found.counts), "tier")
    return [company for company in found.companies if company.tier == named[tier.lower()]]


def _table(companies: list[Company]) -> Iterator[str]:
    """A line per company; days are those of the last visit and publication, of whatever age."""
    width = max(len(str(company.id)) for company in companies)
    domains = max(len(company.domain or "") for company in companies)
    head = f"{'company':>{max(width, 7)}}  {'domain':<{domains}}"
    yield f"{'tier':<8}{head}  visits 7 d  {'last visit':<10}  news 7 d   30 d  {'last news':<10}  headline"
    for company in companies:
        facts = company.facts
        yield (
            f"{company.tier:<8}{company.id!s:>{max(width, 7)}}  {_printable(company.domain or ''):<{domains}}"
            f"  {facts.visits_last_7_days:>10,}  {facts.last_visit_on or '-'!s:<10}"
            f"  {facts.news_last_7_days:>8,}  {facts.news_last_30_days:>5,}  {facts.last_news_on or '-'!s:<10}"
            f"  {_printable(facts.news[0].headline or '') if facts.news else ''}"
        ).rstrip()


def _printable(text: str) -> str:
    """Somebody else's words on one line, without signs that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def day(as_of: datetime | None) -> date:
    """``--as-of``, or today in UTC, which the CRM's days are in."""
    return (as_of or datetime.now(UTC)).date()


def _listed(rows: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in rows.items())
