"""Does one sentence become messages that arrive, with every process real, and is nobody of the audience lost?"""

import json
import subprocess
import sys
import uuid
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import text

from db import store
from db.embedded import servers
from db.orders import Order
from db.session import engine, transaction
from services import flows
from settings import ROOT
from tests.e2e.browser import Visit, visit
from tests.supervised import Up, homes, until

CUSTOMERS = 2000
ASKED = "I want to improve revenue from high LTV customers that haven't purchased recently"
PATIENCE = 60_000
"""Milliseconds that a page may take on a busy machine."""

EVERY_STEP = """
    select e.customer_id, step.step, e.state as run, e.reason as left_because, m.state, m.delivery, m.reason
    from enrollments e
    cross join (select distinct step from messages where flow_version_id = :version_id) step
    left join messages m on m.customer_id = e.customer_id and m.enrollment_id = e.id and m.step = step.step
    where e.flow_version_id = :version_id
"""
"""Of each person in the audience and each message of the flow: what became of it, or why the person had left."""

Row = dict[str, Any]


@dataclass
class Job:
    """The main job as one person does it in a browser, with the database beside it to look behind the pages."""

    up: Up
    seen: Visit
    database: str

    @property
    def segment(self) -> Locator:
        """The card of the segment."""
        return self.seen.page.locator("[data-card=segment]")

    @property
    def flow(self) -> Locator:
        """The card of the flow."""
        return self.seen.page.locator("[data-card=flow]")

    def rows(self, query: str, **values: Any) -> list[Row]:
        """What the database answers."""
        with transaction(self.database) as session:
            return [dict(row) for row in session.execute(text(query), values).mappings()]

    def flow_id(self) -> int:
        """The flow that was started; there is one."""
        (row,) = self.rows("select id from flows")
        return int(row["id"])

    def status(self, flow_id: int) -> str:
        """Where the flow stands."""
        return str(self.rows("select status from flows where id = :id", id=flow_id)[0]["status"])

    def every_step(self, flow_id: int) -> list[Row]:
        """See EVERY_STEP."""
        with transaction(self.database) as session:
            return self.rows(EVERY_STEP, version_id=flows.get(session, flow_id).version_id)

    def standings(self, flow_id: int, step: int) -> Counter[str]:
        """How many people's message of a step stands where."""
        return Counter(_standing(row) for row in self.every_step(flow_id) if row["step"] == step)


@pytest.mark.browser
def test_a_sentence_becomes_messages_that_arrive_and_nobody_is_lost(browser: Browser) -> None:
    with (
        homes() as home,
        Up(home, PARLEY_DEMO="true", PARLEY_DEMO_CUSTOMERS=str(CUSTOMERS)) as up,
        servers(home) as found,
        visit(browser, up.address) as seen,
    ):
        assert up.address, up.text()
        seen.page.set_default_timeout(PATIENCE)
        job = Job(up, seen, found.postgres_url)
        size = _ask_and_change(job)
        _reload_and_restart(job, size)
        _approve_the_segment_in_the_console(job)
        _approve_the_flow_in_two_tabs(job, size)
        flow_id = job.flow_id()
        first, last = _first_message_arrives(job, flow_id, size)
        stopped = _one_unsubscribes_by_the_link_in_their_mail(job, flow_id)
        buyer = _another_one_buys(job, flow_id, stopped)
        _ten_days_pass(job, flow_id)
        _second_message_goes_to_the_rest(job, flow_id, last, {stopped: "unsubscribe", buyer: "ordered"})
        _everybody_is_accounted_for(job, flow_id, size, (first, last))
        _nothing_was_sent_twice(job, home)
        assert seen.foreign == []
        assert seen.errors == []
        engine(found.postgres_url).dispose()


def _ask_and_change(job: Job) -> int:
    """Both cards come, and both follow when the assumption behind one word is changed; answer the size they show."""
    job.seen.sign_in("admin", job.up.password, "/chat")
    job.seen.say(ASKED)
    expect(job.flow).to_be_visible(timeout=PATIENCE)
    before = _size(job.segment)
    assert _size(job.flow) == before
    recently = job.segment.locator("[data-word=recently]")
    expect(recently).to_contain_text("60 days")
    recently.click()
    recently.get_by_role("spinbutton").fill("90")
    recently.get_by_role("spinbutton").press("Enter")
    expect(recently).to_contain_text("90 days", timeout=PATIENCE)
    after = _size(job.segment)
    assert 0 < after < before
    expect(job.flow.locator(f"[data-size='{after}']")).to_be_visible(timeout=PATIENCE)
    expect(job.flow).to_contain_text("no order in the last 90 days")
    job.flow.locator("[data-act=send-now]").click()
    expect(job.flow.locator("[data-act=approve]")).to_have_text("Approve and send now", timeout=PATIENCE)
    return after


