"""Do the pages fit a phone and a desk, in light and in dark, with nothing fetched from elsewhere?"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from db.embedded import Addresses
from db.session import transaction
from db.store import business_now
from services import demo
from tests.e2e.browser import DESK, PHONE, Visit, visit
from tests.served import PASSWORD, Server, server

ASKED = "I want to improve revenue from high LTV customers that haven't purchased recently"
COUNTED = "How is LTV distributed?"
CUSTOMERS = 400
PATIENCE = 60_000
"""Milliseconds that a page may take on a busy machine."""

PLACES = (
    "/",
    "/approvals",
    "/segments",
    "/campaigns",
    "/campaigns/new",
    "/flows",
    "/templates",
    "/templates/new",
    "/customers",
    "/customers/1",
    "/outbox",
)

BEYOND = """() => {
  const width = document.documentElement.clientWidth, cards = document.querySelectorAll("[data-card], .card");
  const wide = [...cards].flatMap((card) => [card, ...card.querySelectorAll("*")])
    .filter((one) => one.getBoundingClientRect().right > width + 1);
  return [document.scrollingElement.scrollWidth - width, ...new Set(wide.map((one) => one.outerHTML.slice(0, 80)))];
}"""
"""How far the page reaches beyond the window, and which parts of cards do, which scroll areas would hide."""

CONTRAST = """([selector, back]) => {
  const bright = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92
      : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ink = bright(getComputedStyle(document.querySelector(selector)).color);
  const paper = bright(getComputedStyle(document.querySelector(back)).backgroundColor);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}"""
"""The contrast ratio of WCAG 2 between a text and what lies behind it."""


@dataclass(frozen=True)
class Talk:
    """A conversation with cards, and where it is."""

    server: Server
    path: str


@pytest.fixture(scope="module")
def talk(addresses: Addresses, template: str, browser: Browser) -> Iterator[Talk]:
    """A small demo store of which something was asked."""
    with server(addresses, template) as served:
        with transaction(served.database) as session:
            demo.load(session, now=business_now(session), customers=CUSTOMERS)
        served.person("ana")
        with visit(browser, served.address) as seen:
            seen.sign_in("ana", PASSWORD, "/chat")
            seen.say(ASKED)
            expect(seen.page.locator("[data-card=flow]")).to_be_visible(timeout=PATIENCE)
            seen.say(COUNTED)
            expect(seen.page.locator("[data-card=figures]")).to_be_visible(timeout=PATIENCE)
            yield Talk(served, seen.page.url.removeprefix(seen.address))


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_pages_fit_the_window(browser: Browser, talk: Talk, *, size: tuple[int, int], dark: bool) -> None:
    with visit(browser, talk.server.address, size=size, dark=dark) as seen:
        seen.page.set_default_timeout(PATIENCE)
        seen.sign_in("ana", PASSWORD, talk.path)
        for card in ("segment", "flow", "figures"):
            expect(seen.page.locator(f"[data-card={card}]")).to_be_visible(timeout=PATIENCE)
        assert seen.page.evaluate(BEYOND) == [0]
        assert seen.page.evaluate(CONTRAST, ["[data-card=segment] h3", "[data-card=segment]"]) > 7
        assert _is_dark(seen) is dark
        seen.page.locator("[data-card=flow] [data-act=edit]").click()
        expect(seen.page.get_by_role("button", name="Save the changes")).to_be_visible()
        assert seen.page.evaluate(BEYOND) == [0]
        for place in PLACES:
            seen.page.goto(f"{seen.address}{place}")
            assert (place, seen.page.evaluate(BEYOND)) == (place, [0])
            assert _is_dark(seen) is dark
        for kind in ("Segment", "Flow"):
            seen.page.goto(f"{seen.address}/approvals")
            seen.page.locator("tr[data-href]", has_text=f"{kind} ·").get_by_role("link", name="Review").click()
            expect(seen.page.locator("article.card")).to_be_visible()
            assert (kind, seen.page.evaluate(BEYOND)) == (kind, [0])
        assert (seen.foreign, seen.errors) == ([], [])


@pytest.mark.browser
def test_a_theme_chosen_in_the_console_holds_in_the_chat(browser: Browser, talk: Talk) -> None:
    with visit(browser, talk.server.address) as seen:
        seen.sign_in("ana", PASSWORD, "/")
        seen.page.get_by_role("button", name="Light or dark").click()
        assert _is_dark(seen)
        seen.page.goto(f"{seen.address}{talk.path}")
        expect(seen.page.locator("[data-card=segment]")).to_be_visible(timeout=PATIENCE)
        assert _is_dark(seen)


def _is_dark(seen: Visit) -> bool:
    return bool(seen.page.evaluate("document.documentElement.classList.contains('dark')"))
