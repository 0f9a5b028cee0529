"""What does a CRM file hold about contacts: their addresses and the verdicts on them, outreach, and reasons to write?

Everything is asked of the views of ``datasets/crm.toml``; the verdicts lie beside the file's own tables, in
``email_validations``.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from db.duck import DuckFile
from domain.intent import Contact, Key
from domain.verdicts import Status, Verdict

VALIDATIONS = "email_validations"


def schema(file: DuckFile, schemas: Sequence[str]) -> str:
    """Which of the schemas the file's contacts lie in."""
    query = "select schema_name from duckdb_tables() where lower(table_name) = 'contacts' and not internal"
    found = {name for (name,) in file.run(query).fetchall()}
    return next(name for name in schemas if name in found)


def contacts(file: DuckFile) -> list[Contact]:
    """Everybody, by company and then in their own order."""
    query = "select id, company_id, first_name, last_name, email, phone from contact order by company_id, id"
    return [Contact(*row) for row in file.run(query).fetchall()]


def verdicts(file: DuckFile) -> dict[str, Verdict]:
    """What is known of addresses, by address; nothing before the first validation."""
    there = file.run("select 1 from duckdb_tables() where table_name = ?", [VALIDATIONS]).fetchall()
    if not there:
        return {}
    rows = file.run(f"select email, status, reason, checked_at, provider from {VALIDATIONS}").fetchall()  # noqa: S608 - our name
    return {email: Verdict(email, Status(status), reason, at, by) for email, status, reason, at, by in rows}


def contacted(file: DuckFile, as_of: date) -> dict[str, date]:
    """The day of the last mail to each address, not later than ``as_of``."""
    query = 'select "to", max(sent_date_utc) from outreach where sent_date_utc <= ? group by "to"'
    return dict(file.run(query, [as_of]).fetchall())


def visits(file: DuckFile, companies: Collection[Key], as_of: date) -> Mapping[Key, Sequence[tuple[date, int]]]:
    """Day and number of visits to our website, the latest day first, by company, not later than ``as_of``."""
    query = """
        select company_id, event_date_utc, count(distinct id)
        from visit join (select unnest(?) as company_id) using (company_id) where event_date_utc <= ?
        group by company_id, event_date_utc order by company_id, event_date_utc desc
    """
    return _by_company(file.run(query, [list(companies), as_of]).fetchall())


def news(file: DuckFile, companies: Collection[Key], as_of: date) -> Mapping[Key, Sequence[tuple[date, str | None]]]:
    """Day and headline of publications, the latest first, by company, not later than ``as_of``."""
    query = """
        select company_id, publication_date_utc, any_value(headline)
        from news join (select unnest(?) as company_id) using (company_id) where publication_date_utc <= ?
        group by company_id, publication_date_utc, id order by company_id, publication_date_utc desc, id
    """
    return _by_company(file.run(query, [list(companies), as_of]).fetchall())


def _by_company(rows: Sequence[tuple[Any, ...]]) -> dict[Key, list[tuple[date, Any]]]:
    found: dict[Key, list[tuple[date, Any]]] = defaultdict(list)
    for company, day, value in rows:
        found[company].append((day, value))
    return found
