"""What the page answers to what a visitor does, and where: what goes on, what was wrong, what is old."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.app_page import WAIT, AppPage

TEXT = "The keeper saved two penalties."
LONG = " ".join(f"Sentence number {i} is about the weather in town {i}." for i in range(900))


def in_sight(page, place: Locator) -> bool:
    """Whether all of an element is inside the window."""
    box, window = place.bounding_box(), page.viewport_size
    assert box
    return (
        box["x"] >= 0
        and box["y"] >= 0
        and box["x"] + box["width"] <= window["width"]
        and box["y"] + box["height"] <= window["height"]
    )


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_what_goes_on_and_its_end_are_in_sight_with_a_long_text(app: AppPage, size: tuple[int, int]) -> None:
    app.page.set_viewport_size({"width": size[0], "height": size[1]})
    app.explain_text(TEXT)
    app.tab("Text")
    app.page.fill("#input-text textarea", LONG)
    app.page.locator("#run-text").scroll_into_view_if_needed()
    app.page.click("#run-text")
    app.says("Explaining your input")
    assert in_sight(app.page, app.page.locator("#cancel"))
    assert in_sight(app.page, app.page.locator("#status"))
    # Wherever one is on the page.
    app.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert in_sight(app.page, app.page.locator("#cancel"))
    app.page.click("#cancel")
    app.says("Cancelled.")
    expect(app.page.locator("#cancel")).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "highest"), [((1280, 800), 800), ((390, 844), None)])
def test_the_answer_is_in_sight_and_the_form_one_line(app: AppPage, size, highest) -> None:
    page = app.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    change, form, strip = (
        page.locator(name) for name in ("#change-given", "#step-input", "#step-prediction")
    )
    for tab, example in (("Sound", "speech-note"), ("Picture", "photo-cheetah"), ("Text", "news-final")):
        app.example(tab, example)
        expect(form).to_be_hidden()
        expect(change).to_be_focused()  # whoever was in the form goes on at its button
        assert page.evaluate("scrollY") == 0
        first = page.locator("#view .dv-map-canvas").first.bounding_box()
        assert first
        if highest:
            assert first["y"] + min(first["height"], 40) < highest, (tab, first)
    expect(page.locator("#prediction .dx-input-name")).to_have_text("Cup final")
    # By keyboard.
    page.keyboard.press("Enter")
    expect(change).to_have_attribute("aria-expanded", "true")
    expect(form).to_be_visible()
    page.keyboard.press("Enter")
    expect(form).to_be_hidden()
    # The answer stays above what is read, and the readout below it.
    app.hover_cell(0, 2, 40)
    page.mouse.down()
    page.mouse.up()
    page.evaluate("window.scrollBy(0, 400)")
    page.wait_for_timeout(200)
    assert in_sight(page, strip)
    top, readout = strip.bounding_box(), page.locator("#view .dv-readout").first.bounding_box()
    assert top
    assert readout
    assert top["y"] < 20
    assert readout["y"] >= top["y"] + top["height"] - 1
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert in_sight(page, strip)
    # All classes, in a list that Escape closes.
    listed = page.locator(".dx-all .dx-class")
    page.evaluate("document.querySelector('.dx-all').open = true")
    expect(listed).to_have_count(3)
    page.locator(".dx-all summary").focus()
    page.keyboard.press("Escape")
    expect(listed.first).to_be_hidden()


@pytest.mark.slow
def test_a_result_of_something_else_is_called_the_previous_one(app: AppPage) -> None:
    page = app.page
    previous, answer = page.get_by_text("Previous result"), page.locator("#prediction .dx-answer strong")
    colour = "element => getComputedStyle(element).color"
    app.explain_text(TEXT)
    done = app.status()
    expect(previous).to_be_hidden()
    full = answer.evaluate(colour)
    # While another input is explained.
    app.tab("Text")
    page.fill("#input-text textarea", LONG)
    page.click("#run-text")
    app.says("Explaining your input")
    expect(previous).to_be_visible()
    assert answer.evaluate(colour) != full
    expect(page.locator("#prediction .dx-input-name")).to_contain_text("The keeper")
    page.click("#cancel")
    app.says("Cancelled.")
    expect(previous).to_be_visible()  # the long text stands in the box, the result is of the other
    app.explain_text(TEXT)
    expect(previous).to_be_hidden()
    assert answer.evaluate(colour) == full
    assert app.status() == done == "Done: explained 8 tokens."  # the second time, no encoder ran
    # After another input failed.
    app.tab("Text")
    page.fill("#input-text textarea", "   ")
    page.click("#run-text")
    app.says("The text is empty")
    expect(previous).to_be_visible()
    assert answer.evaluate(colour) != full
    # What fails on the result itself leaves it what it is.
    app.explain_text(TEXT)
    app.tab("Mute parts")
    app.types("#mute-features", "7-x")
    page.click("#mute-apply")
    expect(page.locator("#said-mute")).to_contain_text("Features are written")
    expect(previous).to_be_hidden()


def test_what_was_wrong_is_said_beside_the_control(app: AppPage) -> None:
    page = app.page
    app.explain_text(TEXT)
    status = app.status()
    app.tab("Mute parts")
    app.types("#mute-features", "7-x")
    page.locator("#mute-apply").scroll_into_view_if_needed()
    page.click("#mute-apply")
    said = page.locator("#said-mute [role=alert]")
    expect(said).to_contain_text("Features are written as numbers")
    assert in_sight(page, said)
    button, text = page.locator("#mute-apply").bounding_box(), said.bounding_box()
    assert button
    assert text
    assert abs(text["y"] - button["y"]) < 250
    assert app.status() == status
    # Gone once it is right.
    app.types("#mute-features", "7")
    app.does("#mute-apply")
    expect(said).to_have_count(0)
    app.tab("Edit input")
    app.types("#changed-text", " ")
    page.click("#run-changed-text")
    said = page.locator("#said-change [role=alert]")
    expect(said).to_contain_text("The text is empty", timeout=WAIT)
    assert in_sight(page, said)
    app.says("The last result is unchanged.")


def test_a_list_of_models_closes_when_one_goes_on(app: AppPage) -> None:
    app.tab("Text")
    app.page.click("#model-text input")
    options = app.page.get_by_role("option")
    expect(options).to_have_count(3)
    app.page.keyboard.press("Tab")
    expect(options).to_have_count(0)
    expect(app.page.locator("#run-text")).to_be_focused()
    expect(app.page.locator("#model-text input")).to_have_value("topics")
