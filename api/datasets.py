"""Which datasets are there, and what can each be asked?"""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from api.answers import REFUSALS
from api.caller import Authorized
from db.session import reading
from domain.catalog import Attribute, Catalog, Entry
from domain.errors import Invalid
from domain.operators import COMPARISONS, OPERATORS
from services import catalog as catalogs
from services import datasets

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], responses=REFUSALS)

MOST_VALUES = 50


class Listed(BaseModel):
    """A dataset: whom it is about, and whether its file is there to be asked."""

    name: str
    label: str
    description: str
    entity: str
    available: bool


class Field(BaseModel):
    """An attribute, a property or a metric: its type, and the operators that fit it.

    ``values`` are frequent ones of a text, at most 50; any other may be asked for as well.
    """

    name: str
    label: str
    description: str
    kind: str
    unit: str | None
    operators: list[str]
    values: list[str] = []


class Happening(BaseModel):
    """An activity; ``time`` is whether it has an instant or only a date."""

    name: str
    label: str
    description: str
    time: str
    properties: list[Field]


class Described(Listed):
    """What a dataset can be asked."""

    attributes: list[Field]
    activities: list[Happening]
    metrics: list[Field]
    time_zone: str
    currency: str


@router.get("")
def listed(caller: Authorized) -> dict[str, list[Listed]]:
    """The datasets that the caller may ask."""
    allowed = [name for name in catalogs.files() if not caller.datasets or name in caller.datasets]
    return {"datasets": [_listed(name) for name in allowed]}


@router.get("/{dataset}")
def described(dataset: str, caller: Authorized) -> Described:
    """Everything a definition for the dataset may name: fields with their types and operators, activities, metrics."""
    caller.require(dataset)
    if dataset == catalogs.STORE:
        with reading() as session:
            return _described(catalogs.current(session))
    with datasets.open_dataset(dataset) as opened:
        return _described(opened.catalog)


def _listed(name: str) -> Listed:
    try:
        return Listed(**_head(catalogs.file(name)))
    except Invalid as error:  # one wrong file must not hide the others
        return Listed(name=name, label=name, description=error.message, entity="", available=False)


def _head(catalog: Catalog) -> dict[str, Any]:
    return {
        "name": catalog.dataset,
        "label": catalog.label or catalog.dataset,
        "description": catalog.description,
        "entity": catalog.entity.label,
        "available": catalog.dataset == catalogs.STORE or datasets.place(catalog).is_file(),
    }


def _described(catalog: Catalog) -> Described:
    return Described(
        **_head(catalog),
        attributes=[_field(name, entry) for name, entry in catalog.attributes.items()],
        activities=[
            Happening(
                **_said(name, entry),
                time=entry.time_kind,
                properties=[_field(key, item) for key, item in entry.properties.items()],
            )
            for name, entry in catalog.activities.items()
        ],
        metrics=[
            Field(**_said(name, entry), kind=entry.kind, unit=entry.unit, operators=list(COMPARISONS))
            for name, entry in catalog.metrics.items()
        ],
        time_zone=catalog.time_zone,
        currency=catalog.currency,
    )


def _field(name: str, entry: Attribute) -> Field:
    operators = [key for key, row in OPERATORS.items() if entry.kind in row.kinds]
    values = list(entry.values[:MOST_VALUES])
    return Field(**_said(name, entry), kind=entry.kind, unit=entry.unit, operators=operators, values=values)


def _said(name: str, entry: Entry) -> dict[str, Any]:
    return {"name": name, "label": entry.label, "description": entry.description}
