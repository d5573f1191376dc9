"""Takes the documentation's pictures in headless Chromium: ``python -m tests.docs.pictures``.

The page runs as a person starts it, with the built-in classifiers.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.app_page import AppPage
from tests.browser.conftest import free_port
from tests.chromium import HOW_TO_GET_IT, find_chromium

ROOT = Path(__file__).parent.parent.parent
PICTURES = ROOT / "assets" / "docs" / "pictures"
START_SECONDS = 300
TALLEST = 900  # pixels; what is below is more of the same


def write(name: str, png: bytes, *, tallest: int = TALLEST) -> None:
    """Keep the upper part of a picture, as few bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, tallest)))
    PICTURES.mkdir(exist_ok=True)
    picture.save(PICTURES / f"{name}.png", optimize=True)


def take(page: Page, url: str) -> None:
    """Every picture, in the order of the tour."""
    app = AppPage(page, url)
    app.open()
    app.example("Text", "news-rates")
    page.wait_for_timeout(2000)
    write("page", page.screenshot(full_page=True), tallest=1300)
    for name, selector in {
        "prediction": "#step-prediction",
        "why": "#step-why",
        "input": "#step-input",
    }.items():
        if name == "input":
            app.open_input()
        write(name, page.locator(selector).screenshot())
    page.locator("#step-compare").scroll_into_view_if_needed()
    write("compare", page.locator("#step-compare").screenshot())
    take_data_set(page, url)


def take_data_set(page: Page, url: str) -> None:
    """The tour of the study that comes along."""
    for name, query in {
        "inputs": "",
        "cell": "&dt=cells",
        "groups": "&dt=slices&da=group.shelf.0",
    }.items():
        page.goto(f"{url}?study=photographs{query}")
        page.wait_for_selector("#study .dv-panel .dv-figure", timeout=START_SECONDS * 1000)
        page.wait_for_function("!document.querySelector('#study [aria-busy=true]')", timeout=60_000)
        page.wait_for_timeout(1500)  # its photographs
        write(f"dataset-{name}", page.locator("#data-set").screenshot())


def main() -> None:
    chromium = find_chromium() or sys.exit(HOW_TO_GET_IT)
    url = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"GRADIO_TEMP_DIR": folder}
        command = [sys.executable, "-m", "app", "--port", url.rpartition(":")[2]]
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            _wait_for(url)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
                take(page, url)
                browser.close()
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            urlopen(url, timeout=5).close()
            return
        except (URLError, OSError):
            time.sleep(0.5)
    sys.exit(f"The page did not start within {START_SECONDS} seconds.")


if __name__ == "__main__":
    main()
