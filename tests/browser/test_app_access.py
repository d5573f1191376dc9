"""The page for everybody: barriers, keyboard, widths, themes, the tour."""

import re

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from daam_core.reading.terms import TERMS
from tests.browser.barriers import AT_REST, Barriers
from tests.support.small_heads import RATE, SENTENCES

TEXT = SENTENCES["sport"][0] + " " + SENTENCES["science"][1]
VIEW_TABS = ("Input", "Heads", "Map and cell", "Layers", "Parameters", "Average", "Compare")
FOCUSED = """() => {
  const element = document.activeElement;
  return (element.getAttribute('aria-label') || element.innerText || '').trim();
}"""
PAGE_TABS = ("Results", "Edit input", "Mute parts")


#: What is said of how the program works, or is no word at all.
NOT_FOR_READERS = re.compile(
    r"(?i:cache|did not run|payload|tensor|traceback|json object|undefined)|\b(?:NaN|null|None)\b|\[object"
)


class Visit(Barriers):
    """Barriers in states of the page, and what stands there that is not for readers."""

    def look(self, state: str, within: str = "") -> None:
        super().look(state, within)
        text = self.page.inner_text(within or "body")
        if words := NOT_FOR_READERS.findall(text):
            self.found[f"{state}, words"] = words


@pytest.mark.slow
def test_no_serious_barrier_with_a_text(app):
    page, visit = app.page, Visit(app.page)
    app.tab("Text")
    page.click("#model-text input")
    expect(page.get_by_role("option")).to_have_count(3)
    visit.look("the list of models", "#step-input")
    page.keyboard.press("Escape")
    app.example("Text", "news-final")
    visit.look("a result")
    app.open_input()
    page.fill("#input-text textarea", " ")
    page.click("#run-text")
    app.says("The text is empty")
    visit.look("unfolded, after an error", "#ask")
    page.locator("#view .dv-readout").get_by_role("button", name="IF", exact=True).click()
    visit.look("the meaning of a symbol", "#view .dv-readout")
    panel = page.locator("#view .dv-figure").first
    panel.get_by_role("button", name="Save this").click()
    panel.get_by_role("button", name="Show as table").click()
    visit.look("a panel's menu and table", "#view .dv-figure")
    app.example("Text", "news-mixed")
    app.does(".dx-results li:last-child [data-does=compare]")
    visit.look("two answers", "#ask")
    for name in VIEW_TABS:
        app.view_tab(name)
        visit.look(name, "#view")
    for name in PAGE_TABS:
        app.tab(name)
        page.wait_for_timeout(200)
        visit.look(name, "#step-compare")
    page.locator("#mute-heads").get_by_label("Head 3").click()
    expect(page.locator("#prediction .dx-given").last).to_contain_text("without head 3")
    app.types("#mute-features", "7-x")
    page.click("#mute-apply")
    expect(page.locator("#said-mute")).to_contain_text("Features are written as numbers")
    visit.look("muted, and an error beside the control", "#step-compare")
    visit.look("what muting did", "#ask")
    app.tab("Is it true?")
    page.click("#check")
    expect(page.locator("#check-result tr[data-method]").first).to_be_visible(timeout=30_000)
    page.evaluate("document.querySelectorAll('#check-result details').forEach((all) => { all.open = true; })")
    visit.look("Is it true?", "#step-compare")
    page.click("#copy-link")
    expect(page.locator("#link-note")).to_contain_text("It restores")
    visit.look("a link", "#step-save")
    page.click("#tour-open")
    visit.look("tour", "#tour")
    page.keyboard.press("Escape")
    app.tab("Text")
    page.fill("#input-text textarea", " ".join(SENTENCES["science"] * 300))
    page.click("#run-text")
    app.says("Explaining your input")
    visit.look("while it runs", "#ask")
    assert visit.found == {}


@pytest.mark.slow
def test_no_serious_barrier_with_a_sound_and_a_picture(app, tmp_path):
    page, visit = app.page, Visit(app.page)
    for details in page.locator("#foot details, .dx-limits, .dx-model").all():
        details.evaluate("details => { details.open = true; }")
    visit.look("empty, the words and the model's card open")
    app.tab("Picture")
    visit.look("a picture's form", "#step-input")
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    app.give_file("audio", tmp_path / "silence.wav")
    visit.look("a sound that was given", "#ask")
    app.does("#run-audio")
    visit.look("a warning", "#ask")
    app.view_tab("Input")
    visit.look("a sound", "#view")
    app.tab("Edit input")
    page.get_by_label("Add white noise").check()
    visit.look("a sound's change", "#step-compare")
    app.example("Picture", "photo-bus")
    page.locator(".dx-all summary").click()
    visit.look("all classes", "#ask")
    page.keyboard.press("Escape")
    visit.look("a picture", "#view")
    expect(page.locator("#region img")).to_be_visible()
    visit.look("a picture's change", "#step-compare")
    app.open_input()
    visit.look("a picture that was given", "#step-input")
    page.goto(app.url + "?model=nope")
    app.says("which is not here")
    visit.look("a bad link", "#ask")
    assert visit.found == {}


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
    for name in ("Sound", "Text", "Picture"):
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


