"""Which companies are about to buy? A CRM's working copy, its companies in tiers, and the facts behind them."""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from db import crm_demo, prospects, verdicts
from db.segments_tiers import latest
from db.working_copies import copied
from domain.alerts import HIGH
from domain.errors import Conflict, Invalid, ParleyError
from domain.intent import Boundary, Company, Facts, Key, Publication, Visit
from domain.tiers import Tiers, inclusive
from domain.verdicts import Verdict
from services import datasets, sources
from services import tiers as sets
from services.datasets import Dataset
from services.sources import Source

DATASET, TIERS = "crm", "intent"
PATIENCE = timedelta(seconds=10)
"""How long a new working copy is waited for, should somebody open it at once."""

EXAMPLES = 3
"""So many of the latest visits and publications are shown of a company."""
Example = TypeVar("Example", Visit, Publication)

EACH = 50
"""Publications, and visits, per company of an invented CRM."""


@dataclass(frozen=True)
class Report:
    """The companies of a CRM in tiers on a day, and the rule of each tier in English."""

    as_of: date
    boundary: Boundary
    rules: dict[str, str]
    counts: dict[str, int]
    companies: list[Company]


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

    The copy appears when it is whole, and only of a file that is a CRM; the verdicts on addresses in a copy that it
    replaces are taken over. Raises Conflict (``file_exists``) unless ``force``, and as ``services.datasets.open_file``
    and ``db.working_copies.copied``.
    """
    if work.exists() and source.exists() and work.samefile(source):
        raise Invalid("same_file", f"{work} is the source itself", "give another place for the copy", "work")
    if not force:
        _check_free(work)
    with datasets.open_file(DATASET, source) as opened:
        tables = {name: sa.select(sa.func.count().label("n")).select_from(sa.table(name)) for name in crm_demo.TABLES}
        counted = {name: opened.file.rows(count)[0]["n"] for name, count in tables.items()}
        schema = prospects.schema(opened.file, opened.catalog.schemas)
    known = _verdicts(work)
    copied(source, work)
    if known:
        verdicts.write(work, schema, known, PATIENCE)
    return counted


def companies(dataset: Dataset, *, as_of: date, boundary: Boundary = Boundary.STRICT) -> list[Company]:
    """Every company of an open CRM in its tier on a day, the best tier first, the most active first within it.

    Raises as ``services.datasets.open_file``, Unavailable (``too_slow``).
    """
    rule, source = rules(boundary), _source(dataset, as_of)
    for view in ("visit", "news"):
        dataset.file.keep(view)
    visits = _examples(source, rule, "visits_last_7_days", "visit", "email", Visit)
    news = _examples(source, rule, "news_last_30_days", "news", "headline", Publication)
    found = [
        Company(
            id=one.id,
            address=one.shown["address"],
            domain=one.shown["domain"],
            tier=one.tier,
            facts=Facts(
                visits_last_7_days=one.shown["visits_last_7_days"],
                news_last_7_days=one.shown["news_last_7_days"],
                news_last_30_days=one.shown["news_last_30_days"],
                last_visit_on=_ago(as_of, one.shown["days_since_last_visit"]),
                last_news_on=_ago(as_of, one.shown["days_since_last_news"]),
                visits=visits.get(one.id, ()),
                news=news.get(one.id, ()),
            ),
        )
        for one in sets.place(source, rule)
    ]
    places = {tier.name: i for i, tier in enumerate(rule.tiers)}
    return sorted(found, key=lambda company: (places[company.tier], *_liveliness(company)))


def report(work: Path, *, as_of: date, boundary: Boundary) -> Report:
    """The tiers of a working copy with the rules they follow. Raises as ``companies``."""
    with datasets.open_file(DATASET, work) as dataset:
        source, rule = _source(dataset, as_of), rules(boundary)
        found = companies(dataset, as_of=as_of, boundary=boundary)
    said = {name: source.said(definition) for name, definition in rule.conditions}
    counted = Counter(company.tier for company in found)
    return Report(
        as_of=as_of,
        boundary=boundary,
        rules={tier.name: said.get(tier.name, "all others") for tier in rule.tiers},
        counts={tier.name: counted[tier.name] for tier in rule.tiers},
        companies=found,
    )


def high(dataset: Dataset, *, as_of: date, boundary: Boundary = Boundary.STRICT) -> set[Key]:
    """The ids of the companies of high intent on a day. Raises as ``companies``."""
    definition = dict(rules(boundary).conditions)[HIGH]
    return set(datasets.member_ids(dataset, definition, now=_noon(dataset, as_of)))


def rules(boundary: Boundary) -> Tiers:
    """The tiers of buying intent, read with or without the day exactly N days ago."""
    shipped = sets.shipped(TIERS)
    return inclusive(shipped) if boundary is Boundary.INCLUSIVE else shipped


def _verdicts(work: Path) -> list[Verdict]:
    """The verdicts in a file that is about to be replaced; none where it is no CRM, or not there."""
    with contextlib.suppress(ParleyError), datasets.open_file(DATASET, work) as old:
        return list(prospects.verdicts(old.file).values())
    return []


def _check_free(path: Path) -> None:
    if path.exists():
        fix = "give another place, or replace it with --force"
        raise Conflict("file_exists", f"there is already a file {path}", fix, "work")


def _source(dataset: Dataset, as_of: date) -> Source:
    return sources.of_dataset(dataset, now=_noon(dataset, as_of))


def _noon(dataset: Dataset, day: date) -> datetime:
    """An instant on that day in the dataset's zone; what is dated by day needs no more."""
    return datetime.combine(day, time(12), dataset.zone)


def _examples(
    source: Source, rule: Tiers, figure: str, activity: str, told_by: str, kind: Callable[[date, Any], Example]
) -> dict[Key, tuple[Example, ...]]:
    """The latest few deeds of each company within the window of a figure."""
    during = next(one.during for one in rule.figures if one.name == figure)
    found: dict[Key, tuple[Example, ...]] = defaultdict(tuple)
    for row in source.rows(latest(activity, [told_by], during, source.scope, most=EXAMPLES)):
        found[row["id"]] += (kind(row["at"], row[told_by]),)
    return found


def _ago(as_of: date, days: int | None) -> date | None:
    return None if days is None else as_of - timedelta(days=days)


def _liveliness(company: Company) -> tuple[Any, ...]:
    facts = company.facts
    latest_news = -facts.last_news_on.toordinal() if facts.last_news_on else 0
    return -facts.visits_last_7_days, -facts.news_last_30_days, latest_news, company.domain or "~", str(company.id)
