"""How does the whole store leave for analysis? As one DuckDB file that can be asked with the same definitions."""

import json
from pathlib import Path

from sqlalchemy.orm import Session

from db import duck_export, flows, store, topics
from db.segments_tables import tables
from services import catalog as catalogs

FILE = "store.duckdb"
"""The export's name under the home folder, where ``--engine duckdb`` looks for it."""


def export(session: Session, path: Path) -> dict[str, int]:
    """Write what segments can ask to a DuckDB file, replacing an older one; returns the rows by table."""
    catalog = catalogs.current(session)
    found = store.current(session)
    about = {
        "catalog": catalog.model_dump_json(),
        "time_zone": found.time_zone if found else "UTC",
        "flows": json.dumps(flows.names(session)),
        "topics": json.dumps(topics.labels(session)),
    }
    names = (*tables(catalog), *duck_export.INTERVAL_TABLES)
    return duck_export.write(session, path, names, about=about)
