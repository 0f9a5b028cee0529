"""How well does the planner understand? Our own cases on seeded shops, or anybody's on the store at hand."""

import json as jsons
from pathlib import Path
from typing import Annotated

import typer

from commands import new_app
from commands.instants import as_of as instant
from db import addresses
from db.session import reading
from domain.errors import Unavailable
from evals.cases import load
from evals.measures import share
from evals.outside import judged

app = new_app()

Cases = Annotated[
    Path | None,
    typer.Option(
        "--cases",
        help='Ask the store at hand; JSON Lines of {"id", "text", "gold_sql"|"gold_definition"|"expected_action"}.',
    ),
]


@app.command("eval")
def evaluate(
    cases: Cases = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Ask as of a past date or instant.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write the verdicts here instead of printing.")
    ] = None,
) -> None:
    """Measure how often English becomes the right segment."""
    if cases is None:
        _own()
        return
    wanted = load(cases)
    with addresses.opened(), reading() as session:
        found = judged(session, wanted, instant(session, as_of))
    text = jsons.dumps(found, indent=1, ensure_ascii=False, default=str)
    if output is None:
        typer.echo(text)
        return
    output.write_text(text + "\n", encoding="utf-8")
    right = share(case["correct"] for case in found["cases"])
    typer.echo(f"{right['hits']} of {right['n']} right; written to {output}")


def _own() -> None:
    """Our own cases need the evaluation library, which only a development environment has."""
    try:
        from evals.__main__ import main  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        fix = "Run `make eval`, or ask cases of your own with --cases."
        raise Unavailable("no_evaluation_library", f"{error.name} is not installed here.", fix) from None
    main()
