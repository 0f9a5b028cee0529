"""How does a test look at the pages? Through a real Chromium that may talk to this machine only."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

OFFLINE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
LOCAL = frozenset({"127.0.0.1", "localhost", ""})
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)

PHONE = (375, 812)
DESK = (1440, 900)


@dataclass
class Visit:
    """One person's browser. ``foreign`` are the addresses outside this machine that a page asked for."""

    context: BrowserContext
    page: Page
    address: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def sign_in(self, username: str, password: str, next_page: str = "/") -> None:
        """Go through the sign-in page and on to another one."""
        self.page.goto(f"{self.address}/login?next={next_page}")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.click("form button")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def say(self, text: str) -> None:
        """Type a message into the chat and send it."""
        box = self.page.locator("#chat-input")
        box.wait_for(state="visible")
        box.click()
        self.page.keyboard.insert_text(text)
        self.page.wait_for_function("!document.querySelector('#chat-submit')?.disabled")
        self.page.keyboard.press("Enter")

    def shot(self, path: Path, *, whole: bool = False) -> None:
        """Take a picture once type and styles are there."""
        self.page.evaluate("document.fonts.ready")
        self.page.screenshot(path=path, full_page=whole)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium, the system's if there is one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(OFFLINE))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser, address: str, *, size: tuple[int, int] = DESK, dark: bool = False, scale: float = 1
) -> Iterator[Visit]:
    """A new person at ``address``. Requests to other machines are stopped and written down."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=scale,
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = Visit(context, page, address.rstrip("/"))

    def watch(route: Route) -> None:
        if urlsplit(route.request.url).hostname in LOCAL or route.request.url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            found.foreign.append(route.request.url)
            route.abort()

    context.route("**/*", watch)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    try:
        yield found
    finally:
        context.close()
