"""Which pages does who see, and what can be done from them?"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from console import site
from console.attempts import MOST, Attempts
from db import audit, store
from db.session import transaction
from domain.errors import Forbidden
from domain.segments import parse
from services import approvals, segments, users
from settings import settings
from tests.planted import NOW, Planted

PASSWORD = "four words in a row"
PAGES = ("/", "/approvals", "/segments", "/campaigns", "/flows", "/templates", "/customers", "/outbox")
NASTY = '<script>alert("x")</script>'
TEXANS = {
    "version": 1,
    "dataset": "store",
    "where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"},
}


@pytest.fixture
def shop(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PARLEY_POSTGRES_URL", database)
    settings.cache_clear()
    with transaction() as session:
        planted = Planted.store(session)
        planted.person("Wilma", region="Texas", last_name=NASTY)
        planted.consent("Wilma", "subscribed", timedelta(days=90))
        planted.order("Wilma", 120, timedelta(days=20), items={f"Mug {NASTY}": "mugs"})
        for name, role in (("ana", "marketer"), ("vic", "viewer")):
            users.add(session, name, PASSWORD, role, actor="test")  # type: ignore[arg-type]
    yield database
    settings.cache_clear()


@pytest.fixture
def browser(shop: str) -> Iterator[TestClient]:
    with TestClient(site.create(), follow_redirects=False) as client:
        yield client


def sign_in(browser: TestClient, name: str = "ana") -> TestClient:
    answer = browser.post("/login", data={"username": name, "password": PASSWORD})
    assert answer.status_code == 303
    return browser


def proof_in(html: str) -> str:
    return html.split('name="proof" value="')[1].split('"', maxsplit=1)[0]


def proposed(session: Session) -> approvals.Approval:
    made = {"name": "Texans", "definition": TEXANS}
    return approvals.propose(session, "segment", made, by="ana", now=store.business_now(session), trace_id="t")


@pytest.mark.parametrize("page", [*PAGES, "/customers/1", "/segments/1", "/flows/1", f"/approvals/{uuid.UUID(int=1)}"])
def test_nobody_sees_a_page_without_signing_in(browser: TestClient, page: str) -> None:
    answer = browser.get(page)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_something_and_may_load_only_our_own_things(browser: TestClient, page: str) -> None:
    answer = sign_in(browser).get(page)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert "<h1" in answer.text


def test_a_wrong_password_is_told_and_opens_nothing(browser: TestClient) -> None:
    answer = browser.post("/login", data={"username": "ana", "password": "a wrong password"})
    assert answer.status_code == 403
    assert "do not match an account" in answer.text
    assert browser.get("/").status_code == 303


def test_after_signing_in_one_goes_on_to_where_one_wanted_but_never_elsewhere(browser: TestClient) -> None:
    for wanted, gone in (
        ("/segments", "/segments"),
        ("//elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("/login", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
    ):
        answer = browser.post("/login", data={"username": "ana", "password": PASSWORD, "next": wanted})
        assert answer.headers["location"] == gone


def test_the_sign_in_cookie_is_out_of_reach_for_scripts_and_other_sites(browser: TestClient) -> None:
    cookie = browser.post("/login", data={"username": "ana", "password": PASSWORD}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_signing_out_needs_our_own_form_and_ends_the_sign_in(browser: TestClient) -> None:
    token = proof_in(sign_in(browser).get("/").text)
    assert browser.post("/logout", data={"proof": "guessed"}).status_code == 403
    assert browser.get("/").status_code == 200
    assert browser.post("/logout", data={"proof": token}).status_code == 303
    assert browser.get("/").status_code == 303


def test_the_proof_of_another_sign_in_is_worth_nothing(browser: TestClient) -> None:
    token = proof_in(sign_in(browser, "vic").get("/").text)
    browser.cookies.clear()
    assert sign_in(browser).post("/logout", data={"proof": token}).status_code == 403


def test_what_customers_are_called_is_shown_as_text(browser: TestClient) -> None:
    sign_in(browser)
    for page in ("/customers", "/customers?q=wilma", "/customers/1"):
        html = browser.get(page).text
        assert "Wilma" in html
        assert "&lt;script&gt;" in html
        assert NASTY not in html


def test_customers_are_found_by_parts_of_name_and_address(browser: TestClient) -> None:
    sign_in(browser)
    assert "Wilma" in browser.get("/customers?q=wil+example.com").text
    assert "Nobody matches" in browser.get("/customers?q=fred").text
    assert "Nobody matches" in browser.get("/customers?q=%25").text


def test_a_proposal_is_shown_and_approved_once(browser: TestClient) -> None:
    with transaction() as session:
        waiting = proposed(session)
    page = sign_in(browser).get(f"/approvals/{waiting.id}")
    assert "Approve and save" in page.text
    form = {"proof": proof_in(page.text), "digest": waiting.digest, "decision": "approve"}
    assert browser.post(f"/approvals/{waiting.id}", data=form).status_code == 303
    assert "Approved</b> by <b>ana</b>" in browser.get(f"/approvals/{waiting.id}").text
    assert "Texans" in browser.get("/segments").text
    again = browser.post(f"/approvals/{waiting.id}", data=form)
    assert again.status_code == 409
    assert "approved already" in again.text


def test_a_proposal_that_changed_since_it_was_shown_is_not_approved(browser: TestClient) -> None:
    with transaction() as session:
        waiting = proposed(session)
    token = proof_in(sign_in(browser).get("/").text)
    form = {"proof": token, "digest": "0" * 64, "decision": "approve"}
    assert browser.post(f"/approvals/{waiting.id}", data=form).status_code == 409
    with transaction() as session:
        assert approvals.get(session, waiting.id).status == "pending"


def test_a_viewer_looks_and_decides_nothing(browser: TestClient) -> None:
    with transaction() as session:
        waiting = proposed(session)
    page = sign_in(browser, "vic").get(f"/approvals/{waiting.id}")
    assert "Approve and save" not in page.text
    form = {"proof": proof_in(page.text), "digest": waiting.digest, "decision": "approve"}
    assert browser.post(f"/approvals/{waiting.id}", data=form).status_code == 403


def test_a_template_is_written_tried_saved_changed_and_deleted(browser: TestClient) -> None:
    token = proof_in(sign_in(browser).get("/templates/new").text)
    words = {"proof": token, "name": "Welcome", "subject": "Hello {{ customer.first_name }}", "body": "News."}
    tried = browser.post("/templates/preview", data=words)
    assert "Hello Wilma" in tried.text
    wrong = browser.post("/templates", data={**words, "body": "{{ customer.frist_name }}"})
    assert wrong.status_code == 422
    assert "Did you mean customer.first_name?" in wrong.text
    assert "{{ customer.frist_name }}" in wrong.text
    saved = browser.post("/templates", data=words).headers["location"]
    assert browser.post(saved, data={**words, "body": "More.", "version": 1}).status_code == 303
    stale = browser.post(saved, data={**words, "body": "Mine.", "version": 1})
    assert "Version 2 of Welcome was saved meanwhile" in stale.text
    assert "saving makes version 3" in browser.get(f"{saved}?version=1").text
    assert browser.post(f"{saved}/delete", data={"proof": token}).status_code == 303
    assert "No template yet" in browser.get("/templates").text


def test_a_campaign_is_made_in_a_form_approved_and_followed(browser: TestClient) -> None:
    with transaction() as session:
        saved = segments.save(session, name="Texans", definition=parse(TEXANS), by="ana", now=NOW)
    page = sign_in(browser).get("/campaigns/new").text
    wanted = {"proof": proof_in(page), "segment": saved.id, "subject": "Hello", "body": "News for {{ customer.who }}."}
    refused = browser.post("/campaigns/new", data=wanted)
    assert refused.status_code == 422
    assert "There is no customer.who." in refused.text
    card = browser.post("/campaigns/new", data={**wanted, "body": "News."}).headers["location"]
    digest = browser.get(card).text.split('name="digest" value="')[1].split('"', maxsplit=1)[0]
    browser.post(card, data={"proof": wanted["proof"], "digest": digest, "decision": "approve"})
    assert "Texans" in browser.get("/campaigns").text
    log = browser.get("/campaigns/1").text
    assert "Wilma" in log
    assert NASTY not in log


def test_a_customer_is_added_edited_and_erased(browser: TestClient) -> None:
    token = proof_in(sign_in(browser).get("/customers/new").text)
    form = {"proof": token, "first_name": "Bea", "email": "bea@example.com", "phone": "(202) 555-0123", "city": "Rome"}
    wrong = browser.post("/customers", data={**form, "email": "bea"})
    assert wrong.status_code == 422
    assert "ada@example.com" in wrong.text
    page = browser.post("/customers", data=form).headers["location"]
    assert "+12025550123" in browser.get(page).text
    taken = browser.post(page, data={**form, "email": "wilma@example.com"})
    assert "Somebody else has the email wilma@example.com." in taken.text
    assert browser.post(page, data={**form, "phone": "", "tags": "vip, wholesale"}).status_code == 303
    changed = browser.get(page).text
    assert "vip, wholesale" in changed
    assert "+12025550123" not in changed
    assert 'value="Rome"' in browser.get(f"{page}/edit").text
    assert browser.post(f"{page}/erase", data={"proof": token}).status_code == 303
    assert browser.get(page).status_code == 404


def test_a_chosen_letter_can_take_the_place_of_the_list(browser: TestClient) -> None:
    one = uuid.uuid4()
    with transaction() as session:
        session.execute(
            text("""
                with made as (
                    insert into messages (customer_id, id, decision_key, channel, message_class, step, trace_id, state,
                                          due_at, expires_at, attempt)
                    values (1, :id, 'k', 'email', 'marketing', 0, 't', 'accepted', now(), now(), 1) returning id)
                insert into message_contents (customer_id, message_id, sender, recipient, subject, preview, body_text,
                                              body_html, headers)
                select 1, :id, 'us', 'wilma@example.com', 'Hello', '', 'Hi', '', '{}'
            """),
            {"id": one},
        )
    listed = sign_in(browser).get("/outbox").text
    chosen = browser.get(f"/outbox?message=1.{one}").text
    assert ('class="mailbox"' in listed, 'class="mailbox chosen"' in chosen) == (True, True)
    assert "All messages" in chosen


def test_a_viewer_reads_templates_and_changes_none(browser: TestClient) -> None:
    token = proof_in(sign_in(browser, "vic").get("/templates").text)
    assert browser.get("/templates/new").status_code == 403
    assert browser.post("/templates", data={"proof": token, "name": "Mine", "body": "News."}).status_code == 403


def test_the_clock_of_a_real_store_is_not_offered_and_not_moved(browser: TestClient) -> None:
    page = sign_in(browser).get("/").text
    assert "+10 days" not in page
    answer = browser.post("/clock", data={"days": 10}, headers={"x-proof": proof_in(page)})
    assert answer.status_code == 403
    assert "Only the demo" in answer.text


def test_the_demo_clock_is_moved_by_a_button(browser: TestClient) -> None:
    with transaction() as session:
        found = store.current(session)
        assert found is not None
        found.demo = True
    page = sign_in(browser).get("/").text
    assert "+10 days" in page
    answer = browser.post("/clock", data={"days": 10}, headers={"x-proof": proof_in(page), "hx-request": "true"})
    assert "10 days ahead" in answer.text


def test_a_page_that_is_not_there_says_so_and_leads_back(browser: TestClient) -> None:
    sign_in(browser)
    for page in ("/nowhere", "/customers/999", "/flows/999", f"/approvals/{uuid.uuid4()}", f"/outbox/1/{uuid.uuid4()}"):
        answer = browser.get(page)
        assert answer.status_code == 404, page
        assert "Go to the first page" in answer.text


def test_a_malformed_address_says_what_is_wrong_with_it(browser: TestClient) -> None:
    answer = sign_in(browser).get("/customers?number=none")
    assert answer.status_code == 422
    assert "Number" in answer.text


def test_a_failure_nobody_foresaw_is_told_without_its_insides(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("services.overview.figures", fail)
    answer = sign_in(browser).get("/")
    assert answer.status_code == 500
    assert "failed on our side" in answer.text
    assert "inside" not in answer.text


def test_a_refusal_within_a_page_is_a_note_in_its_corner(browser: TestClient) -> None:
    token = proof_in(sign_in(browser).get("/").text)
    answer = browser.post("/clock", data={"days": 10}, headers={"x-proof": token, "hx-request": "true"})
    assert answer.headers["hx-retarget"] == "#notes"
    assert "Only the demo" in answer.text


def test_too_many_wrong_passwords_shut_the_door_for_a_while_for_that_person_only() -> None:
    attempts = Attempts()
    for _ in range(MOST):
        attempts.require_one_left(("here", "ana"), NOW)
        attempts.failed(("here", "ana"), NOW)
    with pytest.raises(Forbidden, match="Too many"):
        attempts.require_one_left(("here", "ana"), NOW)
    attempts.require_one_left(("here", "ben"), NOW)
    attempts.require_one_left(("here", "ana"), NOW + timedelta(minutes=16))


def test_moving_the_clock_is_in_the_audit_log(browser: TestClient) -> None:
    with transaction() as session:
        found = store.current(session)
        assert found is not None
        found.demo = True
    token = proof_in(sign_in(browser).get("/").text)
    browser.post("/clock", data={"days": 1}, headers={"x-proof": token})
    with transaction() as session:
        moved = session.query(audit.AuditEntry).filter_by(action="clock.advanced").one()
        assert moved.actor == "ana"
        assert moved.at <= datetime.now(UTC)
