"""Who are the customers, what is known of one of them, and how is that written, changed and erased?"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from console import page
from console.visitor import Decider, Pressed, Transaction, Visitor
from db import store
from domain.customers import Place, parse
from domain.errors import Conflict, Invalid
from services import customers, profiles
from services.profiles import Sort
from services.users import Person

router = APIRouter(prefix="/customers")


class Written(BaseModel):
    """What the form of a customer holds, as texts; ``tags`` stand with commas between."""

    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    birthday: str = ""
    gender: str = ""
    language: str = ""
    time_zone: str = ""
    external_id: str = ""
    acquisition_source: str = ""
    acquisition_campaign: str = ""
    tags: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    def values(self) -> dict[str, Any]:
        """The form as a customer's fields."""
        said = self.model_dump()
        place = {name: said.pop(name).strip() for name in Place.model_fields}
        place["country"] = place["country"].upper()
        tags = [tag for part in said.pop("tags").split(",") if (tag := part.strip())]
        phone = customers.e164(self.phone) if self.phone.strip() else ""
        return {**said, "phone": phone, "tags": tags, "address": place if any(place.values()) else None}


@router.get("")
def listed(
    *,
    request: Request,
    session: Transaction,
    person: Visitor,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Sort = "seen",
    rising: bool = False,
    number: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Customers, fifty to a page."""
    found = profiles.listed(session, search=q.strip(), sort=sort, rising=rising, number=number)
    template = "customers_table.html" if request.headers.get("hx-target") == "customers" else "customers.html"
    return page.show(request, session, person, template, found=found, q=q.strip(), sort=sort, rising=rising)


@router.get("/new")
def new(request: Request, session: Transaction, person: Decider) -> Response:
    """An empty form."""
    return _form(request, session, person, Written())


@router.post("", dependencies=[Pressed])
def create(request: Request, session: Transaction, person: Decider, written: Annotated[Written, Form()]) -> Response:
    """Write down a new customer; what cannot be written comes back with what to mend."""
    try:
        details = parse(written.values())
        made = customers.create(session, details, by=person.username, now=store.business_now(session))
    except (Invalid, Conflict) as refused:
        return _form(request, session, person, written, refused=refused)
    return RedirectResponse(f"/customers/{made}", 303)


@router.get("/{customer_id}/edit")
def edit(request: Request, session: Transaction, person: Decider, customer_id: int) -> Response:
    """The form with what is known."""
    known = customers.known(session, customer_id)
    flat = {**known, **(known["address"] or {}), "tags": ", ".join(known["tags"])}
    texts = {name: str(flat[name]) for name in Written.model_fields if flat.get(name) is not None}
    return _form(request, session, person, Written(**texts), customer_id=customer_id)


@router.post("/{customer_id}", dependencies=[Pressed])
def change(
    request: Request, session: Transaction, person: Decider, customer_id: int, written: Annotated[Written, Form()]
) -> Response:
    """Write what the form says; what cannot be written comes back with what to mend."""
    try:
        known, said = customers.known(session, customer_id), written.values()
        details = parse({name: value for name, value in said.items() if value != (known[name] or "")})
        customers.update(session, customer_id, details, by=person.username, now=store.business_now(session))
    except (Invalid, Conflict) as refused:
        return _form(request, session, person, written, customer_id=customer_id, refused=refused)
    return RedirectResponse(f"/customers/{customer_id}", 303)


@router.post("/{customer_id}/erase", dependencies=[Pressed])
def erase(session: Transaction, person: Decider, customer_id: int) -> Response:
    """Forget a customer."""
    customers.erase(session, customer_id, by=person.username, now=store.business_now(session))
    return RedirectResponse("/customers", 303)


@router.get("/{customer_id}")
def one(request: Request, session: Transaction, person: Visitor, customer_id: int) -> Response:
    """One customer."""
    found = profiles.profile(session, customer_id, now=store.business_now(session))
    return page.show(request, session, person, "customer.html", customer=found)


def _form(
    request: Request,
    session: Session,
    person: Person,
    written: Written,
    *,
    customer_id: int | None = None,
    refused: Invalid | Conflict | None = None,
) -> Response:
    return page.show(
        request,
        session,
        person,
        "customer_form.html",
        status_code=422 if refused else 200,
        written=written,
        customer_id=customer_id,
        refused=refused,
    )
