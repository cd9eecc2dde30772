"""A real Chromium without a window, and servers whose pages it looks at."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright
from starlette.types import ASGIApp

from tests.servers import free_port
from tests.waiting import until_now

SCREENSHOTS = Path("build/screenshots")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESKTOP = (320, 640), (1280, 900)


def chromium_path() -> str:
    """Where the browser is. Missing, the test skips here and fails in CI."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            raise RuntimeError("no chromium: .ci/tools installs it")
        pytest.skip("no chromium on this machine: `apt-get install chromium`")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The URL of an application on this machine."""
    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until_now(lambda: server.started, saying="the pages are served")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def looking(
    browser: Browser, *, size: tuple[int, int] = DESKTOP, scheme: str = "light", script: bool = True
) -> Iterator["Look"]:
    """A window of this size that remembers what its console says."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
        locale="en-GB",
        timezone_id="UTC",
    )
    try:
        yield Look(context)
    finally:
        context.close()


class Look:
    """One window."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # leaving a page ends what it still asks for
            self.complaints.append(f"{request.url}: {request.failure}")

    @property
    def sideways(self) -> int:
        """Pixels the page is wider than its window."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    def picture(self, name: str) -> None:
        """Keep what is seen, whole, as a file."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
