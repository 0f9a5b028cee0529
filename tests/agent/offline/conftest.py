"""Which words does the planner know in these tests? The store's catalog with some values, and another dataset's."""

from datetime import date

import pytest

from agent.offline.lexicon import Lexicon, build
from domain.catalog import Attribute, Catalog, Place
from domain.shipped_terms import shipped
from services import catalog

TODAY = date(2026, 6, 15)

VALUES = {
    "state": ("Texas", "California", "New York", "Georgia", "England", "Bavaria"),
    "city": ("Austin", "Houston", "New York", "Berlin", "London", "Munich"),
    "country": ("US", "DE", "GB", "FR", "CA"),
    "language": ("en", "de", "fr"),
    "gender": ("female", "male"),
    "acquisition_source": ("instagram", "google ads", "referral"),
}
PROPERTIES = {
    "product": (
        "House Blend 250 g",
        "House Blend 1 kg",
        "Swiss Water Decaf 250 g",
        "Hand Grinder Steel Burr",
        "Gooseneck Kettle",
        "Electric Gooseneck Kettle",
        "Moka Pot 6 Cup",
        "Tasting Box, 4 Coffees",
    ),
    "category": ("Coffee Beans", "Grinders", "Brewers", "Gift Sets", "Mugs and Glassware"),
    "coupon": ("WELCOME10", "COMEBACK15"),
    "source": ("web", "app", "phone"),
}
TAGS = ("vip", "wholesale", "loyalty-club")


def store_catalog() -> Catalog:
    """The store's catalog with values, a custom attribute of each kind, and a custom event."""
    base = catalog.file("store")
    custom = {
        "favourite_roast": Attribute(
            label="favourite roast", kind="text", at=Place(column="custom", key="r"), values=("dark", "light")
        ),
        "loyalty_points": Attribute(label="loyalty points", kind="number", at=Place(column="custom", key="p")),
        "owns_machine": Attribute(label="owns machine", kind="boolean", at=Place(column="custom", key="m")),
    }
    attributes = {
        name: entry.model_copy(update={"values": VALUES.get(name, ())}) for name, entry in base.attributes.items()
    }
    activities = {
        name: activity.model_copy(
            update={
                "properties": {
                    key: entry.model_copy(update={"values": PROPERTIES.get(key, ())})
                    for key, entry in activity.properties.items()
                }
            }
        )
        for name, activity in base.activities.items()
    }
    return base.model_copy(update={"attributes": {**attributes, **custom}, "activities": activities, "currency": "USD"})


@pytest.fixture(scope="session")
def words() -> Lexicon:
    """The lexicon of that store."""
    return build(store_catalog(), shipped(), tags=TAGS, segments={"Spring buyers": 7})
