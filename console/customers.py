"""Who are the customers, and what is known of one of them?"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from console import page
from console.visitor import Transaction, Visitor
from db import store
from services import profiles
from services.profiles import Sort

router = APIRouter(prefix="/customers")


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


@router.get("/{customer_id}")
def one(request: Request, session: Transaction, person: Visitor, customer_id: int) -> Response:
    """One customer."""
    found = profiles.profile(session, customer_id, now=store.business_now(session))
    return page.show(request, session, person, "customer.html", customer=found)
