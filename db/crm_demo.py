"""What does a sales team's CRM look like, in a DuckDB file, with everything that is odd in real ones?

Each company plays a role that fixes its answer: what is drawn besides cannot change it. The roles stand in
``planted.companies`` with the tier they lead to in both readings of "within the last N days" (N days ago left out, or
counted), and ``planted.contacts`` says how each contact was written to. Nobody in it exists: the domains are reserved
for examples, the telephone numbers for fiction, and Gmail gives out no address with an underscore.
"""

import tempfile
from datetime import date
from pathlib import Path

import duckdb

from db.duck import CONFIG, quoted
from domain.demo.names import COMPANY_BEGINNINGS, COMPANY_ENDINGS, LAST, MEN, WOMEN

TABLES = ("companies", "contacts", "news_publications", "website_visits", "outreach_emails")
SQL = Path(__file__).with_suffix(".sql")


def write(
    path: Path, *, companies: int, as_of: date, seed: int, news: int, visits: int, schema: str = "crm"
) -> dict[str, int]:
    """Write a CRM of so many companies, with about so many publications and visits, as a new file.

    An existing file is replaced at the end. Returns the number of rows by table.
    """
    variables = {
        "companies": companies,
        "news": news,
        "visits": visits,
        "as_of": as_of,
        "seed": seed,
        "beginnings": COMPANY_BEGINNINGS,
        "endings": COMPANY_ENDINGS,
        "firsts": WOMEN["en"] + MEN["en"],
        "lasts": LAST["en"],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / "made.duckdb"
        with duckdb.connect(made, config=CONFIG) as connection:
            connection.execute(f"create schema if not exists {quoted(schema)}")
            connection.execute(f"use {quoted(schema)}")
            for name, value in variables.items():
                connection.execute(f"set variable {name} = ?", [value])
            connection.execute(SQL.read_text(encoding="utf-8"))
            counts = {name: _count(connection, name) for name in TABLES}
        made.replace(path)
    return counts


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    found = connection.execute(f"select count(*) from {table}").fetchone()  # noqa: S608 - our names
    return int(found[0]) if found else 0
