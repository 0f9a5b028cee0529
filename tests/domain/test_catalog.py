"""Is a catalog that cannot be meant refused where it is read?"""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.catalog import Activity

ORDER: dict[str, Any] = {
    "label": "order",
    "table": "orders",
    "entity_column": "customer_id",
    "time_column": "ordered_at",
    "properties": {"total": {"label": "total", "kind": "money", "at": {"column": "total"}}},
}


def _activity(columns: dict[str, str], **more: Any) -> Activity:
    figures = {"table": "order_figures", "settled": "settled_at", "columns": columns}
    return Activity.model_validate({**ORDER, "figures": figures, **more})


def test_figures_name_a_count_and_measures_of_properties() -> None:
    assert _activity({"count": "orders", "sum total": "total"}).figures


@pytest.mark.parametrize(
    ("columns", "more", "says"),
    [
        ({"sum total": "total"}, {}, "column for the count"),
        ({"count": "orders", "sum totl": "total"}, {}, "did you mean total"),
        ({"count": "orders"}, {"time_kind": "date"}, "has instants"),
    ],
)
def test_figures_that_do_not_fit_their_activity_are_refused(
    columns: dict[str, str], more: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        _activity(columns, **more)
