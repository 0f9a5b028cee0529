"""Runs all cases and writes the report: ``python -m evals``."""

import sys

from evals.cases import HELD_OUT, development, named
from evals.harness import everything
from evals.reports import markdown, written


def main() -> None:
    """Run, write, and print the tables."""
    figures = everything({"development": development(), "held out": named(HELD_OUT)})
    path = written(figures)
    sys.stdout.write("\n".join(markdown(figures)) + f"\n\nwritten to {path}\n")


if __name__ == "__main__":
    main()
