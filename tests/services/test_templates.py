"""Does a stored message keep its versions, and does what was approved stay whatever is edited later?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.audit import AuditEntry
from domain import flows as flow_values
from domain.errors import Conflict, Invalid, NotFound
from domain.templates import Content
from services import approvals, flows, previews, templates
from services.users import Person
from tests.planted import NOW, Planted
from tests.services.test_flows import spec, start

MARKETER = Person(1, "mara", "marketer")
HELLO = Content(subject="Hello {{ customer.first_name }}", body="News from {{ store.name }}.")


@pytest.fixture
def shop(session: Session) -> Planted:
    """Three subscribers, one of them without a name."""
    shop = Planted.store(session)
    for name in ("Ann", "Ben", "Nobody"):
        shop.person(name)
        shop.consent(name, "subscribed", timedelta(days=100))
    session.connection().exec_driver_sql("update customers set first_name = '' where first_name = 'Nobody'")
    return shop


def kept(session: Session, name: str = "Welcome", **changes: Any) -> templates.Saved:
    """A template saved by Mara."""
    return templates.save(session, name=name, channel="email", content=HELLO, by="mara", now=NOW, **changes)


def edited(session: Session, template: templates.Saved, **words: str) -> templates.Saved:
    """Its next version."""
    content = template.content.model_copy(update=words)
    return templates.update(session, template.id, content=content, expected_version=template.latest, by="mara", now=NOW)


def naming(template: templates.Saved, **more: Any) -> dict[str, Any]:
    """A step that names a template."""
    return {"type": "send", "template": {"id": template.id}, **more}


def test_every_save_that_changes_a_word_is_a_version(session: Session, shop: Planted) -> None:
    first = kept(session)
    again = edited(session, first)
    second = edited(session, first, subject="Good morning")
    assert (first.version, again.version, second.version) == (1, 1, 2)
    assert [one.content.subject for one in templates.versions(session, first.id)] == [
        "Good morning",
        "Hello {{ customer.first_name }}",
    ]
    assert first.digest != second.digest
    assert templates.get(session, first.id, 1).content == HELLO
    assert [row.action for row in session.scalars(select(AuditEntry))] == ["template.saved"] * 2


def test_two_people_do_not_overwrite_each_other(session: Session, shop: Planted) -> None:
    first = kept(session)
    edited(session, first, subject="Mine")
    with pytest.raises(Conflict, match="Version 2 of Welcome was saved meanwhile"):
        edited(session, first, subject="Yours")


@pytest.mark.parametrize(
    ("changes", "path", "fix"),
    [
        ({"body": "Hi {{ customer.frist_name }}"}, "body", "Did you mean customer.first_name?"),
        ({"subject": ""}, "subject", "Write a subject line."),
        ({"body": "{% if customer.city %}"}, "body", "close each"),
    ],
)
def test_a_message_that_cannot_be_sent_is_not_kept(
    session: Session, shop: Planted, changes: dict[str, str], path: str, fix: str
) -> None:
    with pytest.raises(Invalid) as refused:
        templates.save(
            session, name="Bad", channel="email", content=HELLO.model_copy(update=changes), by="mara", now=NOW
        )
    assert (refused.value.code, refused.value.path) == ("template_not_ready", path)
    assert fix in refused.value.fix


def test_a_name_is_taken_until_its_template_is_deleted(session: Session, shop: Planted) -> None:
    first = kept(session)
    with pytest.raises(Conflict, match="already a template 'welcome'"):
        kept(session, "welcome")
    templates.delete(session, first.id, by="mara", now=NOW)
    assert kept(session, "welcome").id != first.id
    with pytest.raises(NotFound, match="no template"):
        templates.delete(session, first.id, by="mara", now=NOW)


def test_what_was_approved_stays_however_its_template_is_edited(session: Session, shop: Planted) -> None:
    template = kept(session)
    asked = approvals.propose(
        session, "flow", {"spec": spec(steps=[naming(template)])}, by="planner", now=NOW, trace_id="t"
    )
    assert asked.proposal["spec"]["steps"][0]["subject"] == HELLO.subject
    edited(session, template, subject="Changed")
    done = approvals.decide(session, asked.id, asked.digest, "approve", by=MARKETER, now=NOW)
    assert done.approval.result is not None
    flow = flows.get(session, done.approval.result["flow_id"])
    sent = flow.parsed().sends[0][1]
    assert (sent.subject, sent.body) == (HELLO.subject, HELLO.body)
    assert sent.template == flow_values.Origin(id=template.id, version=1)
    assert [(use.flow_id, use.version) for use in templates.uses(session)[template.id]] == [(flow.id, 1)]
    assert [one.message for one in flows.problems(session, flow.parsed(), now=NOW)] == [
        "Step 1 says version 1 of Welcome; there is version 2."
    ]


def test_a_message_rewritten_by_hand_names_its_template_no_more(session: Session, shop: Planted) -> None:
    template = kept(session)
    own = flow_values.parse(spec(steps=[naming(template, subject="Mine")]))
    same = flow_values.parse(spec(steps=[naming(template, **HELLO.model_dump())]))
    rewritten, untouched = (templates.filled(session, one).sends[0][1] for one in (own, same))
    assert (rewritten.subject, rewritten.body, rewritten.template) == ("Mine", HELLO.body, None)
    assert untouched.template == flow_values.Origin(id=template.id, version=1)


def test_a_flow_cannot_name_a_template_that_is_not_there_or_of_another_channel(session: Session, shop: Planted) -> None:
    template = kept(session)
    with pytest.raises(NotFound) as missing:
        start(session, steps=[{"type": "send", "template": {"id": 10**9}}])
    assert missing.value.path == "steps.0.template"
    with pytest.raises(Invalid, match="written for email"):
        start(session, steps=[naming(template, channel="sms")])


def test_a_preview_shows_real_people_and_says_how_many_need_a_fallback(session: Session, shop: Planted) -> None:
    seen = previews.of_template(session, HELLO, "email", now=NOW)
    assert (seen.recipients, [one.subject for one in seen.samples][:2]) == (3, ["Hello Ann", "Hello Ben"])
    assert [one.message for one in seen.problems] == ["1 of 3 recipients have no first name: a fallback is needed."]
    broken = previews.of_template(session, HELLO.model_copy(update={"body": "{{ nonsense }}"}), "email", now=NOW)
    assert (broken.samples, broken.problems[0].message) == ((), "There is no nonsense.")
