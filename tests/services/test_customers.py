"""Is exactly the customer found who was named, and shown masked?"""

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid
from services import customers
from tests.planted import NOW, Planted


@pytest.fixture
def shop(session: Session) -> Planted:
    """Ann, Bob and another Bob."""
    shop = Planted.store(session)
    shop.person("Ann", last_name="Lee", phone="+12025550101", external_id="C-7")
    shop.person("Bob", last_name="Ray")
    shop.person("Bobby", last_name="Ray", email="other@example.com")
    session.flush()
    return shop


@pytest.mark.parametrize(
    "named",
    [
        {"email": " ANN@example.com "},
        {"phone": "(202) 555-0101"},
        {"phone": "+1 202 555 0101"},
        {"id": "C-7"},
        {"name": "ann  LEE"},
        {"name": "Ann"},
        {"name": "Ann", "email": "ann@example.com"},
    ],
)
def test_a_customer_is_found_by_what_is_known_of_them(shop: Planted, named: dict[str, str]) -> None:
    (found,) = customers.find(shop.session, now=NOW, **named)
    assert (found.id, found.name, found.email) == (shop.ids["Ann"], "Ann L.", "a•••@example.com")


def test_a_customer_is_found_by_our_id(shop: Planted) -> None:
    (found,) = customers.find(shop.session, now=NOW, id=str(shop.ids["Bob"]))
    assert found.id == shop.ids["Bob"]


@pytest.mark.parametrize("named", [{"email": "ann@"}, {"phone": "call me"}, {"id": "9" * 30}, {"name": "An%"}])
def test_what_is_not_exactly_right_finds_nobody(shop: Planted, named: dict[str, str]) -> None:
    assert customers.find(shop.session, now=NOW, **named) == []


def test_nobody_named_is_refused(shop: Planted) -> None:
    with pytest.raises(Invalid) as refused:
        customers.find(shop.session, now=NOW)
    assert refused.value.code == "nobody_named"
