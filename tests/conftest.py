"""What every test shares: no network, few threads, and a browser for the tests that ask for one."""

import os

# Read by the libraries when they are imported, hence set before anything else is.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("MPLBACKEND", "Agg")

import ipaddress
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import hypothesis
import pytest

from tests.chromium import HOW_TO_GET_IT, find_chromium
from tests.support.run import FOLDER_OF_THE_RUN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

BROWSER_TESTS = Path(__file__).parent / "browser"
ON_CI = bool(os.environ.get("CI"))

# Examples found on a developer's machine vary from run to run; a build repeats itself exactly.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if ON_CI else "here")


def pytest_configure(config: pytest.Config) -> None:
    """A folder for what all processes of a run share, such as heads trained once."""
    if FOLDER_OF_THE_RUN not in os.environ:
        os.environ[FOLDER_OF_THE_RUN] = folder = tempfile.mkdtemp(prefix="tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would reach another machine fails instead of passing only where it can."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise OSError(f"Tests stay on this machine; this one tried to reach {address[0]}.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# One per module, not per session: Playwright's event loop would stand in the way of later tests'.
@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Headless Chromium. Skips where there is none; on a build machine that is a failure."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        (pytest.fail if ON_CI else pytest.skip)(HOW_TO_GET_IT)
    with sync_playwright() as playwright:
        # Containers give Chromium neither its sandbox nor much /dev/shm, and have no microphone or
        # camera: Chromium's own beep and moving picture stand in for them.
        arguments = [
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
        ]
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


# One per module: what a page's scripts were compiled to is kept, and the next page opens sooner.
@pytest.fixture(scope="module")
def visitor(browser: "Browser") -> "Iterator[BrowserContext]":
    """A browser's profile, 1280 × 900."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(visitor: "BrowserContext") -> "Iterator[Page]":
    """A fresh page with nothing of another test's. It may ask this machine only."""
    page = visitor.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    visitor.clear_cookies()
    visitor.clear_permissions()
    if not page.is_closed() and page.url.startswith("http"):
        page.evaluate("localStorage.clear()")
    for opened in visitor.pages:
        opened.close()
    elsewhere = [url for url in asked if _is_elsewhere(url)]
    assert not elsewhere, f"The page asked other hosts: {elsewhere}"


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and not _is_loopback(parts.hostname or "")
