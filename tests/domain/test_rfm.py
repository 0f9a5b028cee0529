"""Does every field of the grid belong to exactly one group, and does a catalog say what its revenue is?"""

import pytest

from domain import rfm
from domain.errors import Invalid, NotFound
from services import catalog


def test_every_field_belongs_to_exactly_one_group() -> None:
    for field in rfm.fields():
        assert [group.key for group in rfm.GROUPS.values() if group.holds(*field)] == [rfm.group_of(*field).key]
    assert len(list(rfm.fields())) == 25


def test_groups_have_the_names_that_the_grid_gives_them() -> None:
    named = {(5, 5): "champions", (4, 4): "loyal", (5, 1): "new", (2, 4): "at_risk", (1, 5): "cannot_lose"}
    assert {field: rfm.group_of(*field).key for field in named} == named
    with pytest.raises(NotFound):
        rfm.group_of(0, 5)


def test_the_monetary_value_is_the_money_that_purchases_add_up_to() -> None:
    store = catalog.file("store")
    assert rfm.revenue(store) == "ltv"
    with pytest.raises(Invalid, match="no buyers"):
        rfm.revenue(store.model_copy(update={"buyers": None}))
    with pytest.raises(Invalid, match="no revenue"):
        rfm.revenue(store.model_copy(update={"metrics": {}}))
