"""What was counted beforehand, and of whom does it hold as of the instant asked about?

A row of an activity's figures holds as of every instant after it was settled. Of all others the rows themselves are
counted, so the answer is the same as if nothing had been kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from db.segments_activities import Occurrences, Stretch
from db.segments_tables import TYPES, Value
from domain.catalog import Figures

TIMES = {"days_since_last": "latest", "days_since_first": "earliest"}
"""Measures that follow from the time of the last one, or of the first."""

Measure = tuple[str, str | None]


def with_figures(
    rows: Occurrences, wanted: Sequence[Measure], counted: sa.Select[Any], tables: Mapping[str, sa.TableClause]
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """``counted``, which has the key and the measures wanted, but for whom the activity's figures have all of them.

    They are of all time and of everything that was done; for less than that, it is all counted.
    """
    figures = rows.activity.figures
    if figures is None or rows.stretch != Stretch(rows.stretch.activity):
        return counted
    table = tables[figures.table].alias()
    columns = [_column(rows, figures, table, *one) for one in wanted]
    named = [column.label(f"m{i}") for i, column in enumerate(columns) if column is not None]
    if len(named) < len(columns):
        return counted
    of, settled = table.c[rows.activity.entity_column], table.c[figures.settled]
    as_of = sa.literal(rows.scope.as_of, TYPES["instant"])
    some = table.c[figures.columns["count"]] > 0
    kept = sa.select(of.label("id"), *named).where(settled < as_of, some)
    return sa.union_all(kept, counted.where(rows.of.in_(sa.select(of).where(settled >= as_of))))


def _column(rows: Occurrences, figures: Figures, table: sa.FromClause, measure: str, of: str | None) -> Value | None:
    name = figures.columns.get(TIMES.get(measure, f"{measure} {of}" if of else measure))
    if name is None:
        return None
    return rows.days_since(table.c[name]) if measure in TIMES else table.c[name]
