"""How does a test look at the pages? Through a real Chromium that may talk to this machine only."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Route, WebSocket, sync_playwright

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
    """One person's browser: ``foreign`` addresses outside this machine that a page asked for, ``errors`` of scripts."""

    context: BrowserContext
    page: Page
    address: str
    foreign: list[str]
    errors: list[str]

    def sign_in(self, username: str, password: str, next_page: str = "/") -> None:
        """Go through the sign-in page and on to another one."""
        self.page.goto(f"{self.address}/login?next={next_page}")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.click("form button")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def tab(self, path: str) -> Page:
        """Open a page beside the first one, for the same person."""
        page = self.context.new_page()
        page.goto(f"{self.address}{path}")
        return page

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
    foreign: list[str] = []
    errors: list[str] = []

    def watch(route: Route) -> None:
        if _is_ours(route.request.url):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    def note(socket: WebSocket) -> None:
        if not _is_ours(socket.url):
            foreign.append(socket.url)

    context.route("**/*", watch)
    context.on("page", lambda opened: opened.on("websocket", note))
    context.on("weberror", lambda error: errors.append(f"{error.page and error.page.url}: {error.error}"))
    found = Visit(context, context.new_page(), address.rstrip("/"), foreign, errors)
    try:
        yield found
    finally:
        context.close()


def _is_ours(url: str) -> bool:
    return url.startswith(("data:", "blob:")) or urlsplit(url).hostname in LOCAL