#: What the tour points at begins in the upper half of the window, and rests there.
SCROLLED = """() => new Promise((done) => {
  const top = () => document.querySelector('.dx-toured')?.getBoundingClientRect().top;
  const before = top();
  setTimeout(() => done(before === top() && top() >= 0 && top() < innerHeight / 2), 200);
})"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_the_tour_walks_along_the_page(app, width):
    app.page.set_viewport_size({"width": width, "height": 844})
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
        app.page.wait_for_function(SCROLLED)
        # The card stands beside what it explains; on a phone below where that begins.
        shown, card = app.page.locator(".dx-toured").bounding_box(), tour.bounding_box()
        if width > 900:
            assert shown["x"] + shown["width"] <= card["x"] or shown["y"] + shown["height"] <= card["y"]
        assert shown["y"] + min(shown["height"], 100) <= card["y"] or width > 900
        if number == 2:
            assert (
                app.page.evaluate("scrollY") < 80
            )  # the answer is above its maps, not over what lies far below
        if number < 7:
            tour.locator(".dx-tour-next").press("Enter")
    app.page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    expect(app.page.locator("#tour-open")).to_be_focused()


def test_symbols_say_what_they_mean_and_lead_to_the_list_of_words(app):
    app.explain_text(TEXT)
    app.view_tab("Map and cell")
    for symbols, place in (("λ δ ξ", ".dv-side table"), ("DA IF", ".dv-readout")):
        for symbol in symbols.split():
            term = app.page.locator(f"#view {place}").get_by_role("button", name=symbol, exact=True).first
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


def test_what_is_pressed_before_the_scripts_have_come_counts(page, server):
    held = []
    page.route("**/daam/*/page.js", lambda route: held.append(route))
    page.goto(server.url)
    for button in ("#theme-toggle", "#tour-open"):
        page.click(button)
    page.wait_for_timeout(200)
    assert not page.evaluate("document.body.classList.contains('dark')")
    for route in held:
        route.continue_()
    expect(page.locator("#tour")).to_be_visible()
    assert page.evaluate("document.body.classList.contains('dark')")


#: Parts of the page, and of the view in it, that look alike, and in what.
ALIKE = (
    ("#save-format .wrap:has(> .wrap-inner)", "#view .dv-select", "color backgroundColor borderTopColor"),
    ("#save-format .wrap:has(> .wrap-inner)", "#view .dv-select", "borderRadius fontSize"),
    ("#change-tabs [role=tab][aria-selected=true]", "#view .dv-tab[aria-selected=true]", "color fontWeight"),
    (
        "#change-tabs [role=tab][aria-selected=false]",
        "#view .dv-tab[aria-selected=false]",
        "color fontWeight",
    ),
    ("#step-compare .dx-help", "#view .dv-help", "color fontSize"),
    ("#save", "#view .dv-button", "borderRadius fontSize"),
)
LOOKS = """([selector, names]) => {
  const parts = [...document.querySelectorAll(selector)].filter((part) => part.offsetParent);
  const style = getComputedStyle(parts[0]);
  return Object.fromEntries(names.map((name) => [name, style[name]]));
}"""


def test_the_page_and_the_view_are_of_one_design(app):
    app.page.add_style_tag(content=AT_REST)
    app.example("Text", "news-final")
    app.tab("Mute parts")
    for scheme in ("light", "dark"):
        app.page.emulate_media(color_scheme=scheme)
        expect(app.page.locator("body.dark")).to_have_count(int(scheme == "dark"))
        for page, view, names in ALIKE:
            one, other = (app.page.evaluate(LOOKS, [part, names.split()]) for part in (page, view))
            assert one == other, (scheme, page, view)


def test_the_theme_is_kept(app):
    app.page.click("#theme-toggle")
    assert app.page.evaluate("document.body.classList.contains('dark')")
    app.open()
    assert app.page.evaluate("document.body.classList.contains('dark')")
