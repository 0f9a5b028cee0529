"""Can people be written down, changed and erased, and is nothing left of who was erased?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db.audit import AuditEntry
from db.base import Row
from db.consent import Suppression
from db.customers import Customer, Tag
from domain.customers import Details, parse
from domain.errors import Conflict, Invalid, NotFound
from domain.segments import parse as parse_segment
from services import approvals, customers, enrollments, segments
from services.users import Person
from tests.planted import NOW, Planted
from tests.services.test_flows import FIRST, start

MARKETER = Person(1, "mara", "marketer")


@pytest.fixture
def shop(session: Session) -> Planted:
    """A store with Ann, who is subscribed."""
    shop = Planted.store(session)
    shop.person("Ann", region="Texas")
    shop.consent("Ann", "subscribed", timedelta(days=100))
    return shop


def write(session: Session, **fields: Any) -> int:
    """A new customer."""
    return customers.create(session, parse(fields), by="mara", now=NOW)


def test_a_customer_is_written_down_changed_and_cleared(session: Session, shop: Planted) -> None:
    bea = write(session, email=" Bea@Example.com ", first_name="Bea", tags=["vip"], address={"city": "Rome"})
    assert customers.known(session, bea)["email"] == "bea@example.com"
    changed = parse({"first_name": "Beatrice", "tags": ["wholesale"], "address": {"city": "Turin", "country": "IT"}})
    known = customers.update(session, bea, changed, by="mara", now=NOW)
    assert (known["first_name"], known["tags"], known["address"]["city"]) == ("Beatrice", ["wholesale"], "Turin")
    assert known["email"] == "bea@example.com"
    cleared = customers.update(session, bea, parse({"first_name": "", "address": None}), by="mara", now=NOW)
    assert (cleared["first_name"], cleared["address"]) == (None, None)
    assert session.scalars(select(Tag.until_at).where(Tag.name == "vip")).one() == NOW
    notes = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"customer:{bea}")).all()
    assert [note.action for note in notes] == ["customer.created", "customer.updated", "customer.updated"]
    assert "Beatrice" not in str([note.detail for note in notes])


@pytest.mark.parametrize(
    ("raw", "path", "fix"),
    [
        ({"email": "bea"}, "email", "ada@example.com"),
        ({"phone": "555"}, "phone", "+12025550123"),
        ({"time_zone": "Mars"}, "time_zone", "Europe/Berlin"),
        ({"birthday": "soon"}, "birthday", "1990-05-17"),
        ({"address": {"country": "Italy"}}, "address.country", "two letters"),
        ({"shoe": 1}, "shoe", "Known: external_id"),
    ],
)
def test_what_cannot_be_a_value_is_refused_by_its_field(raw: dict[str, Any], path: str, fix: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(raw)
    assert (refused.value.code, refused.value.path) == ("customer_invalid", path)
    assert fix in refused.value.fix


def test_nobody_is_there_twice_and_nobody_without_a_way_to_tell_who(session: Session, shop: Planted) -> None:
    with pytest.raises(Conflict) as taken:
        write(session, email="ANN@example.com")
    assert (taken.value.code, taken.value.path) == ("customer_exists", "email")
    with pytest.raises(Invalid, match="who this is"):
        write(session, first_name="Bea")
    with pytest.raises(NotFound):
        customers.update(session, 10**9, Details(), by="mara", now=NOW)


def test_of_who_was_erased_nothing_is_left_but_the_hash_that_keeps_them_alone(session: Session, shop: Planted) -> None:
    shop.person("Quillon", region="Texas")
    shop.consent("Quillon", "subscribed", timedelta(days=100))
    shop.order("Quillon", 20, timedelta(days=3), items={"Kettle": "Kitchen"})
    start(session, steps=[FIRST])
    enrollments.advance(session, NOW)
    ann = shop.ids["Quillon"]
    asked = approvals.propose(
        session, "customer", {"action": "delete", "customer_id": ann}, by="mara", now=NOW, trace_id="t"
    )
    done = approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=NOW)
    assert done.approval.result == {"erased": ann}
    assert session.get(Customer, ann) is None
    for table in Row.metadata.sorted_tables:
        held = session.scalar(
            select(func.count()).select_from(table).where(text(f"{table.name}::text ilike '%quillon%'"))
        )
        assert not held, table.name
    assert {row.reason for row in session.scalars(select(Suppression))} == {"erased"}
    again = write(session, email="quillon@example.com", first_name="Quillon")
    shop.ids["Quillon"] = again
    shop.consent("Quillon", "subscribed", timedelta(days=1))
    reachable = parse_segment({"where": {"type": "reachable", "channel": "email"}})
    assert segments.size(session, reachable, now=NOW) == 1  # Ann alone


def test_a_change_is_approved_as_it_was_shown_and_void_when_the_record_moved(session: Session, shop: Planted) -> None:
    ann = shop.ids["Ann"]

    def propose(**values: Any) -> approvals.Approval:
        proposal = {"action": "update", "customer_id": ann, "values": values}
        return approvals.propose(session, "customer", proposal, by="mara", now=NOW, trace_id="t")

    first, second = propose(last_name="Lee"), propose(last_name="Low")
    assert (first.proposal["before"], first.proposal["values"]) == ({"last_name": None}, {"last_name": "Lee"})
    done = approvals.decide(session, first.id, first.digest, "approve", by=MARKETER, now=NOW)
    assert done.approval.result == {"customer_id": ann}
    late = approvals.decide(session, second.id, second.digest, "approve", by=MARKETER, now=NOW)
    assert (late.approval.status, customers.known(session, ann)["last_name"]) == ("void", "Lee")
    assert "last name" in late.message
