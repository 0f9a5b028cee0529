"""Does a sentence reach the data whose words it uses: the store's, or a dataset's file?"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from agent.answers import Answer, ask
from services import catalog, datasets, intent, sources, tiers
from tests.planted import NOW, Planted

DAY = datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop(lasting: Session) -> Planted:
    planted = Planted.store(lasting)
    planted.person("Ada", region="Texas")
    lasting.flush()
    return planted


@pytest.fixture
def crm(shop: Planted) -> Iterator[dict[str, int]]:
    """A CRM in the store's folder; how many companies are in each tier."""
    path = datasets.place(catalog.file("crm"))
    path.parent.mkdir(parents=True, exist_ok=True)
    intent.demo(path, companies=60, as_of=DAY.date(), seed=1)
    with datasets.open_dataset("crm") as opened:
        yield tiers.count(sources.of_dataset(opened, now=NOW), tiers.shipped("intent"))


def asked(shop: Planted, text: str) -> Answer:
    return ask(text, session=shop.session, now=NOW)


def test_words_that_only_another_dataset_has_are_asked_there(shop: Planted, crm: dict[str, int]) -> None:
    found = asked(shop, "accounts that were in the news in the last 30 days")
    assert found.definition is not None
    assert (found.definition["dataset"], found.audience_size) == ("crm", crm["HIGH"] + crm["MEDIUM"])
    assert "companies" in found.text
    assert "dataset crm" in found.text


def test_what_the_store_understands_stays_with_the_store(shop: Planted, crm: dict[str, int]) -> None:
    found = asked(shop, "customers in Texas")
    assert found.definition is not None
    assert (found.definition["dataset"], found.audience_size) == ("store", 1)
    assert asked(shop, "customers who like jazz").action == "refuse", "nobody's words stay nobody's"


def test_figures_of_a_dataset_are_its_own(shop: Planted, crm: dict[str, int]) -> None:
    everyone = asked(shop, "how many companies have no news publication?")
    assert everyone.figures is not None
    assert 0 < everyone.figures["value"] < sum(crm.values())
    assert "companies" in everyone.text


def test_without_its_file_a_dataset_is_not_asked(shop: Planted) -> None:
    assert asked(shop, "accounts that were in the news in the last 30 days").action in {"clarify", "refuse"}
