"""Do the pages hold together in a real browser, on a phone and on a desk, by day and by night, without any network?"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from db.session import transaction
from tests.e2e.browser import DESK, PHONE, Visit, chromium, visit
from tests.planted import Planted
from tests.served import PASSWORD, Server

PATIENCE = 60_000
HEAVIEST = 200_000
PAGES = ("/", "/approvals", "/segments", "/flows", "/customers", "/customers/1", "/outbox", "/nowhere")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def shop(served: Server) -> Server:
    """Sixty customers, so that a list has a second page."""
    with transaction(served.database) as session:
        planted = Planted.store(session)
        for number in range(60):
            planted.person(f"Person{number}", region="Texas" if number % 2 else None)
            planted.consent(f"Person{number}", "subscribed", timedelta(days=90))
            planted.order(f"Person{number}", 10 * number, timedelta(days=number), items={"Mug": "mugs"})
    return served


@pytest.fixture(params=[(DESK, False), (PHONE, True)], ids=["desk by day", "phone by night"])
def ana(request: pytest.FixtureRequest, browser: Browser, shop: Server) -> Iterator[Visit]:
    size, dark = request.param
    with visit(browser, shop.address, size=size, dark=dark) as found:
        found.page.set_default_timeout(PATIENCE)
        found.sign_in("ana", PASSWORD)
        yield found
        assert found.foreign == []
        assert found.errors == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_fits_its_screen_and_asks_only_us(ana: Visit, path: str) -> None:
    ana.page.goto(ana.address + path, wait_until="networkidle")
    overflow = ana.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    sizes = "performance.getEntries().reduce((sum, entry) => sum + (entry.encodedBodySize || 0), 0)"
    assert overflow <= 0
    assert 0 < ana.page.evaluate(sizes) < HEAVIEST


def test_the_chat_answers_and_its_history_opens_again(ana: Visit) -> None:
    page = ana.page
    page.goto(f"{ana.address}/chat")
    ana.say("How is LTV distributed?")
    expect(page.locator("[data-card=figures]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".ai-message", has_text="LTV over 60 customers")).to_be_visible(timeout=PATIENCE)
    page.reload()
    if page.viewport_size and page.viewport_size["width"] < DESK[0]:
        page.locator("#header button").first.click()
    page.locator("a[href*='/thread/']").first.click()
    expect(page.locator("[data-card=figures]")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_card_follows_what_was_decided_in_the_console_without_a_reload(browser: Browser, shop: Server) -> None:
    with visit(browser, shop.address) as ana, visit(browser, shop.address) as console:
        for seen in (ana, console):
            seen.page.set_default_timeout(PATIENCE)
        ana.sign_in("ana", PASSWORD, "/chat")
        ana.say("customers in Texas")
        card = ana.page.locator("[data-card=segment]")
        expect(card).to_have_attribute("data-status", "pending", timeout=PATIENCE)
        console.sign_in("ben", PASSWORD, "/approvals")
        console.page.get_by_role("link", name="Review").first.click()
        console.page.get_by_role("button", name="Approve and save").click()
        expect(card).to_have_attribute("data-status", "approved", timeout=PATIENCE)
        expect(ana.page.locator(".ai-message", has_text="was approved by ben")).to_be_visible(timeout=PATIENCE)
        assert (ana.errors, console.errors) == ([], [])


def test_the_theme_chosen_in_the_console_is_the_chats_too(ana: Visit) -> None:
    page = ana.page
    page.goto(ana.address)
    before = page.evaluate("document.documentElement.classList.contains('dark')")
    menu = page.locator("label[for=menu-open]")
    if menu.is_visible():
        menu.click()
    page.locator("[data-theme-toggle]").click()
    assert page.evaluate("document.documentElement.classList.contains('dark')") is not before
    page.goto(f"{ana.address}/chat")
    expect(page.locator("#chat-input")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.classList.contains('dark')") is not before


def test_customers_are_searched_while_typing_and_walked_through_with_the_keyboard(ana: Visit) -> None:
    page = ana.page
    page.goto(f"{ana.address}/customers?sort=revenue")
    page.keyboard.press("/")
    page.keyboard.type("person59")
    expect(page.locator("tr[data-href]")).to_have_count(1, timeout=PATIENCE)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Person59", timeout=PATIENCE)
