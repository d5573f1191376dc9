"""The interactive view as part of a page: state, links, safety, access, layout."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from daam_core.export import file_bytes
from daam_core.reading.outside import warning
from daam_core.result import Outside
from daam_core.view.media import picture_media, sound_media
from daam_core.view.page import view_html
from daam_core.view.payload import view_payload
from tests.browser import view_page
from tests.browser.barriers import serious
from tests.browser.view_page import TABS, open_tables, pixel, place, set_state, settle, state
from tests.support.builders import make_explanation

view = view_page.view


# ---- state ----------------------------------------------------------------------------------------


def test_a_removed_view_leaves_nothing_and_comes_back_as_it_was(view: Callable[..., Page]) -> None:
    page = view(make_explanation(heads=3), section="heatmap")
    set_state(page, head=2)
    page.evaluate("() => { view.remove(); }")
    assert page.locator("#here").inner_html() == ""
    assert page.evaluate("() => view.innerHTML") == ""
    page.evaluate("() => { document.getElementById('here').append(view); }")
    settle(page)
    assert place(page, 2, 0, 0)
    assert state(page)["head"] == 2
    told = page.evaluate("() => changes.length")
    set_state(page, head=1)
    assert page.evaluate("() => changes.length") == told + 1


def test_another_payload_keeps_what_still_fits(view: Callable[..., Page]) -> None:
    page = view(
        make_explanation(heads=4, features=64), state={"tab": "heatmap", "head": 3, "quantity": "gate"}
    )
    set_state(page, cell={"layer": 1, "feature": 60})
    page.evaluate("p => { view.payload = p; }", view_payload(make_explanation(heads=4, features=32)))
    now = state(page)
    assert (now["head"], now["quantity"], now["cell"]) == (3, "gate", None)
    page.evaluate("p => { view.payload = p; }", view_payload(make_explanation(heads=2, features=32)))
    assert state(page)["head"] is None
    page.evaluate("() => { view.payload = null; }")
    assert page.locator("#here").inner_text() == "Nothing to show yet."


def test_focus_survives_a_new_payload(view: Callable[..., Page]) -> None:
    page = view(make_explanation(), section="heatmap")
    page.get_by_label("Show", exact=True).focus()
    page.evaluate("p => { view.payload = p; }", view_payload(make_explanation(seed=3)))
    focused = page.evaluate("() => document.activeElement.labels[0].textContent")
    assert focused == "Show"


def test_focus_survives_going_to_a_result_of_another_shape(view: Callable[..., Page]) -> None:
    page = view(
        make_explanation(heads=4), section="heatmap", payload={"compare": make_explanation(heads=2, layers=4)}
    )
    page.get_by_label("Input", exact=True).focus()
    page.get_by_label("Input", exact=True).select_option("b")
    assert state(page)["side"] == "b"
    assert page.evaluate("() => document.activeElement.labels[0].textContent") == "Input"


def test_a_wrong_section_or_version_is_named(view: Callable[..., Page]) -> None:
    page = view(make_explanation())
    refused = """([payload, options]) => {
        try { Object.assign(view, {options, payload}); } catch (error) { return error.message; }
    }"""
    message = page.evaluate(refused, [None, {"section": "maps"}])
    assert message.startswith('<daam-view> has no section "maps"; choose one of: summary, ')
    message = page.evaluate(refused, [{"version": 7}, {}])
    assert message == "<daam-view> reads payloads of version 2, got 7."


def test_only_the_tabs_asked_for_are_there(view: Callable[..., Page]) -> None:
    page = view(make_explanation(), tabs=["heads", "heatmap"])
    assert page.get_by_role("tab").all_text_contents() == ["Heads", "Map and cell"]
    page.get_by_role("tab", name="Heads").focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["tab"] == "heatmap"
    assert page.get_by_role("tab", name="Map and cell").get_attribute("aria-selected") == "true"


def test_text_is_never_markup(view: Callable[..., Page], page: Page) -> None:
    evil = '<img src=x onerror="window.hacked=1"><b>x</b>'
    e = make_explanation("text")
    e = replace(
        e,
        model=evil,
        text=evil,
        class_names=tuple(f"{evil}{i}" for i in range(4)),
        token_labels=tuple(evil for _ in e.token_labels),
        token_spans=np.where(np.isnan(e.token_spans), np.nan, [0.0, 5.0]),
    )
    view(e, payload={"compare": e, "names": (evil, evil)})
    for tab in TABS:
        set_state(page, tab=tab)
        open_tables(page)
    assert page.locator("#here img, #here b").count() == 0
    assert page.evaluate("() => window.hacked") is None


# ---- access and layout ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
@pytest.mark.parametrize("modality", ["text", "audio", "image"])
def test_no_view_has_a_serious_accessibility_problem(
    browser: Browser, modality: str, width: int, dark: bool, tmp_path: Path
) -> None:
    a, b = make_explanation(modality), make_explanation(modality, seed=4)
    media = {
        "audio": lambda: sound_media(np.zeros(4000, np.float32), 16_000),
        "image": lambda: picture_media(np.zeros((30, 40), np.uint8)),
        "text": lambda: None,
    }[modality]()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", bypass_csp=True
    )
    page = context.new_page()
    file = tmp_path / "view.html"
    file.write_text(view_html(a, compare=b, media=media, compare_media=media), encoding="utf-8")
    page.goto(file.as_uri())
    # What the words mean, and where all of it comes from.
    page.evaluate("document.querySelectorAll('footer details').forEach((all) => { all.open = true; })")
    for tab in TABS if modality == "text" else ("input",):
        page.evaluate("tab => { document.querySelector('daam-view').state = {tab}; }", tab)
        open_tables(page)
        settle(page)
        assert serious(page, within="main") == [], tab
    context.close()


@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
def test_no_width_scrolls_sideways(browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    a, b = make_explanation("text", heads=8, layers=24), make_explanation("text", heads=8, layers=24, seed=4)
    page.set_content(view_html(a, compare=b))
    for tab in TABS:
        page.evaluate("tab => { document.querySelector('daam-view').state = {tab}; }", tab)
        open_tables(page)
        settle(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, tab
    # Nor do the tabs scroll up and down: a wheel turned over them would be theirs.
    strip = page.locator(".dv-tabs")
    assert strip.evaluate("strip => strip.scrollHeight - strip.clientHeight") == 0
    context.close()


def test_nothing_is_cut_off_on_a_phone(view: Callable[..., Page]) -> None:
    """All tabs and all correlations are inside the window, without scrolling sideways for them."""
    page = view(make_explanation(heads=8), state={"tab": "heads"})
    page.set_viewport_size({"width": 390, "height": 800})
    settle(page)
    for parts, count in ((".dv-tab", 8), (".dv-matrix-cell", 64)):
        boxes = [part.bounding_box() for part in page.locator(parts).all()]
        assert len(boxes) == count
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes), parts


def test_much_help_is_folded_on_a_phone(view: Callable[..., Page]) -> None:
    page = view(make_explanation(gate_kind="mixture"), state={"tab": "heatmap"})
    helped = page.locator(".dv-help", has_text="add up to 1 over its layers")
    whole = helped.locator("p").inner_text()
    assert helped.get_by_role("button").count() == 0
    page.set_viewport_size({"width": 390, "height": 800})
    settle(page)
    paragraph = helped.locator("p")
    folded = (paragraph.bounding_box() or {})["height"]
    helped.get_by_role("button", name="More help").click()
    assert (paragraph.bounding_box() or {})["height"] > 2 * folded
    assert paragraph.inner_text() == whole
    helped.get_by_role("button", name="Less help").click()
    assert (paragraph.bounding_box() or {})["height"] == folded


def test_every_figure_has_a_table_and_a_sentence_of_help(view: Callable[..., Page]) -> None:
    a, b = make_explanation(), make_explanation(seed=4)
    page = view(a, payload={"compare": b})
    for tab in TABS:
        set_state(page, tab=tab)
        for figure in page.locator(".dv-figure").all():
            assert len(figure.locator(".dv-help").inner_text()) > 40
            drawn = figure.locator("canvas, .dv-chart svg, .dv-words").count() > 0
            has_table = (
                figure.get_by_role("button", name="Show as table").count() + figure.locator("table").count()
            )
            assert has_table or not drawn, figure.locator(".dv-title").inner_text()


def test_canvases_follow_the_theme(view: Callable[..., Page], page: Page) -> None:
    e = make_explanation(heads=2, mode="layer_groups")
    view(e, section="heatmap", theme="class")
    light = pixel(page, 0, 5, 5)
    page.evaluate("() => document.body.classList.add('dark')")
    settle(page)
    assert sum(pixel(page, 0, 5, 5)) < sum(light) / 2
    page.evaluate("() => document.body.classList.remove('dark')")
    settle(page)
    assert pixel(page, 0, 5, 5) == light


def test_a_dense_screen_gets_a_dense_canvas(browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 600}, device_scale_factor=2)
    page = context.new_page()
    page.set_content(view_html(make_explanation(), state={"tab": "heatmap"}))
    settle(page)
    drawn, shown = page.locator(".dv-map-canvas").first.evaluate(
        "c => [c.width, c.getBoundingClientRect().width]"
    )
    assert drawn == pytest.approx(2 * shown, abs=1)
    context.close()


def test_the_page_opens_from_a_file(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "explanation.html"
    file.write_text(view_html(make_explanation("text")), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    settle(page)
    expect(page.get_by_role("tab", name="Heads")).to_be_visible()
    assert page.locator(".dv-map-canvas").count() >= 4
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def test_a_saved_page_begins_with_evidence_where_there_is_any(browser: Browser) -> None:
    plain = make_explanation("text")
    evident = replace(plain, evidence=plain.class_importance)
    context = browser.new_context()
    page = context.new_page()
    for e, asked, shown in (
        (evident, None, "evidence"),
        (plain, None, "importance"),
        (evident, "gate", "gate"),
        (evident, "importance", "importance"),
    ):
        page.set_content(file_bytes(e, "html", quantity=asked).decode())
        settle(page)
        expect(page.get_by_label("Show", exact=True).first).to_have_value(shown)
    context.close()


def test_a_saved_page_warns_before_its_tabs(browser: Browser) -> None:
    """Of the results that are shown, whichever tab is; where the page around shows predictions, it warns."""
    far = Outside(distance=3.0, threshold=2.0, percentile=98.0, samples=200)
    a = replace(make_explanation("text"), outside=far)
    b = make_explanation("text", seed=4)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    warned = page.get_by_role("note").filter(has_text="Outside what it knows.")
    page.set_content(view_html(a))
    settle(page)
    expect(warned).to_have_text(f"⚠ Outside what it knows. {warning(a)}")
    box, tabs = warned.bounding_box(), page.get_by_role("tablist").bounding_box()
    assert box
    assert tabs
    assert box["y"] + box["height"] <= min(tabs["y"], 844)
    page.set_content(view_html(b, compare=a))
    settle(page)
    expect(warned).to_have_count(0)
    page.evaluate("() => { document.querySelector('daam-view').state = {side: 'b'}; }")
    expect(warned).to_have_text(f"B. ⚠ Outside what it knows. {warning(a)}")
    page.evaluate("() => { document.querySelector('daam-view').options = {tabs: ['heads', 'layers']}; }")
    expect(warned).to_have_count(0)
    context.close()