def _reload_and_restart(job: Job, size: int) -> None:
    """The cards are still there after a reload, and after the web server was killed."""
    job.seen.page.reload()
    _both_wait(job, size)
    next(process for process in job.up.everything() if "uvicorn" in process.cmdline()).kill()
    until(lambda: "starting it again" in job.up.text(), job.up.text)
    until(lambda: _answers(job.up.address), job.up.text)
    job.seen.page.reload()
    _both_wait(job, size)


def _both_wait(job: Job, size: int) -> None:
    for card in (job.segment, job.flow):
        expect(card).to_have_attribute("data-status", "pending", timeout=PATIENCE)
        assert _size(card) == size
    expect(job.flow.locator("[data-act=approve]")).to_have_text("Approve and send now")


def _approve_the_segment_in_the_console(job: Job) -> None:
    """What is decided elsewhere is seen in the chat."""
    page = job.seen.tab("/approvals")
    page.locator("tr[data-href]", has_text="Segment").get_by_role("link", name="Review").click()
    page.get_by_role("button", name="Approve and save").click()
    expect(page.locator("article.card")).to_have_attribute("data-status", "approved", timeout=PATIENCE)
    page.close()
    job.seen.page.reload()
    expect(job.segment).to_have_attribute("data-status", "approved", timeout=PATIENCE)


def _approve_the_flow_in_two_tabs(job: Job, size: int) -> None:
    """Two presses of the same button start the flow once, for the people that were shown."""
    path = job.seen.page.url.removeprefix(job.seen.address)
    other = job.seen.tab(path)
    cards = [job.flow, other.locator("[data-card=flow]")]
    for card in cards:
        expect(card.locator("[data-act=approve]")).to_be_enabled(timeout=PATIENCE)
    for card in cards:
        card.locator("[data-act=approve]").dispatch_event("click")
    for card in cards:
        expect(card).to_have_attribute("data-status", "approved", timeout=PATIENCE)
    other.close()
    (entered,) = job.rows("select count(*) as people, count(distinct customer_id) as different from enrollments")
    assert entered == {"people": size, "different": size}


def _first_message_arrives(job: Job, flow_id: int, size: int) -> tuple[int, int]:
    """Every message was handed over and has a receipt, and the flow's page says so; answer the steps of its messages.

    The stand-in reports a part of them as failed.
    """
    with transaction(job.database) as session:
        first, last = (place for place, _ in flows.get(session, flow_id).parsed().sends)
    until(lambda: _is_over(job.standings(flow_id, first)), lambda: str(job.standings(flow_id, first)))
    counts = job.standings(flow_id, first)
    assert counts["delivered"] > counts["failed"] > 0
    assert sum(counts.values()) == size
    job.flow.get_by_role("link", name="Watch it run").click()
    _shown(job.seen.page, first, counts)
    return first, last


def _one_unsubscribes_by_the_link_in_their_mail(job: Job, flow_id: int) -> int:
    """The outbox shows a mail as its recipient sees it; the link in it, used as mail programs do, ends the mails."""
    page = job.seen.tab(f"/outbox?flow={flow_id}")
    chosen = page.locator("[data-message]", has_text="Delivered").last
    chosen.click()
    expect(chosen).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-message][aria-current]")).to_have_count(1)
    expect(page.locator("#letter h2")).to_have_text(chosen.locator(".line").inner_text())
    expect(page.locator("#letter")).to_contain_text("one-click unsubscribe")
    expect(page.locator("#letter header")).to_contain_text("Delivered")
    customer_id = int(_address(page.locator("#letter header a[href^='/customers/']")).rpartition("/")[2])
    letter = page.frame_locator("#letter iframe")
    expect(letter.locator("body")).to_contain_text("Kestrel Coffee & Kitchen", timeout=PATIENCE)
    link = _address(letter.locator("a[href*='/unsubscribe/']").first)
    assert httpx.get(link).status_code == httpx.codes.OK
    assert job.rows("select * from enrollments where customer_id = :id and state <> 'waiting'", id=customer_id) == []
    assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == httpx.codes.OK
    page.close()
    return customer_id


