"""What do tests of services ask? The module's own ``shop``, on either engine."""

from collections.abc import Iterator

import pytest

from services import datasets, sources, store
from services.sources import Source
from tests.planted import NOW, Planted


@pytest.fixture(scope="module", params=["postgres", "duckdb"])
def source(shop: Planted, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """The module's shop, once as PostgreSQL knows it and once as its export to DuckDB."""
    if request.param == "postgres":
        yield sources.of_store(shop.session, now=NOW)
        return
    file = tmp_path_factory.mktemp("export") / "store.duckdb"
    store.export(shop.session, file)
    with datasets.open_dataset("store", file) as dataset:
        yield sources.of_dataset(dataset, now=NOW)
