"""What does a message say to these recipients, and whom does it say nothing to?"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from db import catalog, store
from db import recipients as rows
from domain import templates
from domain.errors import NotFound
from domain.templates import Content, Frame, Problem, Rendered

_BOUGHT = ("customer.last_product", "customer.last_category", "customer.last_order_at")
_WORDS = {"first_name": "first name", "last_name": "last name", "email": "email address", "phone": "phone number",
          "last_product": "last order", "last_category": "last order", "last_order_at": "last order"}  # fmt: skip


def custom_names(session: Session) -> frozenset[str]:
    """The names of the custom attributes that a template can read as ``customer.custom.<name>``."""
    return frozenset(catalog.custom_kinds(session))


def contexts(session: Session, customer_ids: Sequence[int], variables: Collection[str]) -> dict[int, Mapping[str, Any]]:
    """What a template with these variables is rendered with, by customer id."""
    found = rows.facts(session, customer_ids)
    if any(name in variables for name in _BOUGHT):
        for customer_id, bought in rows.last_bought(session, customer_ids).items():
            found[customer_id].update(bought)
    return {customer_id: {"customer": facts} for customer_id, facts in found.items()}


def frame(session: Session, *, message_class: str, unsubscribe_url: str | None = None) -> Frame:
    """What surrounds a message of this store. Raises NotFound (``no_store``) before the store is set up."""
    found = store.current(session)
    if found is None:
        raise NotFound("no_store", "No store is set up yet.", "Load the demo store, or import your own data.")
    return Frame(found.sender_name, found.postal_address, message_class, unsubscribe_url)


def render(session: Session, content: Content, customer_ids: Sequence[int], *, frame: Frame) -> dict[int, Rendered]:
    """The message as each of these customers would see it. Raises Invalid for a broken template."""
    template = templates.compiled(content)
    found = contexts(session, customer_ids, template.variables)
    return {
        customer_id: templates.render(template, found[customer_id], frame)
        for customer_id in customer_ids
        if customer_id in found
    }


def missing_fallbacks(
    session: Session, content: Content, customer_ids: Sequence[int], *, step: int | None = None
) -> list[Problem]:
    """A warning for each placeholder without a default that is unknown of some recipients, with their number.

    ``step`` is the message's place among the flow's messages, counted from 1, as people count; None outside a flow.
    """
    where = f" in step {step}" if step else ""
    bare = sorted(templates.compiled(content).bare)
    unknown = rows.unknown(session, customer_ids, [name.removeprefix("customer.") for name in bare])
    return [
        Problem(
            path=name,
            message=f"{number:,} of {len(customer_ids):,} recipients have no {_WORDS.get(key, key.replace('_', ' '))}: "
            f"a fallback is needed{where}.",
            fix=f'Write {{{{ {name} | default: "{"there" if key == "first_name" else "..."}" }}}}.',
            level="warning",
        )
        for name in bare
        for key in [name.removeprefix("customer.")]
        if (number := unknown.get(key, 0))
    ]
