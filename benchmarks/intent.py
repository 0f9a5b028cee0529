"""How long do the tiers of a large CRM take? 100,000 companies, ten million publications and visits.

The baseline is one statement written by hand for exactly these tiers, without the headlines and visitors that the
product shows beside them; both must put every company into the same tier.
"""

import tempfile
from datetime import date
from pathlib import Path
from time import perf_counter

from benchmarks.table import Measured, show, times
from db.duck import opened
from domain.intent import Boundary
from services import datasets, intent

AS_OF = date(2024, 4, 30)
COMPANIES = 100_000
RUNS = 3
SECONDS = 600.0

BY_HAND = """
with company as (
    select id, regexp_extract(lower(trim(domain)), '^(?:https?://)?(?:www[.])?([^/]*)', 1) as domain
    from companies
    where domain is not null
), contact as (
    select distinct company_id, lower(trim(email)) as email from contacts where email like '%_@_%'
), news as (
    select
        id, max(on_day) as last_on,
        bool_or(on_day > $as_of::date - 7) as week, bool_or(on_day > $as_of::date - 30) as month
    from (
        select publication_date_utc as on_day, regexp_extract(
            lower(split_part(company_website, '/', if(contains(company_website, '://'), 3, 1))),
            '^(?:www[.])?([^:?#]*)', 1
        ) as host
        from news_publications
        where publication_date_utc <= $as_of::date
    ) join company on domain = host
    group by id
), visit as (
    select id, max(on_day) as last_on, bool_or(on_day > $as_of::date - 7) as week
    from (
        select company_id as id, event_date_utc as on_day
        from website_visits as v join contact on contact.email = lower(trim(v.email))
        where event_date_utc <= $as_of::date
        union all
        select company.id, event_date_utc
        from website_visits as v join company on domain = split_part(lower(trim(v.email)), '@', 2)
        where event_date_utc <= $as_of::date and domain <> 'gmail.com'
    )
    group by id
)
select c.id, c.domain, visit.last_on, news.last_on, case
    when visit.week and news.week then 'HIGH' when news.month then 'MEDIUM' else 'LOW'
end as tier
from companies as c left join news using (id) left join visit using (id)
order by tier, id
"""


def run(*, customers: int = COMPANIES, home: Path | None = None) -> None:
    """Print what making such a file, asking it by hand, and the product's answer take; a file in ``home`` is kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = (home or Path(folder)) / f"crm-{customers}.duckdb"
        rows = []
        if not path.exists():
            start = perf_counter()
            intent.demo(path, companies=customers, as_of=AS_OF, seed=7)
            rows.append(Measured(f"make the file, {customers:,} companies", ((perf_counter() - start) * 1000,)))
        if _by_hand(path) != _product(path):
            raise AssertionError("the product and the statement by hand disagree about a tier")
        hand = Measured("", times(lambda: _by_hand(path), runs=RUNS, warm=0))
        ours = times(lambda: _product(path), runs=RUNS, warm=0)
        rows.append(Measured(f"tiers of {customers:,} companies", ours, "one statement by hand", hand.median))
        show("intent", rows)


def _by_hand(path: Path) -> dict[object, str]:
    with opened(path, ("crm", "main")) as file:
        statement = BY_HAND.replace("$as_of", f"'{AS_OF}'")
        return {row[0]: row[-1] for row in file.run(statement, seconds=SECONDS).fetchall()}


def _product(path: Path) -> dict[object, str]:
    with datasets.open_file(intent.DATASET, path) as dataset:
        found = intent.companies(dataset, as_of=AS_OF, boundary=Boundary.STRICT)
    return {company.id: company.tier for company in found}
