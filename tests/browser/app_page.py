"""One visitor's page, in the words of the page."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

SHOWN = "document.documentElement.dataset.daamShown || ''"
WAIT = 30_000  # milliseconds


class AppPage:
    """What a person does on the page, and what the page then shows."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def open(self, query: str = "") -> None:
        self.page.goto(self.url + query)
        self.page.wait_for_selector("#theme-toggle", timeout=WAIT)
        self.page.wait_for_selector("#view .dx-mount > *", timeout=WAIT)

    def open_input(self) -> None:
        """Unfold the form that takes an input; a result folds it."""
        button = self.page.locator("#change-given")
        if button.count() and button.get_attribute("aria-expanded") == "false":
            button.click()

    def tab(self, name: str) -> None:
        """A tab of the page; those of the input's form are behind its button while there is a result."""
        if name in ("Sound", "Text", "Picture"):
            self.open_input()
        self.page.get_by_role("tab", name=name, exact=True).first.click()

    def view_tab(self, name: str) -> None:
        self.page.locator("#view").get_by_role("tab", name=name, exact=True).click()

    def shown(self) -> str:
        """A mark that changes whenever the view got another payload."""
        return str(self.page.evaluate(SHOWN))

    def does(self, selector: str) -> None:
        """Click, and wait until the view shows what came of it."""
        before = self.shown()
        self.page.click(selector)
        self.changed_from(before)

    def changed_from(self, before: str) -> None:
        self.page.wait_for_function(f"(old) => ({SHOWN}) && ({SHOWN}) !== old", arg=before, timeout=WAIT)
        # What is typed at once would be lost in the fields that this result empties.
        self.page.wait_for_function("!document.querySelector('#status .dx-busy')", timeout=WAIT)
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
            ".then(() => document.querySelector('#view daam-view')?.drawn())"
        )

    def example(self, tab: str, name: str) -> None:
        self.tab(tab)
        self.does(f"#example-{name}")

    def explain_text(self, text: str, *, model: str | None = None) -> None:
        self.tab("Text")
        if model:
            self.choose("#model-text", model)
        self.page.fill("#input-text textarea", text)
        self.does("#run-text")

    def types(self, selector: str, text: str) -> None:
        """Into a field that each new result sets anew, once that has happened."""
        field = self.page.locator(selector).locator("input, textarea")
        for _ in range(20):
            field.fill(text)
            self.page.wait_for_timeout(250)
            if field.input_value() == text:
                return
        raise AssertionError(f"{selector} does not keep what is typed.")

    def give_file(self, modality: str, path: Path) -> None:
        """Choose a file; does not explain it yet."""
        self.tab({"audio": "Sound", "image": "Picture"}[modality])
        self.page.set_input_files(f"#input-{modality} input[type=file]", str(path))
        self.page.wait_for_selector(
            f"#input-{modality} :is(audio, img, button[aria-label='Clear'], button[aria-label='Remove'])",
            state="attached",
            timeout=WAIT,
        )

    def choose(self, selector: str, option: str) -> None:
        """An option of one of Gradio's dropdowns."""
        self.page.click(f"{selector} input")
        self.page.locator(f'li[role="option"][aria-label="{option}"]').click()

    def says(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator("#status")).to_contain_text(text, timeout=WAIT)

    def status(self) -> str:
        return self.page.inner_text("#status")

    def probabilities(self) -> dict[int, float]:
        """Class index to probability, as the page has them."""
        rows = self.page.locator("#prediction .dx-class")
        found = rows.evaluate_all("rows => rows.map(r => [r.dataset.class, r.dataset.probability])")
        return {int(index): float(share) for index, share in found}

    def state(self) -> dict[str, Any]:
        return dict(self.page.evaluate("DaamPage.shownView().state"))

    def hover_cell(self, head: int, layer: int, feature: int) -> None:
        """Point at a cell of the first map that is shown."""
        self.page.locator("#view .dv-map-overlay").first.scroll_into_view_if_needed()
        place = self.page.evaluate(
            "([head, layer, feature]) => DaamPage.shownView().locate({head, layer, feature})",
            [head, layer, feature],
        )
        self.page.mouse.move(place["x"], place["y"])

    def readout(self, feature: int) -> list[float]:
        """Every number in the readout in full, once it is about this feature."""
        words = self.page.locator("#view .dv-readout").first
        expect(words).to_contain_text(str(feature))
        found = words.locator("data").evaluate_all("numbers => numbers.map((number) => number.value)")
        return [float(number.replace("−", "-")) for number in found]

    def click_cell(self, head: int, layer: int, feature: int) -> None:
        self.hover_cell(head, layer, feature)
        self.page.mouse.down()
        self.page.mouse.up()
