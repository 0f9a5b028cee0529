"""Who in a CRM might business development be told about, and what speaks for each?"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from db import prospects
from domain.alert_messages import Reasons
from domain.alerts import HIGH, INTENT_DAYS, Day, Facts, episode_start
from domain.intent import lies_within
from domain.prospects import Prospect
from services import datasets, intent

Value = TypeVar("Value")


def read(path: Path, day: Day) -> list[Prospect]:
    """Every contact of a CRM's file, with what the file says of it on that day; the file is closed again.

    Raises as ``services.datasets.open_file``.
    """
    with datasets.open_file(intent.DATASET, path) as dataset:
        tiers = {one.id: one for one in intent.companies(dataset, as_of=day.as_of, boundary=day.boundary)}
        high = [key for key, company in tiers.items() if company.tier == HIGH]
        contacts, verdicts = prospects.contacts(dataset.file), prospects.verdicts(dataset.file)
        contacted = prospects.contacted(dataset.file, day.as_of)
        visits = prospects.visits(dataset.file, high, day.as_of)
        news = prospects.news(dataset.file, high, day.as_of)
    began = {key: _began(visits.get(key, ()), news.get(key, ()), day) for key in high}
    found = []
    for contact in contacts:
        key, email = contact.company_id, contact.email or ""
        company, tier = (tiers[key].domain or f"company {key}", tiers[key].tier) if key in tiers else ("", "")
        facts = Facts(tier, verdicts.get(email), contacted.get(email), began.get(key))
        why = Reasons(company, _recent(visits.get(key, ()), day), _recent(news.get(key, ()), day), facts.contacted_on)
        found.append(Prospect(contact, company, facts, why if key in began else None))
    return found


def _began(visits: Sequence[tuple[date, int]], news: Sequence[tuple[date, str | None]], day: Day) -> date | None:
    return episode_start((on for on, _ in visits), (on for on, _ in news), day.as_of, day.boundary)


def _recent(dated: Sequence[tuple[date, Value]], day: Day) -> list[tuple[date, Value]]:
    return [(on, what) for on, what in dated if lies_within(on, INTENT_DAYS, day.as_of, day.boundary)]
