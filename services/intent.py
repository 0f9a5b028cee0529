"""Which companies are about to buy? A CRM's working copy, its companies in tiers, and the facts behind them."""

from datetime import date
from pathlib import Path

import sqlalchemy as sa

from db import crm_demo
from db.working_copies import copied
from domain.errors import Conflict, Invalid
from services import datasets

DATASET = "crm"
EACH = 50
"""Publications, and visits, per company of an invented CRM."""


def demo(
    path: Path, *, companies: int, as_of: date, seed: int, news: int | None = None, visits: int | None = None
) -> dict[str, int]:
    """Write an invented CRM with planted answers to a new file; returns the number of rows by table.

    Raises Conflict (``file_exists``).
    """
    _check_free(path)
    return crm_demo.write(
        path,
        companies=companies,
        as_of=as_of,
        seed=seed,
        news=EACH * companies if news is None else news,
        visits=EACH * companies if visits is None else visits,
    )


def init(source: Path, work: Path, *, force: bool = False) -> dict[str, int]:
    """Make a working copy of a CRM's file, which stays as it is; returns the number of rows by table.

    The copy appears when it is whole, and only of a file that is a CRM. Raises Conflict (``file_exists``)
    unless ``force``, and as ``services.datasets.open_file`` and ``db.working_copies.copied``.
    """
    if work.exists() and source.exists() and work.samefile(source):
        raise Invalid("same_file", f"{work} is the source itself", "give another place for the copy", "work")
    if not force:
        _check_free(work)
    with datasets.open_file(DATASET, source) as opened:
        tables = {name: sa.select(sa.func.count().label("n")).select_from(sa.table(name)) for name in crm_demo.TABLES}
        counted = {name: opened.file.rows(count)[0]["n"] for name, count in tables.items()}
    copied(source, work)
    return counted


def _check_free(path: Path) -> None:
    if path.exists():
        fix = "give another place, or replace it with --force"
        raise Conflict("file_exists", f"there is already a file {path}", fix, "work")
