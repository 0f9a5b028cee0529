"""A CRM of a few rows, written by hand, for tests."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

COLUMNS = {
    "companies": "id {key}, address varchar, domain varchar",
    "contacts": "company_id {key}, id {key}, first_name varchar, last_name varchar, email varchar, phone varchar",
    "news_publications": "id {key}, headline varchar, company_website varchar, publication_date_utc date",
    "website_visits": "id {key}, email varchar, event_date_utc date",
    "outreach_emails": 'id {key}, "to" varchar, "from" varchar, subject varchar, sent_date_utc date',
}


def write(path: Path, *, key: str = "bigint", schema: str = "crm", **tables: Sequence[Sequence[object]]) -> Path:
    """A CRM's file with these rows; tables without rows are there, and empty."""
    with duckdb.connect(path) as connection:
        connection.execute(f"create schema if not exists {path.stem}.{schema}")
        connection.execute(f"set search_path = '{path.stem}.{schema}'")
        for table, columns in COLUMNS.items():
            connection.execute(f"create table {table} ({columns.format(key=key)})")
            for row in tables.get(table, []):
                marks = ", ".join("?" for _ in row)
                connection.execute(f"insert into {table} values ({marks})", list(row))
    return path
