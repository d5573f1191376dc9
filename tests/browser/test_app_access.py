"""The page for everybody: barriers, keyboard, widths, themes, the tour."""

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from daam_core.reading.terms import TERMS
from tests.support.small_heads import SENTENCES

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
TEXT = SENTENCES["sport"][0] + " " + SENTENCES["science"][1]
VIEW_TABS = ("Input", "Heads", "Map and cell", "Layers", "Parameters", "Average", "Compare")
FOCUSED = """() => {
  const element = document.activeElement;
  return (element.getAttribute('aria-label') || element.innerText || '').trim();
}"""
PAGE_TABS = ("Results", "Edit input", "Mute parts")


def _serious(page, rules: str = "", within: str = "") -> list[str]:
    """What is wrong with the page as it stands, or a part of it, by all rules or by one."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": [rules]} if rules else {})
    found = page.evaluate("([within, options]) => axe.run(within || document, options)", [within, options])[
        "violations"
    ]
    return [
        f"{problem['impact']} {problem['id']}: {[node['target'] for node in problem['nodes']][:4]} "
        f"{problem['nodes'][0]['html'][:200]}"
        for problem in found
        if problem["impact"] in ("serious", "critical")
    ]


@pytest.mark.slow
def test_no_serious_barrier_on_any_tab(app):
    page, problems = app.page, {}

    def look(state: str, within: str = "") -> None:
        """All rules in the dark; in the light, what may be different there. Within what has changed."""
        for scheme, rules in (("dark", ""), ("light", "color-contrast")):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            problems[f"{state}, {scheme}"] = _serious(page, rules, within)

    page.add_script_tag(content=AXE.read_text("utf-8"))
    page.add_style_tag(content="* { transition: none !important }")  # colours would be seen on their way
    look("empty")
    app.example("Image", "photo-bus")
    page.locator(".dx-all summary").click()
    look("all classes")
    app.example("Text", "news-final")
    app.open_input()
    page.fill("#input-text textarea", " ")
    page.click("#run-text")
    app.says("The text is empty")
    look("unfolded, after an error")
    panel = page.locator("#view .dv-figure").first
    panel.get_by_role("button", name="Save this").click()
    panel.get_by_role("button", name="Show as table").click()
    look("a panel's menu and table", "#view")
    app.example("Text", "news-mixed")
    app.does(".dx-results li:last-child [data-does=compare]")
    for name in VIEW_TABS:
        app.view_tab(name)
        look(name, "#view")
    for name in PAGE_TABS:
        app.tab(name)
        page.wait_for_timeout(200)
        look(name, "#step-compare")
    app.tab("Is it true?")
    page.click("#check")
    expect(page.locator("#check-result tr[data-method]").first).to_be_visible(timeout=30_000)
    look("Is it true?", "#step-compare")
    page.click("#tour-open")
    look("tour")
    page.keyboard.press("Escape")
    app.tab("Text")
    page.fill("#input-text textarea", " ".join(SENTENCES["science"] * 300))
    page.click("#run-text")
    app.says("Explaining your input")
    problems["while it runs"] = _serious(page)
    assert {name: found for name, found in problems.items() if found} == {}


#: What reaches beyond the window, unless it can be scrolled into it. The page clips: its own width says
#: nothing.
CUT_OFF = """() => [...document.querySelectorAll('main *')].filter((e) => {
  const { right, width, height } = e.getBoundingClientRect();
  if (right <= innerWidth + 1 || width <= 1 || height <= 1) return false;
  for (let at = e; at; at = at.parentElement) {
    const { overflowX, position, clipPath } = getComputedStyle(at);
    if (/auto|scroll|hidden/.test(overflowX) || position === 'fixed' || clipPath !== 'none') return false;
  }
  return true;
}).map((e) => `${e.tagName}#${e.id}.${e.className}`).slice(0, 5)"""


@pytest.mark.parametrize("width", [390, 768, 1920])
def test_nothing_is_cut_off_and_nothing_scrolls_sideways(app, width):
    def fits(where: str) -> None:
        assert app.page.evaluate("document.documentElement.scrollWidth") <= width, where
        assert app.page.evaluate(CUT_OFF) == [], where

    app.page.set_viewport_size({"width": width, "height": 900})
    for name in ("Sound", "Text", "Image"):
        app.tab(name)
        fits(name)
    app.example("Text", "news-final")
    for name in VIEW_TABS:
        app.view_tab(name)
        fits(name)
    for name in PAGE_TABS:
        app.tab(name)
        fits(name)
    app.open_input()
    fits("the form unfolded")


def test_the_page_works_by_keyboard_alone(app):
    keyboard, page = app.page.keyboard, app.page

    def focus(label: str, limit: int = 80) -> None:
        for _ in range(limit):
            keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused.startswith(label):
                return
        pytest.fail(f"{label} cannot be reached with the tab key.")

    focus("Text")
    keyboard.press("Enter")
    focus("Central bank")
    before = app.shown()
    keyboard.press("Enter")
    app.changed_from(before)
    focus("Heads")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    keyboard.press("ArrowRight")
    assert app.state()["tab"] == "heatmap"
    page.locator("#view .dv-map-overlay").first.focus()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowDown")
    live = page.locator("#view .dv-map [aria-live]").first
    expect(live).to_contain_text(re.compile("layer", re.IGNORECASE))
    keyboard.press("Enter")
    assert app.state()["cell"] is not None


@pytest.mark.slow
def test_the_tour_walks_along_the_page(app):
    app.page.click("#tour-open")
    tour = app.page.locator("#tour")
    expect(tour).to_be_visible()
    expect(tour.locator(".dx-tour-next")).to_be_focused()
    before = app.shown()
    tour.locator(".dx-tour-act").click()  # and on to what comes of it
    app.changed_from(before)
    expect(app.page.locator("#prediction .dx-input-name")).to_have_text("Between two topics")
    for number in range(2, 8):
        expect(tour.locator(".dx-tour-count")).to_have_text(f"{number} of 7")
        app.page.wait_for_timeout(700)  # it scrolls there
        # The card stands beside what it explains.
        shown, card = app.page.locator(".dx-toured").bounding_box(), tour.bounding_box()
        assert shown["x"] + shown["width"] <= card["x"] or shown["y"] + shown["height"] <= card["y"]
        assert 0 <= shown["y"] < app.page.viewport_size["height"] / 2
        if number < 7:
            tour.locator(".dx-tour-next").press("Enter")
    app.page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    expect(app.page.locator("#tour-open")).to_be_focused()


def test_symbols_say_what_they_mean_and_lead_to_the_list_of_words(app):
    app.explain_text(TEXT)
    for symbol in ("DA", "IF"):
        term = app.page.locator("#view .dv-readout").get_by_role("button", name=symbol, exact=True)
        expect(term).to_have_attribute("title", f"{TERMS[symbol].name}: {TERMS[symbol].sentence}")
    term.click()
    tip = app.page.locator("#view .dv-term-tip")
    expect(tip).to_contain_text(TERMS["IF"].sentence)
    tip.get_by_role("link").click()
    expect(app.page.locator("#term-IF")).to_be_visible()
    expect(app.page.locator("#term-IF + dd")).to_contain_text(TERMS["IF"].formula)
    expect(tip).to_have_count(0)


def test_the_focus_ring_leaves_the_words_free(app):
    app.example("Text", "news-final")
    button = app.page.locator("#view").get_by_role("button", name="Show as table").first
    button.focus()
    app.page.keyboard.press("Enter")
    button = app.page.locator("#view").get_by_role("button", name="Hide table").first
    expect(button).to_be_focused()
    gaps = button.evaluate(
        """button => {
            const style = getComputedStyle(button);
            const range = document.createRange();
            range.selectNodeContents(button);
            const [text, box] = [range.getBoundingClientRect(), button.getBoundingClientRect()];
            return [style.outlineStyle, Math.min(text.left - box.left, box.right - text.right)];
        }"""
    )
    assert gaps[0] == "solid"
    assert gaps[1] >= 8


def test_the_theme_is_kept(app):
    app.page.click("#theme-toggle")
    assert app.page.evaluate("document.body.classList.contains('dark')")
    app.open()
    assert app.page.evaluate("document.body.classList.contains('dark')")
