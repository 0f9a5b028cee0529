"""Which companies are about to buy, and who is told?"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from domain.errors import ParleyError, Unavailable
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


def day(as_of: datetime | None) -> date:
    """``--as-of``, or today in UTC, which the CRM's days are in."""
    return (as_of or datetime.now(UTC)).date()


def _listed(rows: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in rows.items())