def _another_one_buys(job: Job, flow_id: int, stopped: int) -> int:
    """An order comes in from one of those who still wait for the second message."""
    waiting = job.rows(
        "select customer_id from enrollments where flow_id = :flow_id and state = 'waiting' order by 1", flow_id=flow_id
    )
    buyer = next(int(row["customer_id"]) for row in waiting if row["customer_id"] != stopped)
    with transaction(job.database) as session:
        now = store.business_now(session)
        session.add(Order(customer_id=buyer, external_id=str(uuid.uuid4()), ordered_at=now, total=Decimal("40.00")))
    return buyer


def _ten_days_pass(job: Job, flow_id: int) -> None:
    """By the console's button, and two hours more, since ten days take longer where clocks are set back meanwhile."""
    page = job.seen.page
    assert {row["state"] for row in job.every_step(flow_id) if row["run"] == "waiting"} >= {"accepted"}
    page.get_by_role("button", name="+10 days").click()
    expect(page.locator("#clock")).to_contain_text("10 days ahead", timeout=PATIENCE)
    command = [sys.executable, "cli.py", "clock", "advance", "2h"]
    subprocess.run(command, cwd=ROOT, env=job.up.environment, check=True, capture_output=True)


def _second_message_goes_to_the_rest(job: Job, flow_id: int, last: int, gone: dict[int, str]) -> None:
    """Those who stopped or bought get nothing more and it is said why; to the others the second message is sent."""
    until(lambda: _is_over(job.standings(flow_id, last)), lambda: str(job.standings(flow_id, last)))
    counts = job.standings(flow_id, last)
    assert counts["delivered"] > counts["failed"] > 0
    theirs = {row["customer_id"]: row for row in job.every_step(flow_id) if row["step"] == last}
    for customer_id, reason in gone.items():
        assert (theirs[customer_id]["run"], theirs[customer_id]["left_because"]) == ("exited", reason)
        assert theirs[customer_id]["state"] is None
    page = job.seen.page
    until(lambda: job.status(flow_id) == "done", lambda: job.status(flow_id))
    page.reload()
    _shown(page, last, counts)
    for reason in gone.values():
        expect(page.locator(f"[data-step='{last}'] [data-reason='{reason}'] b")).to_have_text("1")
    expect(page.locator("[data-figure=in]")).to_have_text("0")
    expect(page.locator(".heading")).to_contain_text("Done")


def _everybody_is_accounted_for(job: Job, flow_id: int, size: int, steps: tuple[int, int]) -> None:
    """Of each person that the segment means, each message was delivered, failed, or left out for a reason."""
    with transaction(job.database) as session:
        saved = flows.get(session, flow_id)
        assert saved.activated_at
        audience = flows.member_ids(session, saved.parsed().audience, now=saved.activated_at)
    found = job.every_step(flow_id)
    assert len(audience) == size
    assert Counter((row["customer_id"], row["step"]) for row in found) == Counter(
        (customer_id, step) for customer_id in audience for step in steps
    )
    assert {_standing(row) for row in found} <= {"delivered", "failed", "left out"}


def _nothing_was_sent_twice(job: Job, home: Path) -> None:
    """The provider's own journal knows each message once, and none that we do not know of."""
    told = [json.loads(line) for line in (home / "vendor" / "journal.jsonl").read_text().splitlines()]
    accepted = Counter(line["id"] for line in told if line["accepted"])
    ours = job.rows("select id from messages where state = 'accepted'")
    assert accepted == Counter(str(row["id"]) for row in ours)


def _standing(row: Row) -> str:
    """What became of one message of one person; ``open`` while it can still change."""
    if row["state"] == "accepted":
        return {"delivered": "delivered", "opened": "delivered", "clicked": "delivered", "failed": "failed"}.get(
            row["delivery"], "open"
        )
    if row["state"] is None:
        return "left out" if row["run"] == "exited" and row["left_because"] else "open"
    return "left out" if row["state"] in {"suppressed", "capped", "expired", "canceled"} and row["reason"] else "open"


def _is_over(counts: Counter[str]) -> bool:
    return bool(counts) and not counts["open"]


def _shown(page: Page, step: int, counts: Counter[str]) -> None:
    """The flow's page, which keeps itself up to date, comes to show these numbers."""
    tallies = page.locator(f"[data-step='{step}'] .tallies")
    expect(tallies.locator("[data-tally=delivered]")).to_have_text(str(counts["delivered"]), timeout=PATIENCE)
    expect(tallies.locator("li", has_text="Failed").locator("b")).to_have_text(str(counts["failed"]), timeout=PATIENCE)


def _size(card: Locator) -> int:
    return int(card.locator("[data-size]").get_attribute("data-size") or 0)


def _address(link: Locator) -> str:
    return link.get_attribute("href") or ""


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
