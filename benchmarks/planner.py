"""How long does the planner think about one sentence? On a coffee shop's words, and on 4,000 titles of a gift shop."""

import random
from datetime import date
from time import perf_counter

from agent.offline.lexicon import Lexicon, build
from agent.offline.parser import read
from benchmarks.table import Measured, show, times
from domain.catalog import Attribute, Catalog
from domain.demo.products import ARTICLES
from domain.shipped_terms import shipped
from evals.cases import development
from services import catalog

TODAY = date(2026, 6, 15)
RUNS = 5
MANY_TITLES = 4_000

_COLOURS = ("red", "white", "blue", "pink", "green", "ivory", "cream", "black")
_KINDS = ("heart", "star", "bird", "rose", "vintage", "retro", "spotty", "regency", "jumbo", "mini")
_THINGS = (
    "holder",
    "mug",
    "bag",
    "clock",
    "cushion",
    "bunting",
    "lantern",
    "frame",
    "cakestand",
    "tin",
    "box",
    "doormat",
)


def run() -> None:
    """Print what making a lexicon takes, and what reading takes per sentence."""
    shops = {
        "coffee shop": [article.title for article in ARTICLES],
        f"{MANY_TITLES:,} titles": _titles(),
    }
    rows = []
    for name, titles in shops.items():
        whole = _catalog(tuple(titles))
        words = build(whole, shipped())
        rows.append(Measured(f"make the lexicon, {name}", times(lambda: _fresh(whole), runs=RUNS, warm=1)))  # noqa: B023
        rows.append(Measured(f"read a sentence, {name}", _sentences(words)))
    show("planner", rows)


def _fresh(whole: Catalog) -> Lexicon:
    """A lexicon that is not remembered: of a copy of the catalog."""
    return build(whole.model_copy(), shipped())


def _sentences(words: Lexicon) -> tuple[float, ...]:
    """Milliseconds of every development case, several times over."""
    found = []
    for run_number in range(RUNS):
        for case in development():
            start = perf_counter()
            read(case.text, words, today=TODAY, previous=case.before)
            if run_number:
                found.append((perf_counter() - start) * 1000)
    return tuple(found)


def _catalog(titles: tuple[str, ...]) -> Catalog:
    """The store's catalog with titles, places and categories."""
    base = catalog.file("store")
    values = {"product": titles, "category": tuple(dict.fromkeys(article.category for article in ARTICLES))}
    places = {"state": ("Texas", "California"), "country": ("US", "DE", "GB"), "city": ("Austin", "Berlin")}

    def known(name: str, entry: Attribute) -> Attribute:
        return entry.model_copy(update={"values": values.get(name) or places.get(name, ())})

    activities = {
        name: activity.model_copy(
            update={"properties": {key: known(key, entry) for key, entry in activity.properties.items()}}
        )
        for name, activity in base.activities.items()
    }
    attributes = {name: known(name, entry) for name, entry in base.attributes.items()}
    return base.model_copy(update={"attributes": attributes, "activities": activities, "currency": "USD"})


def _titles() -> list[str]:
    """Titles such as a gift shop's, all different."""
    chance = random.Random(1)  # noqa: S311 - reproducible, not secret
    found: dict[str, None] = {}
    while len(found) < MANY_TITLES:
        parts = (chance.choice(_COLOURS), chance.choice(_KINDS), chance.choice(_THINGS), str(chance.randint(1, 40)))
        found[" ".join(parts).upper()] = None
    return list(found)
