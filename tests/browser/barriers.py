"""Barriers on a page as it stands: what axe-core calls serious or critical, in the light and in the dark."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
GRAVE = ("serious", "critical")
#: Colours on their way from one theme to the other would be taken for those of the page.
AT_REST = "*, *::before, *::after { transition: none !important; animation: none !important }"


class Barriers:
    """Looks at one state of a page after the other; what was found is asserted at the end."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, list[str]] = {}

    def look(self, state: str, within: str = "") -> None:
        """All rules in the dark; in the light, what may be different there. Within what has changed."""
        for scheme, rules in (("dark", ""), ("light", "color-contrast")):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if grave := serious(self.page, rules, within):
                self.found[f"{state}, {scheme}"] = grave


def serious(page: Page, rules: str = "", within: str = "") -> list[str]:
    """What is wrong with the page as it stands, or with a part of it, by all rules or by one."""
    if within:
        assert page.locator(within).count(), within
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
        page.add_style_tag(content=AT_REST)
    options = {"resultTypes": ["violations"]} | ({"runOnly": [rules]} if rules else {})
    found = page.evaluate("([within, options]) => axe.run(within || document, options)", [within, options])
    return [
        f"{problem['impact']} {problem['id']}: {[node['target'] for node in problem['nodes']][:4]} "
        f"{problem['nodes'][0]['html'][:200]}"
        for problem in found["violations"]
        if problem["impact"] in GRAVE
    ]
